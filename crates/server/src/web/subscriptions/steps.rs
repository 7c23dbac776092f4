//! What may be done to a subscription: to the entity in the log, or to its deliveries.

use super::super::Answer;
use super::super::fault::Fault;
use super::super::fields::Fields;
use super::super::form::{Form, Input};
use super::super::visit::Visit;
use crate::bus::webhook::{Outcome, try_out};
use crate::bus::{Ask, Entry, flush};
use domain::command::subscription::Command;
use domain::id::SubscriptionId;
use domain::subscription::{Status, Subscription};
use domain::time::Timestamp;
use engine::Backfill;
use std::sync::Arc;

/// What a step comes to.
enum Act {
    Command(Command),
    Ask(Ask),
    /// These sequences again, both inclusive.
    Again(u64, u64),
    Test,
}

/// The subscription of the path, the form of a step, and what its fields come to.
struct Step {
    entry: Arc<Entry>,
    known: Arc<Subscription>,
    form: Form,
    act: Result<Act, Fault>,
}

async fn step(visit: &Visit, fields: &Fields) -> Result<Step, Fault> {
    let id: SubscriptionId = visit.segment("id", "subscription")?;
    let verb: String = visit.segment("step", "step")?;
    let entry = visit.shop().bus.entry(id).ok_or_else(|| Fault::not_found("subscription", &id.text()))?;
    let known = entry.subscription();
    let (title, button) = match verb.as_str() {
        "pause" => ("Pause", "Pause"),
        "resume" => ("Resume", "Resume"),
        "rewind" => ("Rewind", "Move the cursor"),
        "delete" => ("End", "End subscription"),
        "test" => ("Test", "Call it now"),
        "retry" => ("Retry", "Deliver now"),
        "discard" => ("Leave out an event of", "Leave it out"),
        "redeliver" => ("Deliver again to", "Deliver again"),
        _ => return Err(Fault::not_found("step of a subscription", &verb)),
    };
    let form = Form {
        title: format!("{title} {}", known.name),
        section: "subscriptions",
        button: button.to_owned(),
        back: format!("/subscriptions/{id}"),
        danger: verb == "delete" || verb == "discard",
        ..Form::default()
    };
    let (form, act) = match verb.as_str() {
        "test" | "retry" | "discard" | "redeliver" => delivery(&verb, form, fields, &entry),
        _ => lifecycle(visit, &verb, form, fields, id).await,
    };
    Ok(Step { entry, known, form, act })
}

async fn lifecycle(visit: &Visit, verb: &str, form: Form, fields: &Fields, id: SubscriptionId) -> (Form, Result<Act, Fault>) {
    let incarnation = visit.shop().engine.incarnation();
    let (form, command) = match verb {
        "pause" => {
            let reason = fields.some("reason").unwrap_or("paused by hand").into();
            let form = form
                .input(Input::text("reason", "Reason").value("paused by hand"))
                .say("Nothing is delivered; the cursor waits where it is, and nothing is lost.");
            (form, Ok(Command::PauseSubscription { subscription: id, reason, expected_version: None }))
        }
        "resume" => {
            let form = form.say("It goes on from its cursor: all that happened meanwhile is delivered, in order.");
            (form, Ok(Command::ResumeSubscription { subscription: id, incarnation, expected_version: None }))
        }
        "rewind" => {
            let hint = "beginning, now, a sequence, or a time like 2026-11-24T09:30:00Z";
            let form = form
                .input(Input::text("to", "After").required().code().value("beginning").hint(hint))
                .say("What comes after that place is delivered next; what was delivered before comes again, with the same ids.");
            let after = after(visit, fields.some("to").unwrap_or("beginning")).await;
            (form, after.map(|after| Command::RewindSubscription { subscription: id, after, expected_version: None }))
        }
        _ => {
            let form = form.say("It hears nothing more, and its cursor is forgotten.");
            (form, Ok(Command::DeleteSubscription { subscription: id, expected_version: None }))
        }
    };
    (form, command.map(Act::Command))
}

