//! What may be done to a SKU's stock: receive, adjust, set aside, count, keep a buffer.

use super::super::Answer;
use super::super::fault::Fault;
use super::super::fields::Fields;
use super::super::foresee::foresee;
use super::super::form::{Form, Input};
use super::super::show;
use super::super::visit::Visit;
use domain::Command;
use domain::command::count::Command as CountCommand;
use domain::command::stock::{AdjustLine, AdjustStock, Change, Command as StockCommand};
use domain::event::stock::Bucket;
use domain::id::{LocationCode, Sku};
use domain::quantity::Quantity;
use domain::stock::ReceiptLine;

struct Action {
    form: Form,
    command: Result<Command, Fault>,
    /// Why what follows can't be told.
    unsaid: Option<String>,
}

type Make = fn(&Visit, &Sku, &Fields) -> Action;

async fn ask(visit: Visit, make: Make) -> Answer {
    let sku: Sku = known(&visit)?;
    let Action { mut form, command, unsaid } = make(&visit, &sku, &visit.query);
    match (command, unsaid) {
        (_, Some(unsaid)) => form.says.push(unsaid),
        (Ok(command), None) => form.says.extend(foresee(&visit, command, None, vec![sku]).await?),
        (Err(fault), None) => form.says.push(fault.detail),
    }
    form.show(&visit)
}

async fn act(visit: Visit, make: Make, note: &str) -> Answer {
    let sku: Sku = known(&visit)?;
    let Action { form, command, .. } = make(&visit, &sku, &visit.form);
    let done = match command {
        Ok(command) => visit.submit(command).await,
        Err(fault) => Err(fault),
    };
    match done {
        Ok(_) => visit.done(&show::stock_path(sku.as_str()), format!("{sku}: {note}.")),
        Err(fault) => form.refuse(&visit, &fault),
    }
}

fn known(visit: &Visit) -> Result<Sku, Fault> {
    let sku: Sku = visit.segment("sku", "SKU")?;
    if visit.now().items.contains_key(&sku) { Ok(sku) } else { Err(Fault::not_found("SKU", sku.as_str())) }
}

fn form(sku: &Sku, title: &str, button: &str) -> Form {
    Form {
        title: format!("{title} {sku}"),
        section: "stock",
        button: button.to_owned(),
        back: show::stock_path(sku.as_str()),
        live: true,
        ..Form::default()
    }
}

/// Locations to choose from, where the SKU is kept first.
pub fn locations(visit: &Visit, sku: Option<&Sku>) -> Input {
    let now = visit.now();
    let levels = sku.and_then(|sku| now.levels.get(sku));
    let mut options: Vec<(bool, u16, String, String)> = now
        .locations
        .values()
        .filter(|at| at.active)
        .map(|at| {
            let here = levels.and_then(|levels| levels.get(&at.code)).map_or(0, |level| level.on_hand.get());
            let label = if sku.is_some() { format!("{} · {} on hand", at.name, show::count(here)) } else { at.name.to_string() };
            (here == 0, at.priority, at.code.to_string(), label)
        })
        .collect();
    options.sort();
    let options: Vec<(String, String)> = options.into_iter().map(|(_, _, code, label)| (code, label)).collect();
    let first = options.first().map_or_else(String::new, |(code, _)| code.clone());
    Input::select("location", "Location", options).value(first)
}

/// What is chosen, or what stands first.
fn location(visit: &Visit, sku: &Sku, fields: &Fields) -> Result<LocationCode, Fault> {
    match fields.maybe("location", "Location")? {
        Some(code) => Ok(code),
        None => locations(visit, Some(sku)).value.parse().map_err(|_| Fault::invalid("Create a location first.")),
    }
}

fn receive(visit: &Visit, sku: &Sku, fields: &Fields) -> Action {
    let form = form(sku, "Receive", "Receive")
        .input(locations(visit, Some(sku)))
        .input(Input::number("quantity", "Units", 1, None).required())
        .input(Input::text("reference", "Reference").hint("Delivery note or ASN. Against a purchase order, receive on its own page."));
    let command = location(visit, sku, fields).and_then(|location| {
        let quantity = Quantity::new(fields.need("quantity", "Units")?);
        let lines = vec![ReceiptLine { sku: sku.clone(), quantity }];
        Ok(StockCommand::ReceiveStock { location, reference: fields.some("reference").map(Into::into), lines }.into())
    });
    Action { form, command, unsaid: None }
}

pub async fn receive_form(visit: Visit) -> Answer {
    ask(visit, receive).await
}

pub async fn receive_do(visit: Visit) -> Answer {
    act(visit, receive, "units are received").await
}

