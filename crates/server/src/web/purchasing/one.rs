//! One purchase order.

use super::super::Answer;
use super::super::fault::Fault;
use super::super::show::{self, Badge};
use super::super::visit::{Frame, Visit};
use askama::Template;
use domain::Image;
use domain::id::PurchaseOrderId;
use domain::purchasing::{PurchaseOrder, PurchaseOrderStatus};
use std::sync::Arc;

struct Line {
    sku: String,
    href: String,
    name: String,
    ordered: String,
    received: String,
    canceled: String,
    open: String,
    cost: String,
    expected: String,
    late: bool,
}

#[derive(Template)]
#[template(path = "purchase_order.html")]
struct One {
    frame: Frame,
    id: String,
    badge: Badge,
    about: String,
    lines: Vec<Line>,
    /// How many more lines there are than the page shows.
    hidden: usize,
    facts: Vec<(&'static str, String)>,
    actions: Vec<(&'static str, String, bool)>,
}

/// The purchase order of the path; one that is over may have left memory.
///
/// # Errors
/// When there is none.
pub async fn find(visit: &Visit) -> Result<Arc<PurchaseOrder>, Fault> {
    let id: PurchaseOrderId = visit.segment("id", "purchase order")?;
    let here = visit.now().purchase_orders.get(&id).cloned();
    if let Some(order) = here {
        return Ok(order);
    }
    match visit.read(move |reader| reader.entity("purchase_order", &id.text())).await? {
        Some(Image::PurchaseOrder(_, Some(order))) => Ok(order),
        _ => Err(Fault::not_found("purchase order", &id.text())),
    }
}

pub async fn page(visit: Visit) -> Answer {
    let order = find(&visit).await?;
    let frame = visit.frame(format!("Purchase order {}", order.id), "replenishment", format!("purchase_order/{}", order.id));
    let today = visit.time().utc_date();
    let now = visit.now();
    let shown = show::lines_shown(visit.query.some("all").is_some(), order.lines.len());
    let lines = order.lines.iter().take(shown).map(|line| Line {
        sku: line.sku.to_string(),
        href: show::stock_path(line.sku.as_str()),
        name: now.items.get(&line.sku).map_or_else(String::new, |item| item.name.to_string()),
        ordered: show::count(line.ordered.get()),
        received: show::count(line.received.get()),
        canceled: show::count(line.canceled.get()),
        open: show::count(line.open().get()),
        cost: show::money(line.unit_cost, order.currency),
        expected: line.expected_on.map_or_else(String::new, show::day),
        late: !order.status.is_over() && !line.open().is_zero() && line.expected_on.is_some_and(|day| day < today),
    });
    let supplier = now.suppliers.get(&order.supplier).map_or_else(|| order.supplier.to_string(), |supplier| supplier.name.to_string());
    let mut facts = vec![
        ("Total", show::money(order.total(), order.currency)),
        ("For", order.location.to_string()),
        ("Made by", if order.automatic { "replenishment" } else { "a person" }.to_owned()),
    ];
    facts.extend(order.reference.as_ref().map(|reference| ("Reference", reference.to_string())));
    facts.extend(order.send_at.map(|at| ("Goes out", show::moment(at))));
    facts.extend(order.sent_at.map(|at| ("Sent", show::moment(at))));
    facts.push(("Drafted", show::moment(order.created_at)));
    let page = One {
        id: order.id.to_string(),
        badge: show::purchase_status(order.status),
        about: format!("From {supplier}"),
        lines: lines.collect(),
        hidden: order.lines.len() - shown,
        facts,
        actions: actions(&frame, &order),
        frame,
    };
    drop(now);
    visit.show(&page)
}

fn actions(frame: &Frame, order: &PurchaseOrder) -> Vec<(&'static str, String, bool)> {
    let path = |verb: &str| format!("/purchase-orders/{}/{verb}", order.id);
    let open =
        matches!(order.status, PurchaseOrderStatus::Sent | PurchaseOrderStatus::Acknowledged | PurchaseOrderStatus::PartiallyReceived);
    let draft = order.status == PurchaseOrderStatus::Draft;
    let mut actions = Vec::new();
    let mut offer = |wanted: bool, label: &'static str, verb: &str, main: bool| {
        if wanted {
            actions.push((label, path(verb), main));
        }
    };
    offer(frame.may.work && open, "Receive", "receive", true);
    offer(frame.may.operate && draft, "Send", "send", true);
    offer(frame.may.operate && draft, "Amend", "amend", false);
    offer(frame.may.operate && open, "New date", "acknowledge", false);
    offer(frame.may.operate && open, "Close short", "close-short", false);
    offer(
        frame.may.operate && (draft || matches!(order.status, PurchaseOrderStatus::Sent | PurchaseOrderStatus::Acknowledged)),
        "Cancel",
        "cancel",
        false,
    );
    actions
}