fn delivery(verb: &str, form: Form, fields: &Fields, entry: &Entry) -> (Form, Result<Act, Fault>) {
    let known = entry.subscription();
    let sequence = fields.maybe::<u64>("sequence", "Event");
    let hidden = |form: Form| match &sequence {
        Ok(Some(seq)) => form.input(Input::hidden("sequence", seq.to_string())),
        _ => form,
    };
    if known.webhook.is_none() {
        return (form, Err(Fault::invalid("It is no webhook: it fetches by itself.")));
    }
    match verb {
        "test" => (form.say("The endpoint is called once with an event that is in no log; what it answers is shown here."), Ok(Act::Test)),
        "retry" => {
            let form = hidden(form).say("What waits is delivered now, in the order of its subject.");
            (form, active(&known).and(sequence.map(|seq| Act::Ask(Ask::Retry(seq)))))
        }
        "discard" => {
            let form = hidden(form).say("The event is not delivered; what waits behind it in its subject is.");
            let seq = sequence.and_then(|seq| seq.ok_or_else(|| Fault::invalid("Name the event.")));
            (form, active(&known).and(seq).map(|seq| Act::Ask(Ask::Discard(seq))))
        }
        _ => {
            let form = form
                .input(Input::number("from", "From event", 1, None).required())
                .input(Input::number("to", "To event", 1, None).required())
                .say("They are delivered beside what is new, with the ids that they had.");
            let range = fields.need("from", "From event").and_then(|from: u64| Ok((from, fields.need("to", "To event")?)));
            let range = range.and_then(|(from, to)| {
                if (1..=to).contains(&from) {
                    Ok(Act::Again(from, to))
                } else {
                    Err(Fault::invalid("“To event” lies before “from event”."))
                }
            });
            (form, range)
        }
    }
}

fn active(known: &Subscription) -> Result<(), Fault> {
    match known.status {
        Status::Active => Ok(()),
        Status::Paused | Status::Disabled => Err(Fault::invalid("It is paused: resume it first.")),
    }
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

pub async fn form(visit: Visit) -> Answer {
    let Step { mut form, act, .. } = step(&visit, &visit.query).await?;
    // Before anything is typed there is nothing to refuse, except what no typing can mend.
    if let (Err(fault), true) = (act, form.inputs.is_empty()) {
        form.says.push(fault.detail);
    }
    form.show(&visit)
}

/// Does it, and tells how it went.
async fn done(visit: &Visit, step: &Step, act: Act) -> Result<String, Fault> {
    let (shop, name) = (visit.shop(), &step.known.name);
    match act {
        Act::Command(command) => visit.submit(command).await.map(|_| format!("{name}: done.")),
        Act::Ask(ask) => {
            step.entry.ask(ask);
            Ok(format!("{name}: it is being delivered."))
        }
        Act::Again(from, to) => {
            let cursor = step.entry.cursor();
            step.entry.ask(Ask::Backfill { from, to });
            step.entry.record(cursor.generation, |cursor| cursor.backfills.push(Backfill { next: from, to }));
            if flush::flush(shop).await { Ok(format!("{name}: events {from} to {to} are delivered again.")) } else { Err(Fault::busy()) }
        }
        Act::Test => {
            let (_, called) = try_out(shop, &step.known).await.ok_or_else(|| Fault::invalid("Its address can't be called."))?;
            let took = called.took.as_millis();
            let answered = called.status.map_or_else(String::new, |status| format!(" It answered {status}."));
            match called.outcome {
                Outcome::Delivered => Ok(format!("{name}: delivered in {took} ms.{answered}")),
                _ => Err(Fault::invalid(format!("The call failed after {took} ms.{answered} {}", called.error.unwrap_or_default()))),
            }
        }
    }
}

pub async fn act(visit: Visit) -> Answer {
    let mut step = step(&visit, &visit.form).await?;
    let ended = matches!(step.act, Ok(Act::Command(Command::DeleteSubscription { .. })));
    let result = match std::mem::replace(&mut step.act, Ok(Act::Test)) {
        Ok(act) => done(&visit, &step, act).await,
        Err(fault) => Err(fault),
    };
    match result {
        Ok(note) => visit.done(if ended { "/subscriptions" } else { &step.form.back }, note),
        Err(fault) => step.form.refuse(&visit, &fault),
    }
}
