//! Who outside hears what, how far behind they are, and what can be done about it.

use super::Answer;
use super::fault::Fault;
use super::fields::Fields;
use super::form::{Form, Input};
use super::show::{self, Badge};
use super::visit::{Frame, Visit};
use crate::bus::{Circuit, Standing};
use askama::Template;
use domain::command::subscription::Command;
use domain::id::SubscriptionId;
use domain::subscription::{Kind, Status, Subscription};
use domain::time::Timestamp;
use std::sync::Arc;

struct Row {
    id: String,
    name: String,
    kind: &'static str,
    url: String,
    badge: Badge,
    reason: String,
    hears: String,
    lag: String,
    behind: bool,
    age: String,
    parked: usize,
    error: String,
    paused: bool,
}

#[derive(Template)]
#[template(path = "subscriptions.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
}

pub async fn page(visit: Visit) -> Answer {
    let standings = visit.shop().bus.standings(visit.shop());
    let rows = standings.iter().map(row).collect();
    visit.show(&Page { frame: visit.frame("Subscriptions", "subscriptions", "subscription event"), rows })
}

fn row(standing: &Standing) -> Row {
    let subscription = &standing.subscription;
    let badge = match (subscription.status, standing.circuit) {
        (Status::Paused, _) => Badge { tone: "warn", icon: "pause", label: "Paused" },
        (Status::Disabled, _) => Badge { tone: "bad", icon: "cross", label: "Disabled" },
        (Status::Active, Circuit::Open) => Badge { tone: "bad", icon: "alert", label: "Failing" },
        (Status::Active, Circuit::Closed) => Badge { tone: "ok", icon: "check", label: "Active" },
    };
    let filter = &subscription.filter;
    let channels = filter.channels.iter().map(|code| format!("channel {code}"));
    let hears: Vec<String> = filter.types.iter().chain(&filter.subjects).map(ToString::to_string).chain(channels).collect();
    Row {
        id: subscription.id.to_string(),
        name: subscription.name.to_string(),
        kind: match subscription.kind {
            Kind::Sse => "Stream",
            Kind::Pull => "Pull",
            Kind::Webhook => "Webhook",
        },
        url: subscription.webhook.as_ref().map_or_else(String::new, |webhook| webhook.url.to_string()),
        badge,
        reason: subscription.status_reason.as_deref().unwrap_or_default().to_owned(),
        hears: if hears.is_empty() { "everything".to_owned() } else { hears.join(", ") },
        lag: show::count(standing.lag.events),
        behind: standing.lag.seconds > 60,
        age: show::age(Timestamp(0), Timestamp(standing.lag.seconds.saturating_mul(1000))),
        parked: standing.cursor.parked.len(),
        error: standing.last_error.clone().unwrap_or_default(),
        paused: subscription.status != Status::Active,
    }
}

/// The subscription of the path, the form of a step and its command.
async fn step(visit: &Visit, fields: &Fields) -> Result<(Arc<Subscription>, Form, Result<Command, Fault>), Fault> {
    let id: SubscriptionId = visit.segment("id", "subscription")?;
    let verb: String = visit.segment("step", "step")?;
    let entry = visit.shop().bus.entry(id).ok_or_else(|| Fault::not_found("subscription", &id.text()))?;
    let known = entry.subscription();
    let (title, button) = match verb.as_str() {
        "pause" => ("Pause", "Pause"),
        "resume" => ("Resume", "Resume"),
        "rewind" => ("Rewind", "Move the cursor"),
        "delete" => ("End", "End subscription"),
        _ => return Err(Fault::not_found("step of a subscription", &verb)),
    };
    let mut form = Form {
        title: format!("{title} {}", known.name),
        section: "subscriptions",
        button: button.to_owned(),
        back: "/subscriptions".to_owned(),
        danger: verb == "delete",
        ..Form::default()
    };
    let incarnation = visit.shop().engine.incarnation();
    let command = match verb.as_str() {
        "pause" => {
            form = form
                .input(Input::text("reason", "Reason").value("paused by hand"))
                .say("Nothing is delivered; the cursor waits where it is, and nothing is lost.");
            let reason = fields.some("reason").unwrap_or("paused by hand").into();
            Ok(Command::PauseSubscription { subscription: id, reason, expected_version: None })
        }
        "resume" => {
            form = form.say("It goes on from its cursor: all that happened meanwhile is delivered, in order.");
            Ok(Command::ResumeSubscription { subscription: id, incarnation, expected_version: None })
        }
        "rewind" => {
            form = form
                .input(
                    Input::text("to", "After")
                        .required()
                        .code()
                        .value("beginning")
                        .hint("beginning, now, a sequence, or a time like 2026-11-24T09:30:00Z"),
                )
                .say("What comes after that place is delivered next; what was delivered before comes again, with the same ids.");
            after(visit, fields.some("to").unwrap_or("beginning")).await.map(|after| Command::RewindSubscription {
                subscription: id,
                after,
                expected_version: None,
            })
        }
        _ => {
            form = form.say("It hears nothing more, and its cursor is forgotten.");
            Ok(Command::DeleteSubscription { subscription: id, expected_version: None })
        }
    };
    Ok((known, form, command))
}

async fn after(visit: &Visit, text: &str) -> Result<u64, Fault> {
    match text {
        "beginning" => Ok(0),
        "now" => Ok(visit.shop().engine.durable()),
        time if time.contains('T') => {
            let time = Timestamp::parse(time).map_err(|error| Fault::invalid(format!("{error}.")))?;
            visit.read(move |reader| reader.seq_at(time.0.saturating_sub(1))).await
        }
        seq => seq.parse().map_err(|_| Fault::invalid(format!("“{seq}” is no place; write beginning, now, a time or a sequence."))),
    }
}

pub async fn step_form(visit: Visit) -> Answer {
    let (_, form, _) = step(&visit, &visit.query).await?;
    form.show(&visit)
}

pub async fn step_do(visit: Visit) -> Answer {
    let (known, form, command) = step(&visit, &visit.form).await?;
    let done = match command {
        Ok(command) => visit.submit(command).await,
        Err(fault) => Err(fault),
    };
    match done {
        Ok(_) => visit.done("/subscriptions", format!("{}: done.", known.name)),
        Err(fault) => form.refuse(&visit, &fault),
    }
}
