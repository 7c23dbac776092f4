//! The page in words, in the customer's language.

use crate::mail::contents::{promise, shipment_facts};
use crate::mail::locale::Locale;
use crate::mail::templates::Texts;
use crate::shop::Shop;
use domain::Image;
use domain::fulfillment::FulfillmentState;
use domain::order::{Case, Line, OrderStatus, cancelable};
use minijinja::{AutoEscape, Environment, context};
use serde_json::{Value, json};
use std::sync::Arc;

const PAGE: &str = include_str!("page.html");

fn render(values: minijinja::Value) -> String {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let rendered = environment.render_named_str("page.html", PAGE, values);
    rendered.unwrap_or_else(|error| {
        tracing::error!("the order page can't be written: {error:#}");
        String::new()
    })
}

/// What was sealed about the buyer cannot be opened any more.
pub fn is_erased(shop: &Shop, case: &Case) -> bool {
    let sealed = case.order.customer.as_ref().and_then(|buyer| buyer.details.as_ref());
    sealed.is_some_and(|sealed| shop.vault.open_sealed::<Value>(sealed).is_none())
}

/// The channel's name, and the language of the buyer, else of the channel.
async fn style(shop: &Arc<Shop>, case: &Case) -> (String, Locale) {
    let code = case.order.channel.clone();
    let found = shop.read(move |reader| reader.entity("channel", code.as_str())).await;
    let channel = match found {
        Ok(Some(Image::Channel(_, channel))) => channel,
        Ok(_) | Err(_) => None,
    };
    let sealed = case.order.customer.as_ref().and_then(|buyer| buyer.details.as_ref());
    let details = sealed.and_then(|sealed| shop.vault.open_sealed::<Value>(sealed)).unwrap_or_default();
    let own = channel.as_ref().and_then(|channel| channel.mail.as_ref()).map(|mail| mail.locale.to_string());
    let tag = details["locale"].as_str().map(str::to_owned).or(own).unwrap_or_default();
    (channel.map(|channel| channel.name.to_string()).unwrap_or_default(), Locale::parse(&tag))
}

pub fn problem(shop: &Shop, title: &str, explain: &str) -> String {
    let texts = shop.templates.texts(&Locale::parse("en"));
    let say = |name: &str| texts.say("label", name, &[]);
    let explain = if explain == title { String::new() } else { say(explain) };
    render(context! { lang => "en", title => say(title), explain => explain })
}

pub async fn order(shop: &Arc<Shop>, case: &Case, token: &str, done: Option<&str>) -> String {
    let (name, locale) = style(shop, case).await;
    let texts = shop.templates.texts(&locale);
    let say = |name: &str| texts.say("label", name, &[]);
    let notice = match done {
        Some("canceled") => Some(say("cancel_done")),
        Some("asked") => Some(say("cancel_asked")),
        Some("late") => Some(say("cancel_late")),
        Some(_) | None => None,
    };
    let now = shop.now().to_string();
    let time = now.get(..19).unwrap_or(&now).replace('T', " ");
    render(context! {
        lang => locale.tag(), shop => name, token => token, notice => notice, label => texts.section("label"),
        title => texts.say("label", "page_title", &[("number", case.order.number.as_str())]),
        as_of => texts.say("label", "as_of", &[("time", time.as_str())]),
        order => facts(case, &texts, &locale),
    })
}

pub async fn question(shop: &Arc<Shop>, case: &Case, token: &str) -> String {
    if !cancelable(case) {
        return order(shop, case, token, Some("late")).await;
    }
    let (name, locale) = style(shop, case).await;
    let texts = shop.templates.texts(&locale);
    let in_hands = case.fulfillments.iter().any(|work| match work.status {
        FulfillmentState::Picking | FulfillmentState::Packed => true,
        FulfillmentState::Released
        | FulfillmentState::Shipped
        | FulfillmentState::Delivered
        | FulfillmentState::ShortPicked
        | FulfillmentState::Canceled => false,
    });
    render(context! {
        lang => locale.tag(), shop => name, token => token, label => texts.section("label"), question => true,
        version => case.order.version, title => texts.say("label", "cancel_confirm", &[("number", case.order.number.as_str())]),
        explain => texts.say("label", "cancel_explain", &[]),
        partly => in_hands.then(|| texts.say("label", "cancel_partly", &[])),
    })
}

fn facts(case: &Case, texts: &Texts, locale: &Locale) -> Value {
    let order = &case.order;
    let status = match order.status {
        OrderStatus::Open => "open",
        OrderStatus::OnHold => "on_hold",
        OrderStatus::Completed => "completed",
        OrderStatus::Canceled => "canceled",
        OrderStatus::Rejected => "rejected",
    };
    let placed = locale.date(order.created_at.utc_date());
    let lines = order.lines.iter().map(|line| json!({"name": line.name, "quantity": line.ordered, "states": states(line, texts, locale)}));
    let shipments = case.fulfillments.iter().filter(|work| work.shipped_at.is_some()).map(|work| {
        let state = if work.delivered_at.is_some() { "delivered" } else { "shipped" };
        let mut facts = json!(shipment_facts(work));
        if facts.is_null() {
            facts = json!({"tracking_numbers": []});
        }
        facts["state"] = json!(texts.say("state", state, &[]));
        facts
    });
    json!({
        "status": texts.say("state", status, &[]), "placed_on": texts.say("label", "placed_on", &[("date", placed.as_str())]),
        "lines": lines.collect::<Vec<_>>(), "shipments": shipments.collect::<Vec<_>>(),
        "total": locale.money(order.owed().get(), order.currency.as_str()), "may_cancel": cancelable(case),
    })
}

/// How many units of a line are where, and by when the rest ships.
fn states(line: &Line, texts: &Texts, locale: &Locale) -> Vec<String> {
    let (shipped, canceled, waiting) = (line.shipped().get(), line.canceled.get(), line.backordered().get());
    let rest = line.ordered.get().saturating_sub(shipped).saturating_sub(canceled).saturating_sub(waiting);
    let returned = line.returned().get();
    let mut states = Vec::new();
    for (units, name) in
        [(shipped, "shipped"), (rest, "preparing"), (waiting, "waiting"), (canceled, "canceled_line"), (returned, "returned")]
    {
        if units > 0 {
            states.push(format!("{} {}", locale.number(i64::from(units)), texts.say("state", name, &[])));
        }
    }
    states.extend(promise(line, texts, locale));
    states
}
