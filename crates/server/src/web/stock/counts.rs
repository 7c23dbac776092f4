//! Cycle counts: what was found, against what the books say.

use super::super::Answer;
use super::super::fault::Fault;
use super::super::fields::Fields;
use super::super::foresee::foresee;
use super::super::form::{Form, Input, Table};
use super::super::show::{self, Badge};
use super::super::visit::Visit;
use super::sheet::{Sheet, row};
use domain::command::count::{Command as CountCommand, CountedLine};
use domain::count::{Count, CountStatus};
use domain::id::{CountId, Sku};
use domain::quantity::Quantity;
use domain::{Command, Image};
use std::sync::Arc;

/// The count of the path; one that is over may have left memory.
async fn find(visit: &Visit) -> Result<Arc<Count>, Fault> {
    let id: CountId = visit.segment("id", "count")?;
    let here = visit.now().counts.get(&id).cloned();
    if let Some(count) = here {
        return Ok(count);
    }
    match visit.read(move |reader| reader.entity("count", &id.text())).await? {
        Some(Image::Count(_, Some(count))) => Ok(count),
        _ => Err(Fault::not_found("count", &id.text())),
    }
}

pub async fn page(visit: Visit) -> Answer {
    let count = find(&visit).await?;
    let frame = visit.frame(format!("Count {}", count.id), "replenishment", format!("count/{} stock", count.id));
    let rows = count.lines.iter().map(|line| {
        let cells = line.counted.as_ref().map_or_else(
            || vec!["–".to_owned(); 3],
            |counted| vec![show::count(counted.quantity.get()), show::count(counted.expected.get()), show::signed(counted.variance())],
        );
        row(&visit, &line.sku, cells)
    });
    let mut facts = vec![("At", count.location.to_string()), ("Opened", show::moment(count.created_at))];
    facts.extend(count.reference.as_ref().map(|reference| ("Reference", reference.to_string())));
    facts.extend(count.closed_at.map(|at| ("Closed", show::moment(at))));
    let path = |verb: &str| format!("/counts/{}/{verb}", count.id);
    let open = count.status == CountStatus::Open && frame.may.work;
    let all = [("Record", path("record"), false), ("Post", path("post"), true), ("Cancel", path("cancel"), false)];
    visit.show(&Sheet {
        title: format!("Count {}", count.id),
        badge: match count.status {
            CountStatus::Open => Badge { tone: "info", icon: "half", label: "Open" },
            CountStatus::Posted => Badge { tone: "ok", icon: "check", label: "Posted" },
            CountStatus::Canceled => Badge { tone: "idle", icon: "cross", label: "Canceled" },
        },
        about: "Differences become adjustments when it is posted.".to_owned(),
        columns: vec!["Counted", "Books", "Difference"],
        rows: rows.collect(),
        facts,
        actions: if open { all.into() } else { Vec::new() },
        subject: format!("count/{}", count.id),
        frame,
    })
}

/// The form of a step, and the command that its fields make.
fn step(count: &Count, verb: &str, fields: &Fields) -> Result<(Form, Result<Command, Fault>), Fault> {
    let (title, button) = match verb {
        "record" => ("Record", "Record"),
        "post" => ("Post", "Post"),
        "cancel" => ("Cancel", "Cancel count"),
        _ => return Err(Fault::not_found("step of a count", verb)),
    };
    let mut form = Form {
        title: format!("{title} {}", count.id),
        section: "replenishment",
        button: button.to_owned(),
        back: format!("/counts/{}", count.id),
        live: true,
        danger: verb == "cancel",
        ..Form::default()
    };
    let id = count.id;
    let command = match verb {
        "record" => {
            form.table = Some(shelf(count));
            recorded(count, fields).map(|lines| CountCommand::RecordCount { count: id, lines, expected_version: None })
        }
        "post" => {
            form = form.input(Input::check("approve", "A large difference is right"));
            Ok(CountCommand::PostCount { count: id, approve: fields.some("approve").is_some(), expected_version: None })
        }
        _ => Ok(CountCommand::CancelCount { count: id, expected_version: None }),
    };
    Ok((form, command.map(Into::into)))
}

fn shelf(count: &Count) -> Table {
    let rows = count.lines.iter().enumerate().map(|(at, line)| {
        let known = line.counted.as_ref().map_or_else(String::new, |counted| counted.quantity.to_string());
        let input = Input::number(&format!("counted.{at}"), &format!("Counted of {}", line.sku), 0, None).value(known);
        (vec![line.sku.to_string()], vec![input])
    });
    Table { columns: vec!["Item", "On the shelf, without what is picked"], rows: rows.collect() }
}

fn recorded(count: &Count, fields: &Fields) -> Result<Vec<CountedLine>, Fault> {
    let mut lines = Vec::new();
    for (at, line) in count.lines.iter().enumerate() {
        if let Some(units) = fields.maybe::<u32>(&format!("counted.{at}"), "Counted")? {
            lines.push(CountedLine { sku: line.sku.clone(), counted: Quantity::new(units), counted_at: None });
        }
    }
    if lines.is_empty() { Err(Fault::invalid("Say what was found of one SKU at least.")) } else { Ok(lines) }
}

pub async fn form(visit: Visit) -> Answer {
    let (count, verb) = (find(&visit).await?, visit.segment::<String>("step", "step")?);
    let (mut form, command) = step(&count, &verb, &visit.query)?;
    match command {
        Ok(command) => {
            let skus: Vec<Sku> = count.lines.iter().map(|line| line.sku.clone()).collect();
            form.says.extend(foresee(&visit, command, None, skus).await?);
        }
        Err(fault) => form.says.push(fault.detail),
    }
    form.show(&visit)
}

pub async fn act(visit: Visit) -> Answer {
    let (count, verb) = (find(&visit).await?, visit.segment::<String>("step", "step")?);
    let (form, command) = step(&count, &verb, &visit.form)?;
    let done = match command {
        Ok(command) => visit.submit(command).await,
        Err(fault) => Err(fault),
    };
    match done {
        Ok(_) => visit.done(&format!("/counts/{}", count.id), format!("{} is {}.", count.id, show::past(&verb))),
        Err(fault) => form.refuse(&visit, &fault),
    }
}
