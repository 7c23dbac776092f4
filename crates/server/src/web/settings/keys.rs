//! Keys: made (the secret is shown once), and ended.

use super::super::Answer;
use super::super::fault::Fault;
use super::super::form::{Form, Input};
use super::super::visit::{Frame, Visit};
use crate::keys::{NAME_BYTES_MAX, Role};
use askama::Template;
use domain::id::KeyId;

fn form() -> Form {
    let roles = [
        ("operator", "Operator: everything but keys and shop rules"),
        ("warehouse", "Warehouse: pick, pack, ship, receive, count"),
        ("storefront", "Storefront: place and cancel orders, hold stock"),
        ("read_only", "Read only"),
        ("admin", "Admin: everything"),
    ];
    Form {
        title: "New key".to_owned(),
        section: "settings",
        button: "Make key".to_owned(),
        back: "/settings".to_owned(),
        ..Form::default()
    }
    .input(Input::text("name", "Name").required().hint("A person or a system; it stands in the log as who did it."))
    .input(Input::select("role", "Role", roles.map(|(value, label)| (value.to_owned(), label.to_owned())).to_vec()))
    .say("The secret is shown once, on the next page.")
}

pub async fn new_form(visit: Visit) -> Answer {
    form().show(&visit)
}

#[derive(Template)]
#[template(path = "key.html")]
struct Made {
    frame: Frame,
    name: String,
    secret: String,
}

pub async fn new_do(visit: Visit) -> Answer {
    let name = visit.form.text("name").to_owned();
    let role: Role = visit.form.need("role", "Role")?;
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return form().refuse(&visit, &Fault::invalid(format!("A name has 1 to {NAME_BYTES_MAX} characters.")));
    }
    if !visit.desk.sessions.is_first(visit.form.text("once")) {
        return form()
            .refuse(&visit, &Fault::invalid("This key was made already, and its secret shown once. Make another when it is lost."));
    }
    let (_, secret) = visit.shop().keys.create(&name, role)?;
    let frame = visit.frame("New key", "settings", "");
    visit.show(&Made { frame, name, secret })
}

fn end_form(visit: &Visit, id: KeyId) -> Result<Form, Fault> {
    let key = visit.shop().keys.find(id).ok_or_else(|| Fault::not_found("key", &id.text()))?;
    let mut form = Form {
        title: format!("End key {}", key.name),
        section: "settings",
        button: "End key".to_owned(),
        danger: true,
        back: "/settings".to_owned(),
        ..Form::default()
    };
    form = form
        .say("Whoever uses it is refused from now on; dashboards signed in with it are signed out.")
        .say("It can’t be brought back; what it did stays in the log.");
    if key.id == visit.session.key.id {
        form = form.say("It is the key you are signed in with.");
    }
    Ok(form)
}

pub async fn end_ask(visit: Visit) -> Answer {
    let id = visit.segment("id", "key")?;
    end_form(&visit, id)?.show(&visit)
}

pub async fn end_do(visit: Visit) -> Answer {
    let id: KeyId = visit.segment("id", "key")?;
    visit.shop().keys.revoke(id)?;
    visit.done("/settings", format!("{id} is ended."))
}
