//! What may be done to purchase orders.

use super::super::Answer;
use super::super::fault::Fault;
use super::super::fields::Fields;
use super::super::foresee::{foresee, refusal_of};
use super::super::form::{Form, Input, Table};
use super::super::show;
use super::super::stock::actions::locations;
use super::super::visit::Visit;
use super::one::find;
use domain::Command;
use domain::command::purchasing::{Command as PurchaseCommand, ExpectedLine, WantedLine};
use domain::event::purchasing::ReceivedUnits;
use domain::id::Sku;
use domain::purchasing::PurchaseOrder;
use domain::quantity::Quantity;
use domain::time::Date;

/// The form of a step, and the command that its fields make.
fn step(order: &PurchaseOrder, verb: &str, fields: &Fields) -> Result<(Form, Result<Command, Fault>), Fault> {
    let (title, button) = match verb {
        "receive" => ("Receive", "Receive"),
        "send" => ("Send", "Send"),
        "amend" => ("Amend", "Save"),
        "acknowledge" => ("New date for", "Save"),
        "close-short" => ("Close short", "Close short"),
        "cancel" => ("Cancel", "Cancel purchase order"),
        _ => return Err(Fault::not_found("step of a purchase order", verb)),
    };
    let mut form = Form {
        title: format!("{title} {}", order.id),
        section: "replenishment",
        button: button.to_owned(),
        back: format!("/purchase-orders/{}", order.id),
        live: true,
        danger: verb == "cancel" || verb == "close-short",
        ..Form::default()
    };
    let id = order.id;
    let command = match verb {
        "receive" => {
            form.table = Some(receive_table(order));
            form = form.input(Input::check("confirm", "More than was ordered is right"));
            received(order, fields)
                .map(|lines| PurchaseCommand::Receive { order: id, lines, confirm_over_receipt: fields.some("confirm").is_some() }.into())
        }
        "send" => Ok(PurchaseCommand::SendPurchaseOrder { order: id }.into()),
        "amend" => {
            form.table = Some(units_table(order));
            amended(order, fields).map(|lines| PurchaseCommand::AmendPurchaseOrder { order: id, lines }.into())
        }
        "acknowledge" => {
            form = form
                .input(Input::date("expected_on", "Expected on").required())
                .input(Input::text("reference", "The supplier’s reference"));
            expected(order, fields)
                .map(|lines| PurchaseCommand::Acknowledge { order: id, reference: fields.some("reference").map(Into::into), lines }.into())
        }
        "close-short" => Ok(PurchaseCommand::CloseShort { order: id }.into()),
        _ => {
            form = form.input(Input::text("reason", "Reason").required().value("not needed"));
            Ok(PurchaseCommand::Cancel { order: id, reason: fields.some("reason").unwrap_or("not needed").into() }.into())
        }
    };
    Ok((form, command))
}

fn receive_table(order: &PurchaseOrder) -> Table {
    let rows = order.lines.iter().enumerate().filter(|(_, line)| !line.open().is_zero()).map(|(at, line)| {
        let accepted = Input::number(&format!("accepted.{at}"), &format!("Accepted of {}", line.sku), 0, None).value(line.open());
        let damaged = Input::number(&format!("damaged.{at}"), &format!("Damaged of {}", line.sku), 0, None).value(0);
        (vec![line.sku.to_string(), line.open().to_string()], vec![accepted, damaged])
    });
    Table { columns: vec!["Item", "Open", "Good", "Damaged"], rows: rows.collect() }
}

fn units_table(order: &PurchaseOrder) -> Table {
    let rows = order.lines.iter().enumerate().map(|(at, line)| {
        let units = Input::number(&format!("units.{at}"), &format!("Units of {}", line.sku), 0, None).value(line.ordered);
        (vec![line.sku.to_string(), line.ordered.to_string()], vec![units])
    });
    Table { columns: vec!["Item", "Now", "Units"], rows: rows.collect() }
}

fn units(text: &str) -> Result<u32, Fault> {
    text.parse().map_err(|_| Fault::invalid(format!("“{text}” is no number of units.")))
}

fn received(order: &PurchaseOrder, fields: &Fields) -> Result<Vec<ReceivedUnits>, Fault> {
    let mut lines = Vec::new();
    for (at, line) in order.lines.iter().enumerate().filter(|(_, line)| !line.open().is_zero()) {
        let asked = fields.some(&format!("accepted.{at}")).map(units).transpose()?;
        // Before anything is typed, all that is open counts as arrived.
        let accepted = Quantity::new(asked.unwrap_or(if fields.is_empty() { line.open().get() } else { 0 }));
        let damaged = Quantity::new(fields.some(&format!("damaged.{at}")).map(units).transpose()?.unwrap_or(0));
        if !accepted.is_zero() || !damaged.is_zero() {
            lines.push(ReceivedUnits { sku: line.sku.clone(), accepted, damaged });
        }
    }
    if lines.is_empty() { Err(Fault::invalid("Say how many units arrived.")) } else { Ok(lines) }
}

