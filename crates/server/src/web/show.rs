//! Texts that appear everywhere: amounts, counts, ages, states, and where a subject is shown.

use super::fields::encode;
use domain::Subject;
use domain::fulfillment::FulfillmentState;
use domain::id::OrderId;
use domain::money::{Amount, Currency};
use domain::order::{AllocationStatus, FulfillmentStatus, OrderStatus, PaymentStatus};
use domain::purchasing::PurchaseOrderStatus;
use domain::state::FIRST_ORDER_NUMBER;
use domain::time::{DAY_MS, Date, HOUR_MS, MINUTE_MS, Timestamp};

/// A state in a word, with a color and a shape of its own: nobody has to tell colors apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Badge {
    /// `ok`, `info`, `warn`, `bad` or `idle`.
    pub tone: &'static str,
    /// Symbol of the sprite in the layout.
    pub icon: &'static str,
    pub label: &'static str,
}

const fn badge(tone: &'static str, icon: &'static str, label: &'static str) -> Badge {
    Badge { tone, icon, label }
}

/// Lines of an order that its page shows unless all are asked for: pages stay small.
const LINES_SHOWN: usize = 50;

/// How many of so many lines a page shows.
pub fn lines_shown(all: bool, lines: usize) -> usize {
    if all { lines } else { lines.min(LINES_SHOWN) }
}

pub fn order_status(status: OrderStatus) -> Badge {
    match status {
        OrderStatus::Open => badge("info", "ring", "Open"),
        OrderStatus::OnHold => badge("warn", "pause", "On hold"),
        OrderStatus::Completed => badge("ok", "check", "Completed"),
        OrderStatus::Canceled => badge("idle", "cross", "Canceled"),
        OrderStatus::Rejected => badge("bad", "cross", "Rejected"),
    }
}

pub fn payment_status(status: PaymentStatus) -> Badge {
    match status {
        PaymentStatus::None => badge("idle", "dash", "No payment"),
        PaymentStatus::Pending => badge("warn", "clock", "Pending"),
        PaymentStatus::Authorized => badge("info", "half", "Authorized"),
        PaymentStatus::PartiallyCaptured => badge("info", "half", "Part captured"),
        PaymentStatus::Captured => badge("ok", "check", "Captured"),
        PaymentStatus::PartiallyRefunded => badge("idle", "back", "Part refunded"),
        PaymentStatus::Refunded => badge("idle", "back", "Refunded"),
        PaymentStatus::Failed => badge("bad", "alert", "Failed"),
        PaymentStatus::Voided => badge("idle", "cross", "Voided"),
        PaymentStatus::Expired => badge("bad", "clock", "Expired"),
    }
}

pub fn allocation_status(status: AllocationStatus) -> Badge {
    match status {
        AllocationStatus::None => badge("warn", "ring", "Not allocated"),
        AllocationStatus::Partial => badge("warn", "half", "Part allocated"),
        AllocationStatus::Full => badge("ok", "full", "Allocated"),
    }
}

pub fn fulfillment_status(status: FulfillmentStatus) -> Badge {
    match status {
        FulfillmentStatus::Unfulfilled => badge("idle", "ring", "Unfulfilled"),
        FulfillmentStatus::Partial => badge("info", "half", "Part shipped"),
        FulfillmentStatus::Shipped => badge("ok", "truck", "Shipped"),
        FulfillmentStatus::Delivered => badge("ok", "check", "Delivered"),
    }
}

pub fn work_state(state: FulfillmentState) -> Badge {
    match state {
        FulfillmentState::Released => badge("info", "ring", "To pick"),
        FulfillmentState::Picking => badge("info", "half", "Picking"),
        FulfillmentState::Packed => badge("info", "full", "Packed"),
        FulfillmentState::Shipped => badge("ok", "truck", "Shipped"),
        FulfillmentState::Delivered => badge("ok", "check", "Delivered"),
        FulfillmentState::ShortPicked => badge("bad", "alert", "Nothing found"),
        FulfillmentState::Canceled => badge("idle", "cross", "Canceled"),
    }
}

pub fn purchase_status(status: PurchaseOrderStatus) -> Badge {
    match status {
        PurchaseOrderStatus::Draft => badge("idle", "ring", "Draft"),
        PurchaseOrderStatus::Sent => badge("info", "half", "Sent"),
        PurchaseOrderStatus::Acknowledged => badge("info", "full", "Acknowledged"),
        PurchaseOrderStatus::PartiallyReceived => badge("warn", "half", "Part received"),
        PurchaseOrderStatus::Received => badge("ok", "check", "Received"),
        PurchaseOrderStatus::ClosedShort => badge("idle", "dash", "Closed short"),
        PurchaseOrderStatus::Canceled => badge("idle", "cross", "Canceled"),
    }
}

