//! Units on their way from one location to another.

use super::super::Answer;
use super::super::fault::Fault;
use super::super::fields::Fields;
use super::super::foresee::{foresee, refusal_of};
use super::super::form::{Form, Input, Table};
use super::super::show::{self, Badge};
use super::super::visit::Visit;
use super::actions::locations;
use super::sheet::{Sheet, row};
use domain::command::transfer::{ArrivedUnits, Command as TransferCommand, TransferUnits};
use domain::id::{LocationCode, Sku, TransferId};
use domain::quantity::Quantity;
use domain::time::Date;
use domain::transfer::{Transfer, TransferStatus};
use domain::{Command, Image};
use std::sync::Arc;

/// The transfer of the path; one that is over may have left memory.
async fn find(visit: &Visit) -> Result<Arc<Transfer>, Fault> {
    let id: TransferId = visit.segment("id", "transfer")?;
    let here = visit.now().transfers.get(&id).cloned();
    if let Some(transfer) = here {
        return Ok(transfer);
    }
    match visit.read(move |reader| reader.entity("transfer", &id.text())).await? {
        Some(Image::Transfer(_, Some(transfer))) => Ok(transfer),
        _ => Err(Fault::not_found("transfer", &id.text())),
    }
}

/// How it stands, as a badge.
pub fn badge(transfer: &Transfer) -> Badge {
    match transfer.status {
        TransferStatus::Draft => Badge { tone: "idle", icon: "ring", label: "Draft" },
        TransferStatus::Shipped if transfer.late_since.is_some() => Badge { tone: "bad", icon: "clock", label: "Late" },
        TransferStatus::Shipped => Badge { tone: "info", icon: "truck", label: "On its way" },
        TransferStatus::Received => Badge { tone: "ok", icon: "check", label: "Received" },
        TransferStatus::Canceled => Badge { tone: "idle", icon: "cross", label: "Canceled" },
    }
}

pub async fn page(visit: Visit) -> Answer {
    let transfer = find(&visit).await?;
    let frame = visit.frame(format!("Transfer {}", transfer.id), "replenishment", format!("transfer/{}", transfer.id));
    let count = |quantity: Quantity| show::count(quantity.get());
    let rows = transfer.lines.iter().map(|line| {
        let cells = [line.quantity, line.shipped, line.received, line.damaged, line.lost, line.in_transit()];
        row(&visit, &line.sku, cells.map(count).into())
    });
    let mut facts = vec![("From", transfer.from.to_string()), ("To", transfer.to.to_string())];
    facts.extend(transfer.reference.as_ref().map(|reference| ("Reference", reference.to_string())));
    facts.extend(transfer.carrier.as_ref().map(|carrier| ("Carrier", carrier.to_string())));
    facts.extend(transfer.tracking_number.as_ref().map(|number| ("Tracking", number.to_string())));
    facts.extend(transfer.expected_on.map(|day| ("Expected", show::day(day))));
    facts.extend(transfer.shipped_at.map(|at| ("Shipped", show::moment(at))));
    facts.push(("Drafted", show::moment(transfer.created_at)));
    let path = |verb: &str| format!("/transfers/{}/{verb}", transfer.id);
    let actions = match transfer.status {
        TransferStatus::Draft if frame.may.work => {
            let cancel = frame.may.operate.then(|| ("Cancel", path("cancel"), false));
            std::iter::once(("Ship", path("ship"), true)).chain(cancel).collect()
        }
        TransferStatus::Shipped if frame.may.work => {
            let lost = frame.may.operate.then(|| ("Close as lost", path("close-lost"), false));
            std::iter::once(("Receive", path("receive"), true)).chain(lost).collect()
        }
        _ => Vec::new(),
    };
    visit.show(&Sheet {
        title: format!("Transfer {}", transfer.id),
        badge: badge(&transfer),
        about: format!("{} to {}{}", transfer.from, transfer.to, if transfer.automatic { ", made by replenishment" } else { "" }),
        columns: vec!["Wanted", "Shipped", "Arrived", "Damaged", "Lost", "On its way"],
        rows: rows.collect(),
        facts,
        actions,
        subject: format!("transfer/{}", transfer.id),
        frame,
    })
}