/// Receiving from the list: the SKU is typed or scanned.
pub async fn receive_any(visit: Visit) -> Answer {
    let typed = visit.query.text("sku").to_owned();
    let found = {
        let now = visit.now();
        let by_barcode = now.items.values().find(|item| !typed.is_empty() && item.barcode.as_deref() == Some(typed.as_str()));
        let by_name = typed.parse::<Sku>().ok().filter(|sku| now.items.contains_key(sku));
        by_barcode.map(|item| item.sku.clone()).or(by_name)
    };
    if let Some(sku) = found {
        let to = format!("{}/receive", show::stock_path(sku.as_str()));
        return Ok(axum::response::IntoResponse::into_response(axum::response::Redirect::to(&to)));
    }
    let mut form = Form {
        title: "Receive stock".to_owned(),
        section: "stock",
        button: "Go on".to_owned(),
        back: "/stock".to_owned(),
        gets: true,
        ..Form::default()
    };
    form = form.input(Input::text("sku", "SKU or barcode").required().code());
    if !typed.is_empty() {
        form = form.say(format!("There is no SKU or barcode “{typed}”."));
    }
    form.show(&visit)
}

fn bucket(text: &str) -> Bucket {
    match text {
        "damaged" => Bucket::Damaged,
        "quality_control" => Bucket::QualityControl,
        "quarantine" => Bucket::Quarantine,
        _ => Bucket::OnHand,
    }
}

fn buckets(name: &str, label: &str, first: &str) -> Input {
    let buckets = [("on_hand", first), ("damaged", "Damaged"), ("quality_control", "Quality control"), ("quarantine", "Quarantine")];
    Input::select(name, label, buckets.map(|(value, label)| (value.to_owned(), label.to_owned())).to_vec())
}

const REASONS: [&str; 6] = ["correction", "shrinkage", "damage", "found", "sample", "theft"];

fn adjust(visit: &Visit, sku: &Sku, fields: &Fields) -> Action {
    let reasons = REASONS.map(|reason| (reason.to_owned(), show::words(reason))).to_vec();
    let mut form = form(sku, "Adjust", "Adjust")
        .input(locations(visit, Some(sku)))
        .input(buckets("bucket", "What", "On hand"))
        .input(Input::number("delta", "Change by", -10_000_000, Some(10_000_000)).required().hint("Units more, or fewer with a minus: −3."))
        .input(Input::select("reason", "Reason", reasons))
        .input(Input::text("reference", "Reference"));
    form.danger = fields.text("delta").starts_with('-');
    let mut unsaid = None;
    let command = location(visit, sku, fields).and_then(|location| {
        let delta: i64 = fields.need("delta", "Change")?;
        unsaid = bad_news(visit, sku, &location, delta);
        let line = AdjustLine { sku: sku.clone(), bucket: bucket(fields.text("bucket")), change: Change::Delta(delta), if_quantity: None };
        let (reason, reference) = (fields.some("reason").unwrap_or("correction").into(), fields.some("reference").map(Into::into));
        Ok(StockCommand::AdjustStock(AdjustStock { location, reason, reference, count: None, occurred_at: None, lines: vec![line] }).into())
    });
    Action { form, command, unsaid }
}

/// Units that somebody has a claim on are taken from others, which the copy does not hold.
fn bad_news(visit: &Visit, sku: &Sku, location: &LocationCode, delta: i64) -> Option<String> {
    let now = visit.now();
    let level = now.levels.get(sku)?.get(location)?;
    let free = level.on_hand.signed() - level.allocated.signed() - level.held.signed() - level.unavailable.signed();
    let taken = -delta - free;
    // More than can be taken at all is refused: the rules say so themselves.
    let possible = -delta <= level.on_hand.signed() - level.picked.signed();
    (taken > 0 && possible).then(|| {
        format!(
            "Only {free} at {location} are claimed by nobody: {taken} are taken back, first from carts (the youngest holds), then from orders \
             that were not released (lowest priority, youngest), then from released ones. Picked units are never taken."
        )
    })
}

pub async fn adjust_form(visit: Visit) -> Answer {
    ask(visit, adjust).await
}

pub async fn adjust_do(visit: Visit) -> Answer {
    act(visit, adjust, "stock is adjusted").await
}

fn set_aside(visit: &Visit, sku: &Sku, fields: &Fields) -> Action {
    let form = form(sku, "Set aside", "Move")
        .input(locations(visit, Some(sku)))
        .input(Input::number("quantity", "Units", 1, None).required())
        .input(buckets("from", "From", "For sale"))
        .input(buckets("to", "To", "For sale").value("damaged"))
        .input(Input::text("reason", "Reason"));
    let mut unsaid = None;
    let command = location(visit, sku, fields).and_then(|location| {
        let quantity: u32 = fields.need("quantity", "Units")?;
        let (from, to) = (bucket(fields.text("from")), bucket(fields.some("to").unwrap_or("damaged")));
        if from == Bucket::OnHand {
            unsaid = bad_news(visit, sku, &location, -i64::from(quantity));
        }
        let lines = vec![ReceiptLine { sku: sku.clone(), quantity: Quantity::new(quantity) }];
        Ok(StockCommand::MoveStock { location, reason: fields.some("reason").map(Into::into), from, to, lines }.into())
    });
    Action { form, command, unsaid }
}