/// Digits after the point, where they are not two.
pub fn digits(currency: Currency) -> usize {
    match currency.as_str() {
        "JPY" | "KRW" | "VND" | "CLP" | "ISK" | "XAF" | "XOF" | "UGX" | "PYG" => 0,
        "KWD" | "BHD" | "OMR" | "JOD" | "TND" => 3,
        _ => 2,
    }
}

/// `€1,234.50`; a currency without a sign of its own by its code.
pub fn money(amount: Amount, currency: Currency) -> String {
    let sign = match currency.as_str() {
        "USD" => "$",
        "EUR" => "€",
        "GBP" => "£",
        "JPY" => "¥",
        "INR" => "₹",
        _ => "",
    };
    let digits = digits(currency);
    let unit = 10_u64.pow(u32::try_from(digits).unwrap_or(2));
    let minor = amount.get().unsigned_abs();
    let minus = if amount.is_negative() { "−" } else { "" };
    let fraction = if digits == 0 { String::new() } else { format!(".{:0digits$}", minor % unit) };
    let number = format!("{}{fraction}", count(minor / unit));
    if sign.is_empty() { format!("{minus}{currency}\u{a0}{number}") } else { format!("{minus}{sign}{number}") }
}

/// `12.50`, as a field takes it.
pub fn plain(amount: Amount, currency: Currency) -> String {
    let digits = digits(currency);
    let unit = 10_i64.pow(u32::try_from(digits).unwrap_or(2));
    if digits == 0 { amount.to_string() } else { format!("{}.{:0digits$}", amount.get() / unit, (amount.get() % unit).abs()) }
}