fn units(fields: &Fields, name: &str) -> Result<Option<Quantity>, Fault> {
    Ok(fields.maybe::<u32>(name, "Units")?.map(Quantity::new))
}

/// The form of a step, and the command that its fields make.
fn step(transfer: &Transfer, verb: &str, fields: &Fields) -> Result<(Form, Result<Command, Fault>), Fault> {
    let (title, button) = match verb {
        "ship" => ("Ship", "Ship"),
        "receive" => ("Receive", "Receive"),
        "close-lost" => ("Close as lost", "Close as lost"),
        "cancel" => ("Cancel", "Cancel transfer"),
        _ => return Err(Fault::not_found("step of a transfer", verb)),
    };
    let mut form = Form {
        title: format!("{title} {}", transfer.id),
        section: "replenishment",
        button: button.to_owned(),
        back: format!("/transfers/{}", transfer.id),
        live: true,
        danger: verb == "cancel" || verb == "close-lost",
        ..Form::default()
    };
    let (id, text) = (transfer.id, |name: &str| fields.some(name).map(Into::into));
    let command = match verb {
        "ship" => {
            form = form
                .input(Input::text("carrier", "Carrier"))
                .input(Input::text("tracking_number", "Tracking number").code())
                .input(Input::date("expected_on", "Expected on"));
            fields.some("expected_on").map(Date::parse).transpose().map_err(|error| Fault::invalid(format!("Expected on: {error}."))).map(
                |expected_on| TransferCommand::ShipTransfer {
                    transfer: id,
                    lines: Vec::new(),
                    expected_on,
                    carrier: text("carrier"),
                    tracking_number: text("tracking_number"),
                    expected_version: None,
                },
            )
        }
        "receive" => {
            form.table = Some(arrivals(transfer));
            arrived(transfer, fields).map(|lines| TransferCommand::ReceiveTransfer { transfer: id, lines, expected_version: None })
        }
        "close-lost" => {
            form = form.input(Input::text("reason", "Reason"));
            Ok(TransferCommand::CloseLost { transfer: id, reason: text("reason"), expected_version: None })
        }
        _ => {
            form = form.input(Input::text("reason", "Reason").required().value("not needed"));
            let reason = fields.some("reason").unwrap_or("not needed").into();
            Ok(TransferCommand::CancelTransfer { transfer: id, reason, expected_version: None })
        }
    };
    Ok((form, command.map(Into::into)))
}

fn arrivals(transfer: &Transfer) -> Table {
    let open = transfer.lines.iter().enumerate().filter(|(_, line)| !line.in_transit().is_zero());
    let rows = open.map(|(at, line)| {
        let good = Input::number(&format!("accepted.{at}"), &format!("Good of {}", line.sku), 0, None).value(line.in_transit());
        let damaged = Input::number(&format!("damaged.{at}"), &format!("Damaged of {}", line.sku), 0, None).value(0);
        (vec![line.sku.to_string(), line.in_transit().to_string()], vec![good, damaged])
    });
    Table { columns: vec!["Item", "On its way", "Good", "Damaged"], rows: rows.collect() }
}

fn arrived(transfer: &Transfer, fields: &Fields) -> Result<Vec<ArrivedUnits>, Fault> {
    let mut lines = Vec::new();
    for (at, line) in transfer.lines.iter().enumerate().filter(|(_, line)| !line.in_transit().is_zero()) {
        // Before anything is typed, all that is on its way counts as arrived.
        let rest = if fields.is_empty() { line.in_transit() } else { Quantity::ZERO };
        let accepted = units(fields, &format!("accepted.{at}"))?.unwrap_or(rest);
        let damaged = units(fields, &format!("damaged.{at}"))?.unwrap_or(Quantity::ZERO);
        if !accepted.is_zero() || !damaged.is_zero() {
            lines.push(ArrivedUnits { sku: line.sku.clone(), accepted, damaged });
        }
    }
    if lines.is_empty() { Err(Fault::invalid("Say how many units arrived.")) } else { Ok(lines) }
}

