//! Suppliers, replenishment policies and purchase orders.

use super::call::{Answer, Call, Content, Done, object};
use super::catalog::{entities, entity, read};
use super::overlay::update;
use super::problem::Problem;
use super::text::Text;
use domain::Image;
use domain::command::purchasing::{Command, ExpectedLine, WantedLine};
use domain::event::purchasing::ReceivedUnits;
use domain::id::{LocationCode, PurchaseOrderId, Sku, SupplierCode};
use domain::money::Amount;
use domain::purchasing::{Policy, PurchaseOrder, Supplier};
use domain::quantity::Quantity;
use domain::time::Date;
use serde::Deserialize;
use serde_json::{Value, json};

/// Shortest secret that a supplier's webhook is signed with.
pub const SECRET_BYTES_MIN: usize = 16;

fn supplier(call: &Call, code: Option<&str>) -> Result<Supplier, Problem> {
    let defaults = json!({
        "code": null, "name": null, "lead_time_days": 7, "currency": null, "order_minimum": 0, "auto": "send", "dispatch": "none", "active": true,
        "metadata": {}, "version": 0, "created_at": "1970-01-01T00:00:00.000Z", "object": "supplier",
    });
    read(call, defaults, &["email", "cutoff", "webhook"], code.map(|code| ("code", code)))
}

/// The webhook's secret comes in the clear and is sealed before the rules see it; without one, the known one stays.
async fn sealed(call: &Call, code: Option<&str>) -> Result<Supplier, Problem> {
    let mut call_body: Value = call.json()?;
    let Some(webhook) = call_body.get_mut("webhook").filter(|webhook| webhook.is_object()) else { return supplier(call, code) };
    let known = match code {
        Some(code) => {
            let code = code.to_owned();
            match call.shop.read(move |reader| reader.entity("supplier", &code)).await? {
                Some(Image::Supplier(_, Some(supplier))) => supplier.webhook.as_ref().map(|webhook| webhook.secret.clone()),
                _ => None,
            }
        }
        None => None,
    };
    let secret = match webhook.get("secret") {
        Some(Value::String(secret)) if secret.len() >= SECRET_BYTES_MIN => {
            call.shop.vault.seal_secret(secret).map_err(Problem::internal)?
        }
        Some(_) => {
            let problem =
                format!("expected a text of at least {SECRET_BYTES_MIN} characters, not null; leave it out to keep the known one");
            return Err(Problem::bad_field("webhook.secret", problem));
        }
        None => known.ok_or_else(|| Problem::bad_field("webhook.secret", "send the secret that signs what is posted"))?,
    };
    webhook["secret"] = json!(secret);
    supplier(&call.with_body(call_body.to_string()), code)
}

/// As clients read it: never with the secret.
pub(super) fn supplier_view(supplier: &Supplier) -> Value {
    let mut view = object("supplier", supplier);
    mask(&mut view);
    view
}

fn changed(mut answer: Answer, change: impl FnOnce(&mut Value)) -> Answer {
    if let Content::Value(value) = &mut answer.content {
        change(value);
    }
    answer
}

fn mask(view: &mut Value) {
    if let Some(webhook) = view.get_mut("webhook").and_then(Value::as_object_mut) {
        webhook.remove("secret");
    }
}

fn supplier_answer(done: &Done) -> Result<(Value, u64), Problem> {
    let found = done.images.iter().find_map(|image| match image {
        Image::Supplier(_, Some(supplier)) => Some((supplier_view(supplier), supplier.version)),
        _ => None,
    });
    found.ok_or_else(|| Problem::internal("a supplier left no image"))
}

pub async fn supplier_create(call: Call) -> Result<Answer, Problem> {
    let done = call.submit(Command::CreateSupplier(sealed(&call, None).await?)).await?;
    let (body, version) = supplier_answer(&done)?;
    Ok(Answer::created(body).at(version).replayed(done.repeated))
}

pub async fn supplier_update(call: Call) -> Result<Answer, Problem> {
    let code: SupplierCode = call.segment("code")?;
    let done = update(&call, "supplier", code.as_str(), |whole: Call, expected_version| {
        let code = code.clone();
        async move { Ok(Command::UpdateSupplier { supplier: sealed(&whole, Some(code.as_str())).await?, expected_version }) }
    });
    let done = done.await?;
    let (body, version) = supplier_answer(&done)?;
    Ok(Answer::ok(body).at(version).replayed(done.repeated))
}

pub async fn supplier_get(call: Call) -> Result<Answer, Problem> {
    let answer: Result<Answer, Problem> = entity!(call, Supplier, "supplier", call.segment::<SupplierCode>("code")?);
    answer.map(|answer| changed(answer, mask))
}

pub async fn supplier_list(call: Call) -> Result<Answer, Problem> {
    let answer: Result<Answer, Problem> = entities!(call, Supplier, "supplier");
    answer.map(|answer| changed(answer, |list| list["data"].as_array_mut().into_iter().flatten().for_each(mask)))
}