/// `12,345`
pub fn count(number: impl TryInto<u64>) -> String {
    let number = number.try_into().unwrap_or(0).to_string();
    let mut out = String::with_capacity(number.len() + number.len() / 3);
    for (at, digit) in number.chars().enumerate() {
        if at > 0 && (number.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// With its sign, for changes: `+3`, `−2`.
pub fn signed(number: i64) -> String {
    let sign = match number {
        0 => "",
        1.. => "+",
        _ => "−",
    };
    format!("{sign}{}", count(number.unsigned_abs()))
}

/// `one order`, `3 orders`
pub fn plural(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number as u64), if number == 1 { one } else { many })
}

/// `now`, `4 min`, `3 h`, `2 d`: how long ago, short.
pub fn age(at: Timestamp, now: Timestamp) -> String {
    match now.0.saturating_sub(at.0) {
        ..MINUTE_MS => "now".to_owned(),
        ms @ MINUTE_MS..HOUR_MS => format!("{}\u{a0}min", ms / MINUTE_MS),
        ms @ HOUR_MS..DAY_MS => format!("{}\u{a0}h", ms / HOUR_MS),
        ms => format!("{}\u{a0}d", ms / DAY_MS),
    }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `24 Nov`
pub fn day(date: Date) -> String {
    let text = date.to_string();
    let part = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<usize>().ok());
    match (part(5, 7), part(8, 10)) {
        (Some(month @ 1..=12), Some(day)) => format!("{day}\u{a0}{}", MONTHS[month - 1]),
        _ => text,
    }
}

/// `24 Nov 09:30`, UTC.
pub fn moment(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{} {}", day(at.utc_date()), text.get(11..16).unwrap_or_default())
}

/// `24 Nov 09:30:05`, UTC.
pub fn second(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{} {}", day(at.utc_date()), text.get(11..19).unwrap_or_default())
}

/// The number that people call an order by.
pub fn number(order: OrderId) -> String {
    (order.0 + FIRST_ORDER_NUMBER).to_string()
}

/// `order.promise_changed.v1` reads `Order promise changed`.
pub fn event_name(kind: &str) -> String {
    let plain = kind.trim_end_matches(".v1").replace(['.', '_'], " ");
    let mut letters = plain.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// `partially_received` reads `Partially received`.
pub fn words(name: &str) -> String {
    event_name(name)
}

/// `receive` is `received`.
pub fn past(step: &str) -> &'static str {
    match step {
        "approve" => "approved",
        "reject" => "rejected",
        "receive" => "received",
        "close" | "close-lost" | "close-short" => "closed",
        "cancel" => "canceled",
        "send" => "sent",
        "ship" => "shipped",
        "record" => "recorded",
        "post" => "posted",
        _ => "changed",
    }
}

/// The page that shows a subject, and what it is called there.
pub fn subject(subject: &Subject) -> (Option<String>, String) {
    match subject {
        Subject::Order(id) => (Some(format!("/orders/{id}")), format!("#{}", number(*id))),
        Subject::Item(sku) => (Some(stock_path(sku.as_str())), sku.to_string()),
        Subject::Stock(sku, location) | Subject::Policy(sku, location) => (Some(stock_path(sku.as_str())), format!("{sku} at {location}")),
        Subject::PurchaseOrder(id) => (Some(format!("/purchase-orders/{id}")), id.to_string()),
        Subject::Alert(id) => (Some("/alerts".to_owned()), id.to_string()),
        Subject::Count(id) => (Some(format!("/counts/{id}")), id.to_string()),
        Subject::Transfer(id) => (Some(format!("/transfers/{id}")), id.to_string()),
        Subject::Location(code) => (Some("/settings".to_owned()), code.to_string()),
        Subject::Channel(code) => (Some("/settings".to_owned()), code.to_string()),
        Subject::Settings => (Some("/settings".to_owned()), "Settings".to_owned()),
        Subject::Supplier(code) => (Some("/replenishment".to_owned()), code.to_string()),
        Subject::Subscription(id) => (Some("/subscriptions".to_owned()), id.to_string()),
        Subject::Hold(id) => (None, id.to_string()),
        Subject::Receipt(id) => (None, id.to_string()),
        Subject::Adjustment(id) => (None, id.to_string()),
        Subject::Move(id) => (None, id.to_string()),
        Subject::Customer(id) => (None, id.to_string()),
        Subject::Return(id) => (None, id.to_string()),
        Subject::Key(id) => (None, id.to_string()),
    }
}

/// A subject as the log writes it: `order/ord_1`.
pub fn subject_text(text: &str) -> (Option<String>, String) {
    let (kind, id) = text.split_once('/').unwrap_or((text, text));
    match kind {
        "order" => match id.parse::<OrderId>() {
            Ok(order) => (Some(format!("/orders/{id}")), format!("#{}", number(order))),
            Err(_) => (None, id.to_owned()),
        },
        "item" => (Some(stock_path(id)), id.to_owned()),
        "stock" | "replenishment_policy" => (Some(stock_path(id.split_once('@').map_or(id, |(sku, _)| sku))), id.replace('@', " at ")),
        "purchase_order" => (Some(format!("/purchase-orders/{id}")), id.to_owned()),
        "count" => (Some(format!("/counts/{id}")), id.to_owned()),
        "transfer" => (Some(format!("/transfers/{id}")), id.to_owned()),
        "alert" => (Some("/alerts".to_owned()), id.to_owned()),
        _ => (None, id.to_owned()),
    }
}

pub fn stock_path(sku: &str) -> String {
    format!("/stock/{}", encode(sku))
}

/// Points of a line through `values` in a box of `width` × `height`, for an SVG's `points`.
pub fn spark(values: &[i64], width: i64, height: i64) -> String {
    let top = values.iter().copied().max().unwrap_or(0).max(1);
    let steps = i64::try_from(values.len().saturating_sub(1)).unwrap_or(1).max(1);
    let points = values.iter().zip(0_i64..).map(|(value, at)| {
        let (x, y) = (at * width * 10 / steps, (height - 2) * 10 - value.max(&0) * (height - 4) * 10 / top);
        format!("{}.{},{}.{}", x / 10, x % 10, y / 10, y % 10)
    });
    points.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_people_write_them() {
        for (minor, currency, text) in [
            (123_450, "EUR", "€1,234.50"),
            (-5, "USD", "−$0.05"),
            (1_000_000, "JPY", "¥1,000,000"),
            (1_234, "KWD", "KWD\u{a0}1.234"),
            (99_99, "SEK", "SEK\u{a0}99.99"),
        ] {
            assert_eq!(money(Amount::new(minor), Currency::parse(currency).unwrap()), text);
        }
    }

    #[test]
    fn ages_and_moments_are_short() {
        let now = Timestamp::parse("2026-11-24T09:30:05.000Z").unwrap();
        assert_eq!((moment(now).as_str(), second(now).as_str()), ("24\u{a0}Nov 09:30", "24\u{a0}Nov 09:30:05"));
        for (ms, text) in [(0, "now"), (4 * MINUTE_MS, "4\u{a0}min"), (3 * HOUR_MS, "3\u{a0}h"), (49 * HOUR_MS, "2\u{a0}d")] {
            assert_eq!(age(Timestamp(now.0 - ms), now), text);
        }
    }

    #[test]
    fn a_line_stays_in_its_box() {
        assert_eq!(spark(&[0, 5, 10], 100, 24), "0.0,22.0 50.0,12.0 100.0,2.0");
        assert_eq!(spark(&[], 100, 24), "");
    }
}
