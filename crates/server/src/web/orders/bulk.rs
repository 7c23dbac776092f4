//! The same done to several orders: asked once, reported one by one.

use super::super::Answer;
use super::super::fault::Fault;
use super::super::fields::Fields;
use super::super::form::{Form, Input};
use super::super::show;
use super::super::visit::Visit;
use domain::Command;
use domain::command::order::Command as OrderCommand;
use domain::id::OrderId;
use domain::order::OrderStatus;

/// Most orders at once.
const ORDERS_MAX: usize = 200;
/// Refusals that are told in full.
const REFUSALS_TOLD: usize = 3;
/// Orders that are left out and named.
const LEFT_TOLD: usize = 20;

fn wanted(fields: &Fields) -> Result<Vec<OrderId>, Fault> {
    let ids = fields.all("id").map(|id| id.parse().map_err(|_| Fault::not_found("order", id)));
    let ids = ids.collect::<Result<Vec<OrderId>, Fault>>()?;
    match ids.len() {
        0 => Err(Fault::invalid("Choose at least one order first.")),
        1..=ORDERS_MAX => Ok(ids),
        _ => Err(Fault::invalid(format!("At most {ORDERS_MAX} orders at once."))),
    }
}

/// Whether the rules would do it to an order of that status.
fn is_for(action: &str, status: OrderStatus) -> bool {
    match status {
        OrderStatus::Open => action != "release",
        OrderStatus::OnHold => action != "hold",
        OrderStatus::Completed | OrderStatus::Canceled | OrderStatus::Rejected => false,
    }
}

/// Those to which something happens, and a sentence about the others.
async fn sorted(visit: &Visit, ids: Vec<OrderId>) -> Result<(Vec<OrderId>, String), Fault> {
    let asked = ids.clone();
    let cases = visit.read(move |reader| asked.iter().map(|id| reader.case(*id)).collect::<Result<Vec<_>, _>>()).await?;
    let statuses = cases.into_iter().map(|case| case.map(|case| case.order.status));
    let action = visit.query.text("do");
    let (mut kept, mut left) = (Vec::new(), Vec::new());
    for (id, status) in ids.into_iter().zip(statuses) {
        match status {
            Some(status) if !is_for(action, status) => {
                left.push(format!("#{} ({})", show::number(id), show::order_status(status).label.to_lowercase()));
            }
            // What nobody knows is told when it is tried.
            Some(_) | None => kept.push(id),
        }
    }
    let more = left.len().saturating_sub(LEFT_TOLD);
    let names = left.iter().take(LEFT_TOLD).cloned().collect::<Vec<_>>().join(", ");
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let says = if left.is_empty() { String::new() } else { format!("Left out, as nothing would happen to them: {names}{more}.") };
    if kept.is_empty() {
        return Err(Fault::invalid(format!("None of the chosen orders can be {}. {says}", done_word(action))));
    }
    Ok((kept, says))
}

fn done_word(action: &str) -> &'static str {
    match action {
        "hold" => "held",
        "release" => "released",
        _ => "canceled",
    }
}

fn form(fields: &Fields, ids: &[OrderId], left: &str) -> Result<Form, Fault> {
    let (verb, what, danger) = match fields.text("do") {
        "hold" => (
            "Hold",
            "Nothing of them goes to the warehouse until they are released; work that was released and not begun is taken back.",
            false,
        ),
        "release" => ("Release", "What is allocated and paid goes to the warehouse.", false),
        "cancel" => (
            "Cancel",
            "Units that have not left are let go, payments are voided or given back, work under way is asked back from the warehouse.",
            true,
        ),
        other => return Err(Fault::not_found("bulk action", other)),
    };
    let orders = show::plural(ids.len(), "order", "orders");
    let names: Vec<String> = ids.iter().take(20).map(|id| format!("#{}", show::number(*id))).collect();
    let mut form = Form {
        title: format!("{verb} {orders}"),
        section: "orders",
        button: format!("{verb} {orders}"),
        danger,
        back: "/orders".to_owned(),
        ..Form::default()
    };
    form = form.say(format!("{} {}{}.", verb, names.join(", "), if ids.len() > 20 { " and more" } else { "" })).say(what);
    if !left.is_empty() {
        form = form.say(left);
    }
    form = form.say("Each is done on its own: one that can’t be done does not stop the others.");
    form = form.input(Input::hidden("do", fields.text("do")));
    if fields.text("do") != "release" {
        form = form.input(Input::text("reason", "Reason").required().hint("Stands in each timeline with your name."));
    }
    for id in ids {
        form = form.input(Input::hidden("id", id.text()));
    }
    Ok(form)
}

pub async fn ask(visit: Visit) -> Answer {
    let (ids, left) = sorted(&visit, wanted(&visit.query)?).await?;
    let mut form = form(&visit.query, &ids, &left)?;
    // Hidden fields of one name keep their own values.
    form.keeps_hidden = true;
    form.show(&visit)
}

pub async fn act(visit: Visit) -> Answer {
    let ids = wanted(&visit.form)?;
    let reason = visit.form.some("reason").unwrap_or("several at once");
    let (mut done, mut refused) = (0, Vec::new());
    for id in &ids {
        let (order, expected_version) = (*id, None);
        let command = match visit.form.text("do") {
            "hold" => OrderCommand::HoldOrder { order, reason: reason.into(), expected_version },
            "release" => OrderCommand::ReleaseOrder { order, expected_version },
            "cancel" => OrderCommand::CancelOrder { order, reason: reason.into(), lines: Vec::new(), expected_version },
            other => return Err(Fault::not_found("bulk action", other)),
        };
        match visit.submit_as(Command::from(command), &id.text()).await {
            Ok(_) => done += 1,
            Err(fault) => refused.push(format!("#{}: {}", show::number(*id), fault.detail)),
        }
    }
    let mut note = format!("{} done.", show::plural(done, "order", "orders"));
    let all = refused.is_empty();
    if !all {
        let more = refused.len().saturating_sub(REFUSALS_TOLD);
        let told: Vec<String> = refused.into_iter().take(REFUSALS_TOLD).collect();
        note = format!("{note} Not done: {}{}", told.join(" "), if more > 0 { format!(" and {more} more.") } else { String::new() });
    }
    if all { visit.done("/orders", note) } else { visit.done_in_part("/orders", note) }
}