pub async fn policy_set(call: Call) -> Result<Answer, Problem> {
    let defaults = json!({
        "sku": null, "location": null, "reorder_point": null, "moq": 1, "multiple": 1, "unit_cost": 0, "active": true,
        "version": 0, "object": "policy",
    });
    let policy: Policy =
        read(&call, defaults, &["supplier", "source_location", "auto", "order_up_to", "reorder_quantity", "lead_time_days"], None)?;
    let done = call.submit(Command::SetPolicy { policy, expected_version: call.if_match()? }).await?;
    let found = done.images.iter().find_map(|image| match image {
        Image::Policy(_, Some(policy)) => Some((object("policy", policy.as_ref()), policy.version)),
        _ => None,
    });
    let (body, version) = found.ok_or_else(|| Problem::internal("a policy left no image"))?;
    Ok(Answer::created(body).at(version).replayed(done.repeated))
}

pub async fn policy_list(call: Call) -> Result<Answer, Problem> {
    entities!(call, Policy, "policy")
}

pub async fn policy_delete(call: Call) -> Result<Answer, Problem> {
    let (sku, location): (Sku, LocationCode) = (call.segment("sku")?, call.segment("location")?);
    let done = call.submit(Command::DeletePolicy { sku: sku.clone(), location: location.clone() }).await?;
    Ok(Answer::ok(json!({"object": "policy", "sku": sku, "location": location, "deleted": true})).replayed(done.repeated))
}

pub(super) fn view(order: &PurchaseOrder) -> Value {
    let mut view = object("purchase_order", order);
    view["total"] = json!(order.total());
    view
}

pub fn answer(done: &Done) -> Result<Answer, Problem> {
    let found = done.images.iter().find_map(|image| match image {
        Image::PurchaseOrder(_, Some(order)) => Some(Answer::ok(view(order)).at(order.version)),
        _ => None,
    });
    Ok(found.ok_or_else(|| Problem::internal("a purchase order left no image"))?.replayed(done.repeated))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderBody {
    supplier: SupplierCode,
    location: LocationCode,
    reference: Option<Text>,
    lines: Vec<LineBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineBody {
    sku: Sku,
    quantity: Quantity,
    unit_cost: Option<Amount>,
}

fn wanted(lines: Vec<LineBody>) -> Vec<WantedLine> {
    lines.into_iter().map(|line| WantedLine { sku: line.sku, quantity: line.quantity, unit_cost: line.unit_cost }).collect()
}

pub async fn order_create(call: Call) -> Result<Answer, Problem> {
    let body: OrderBody = call.json()?;
    let (supplier, location, reference) = (body.supplier, body.location, body.reference.map(Into::into));
    let done = call.submit(Command::CreatePurchaseOrder { supplier, location, reference, lines: wanted(body.lines) }).await?;
    Ok(Answer { status: axum::http::StatusCode::CREATED, ..answer(&done)? })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AmendBody {
    lines: Vec<LineBody>,
}

pub async fn order_amend(call: Call) -> Result<Answer, Problem> {
    let lines = wanted(call.json::<AmendBody>()?.lines);
    answer(&call.submit(Command::AmendPurchaseOrder { order: call.segment("id")?, lines }).await?)
}

pub async fn order_send(call: Call) -> Result<Answer, Problem> {
    answer(&call.submit(Command::SendPurchaseOrder { order: call.segment("id")? }).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AcknowledgeBody {
    reference: Option<Text>,
    #[serde(default)]
    lines: Vec<ExpectedBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedBody {
    sku: Sku,
    expected_on: Date,
}

pub async fn order_acknowledge(call: Call) -> Result<Answer, Problem> {
    let body: AcknowledgeBody = call.json()?;
    let lines = body.lines.into_iter().map(|line| ExpectedLine { sku: line.sku, expected_on: line.expected_on }).collect();
    let reference = body.reference.map(Into::into);
    answer(&call.submit(Command::Acknowledge { order: call.segment("id")?, reference, lines }).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiveBody {
    lines: Vec<ArrivedBody>,
    #[serde(default)]
    confirm_over_receipt: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ArrivedBody {
    sku: Sku,
    accepted: Quantity,
    #[serde(default)]
    damaged: Quantity,
}

pub async fn order_receive(call: Call) -> Result<Answer, Problem> {
    let body: ReceiveBody = call.json()?;
    let lines = body.lines.into_iter();
    let lines = lines.map(|line| ReceivedUnits { sku: line.sku, accepted: line.accepted, damaged: line.damaged }).collect();
    let confirm_over_receipt = body.confirm_over_receipt;
    answer(&call.submit(Command::Receive { order: call.segment("id")?, lines, confirm_over_receipt }).await?)
}

pub async fn order_close_short(call: Call) -> Result<Answer, Problem> {
    answer(&call.submit(Command::CloseShort { order: call.segment("id")? }).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CancelBody {
    reason: Option<Text>,
}

pub async fn order_cancel(call: Call) -> Result<Answer, Problem> {
    let reason = call.json::<CancelBody>()?.reason.unwrap_or_else(|| "requested".into()).into();
    answer(&call.submit(Command::Cancel { order: call.segment("id")?, reason }).await?)
}

pub async fn order_get(call: Call) -> Result<Answer, Problem> {
    let id: PurchaseOrderId = call.segment("id")?;
    let found = call.read(move |reader| reader.entity("purchase_order", &id.text())).await?;
    match found {
        Some(Image::PurchaseOrder(_, Some(order))) => Ok(Answer::ok(view(&order)).at(order.version)),
        _ => Err(Problem::not_found("purchase order", &id.text())),
    }
}

pub async fn order_list(call: Call) -> Result<Answer, Problem> {
    entities!(call, PurchaseOrder, "purchase_order")
}
