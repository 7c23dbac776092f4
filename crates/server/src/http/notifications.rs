//! Mails to customers: looked at before they go out, and sent again.

use super::call::{Answer, Call};
use super::order_view::order_view;
use super::problem::Problem;
use crate::mail::locale::Locale;
use crate::mail::sample;
use domain::command::notification::Command;
use domain::id::{DeliveryId, NotificationId, PurchaseOrderId};
use domain::notification::TopicKind;
use serde_json::json;

/// The order, whose last mail is the one that goes out.
pub async fn resend(call: Call) -> Result<Answer, Problem> {
    let id: NotificationId = call.segment("id")?;
    let done = call.submit(Command::Resend { of: DeliveryId::Notification(id) }).await?;
    let case = done.case().ok_or_else(|| Problem::internal("a mail left no order"))?;
    Ok(Answer::ok(order_view(case, &call.shop.vault)).at(case.order.version).replayed(done.repeated))
}

pub async fn dispatch(call: Call) -> Result<Answer, Problem> {
    let id: PurchaseOrderId = call.segment("id")?;
    let done = call.submit(Command::Resend { of: DeliveryId::PurchaseOrder(id) }).await?;
    super::purchasing::answer(&done)
}

/// With the shop's templates, of an order that never was. `problem` tells what is wrong with a file of the shop.
pub async fn preview(call: Call) -> Result<Answer, Problem> {
    let topic: TopicKind = call.query("topic")?.unwrap_or(TopicKind::OrderConfirmed);
    let locale = Locale::parse(&call.query::<String>("locale")?.unwrap_or_default());
    let shop = call.query::<String>("shop")?.unwrap_or_else(|| "Acme Shop".to_owned());
    let templates = &call.shop.templates;
    let texts = templates.texts(&locale);
    let rendered = templates.render(&sample::contents(topic, &shop, &texts, &locale), &texts, &locale);
    Ok(Answer::ok(json!({
        "object": "mail_preview", "topic": topic, "locale": locale.tag(), "subject": rendered.subject, "text": rendered.text,
        "html": rendered.html, "problem": rendered.problem,
    })))
}
