//! Replenishment: what is below its point, what is on order, who is late.

pub mod actions;
pub mod one;

use super::Answer;
use super::mirror::Now;
use super::show::{self, Badge};
use super::stock::transfers;
use super::visit::{Frame, Visit};
use askama::Template;
use domain::count::CountStatus;
use domain::id::SupplierCode;
use domain::purchasing::{PurchaseOrder, PurchaseOrderStatus};
use domain::time::{Date, Timestamp};
use std::collections::BTreeMap;

/// Rows of each list.
const ROWS: usize = 100;

struct Low {
    sku: String,
    href: String,
    name: String,
    location: String,
    position: String,
    point: String,
    available: String,
    incoming: String,
    expected: String,
    supplier: String,
    out: bool,
}

struct Order {
    id: String,
    href: String,
    badge: Badge,
    supplier: String,
    location: String,
    lines: String,
    units: String,
    total: String,
    when: String,
    late: bool,
}

struct Late {
    supplier: String,
    orders: String,
    days: String,
}

#[derive(Template)]
#[template(path = "replenishment.html")]
struct Replenishment {
    frame: Frame,
    low: Vec<Low>,
    low_total: usize,
    drafts: Vec<Order>,
    open: Vec<Order>,
    late: Vec<Late>,
    done: Vec<Order>,
    moves: Vec<Moving>,
    policies: usize,
}

/// A transfer or a count that is under way.
struct Moving {
    id: String,
    href: String,
    badge: Badge,
    where_to: String,
    units: String,
}

pub async fn page(visit: Visit) -> Answer {
    let frame = visit.frame("Replenishment", "replenishment", "stock purchase_order supplier transfer count");
    let time = visit.time();
    let now = visit.now();
    let today = time.utc_date();
    let (low, low_total) = low(&now);
    let of = |wanted: fn(PurchaseOrderStatus) -> bool, limit: usize| {
        let orders = now.purchase_orders.values().rev().filter(|order| wanted(order.status));
        orders.take(limit).map(|order| row(order, today, time)).collect::<Vec<_>>()
    };
    let mut open = of(is_open, ROWS);
    open.sort_by_key(|order| !order.late);
    let page = Replenishment {
        frame,
        low,
        low_total,
        drafts: of(|status| status == PurchaseOrderStatus::Draft, ROWS),
        open,
        late: late(&now, today),
        done: of(PurchaseOrderStatus::is_over, 10),
        moves: moving(&now),
        policies: now.policies.len(),
    };
    drop(now);
    visit.show(&page)
}

fn moving(now: &Now) -> Vec<Moving> {
    let on_the_way = now.transfers.values().rev().filter(|transfer| !transfer.is_over()).map(|transfer| Moving {
        id: transfer.id.to_string(),
        href: format!("/transfers/{}", transfer.id),
        badge: transfers::badge(transfer),
        where_to: format!("{} to {}", transfer.from, transfer.to),
        units: show::count(transfer.lines.iter().map(|line| line.quantity.get()).sum::<u32>()),
    });
    let open = now.counts.values().rev().filter(|count| count.status == CountStatus::Open).map(|count| Moving {
        id: count.id.to_string(),
        href: format!("/counts/{}", count.id),
        badge: Badge { tone: "info", icon: "half", label: "Counting" },
        where_to: count.location.to_string(),
        units: show::plural(count.lines.len(), "SKU", "SKUs"),
    });
    on_the_way.chain(open).take(ROWS).collect()
}

fn is_open(status: PurchaseOrderStatus) -> bool {
    match status {
        PurchaseOrderStatus::Sent | PurchaseOrderStatus::Acknowledged | PurchaseOrderStatus::PartiallyReceived => true,
        PurchaseOrderStatus::Draft | PurchaseOrderStatus::Received | PurchaseOrderStatus::ClosedShort | PurchaseOrderStatus::Canceled => {
            false
        }
    }
}

/// Policies whose position is at or below the point, the emptiest first, and how many there are.
fn low(now: &Now) -> (Vec<Low>, usize) {
    let mut found = Vec::new();
    for ((sku, location), policy) in now.policies.iter().filter(|(_, policy)| policy.active) {
        let level = now.levels.get(sku).and_then(|levels| levels.get(location)).copied().unwrap_or_default();
        if level.position <= policy.reorder_point.signed() {
            found.push((level.available.signed() - policy.reorder_point.signed(), sku, location, policy, level));
        }
    }
    found.sort_by_key(|(room, sku, ..)| (*room, (*sku).clone()));
    let total = found.len();
    let rows = found.into_iter().take(ROWS).map(|(_, sku, location, policy, level)| Low {
        sku: sku.to_string(),
        href: show::stock_path(sku.as_str()),
        name: now.items.get(sku).map_or_else(String::new, |item| item.name.to_string()),
        location: location.to_string(),
        position: level.position.to_string(),
        point: policy.reorder_point.to_string(),
        available: show::count(level.available.get()),
        incoming: match (level.incoming.get(), level.drafted.get()) {
            (0, 0) => "–".to_owned(),
            (units, 0) => show::count(units),
            (0, drafted) => format!("{} drafted", show::count(drafted)),
            (units, drafted) => format!("{}, {} drafted", show::count(units), show::count(drafted)),
        },
        expected: level.next_expected.map_or_else(String::new, show::day),
        supplier: policy.source.to_string(),
        out: level.available.is_zero(),
    });
    (rows.collect(), total)
}

fn row(order: &PurchaseOrder, today: Date, now: Timestamp) -> Order {
    let expected = order.lines.iter().filter(|line| !line.open().is_zero()).filter_map(|line| line.expected_on).min();
    let late = is_open(order.status) && expected.is_some_and(|day| day < today);
    let when = match (order.status, expected, order.send_at) {
        (PurchaseOrderStatus::Draft, _, Some(at)) => format!("goes out {}", show::moment(at)),
        (PurchaseOrderStatus::Draft, _, None) => format!("drafted {} ago", show::age(order.created_at, now)),
        (_, Some(day), _) if late => format!("late since {}", show::day(day)),
        (_, Some(day), _) => format!("expected {}", show::day(day)),
        (_, None, _) => order.sent_at.map_or_else(String::new, |at| format!("sent {}", show::moment(at))),
    };
    let units: u32 = order.lines.iter().map(|line| line.ordered.get()).sum();
    Order {
        id: order.id.to_string(),
        href: format!("/purchase-orders/{}", order.id),
        badge: show::purchase_status(order.status),
        supplier: order.supplier.to_string(),
        location: order.location.to_string(),
        lines: show::plural(order.lines.len(), "line", "lines"),
        units: show::count(units),
        total: show::money(order.total(), order.currency),
        when,
        late,
    }
}

fn late(now: &Now, today: Date) -> Vec<Late> {
    let mut found: BTreeMap<&SupplierCode, (usize, Date)> = BTreeMap::new();
    for order in now.purchase_orders.values().filter(|order| is_open(order.status)) {
        let due = order.lines.iter().filter(|line| !line.open().is_zero()).filter_map(|line| line.expected_on).min();
        if let Some(day) = due.filter(|day| *day < today) {
            let entry = found.entry(&order.supplier).or_insert((0, day));
            *entry = (entry.0 + 1, entry.1.min(day));
        }
    }
    let rows = found.into_iter().map(|(code, (orders, since))| Late {
        supplier: now.suppliers.get(code).map_or_else(|| code.to_string(), |supplier| supplier.name.to_string()),
        orders: show::plural(orders, "order", "orders"),
        days: show::day(since),
    });
    rows.collect()
}