pub async fn move_form(visit: Visit) -> Answer {
    ask(visit, set_aside).await
}

pub async fn move_do(visit: Visit) -> Answer {
    act(visit, set_aside, "units are moved").await
}

fn safety_stock(visit: &Visit, sku: &Sku, fields: &Fields) -> Action {
    let form = form(sku, "Safety stock of", "Save").input(locations(visit, Some(sku))).input(
        Input::number("quantity", "Units kept back", 0, None)
            .required()
            .hint("Never sold to new orders. A planner’s safety stock belongs into the reorder point instead."),
    );
    let command = location(visit, sku, fields).and_then(|location| {
        let safety_stock = Quantity::new(fields.need("quantity", "Units")?);
        Ok(StockCommand::SetSafetyStock { sku: sku.clone(), location, safety_stock }.into())
    });
    Action { form, command, unsaid: None }
}

pub async fn safety_form(visit: Visit) -> Answer {
    ask(visit, safety_stock).await
}

pub async fn safety_do(visit: Visit) -> Answer {
    act(visit, safety_stock, "the buffer is set").await
}

fn count_form_of(visit: &Visit, sku: &Sku, fields: &Fields) -> (Form, String) {
    let mut form = form(sku, "Count", "Post the count")
        .input(locations(visit, Some(sku)))
        .input(Input::number("counted", "On the shelf", 0, None).required().hint("Without what is picked and stands ready to go."))
        .input(Input::text("reference", "Reference"))
        .input(Input::check("approve", "A large difference is right").hint("Needed above the shop’s threshold."));
    let says = match (location(visit, sku, fields), fields.maybe::<i64>("counted", "Counted")) {
        (Ok(at), Ok(Some(counted))) => {
            let now = visit.now();
            let level = now.levels.get(sku).and_then(|levels| levels.get(&at)).copied().unwrap_or_default();
            let expected = level.on_hand.signed() - level.picked.signed();
            match counted - expected {
                0 => format!("The books say {expected}: nothing changes."),
                difference => format!("The books say {expected}: {} is posted as an adjustment.", show::signed(difference)),
            }
        }
        (Err(fault), _) | (_, Err(fault)) => fault.detail,
        (Ok(_), Ok(None)) => "The difference to the books is posted as an adjustment.".to_owned(),
    };
    form.danger = false;
    (form, says)
}

pub async fn count_form(visit: Visit) -> Answer {
    let sku = known(&visit)?;
    let (form, says) = count_form_of(&visit, &sku, &visit.query);
    form.say(says).show(&visit)
}

/// A count of one SKU: opened, recorded and posted at once.
pub async fn count_do(visit: Visit) -> Answer {
    let sku = known(&visit)?;
    match count_all(&visit, &sku).await {
        Ok(()) => visit.done(&show::stock_path(sku.as_str()), format!("{sku}: the count is posted.")),
        Err(fault) => {
            let (form, says) = count_form_of(&visit, &sku, &visit.form);
            form.say(says).refuse(&visit, &fault)
        }
    }
}

async fn count_all(visit: &Visit, sku: &Sku) -> Result<(), Fault> {
    let form = &visit.form;
    let counted = Quantity::new(form.need("counted", "Counted")?);
    let (location, reference) = (location(visit, sku, form)?, form.some("reference").map(Into::into));
    let open = CountCommand::OpenCount { location, skus: vec![sku.clone()], reference };
    let done = visit.submit_as(open.into(), "open").await?;
    let count = done.images.iter().find_map(|image| match image {
        domain::Image::Count(id, Some(_)) => Some(*id),
        _ => None,
    });
    let count = count.ok_or_else(|| Fault::internal("a count left no image"))?;
    let lines = vec![domain::command::count::CountedLine { sku: sku.clone(), counted, counted_at: None }];
    visit.submit_as(CountCommand::RecordCount { count, lines, expected_version: None }.into(), "record").await?;
    let post = CountCommand::PostCount { count, approve: form.some("approve").is_some(), expected_version: None };
    if let Err(fault) = visit.submit_as(post.into(), &format!("post {}", form.text("approve"))).await {
        // A count that is not posted would stay open; the next try opens its own.
        let cancel = CountCommand::CancelCount { count, expected_version: None };
        let _ = visit.submit_as(cancel.into(), "cancel").await;
        return Err(fault);
    }
    Ok(())
}