/// Shipping and receiving are the warehouse's; the rest is for operators.
fn check(visit: &Visit, verb: &str) -> Result<(), Fault> {
    if !matches!(verb, "ship" | "receive") && !visit.may(crate::http::Access::Operate) {
        return Err(Fault::forbidden(visit.session.key.role, "an operator or admin key"));
    }
    Ok(())
}

pub async fn form(visit: Visit) -> Answer {
    let (transfer, verb) = (find(&visit).await?, visit.segment::<String>("step", "step")?);
    check(&visit, &verb)?;
    let (mut form, command) = step(&transfer, &verb, &visit.query)?;
    match command {
        Ok(command) => {
            let skus: Vec<Sku> = transfer.lines.iter().map(|line| line.sku.clone()).collect();
            form.says.extend(foresee(&visit, command, None, skus).await?);
        }
        Err(fault) => form.says.push(fault.detail),
    }
    form.show(&visit)
}

pub async fn act(visit: Visit) -> Answer {
    let (transfer, verb) = (find(&visit).await?, visit.segment::<String>("step", "step")?);
    check(&visit, &verb)?;
    let (form, command) = step(&transfer, &verb, &visit.form)?;
    let done = match command {
        Ok(command) => visit.submit(command).await,
        Err(fault) => Err(fault),
    };
    match done {
        Ok(_) => visit.done(&format!("/transfers/{}", transfer.id), format!("{} is {}.", transfer.id, show::past(&verb))),
        Err(fault) => form.refuse(&visit, &fault),
    }
}

/// A draft for one SKU; from the first location that has units, unless another is chosen.
fn new_of(visit: &Visit, sku: &Sku, fields: &Fields) -> (Form, Result<Command, Fault>) {
    let mut from = locations(visit, Some(sku));
    "from".clone_into(&mut from.name);
    "From".clone_into(&mut from.label);
    let mut to = locations(visit, None);
    "to".clone_into(&mut to.name);
    "To".clone_into(&mut to.label);
    to.value = to.options.iter().map(|(code, _)| code.clone()).find(|code| *code != from.value).unwrap_or_default();
    let form = Form {
        title: format!("Transfer {sku}"),
        section: "stock",
        button: "Draft".to_owned(),
        back: show::stock_path(sku.as_str()),
        live: true,
        ..Form::default()
    }
    .input(from)
    .input(to)
    .input(Input::number("quantity", "Units", 1, None).required())
    .input(Input::text("reference", "Reference"))
    .say("It is a draft until the units leave: ship it on its own page.");
    let command = (|| {
        let (from, to): (LocationCode, LocationCode) = (fields.need("from", "From")?, fields.need("to", "To")?);
        let lines = vec![TransferUnits { sku: sku.clone(), quantity: Quantity::new(fields.need("quantity", "Units")?) }];
        let reference = fields.some("reference").map(Into::into);
        Ok(TransferCommand::CreateTransfer { from, to, reference, expected_on: None, lines }.into())
    })();
    (form, command)
}

pub async fn new_form(visit: Visit) -> Answer {
    let sku: Sku = visit.segment("sku", "SKU")?;
    let (mut form, command) = new_of(&visit, &sku, &visit.query);
    form.says.extend(refusal_of(&visit, command, vec![sku]).await?);
    form.show(&visit)
}

pub async fn new_do(visit: Visit) -> Answer {
    let sku: Sku = visit.segment("sku", "SKU")?;
    let (form, command) = new_of(&visit, &sku, &visit.form);
    let done = match command {
        Ok(command) => visit.submit(command).await,
        Err(fault) => Err(fault),
    };
    match done {
        Ok(done) => {
            let made = done.images.iter().find_map(|image| match image {
                Image::Transfer(id, Some(_)) => Some(format!("/transfers/{id}")),
                _ => None,
            });
            visit.done(made.as_deref().unwrap_or("/replenishment"), "The transfer is drafted.")
        }
        Err(fault) => form.refuse(&visit, &fault),
    }
}
