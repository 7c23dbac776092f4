//! Customers: found by mail or outside id, merged, erased.

use super::call::{Answer, Call, list};
use super::orders::CustomerBody;
use super::problem::Problem;
use domain::Image;
use domain::command::customer::Command;
use domain::customer::Customer;
use domain::id::CustomerId;
use domain::notification::TopicKind;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) fn view(call: &Call, customer: &Customer) -> Value {
    let details = customer.details.as_ref().and_then(|sealed| call.shop.vault.open_sealed::<Value>(sealed));
    let mut view = details.unwrap_or_else(|| json!({}));
    view["id"] = json!(customer.id);
    view["object"] = json!("customer");
    view["orders"] = json!(customer.orders);
    view["mail_opt_outs"] = json!(customer.mail_opt_outs);
    view["merged_into"] = json!(customer.merged_into);
    view["erased_at"] = json!(customer.erased_at);
    view["created_at"] = json!(customer.created_at);
    view["version"] = json!(customer.version);
    view
}

async fn find(call: &Call, id: CustomerId) -> Result<Answer, Problem> {
    match call.read(move |reader| reader.entity("customer", &id.text())).await? {
        Some(Image::Customer(_, Some(customer))) => Ok(Answer::ok(view(call, &customer)).at(customer.version)),
        _ => Err(Problem::not_found("customer", &id.text())),
    }
}

/// Those who are called by all words of a name, the latest first.
///
/// # Errors
/// When there is no word in it.
pub(super) fn called(call: &Call, name: &str, limit: usize) -> Result<Vec<CustomerId>, Problem> {
    let words = call.shop.vault.words(name);
    if words.is_empty() {
        return Err(Problem::bad_field("name", "must have a word, as \"lovelace\" or \"ada lovelace\"; whole words are compared"));
    }
    call.shop.vault.called(&words, limit).map_err(Problem::internal)
}

pub async fn customer_get(call: Call) -> Result<Answer, Problem> {
    find(&call, call.segment("id")?).await
}

/// Whoever has this mail address or outside id, or all who are called so; nobody is listed without a name.
pub async fn customer_list(call: Call) -> Result<Answer, Problem> {
    let vault = &call.shop.vault;
    if let Some(name) = call.query::<String>("name")? {
        let ids = called(&call, &name, call.limit()?)?;
        let images = call.read(move |reader| ids.iter().map(|id| reader.entity("customer", &id.text())).collect::<Result<Vec<_>, _>>());
        let customers = images.await?.into_iter().filter_map(|image| match image {
            Some(Image::Customer(_, Some(customer))) => Some(view(&call, &customer)),
            _ => None,
        });
        return Ok(Answer::ok(list(customers.collect(), false, None)));
    }
    let name = match (call.query::<String>("email")?, call.query::<String>("external_id")?, call.query::<String>("channel")?) {
        (Some(mail), ..) => vault.fingerprint("email", &mail),
        (None, Some(id), Some(channel)) => vault.fingerprint("external_id", &format!("{channel}\n{id}")),
        (None, Some(_), None) => return Err(Problem::bad_field("channel", "say which channel gave the external_id")),
        (None, None, _) => return Err(Problem::bad_field("email", "find customers by email, by name, or by channel and external_id")),
    };
    let found = match vault.find(&name).map_err(Problem::internal)? {
        Some(id) => find(&call, id).await.map(|answer| vec![answer.value()]).unwrap_or_default(),
        None => Vec::new(),
    };
    Ok(Answer::ok(list(found, false, None)))
}

/// Flattened, it would take any other name as well.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SaveBody {
    channel: Option<String>,
    external_id: Option<String>,
    email: Option<String>,
    name: Option<String>,
    phone: Option<String>,
    locale: Option<String>,
}

pub async fn customer_save(call: Call) -> Result<Answer, Problem> {
    let SaveBody { channel, external_id, email, name, phone, locale } = call.json()?;
    let details = CustomerBody { external_id, email, name, phone, locale };
    let buyer = details.buyer(&call.shop.vault, channel.as_deref().unwrap_or_default());
    if buyer.names.is_empty() {
        return Err(Problem::bad_field("email", "send an email, or a channel and its external_id"));
    }
    let id = call.shop.vault.customer(&buyer).map_err(Problem::internal)?;
    let details = Some(call.shop.vault.seal(id, &details).map_err(Problem::internal)?);
    let done = call.submit(Command::SaveCustomer { id, details, fingerprints: buyer.names }).await?;
    Ok(Answer { status: axum::http::StatusCode::CREATED, ..find(&call, id).await? }.replayed(done.repeated))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MergeBody {
    into: CustomerId,
}

pub async fn customer_merge(call: Call) -> Result<Answer, Problem> {
    let (from, into) = (call.segment("id")?, call.json::<MergeBody>()?.into);
    let done = call.submit(Command::MergeCustomers { from, into }).await?;
    Ok(find(&call, into).await?.replayed(done.repeated))
}

/// The key goes after the fact is durable: asked again after a crash between the two, it goes then.
pub async fn customer_erase(call: Call) -> Result<Answer, Problem> {
    let id: CustomerId = call.segment("id")?;
    let done = call.submit(Command::EraseCustomer { id }).await?;
    call.shop.vault.erase(id).map_err(Problem::internal)?;
    Ok(find(&call, id).await?.replayed(done.repeated))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PreferencesBody {
    opt_outs: BTreeSet<TopicKind>,
}

pub async fn mail_preferences_set(call: Call) -> Result<Answer, Problem> {
    let (id, opt_outs) = (call.segment("id")?, call.json::<PreferencesBody>()?.opt_outs);
    let done = call.submit(Command::SetMailPreferences { id, opt_outs }).await?;
    Ok(find(&call, id).await?.replayed(done.repeated))
}