fn amended(order: &PurchaseOrder, fields: &Fields) -> Result<Vec<WantedLine>, Fault> {
    let mut lines = Vec::new();
    for (at, line) in order.lines.iter().enumerate() {
        if let Some(text) = fields.some(&format!("units.{at}")) {
            let quantity = Quantity::new(units(text)?);
            if quantity != line.ordered {
                lines.push(WantedLine { sku: line.sku.clone(), quantity, unit_cost: None });
            }
        }
    }
    if lines.is_empty() { Err(Fault::invalid("Change a number of units.")) } else { Ok(lines) }
}

fn expected(order: &PurchaseOrder, fields: &Fields) -> Result<Vec<ExpectedLine>, Fault> {
    let day = fields.some("expected_on").ok_or_else(|| Fault::invalid("Choose the day on which it is expected."))?;
    let day = Date::parse(day).map_err(|error| Fault::invalid(format!("Expected on: {error}.")))?;
    let open = order.lines.iter().filter(|line| !line.open().is_zero());
    Ok(open.map(|line| ExpectedLine { sku: line.sku.clone(), expected_on: day }).collect())
}

/// Everything but receiving is for operators.
fn check(visit: &Visit, verb: &str) -> Result<(), Fault> {
    if verb != "receive" && !visit.may(crate::http::Access::Operate) {
        return Err(Fault::forbidden(visit.session.key.role, "an operator or admin key"));
    }
    Ok(())
}

pub async fn form(visit: Visit) -> Answer {
    let (order, verb) = (find(&visit).await?, visit.segment::<String>("step", "step")?);
    check(&visit, &verb)?;
    let (mut form, command) = step(&order, &verb, &visit.query)?;
    match command {
        Ok(command) => {
            let skus: Vec<Sku> = order.lines.iter().map(|line| line.sku.clone()).collect();
            form.says.extend(foresee(&visit, command, None, skus).await?);
        }
        Err(fault) => form.says.push(fault.detail),
    }
    form.show(&visit)
}

pub async fn act(visit: Visit) -> Answer {
    let (order, verb) = (find(&visit).await?, visit.segment::<String>("step", "step")?);
    check(&visit, &verb)?;
    let (form, command) = step(&order, &verb, &visit.form)?;
    let done = match command {
        Ok(command) => visit.submit(command).await,
        Err(fault) => Err(fault),
    };
    match done {
        Ok(_) => visit.done(&format!("/purchase-orders/{}", order.id), format!("{} is {}.", order.id, show::past(&verb))),
        Err(fault) => form.refuse(&visit, &fault),
    }
}

fn new_of(visit: &Visit, fields: &Fields) -> (Form, Result<Command, Fault>) {
    let suppliers = visit
        .now()
        .suppliers
        .values()
        .filter(|supplier| supplier.active)
        .map(|supplier| (supplier.code.to_string(), supplier.name.to_string()))
        .collect();
    let form = Form {
        title: "New purchase order".to_owned(),
        section: "replenishment",
        button: "Draft".to_owned(),
        back: "/replenishment".to_owned(),
        live: true,
        ..Form::default()
    }
    .input(Input::select("supplier", "Supplier", suppliers))
    .input(locations(visit, None))
    .input(Input::area("lines", "Lines").required().hint("One a line: SKU and units, like MUG-RED 24"))
    .input(Input::text("reference", "Reference"))
    .say("It is a draft until it is sent.");
    let command = (|| {
        let mut lines = Vec::new();
        for line in fields.text("lines").lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (sku, quantity) =
                line.rsplit_once([' ', '\t', ',']).ok_or_else(|| Fault::invalid(format!("“{line}” needs a SKU and a number of units.")))?;
            let sku = sku.trim().parse::<Sku>().map_err(|error| Fault::invalid(format!("{error}.")))?;
            lines.push(WantedLine { sku, quantity: Quantity::new(units(quantity)?), unit_cost: None });
        }
        let (supplier, location) = (fields.need("supplier", "Supplier")?, fields.need("location", "Location")?);
        Ok(PurchaseCommand::CreatePurchaseOrder { supplier, location, reference: fields.some("reference").map(Into::into), lines }.into())
    })();
    (form, command)
}

pub async fn new_form(visit: Visit) -> Answer {
    let (mut form, command) = new_of(&visit, &visit.query);
    let skus = match &command {
        Ok(Command::Purchasing(PurchaseCommand::CreatePurchaseOrder { lines, .. })) => lines.iter().map(|line| line.sku.clone()).collect(),
        Ok(_) | Err(_) => Vec::new(),
    };
    form.says.extend(refusal_of(&visit, command, skus).await?);
    form.show(&visit)
}

pub async fn new_do(visit: Visit) -> Answer {
    let (form, command) = new_of(&visit, &visit.form);
    let done = match command {
        Ok(command) => visit.submit(command).await,
        Err(fault) => Err(fault),
    };
    match done {
        Ok(done) => {
            let made = done.images.iter().find_map(|image| match image {
                domain::Image::PurchaseOrder(id, Some(_)) => Some(format!("/purchase-orders/{id}")),
                _ => None,
            });
            visit.done(made.as_deref().unwrap_or("/replenishment"), "The purchase order is drafted.")
        }
        Err(fault) => form.refuse(&visit, &fault),
    }
}
