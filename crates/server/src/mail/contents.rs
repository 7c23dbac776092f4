//! What a mail says, gathered from a case: facts in the words of the customer's language, ready for a template.

use super::locale::Locale;
use super::templates::Texts;
use domain::fulfillment::Fulfillment;
use domain::notification::{Topic, TopicKind};
use domain::order::{Case, Line, OrderStatus, cancelable};
use domain::time::Date;
use serde::Serialize;
use serde_json::Value;

/// All that a template may use.
#[derive(Debug, Clone, Serialize)]
pub struct Contents {
    /// What the mail is about, as its template is called.
    pub topic: &'static str,
    /// All that it tells.
    pub topics: Vec<&'static str>,
    pub locale: String,
    pub subject: String,
    pub greeting: String,
    pub intro: String,
    pub footer: String,
    pub label: toml::Table,
    pub shop: Shop,
    pub order: OrderFacts,
    pub lines: Vec<LineFacts>,
    pub totals: Vec<Amount>,
    pub shipment: Option<ShipmentFacts>,
    pub ship_to: Vec<String>,
    pub payment_url: Option<String>,
    pub status_url: Option<String>,
    pub may_cancel: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct Shop {
    pub name: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct OrderFacts {
    pub id: String,
    pub number: String,
    pub external_id: Option<String>,
    pub placed_on: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct LineFacts {
    pub sku: String,
    pub name: String,
    pub quantity: u32,
    pub price: Option<String>,
    pub note: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Amount {
    pub label: String,
    pub amount: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct ShipmentFacts {
    pub carrier: Option<String>,
    pub tracking_numbers: Vec<String>,
    pub tracking_url: Option<String>,
}

/// What was sealed about a buyer, opened for this mail.
#[derive(Debug, Clone, Default)]
pub struct Opened {
    pub name: Option<String>,
    pub ship_to: Vec<String>,
}

/// Where the mail leads.
#[derive(Debug, Clone, Default)]
pub struct Links {
    pub payment: Option<String>,
    pub status: Option<String>,
}

/// Gathers what one mail says.
pub fn gather(case: &Case, topics: &[Topic], shop: &str, opened: &Opened, links: &Links, texts: &Texts, locale: &Locale) -> Contents {
    let first = topics.first().copied().unwrap_or(Topic::OrderConfirmed);
    let order = &case.order;
    let money = |amount: domain::money::Amount| locale.money(amount.get(), order.currency.as_str());
    let refunded = topics.iter().find_map(|topic| match topic {
        Topic::Refunded { refund } => case.refunds.iter().find(|known| known.id == *refund),
        _ => None,
    });
    let amount = refunded.map(|refund| money(refund.amount)).unwrap_or_default();
    let values: &[(&str, &str)] = &[("number", order.number.as_str()), ("amount", amount.as_str()), ("shop", shop)];
    let name = opened.name.as_deref().unwrap_or_default();
    let greeting = if name.is_empty() { "greeting_nameless" } else { "greeting" };
    let asks_for_money = topics.iter().any(|topic| topic.kind() == TopicKind::PaymentFailed);
    Contents {
        topic: first.kind().as_str(),
        topics: topics.iter().map(|topic| topic.kind().as_str()).collect(),
        locale: locale.tag(),
        subject: texts.say("subject", word(case, first), values),
        greeting: texts.say("label", greeting, &[("name", name)]),
        intro: intro(case, topics).into_iter().map(|word| texts.say("intro", word, values)).collect::<Vec<_>>().join("\n\n"),
        footer: texts.say("label", "footer", values),
        label: texts.section("label"),
        shop: Shop { name: shop.to_owned() },
        order: OrderFacts {
            id: order.id.to_string(),
            number: order.number.to_string(),
            external_id: order.external_id.as_ref().map(ToString::to_string),
            placed_on: locale.date(order.created_at.utc_date()),
        },
        lines: lines(case, first, texts, locale),
        totals: totals(case, first, texts, locale),
        shipment: shipment(case, first),
        ship_to: if shows_address(first) { opened.ship_to.clone() } else { Vec::new() },
        payment_url: links.payment.clone().filter(|_| asks_for_money),
        status_url: links.status.clone(),
        may_cancel: cancelable(case),
    }
}

/// The name of a topic's texts.
fn word(case: &Case, topic: Topic) -> &'static str {
    match topic.kind() {
        TopicKind::OrderCanceled if case.order.status == OrderStatus::Canceled => "order_canceled_whole",
        kind => kind.as_str(),
    }
}

/// One paragraph for each thing that is told; a date that a paragraph before gives needs none.
fn intro(case: &Case, topics: &[Topic]) -> Vec<&'static str> {
    let told = |kind: TopicKind| topics.iter().any(|topic| topic.kind() == kind);
    let dated = told(TopicKind::OrderConfirmed) || told(TopicKind::OrderBackordered);
    let needed = |topic: &&Topic| !(dated && topic.kind() == TopicKind::PromiseChanged);
    let mut words: Vec<&'static str> = topics.iter().filter(needed).map(|topic| word(case, *topic)).collect();
    words.dedup();
    words
}

fn shows_address(topic: Topic) -> bool {
    match topic.kind() {
        TopicKind::OrderConfirmed | TopicKind::Shipped => true,
        TopicKind::OrderCanceled
        | TopicKind::PaymentFailed
        | TopicKind::OrderBackordered
        | TopicKind::PromiseChanged
        | TopicKind::Delivered
        | TopicKind::Refunded
        | TopicKind::ReturnApproved => false,
    }
}

fn lines(case: &Case, topic: Topic, texts: &Texts, locale: &Locale) -> Vec<LineFacts> {
    let order = &case.order;
    match topic {
        Topic::OrderConfirmed | Topic::PaymentFailed => {
            let kept = order.lines.iter().filter(|line| line.canceled < line.ordered);
            kept.map(|line| {
                let units = (line.ordered - line.canceled).get();
                let price = line.total.portion(units, line.ordered.get());
                let note = (topic.kind() == TopicKind::OrderConfirmed).then(|| promise(line, texts, locale)).flatten();
                LineFacts { price: Some(locale.money(price.get(), order.currency.as_str())), note, ..line_facts(line, units) }
            })
            .collect()
        }
        Topic::OrderBackordered | Topic::PromiseChanged => {
            let waits = order.lines.iter().filter(|line| !line.backordered().is_zero());
            let mut waiting: Vec<LineFacts> =
                waits.map(|line| LineFacts { note: promise(line, texts, locale), ..line_facts(line, line.backordered().get()) }).collect();
            if waiting.is_empty() {
                let open = order.lines.iter().filter(|line| line.parts.iter().any(|part| !part.open().is_zero()));
                waiting = open.map(|line| LineFacts { note: promise(line, texts, locale), ..line_facts(line, open_units(line)) }).collect();
            }
            waiting
        }
        Topic::OrderCanceled => {
            let gone = order.lines.iter().filter(|line| !line.canceled.is_zero());
            gone.map(|line| line_facts(line, line.canceled.get())).collect()
        }
        Topic::Shipped { fulfillment } | Topic::Delivered { fulfillment } => {
            case.fulfillments.iter().find(|work| work.id == fulfillment).map(|work| worked(case, work)).unwrap_or_default()
        }
        Topic::Refunded { refund } => {
            let refund = case.refunds.iter().find(|known| known.id == refund);
            let units = refund.into_iter().flat_map(|refund| &refund.lines);
            let priced = units.filter_map(|units| {
                let price = Some(locale.money(units.amount.get(), order.currency.as_str()));
                Some(LineFacts { price, ..line_facts(order.line(units.line)?, units.quantity.get()) })
            });
            priced.collect()
        }
        Topic::ReturnApproved { r#return } => {
            let back = case.returns.iter().find(|known| known.id == r#return);
            let units = back.into_iter().flat_map(|back| &back.lines);
            units.filter_map(|units| Some(line_facts(order.line(units.line?)?, units.quantity.get()))).collect()
        }
    }
}

fn open_units(line: &Line) -> u32 {
    line.ordered.saturating_sub(line.canceled).saturating_sub(line.shipped()).get()
}

fn line_facts(line: &Line, quantity: u32) -> LineFacts {
    LineFacts { sku: line.sku.to_string(), name: line.name.to_string(), quantity, price: None, note: None }
}

/// By when a line ships, as long as it has not.
pub fn promise(line: &Line, texts: &Texts, locale: &Locale) -> Option<String> {
    if open_units(line) == 0 || line.parts.is_empty() {
        return None;
    }
    let day = |day: Date| texts.say("label", "ships_by", &[("date", locale.date(day).as_str())]);
    match &line.promise {
        Some(promise) => Some(day(promise.ship_by)),
        None if !line.backordered().is_zero() => Some(texts.say("label", "ships_later", &[])),
        None => None,
    }
}

/// What went with one fulfillment: whole kits as kits, single components by their SKU.
pub fn worked(case: &Case, work: &Fulfillment) -> Vec<LineFacts> {
    let mut facts = Vec::new();
    for line in &case.order.lines {
        let units: Vec<_> = work.lines.iter().filter(|units| units.line == line.id && !units.quantity.is_zero()).collect();
        if units.is_empty() {
            continue;
        }
        let whole = if line.parts.is_empty() {
            units.iter().map(|units| units.quantity.get()).sum()
        } else {
            let of_part = |(index, part): (usize, &domain::order::Part)| {
                let of = units.iter().filter(|units| units.part.is_some_and(|at| usize::from(at) == index));
                of.map(|units| units.quantity.get()).sum::<u32>() / part.per_unit.get().max(1)
            };
            line.parts.iter().enumerate().map(of_part).min().unwrap_or_default()
        };
        if whole > 0 {
            facts.push(line_facts(line, whole));
        } else {
            facts.extend(units.iter().map(|units| LineFacts {
                sku: units.sku.to_string(),
                name: format!("{} ({})", line.name, units.sku),
                ..line_facts(line, units.quantity.get())
            }));
        }
    }
    facts
}

fn totals(case: &Case, topic: Topic, texts: &Texts, locale: &Locale) -> Vec<Amount> {
    let order = &case.order;
    let money = |amount: domain::money::Amount| locale.money(amount.get(), order.currency.as_str());
    match topic {
        Topic::OrderConfirmed | Topic::PaymentFailed => {
            let charge = |charge: &domain::order::Charge| {
                let key = format!("charge_{}", charge.kind);
                let label = texts.say("label", &key, &[]);
                Amount { label: if label == key { charge.kind.to_string() } else { label }, amount: money(charge.total) }
            };
            let mut totals: Vec<Amount> = order.charges.iter().map(charge).collect();
            totals.push(Amount { label: texts.say("label", "total", &[]), amount: money(order.owed()) });
            totals
        }
        Topic::Refunded { refund } => {
            let refund = case.refunds.iter().find(|known| known.id == refund);
            let total = |refund: &domain::payment::Refund| Amount { label: texts.say("label", "total", &[]), amount: money(refund.amount) };
            refund.map(total).into_iter().collect()
        }
        Topic::OrderCanceled
        | Topic::Shipped { .. }
        | Topic::OrderBackordered
        | Topic::PromiseChanged
        | Topic::Delivered { .. }
        | Topic::ReturnApproved { .. } => Vec::new(),
    }
}

fn shipment(case: &Case, topic: Topic) -> Option<ShipmentFacts> {
    let (Topic::Shipped { fulfillment } | Topic::Delivered { fulfillment }) = topic else { return None };
    shipment_facts(case.fulfillments.iter().find(|work| work.id == fulfillment)?)
}

/// How a parcel is followed.
pub fn shipment_facts(work: &Fulfillment) -> Option<ShipmentFacts> {
    let shipment = work.shipment.as_ref()?;
    let parcels = shipment.parcels.iter().filter_map(|parcel| parcel.tracking_number.as_ref());
    let numbers = shipment.tracking_number.iter().chain(parcels).map(ToString::to_string).collect();
    // What came in as a link leads out of a mail: nothing but the web.
    let web = |url: &&smol_str::SmolStr| url.starts_with("https://") || url.starts_with("http://");
    let tracking_url = shipment.tracking_url.as_ref().filter(web).map(ToString::to_string);
    Some(ShipmentFacts { carrier: shipment.carrier.as_ref().map(ToString::to_string), tracking_numbers: numbers, tracking_url })
}

/// The lines of an address as the vault opened it.
pub fn address_rows(details: &Value, country: &str) -> Vec<String> {
    let text = |name: &str| details[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let town = [text("postal_code"), text("city")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let rows = [text("name"), text("company"), text("line1"), text("line2"), Some(town).filter(|town| !town.is_empty())];
    let mut rows: Vec<String> = rows.into_iter().flatten().collect();
    if !rows.is_empty() {
        rows.push(country.to_owned());
    }
    rows
}
