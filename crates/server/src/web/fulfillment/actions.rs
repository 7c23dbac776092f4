//! Steps of the warehouse. Picking, packing and delivery happen at a press; the others ask first.

use super::super::Answer;
use super::super::fault::Fault;
use super::super::fields::Fields;
use super::super::foresee::foresee;
use super::super::form::{Form, Input};
use super::super::visit::Visit;
use super::work::find;
use domain::Command;
use domain::command::fulfillment::Command as WorkCommand;
use domain::fulfillment::{Fulfillment, Shipment};
use domain::quantity::Quantity;

/// The form of a step, when it has one, and the command that its fields make.
fn step(work: &Fulfillment, verb: &str, fields: &Fields) -> Result<(Option<Form>, Result<Command, Fault>), Fault> {
    let fulfillment = work.id;
    let form = |title: &str, button: &str| Form {
        title: format!("{title} {fulfillment}"),
        section: "fulfillment",
        button: button.to_owned(),
        back: format!("/fulfillment/{fulfillment}"),
        ..Form::default()
    };
    Ok(match verb {
        "pick" => (None, Ok(WorkCommand::StartPick { fulfillment }.into())),
        "pack" => (None, Ok(WorkCommand::Pack { fulfillment }.into())),
        "deliver" => (None, Ok(WorkCommand::Deliver { fulfillment, delivered_at: None }.into())),
        "ship" => {
            let form = form("Ship", "Ship")
                .input(Input::text("carrier", "Carrier"))
                .input(
                    Input::text("tracking_number", "Tracking number")
                        .code()
                        .hint("Without one, the order completes by itself after some days."),
                )
                .input(Input::text("tracking_url", "Tracking page").code().hint("https://…"));
            let text = |name: &str| fields.some(name).map(Into::into);
            let shipment = Shipment {
                carrier: text("carrier"),
                tracking_number: text("tracking_number"),
                tracking_url: text("tracking_url"),
                ..Shipment::default()
            };
            (Some(form), Ok(WorkCommand::Ship { fulfillment, shipment }.into()))
        }
        "short" => short(work, form("Not found in", "Not found"), fields)?,
        "accept-cancel" => (Some(form("Put back", "It is put back")), Ok(WorkCommand::AcceptCancel { fulfillment }.into())),
        "decline-cancel" => {
            let form = form("Send all the same", "Too late, it goes out").input(Input::text("reason", "Reason").value("already packed"));
            (Some(form), Ok(WorkCommand::DeclineCancel { fulfillment, reason: fields.some("reason").map(Into::into) }.into()))
        }
        _ => return Err(Fault::not_found("step of a fulfillment", verb)),
    })
}

/// Two taps: the line, and that it is so.
fn short(work: &Fulfillment, form: Form, fields: &Fields) -> Result<(Option<Form>, Result<Command, Fault>), Fault> {
    let index: u16 = fields.need("index", "Line")?;
    let line = work.lines.get(usize::from(index)).ok_or_else(|| Fault::not_found("line", &index.to_string()))?;
    let most = i64::from(line.quantity.get());
    let missing: u32 = fields.maybe("missing", "Units")?.unwrap_or(line.quantity.get());
    let mut form = form
        .input(Input::hidden("index", index.to_string()))
        .input(Input::number("missing", &format!("Units of {} that are not there", line.sku), 1, Some(most)).value(most).required());
    (form.danger, form.live) = (true, true);
    Ok((Some(form), Ok(WorkCommand::ShortPick { fulfillment: work.id, missing: vec![(index, Quantity::new(missing))] }.into())))
}

pub async fn form(visit: Visit) -> Answer {
    let (case, work) = find(&visit).await?;
    let verb: String = visit.segment("step", "step")?;
    let (form, command) = step(&work, &verb, &visit.query)?;
    // A step without questions is only a button; who comes here by its address gets the question all the same.
    let mut form = form.unwrap_or_else(|| Form {
        title: format!("{} {}", super::super::show::words(&verb), work.id),
        section: "fulfillment",
        button: super::super::show::words(&verb),
        back: format!("/fulfillment/{}", work.id),
        ..Form::default()
    });
    form.says.extend(foresee(&visit, command?, Some(case.order.id), Vec::new()).await?);
    form.show(&visit)
}

pub async fn act(visit: Visit) -> Answer {
    let (case, work) = find(&visit).await?;
    let verb: String = visit.segment("step", "step")?;
    let (form, command) = step(&work, &verb, &visit.form)?;
    let done = match command {
        Ok(command) => visit.submit(command).await,
        Err(fault) => Err(fault),
    };
    let note = match verb.as_str() {
        "pick" => "Picking has begun.",
        "pack" => "Packed.",
        "ship" => "Shipped.",
        "deliver" => "Delivered.",
        "short" => "Noted as not found.",
        _ => "Answered.",
    };
    match (done, form) {
        (Ok(_), _) => visit.done(&format!("/fulfillment/{}", work.id), format!("Order {}: {note}", case.order.number)),
        (Err(fault), Some(form)) => form.refuse(&visit, &fault),
        (Err(fault), None) => Err(fault),
    }
}
