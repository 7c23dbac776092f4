//! What members of bodies mean, and how far they may go: the bounds are the ones that the rules check.
//!
//! A member is named by the end of its place, such as `lines[].quantity`, and by more of it where it means something else: the longest name wins.
//! Lengths of texts are checked in bytes, so that a text within `maxLength` characters may still be too long.

use super::super::super::purchasing::SECRET_BYTES_MIN;
use crate::keys::NAME_BYTES_MAX;
use domain::limits::*;
use domain::time::SECOND_MS;
use serde_json::{Value, json};

/// How far a member may go, both ends included.
enum Bound {
    Free,
    /// Of a text.
    Bytes(usize, usize),
    /// Of a whole number.
    Whole(i64, i64),
    /// Of a list.
    Items(usize, usize),
    /// Of metadata.
    Entries,
}
use Bound::{Bytes, Entries, Free, Items, Whole};

const CODE: Bound = Bytes(1, CODE_BYTES_MAX);
const TEXT: Bound = Bytes(1, TEXT_BYTES_MAX);
/// May be empty.
const LOOSE: Bound = Bytes(0, TEXT_BYTES_MAX);
const UNITS: Bound = Whole(1, QUANTITY_MAX as i64);
const UNITS_OR_NONE: Bound = Whole(0, QUANTITY_MAX as i64);
const COUNT: Bound = Whole(0, u32::MAX as i64);
const AMOUNT: Bound = Whole(0, AMOUNT_MAX);
const EITHER_SIGN: Bound = Whole(-AMOUNT_MAX, AMOUNT_MAX);
const LINES: Bound = Items(1, STOCK_LINES_MAX);
const MINUTE: Bound = Whole(0, MINUTE_MAX as i64);
const WEEKDAY: Bound = Whole(0, WEEKDAY_MAX as i64);
const WEEKDAYS: usize = WEEKDAY_MAX as usize + 1;
const DAYS: Bound = Whole(0, SHOP_DAYS_MAX as i64);
const LEAD_TIME: Bound = Whole(0, LEAD_TIME_DAYS_MAX as i64);
const PERCENT: Bound = Whole(0, PERCENT_MAX as i64);
const PACE: Bound = Whole(0, ALERT_PACE_SECONDS_MAX as i64);
const LOCALE: Bound = Bytes(LOCALE_BYTES_MIN, LOCALE_BYTES_MAX);
const FILTERS: Bound = Items(0, SUBSCRIPTION_FILTERS_MAX);
const INDEX: Bound = Whole(0, u16::MAX as i64);

const MEMBERS: &[(&str, &str, Bound)] = &[
    // What many bodies have.
    ("sku", "What is meant, by its SKU", CODE),
    ("location", "Code of a location", CODE),
    ("channel", "Code of the channel that sells", CODE),
    ("supplier", "Code of a supplier", CODE),
    ("name", "What people call it", TEXT),
    ("lines", "What it is about, each SKU once", LINES),
    ("quantity", "Whole units", UNITS),
    ("reference", "What others call it: a number of a document, a bank, an ASN", LOOSE),
    ("reason", "Why, for those who read it later", LOOSE),
    ("metadata", "Texts of your own, by name; they are kept and never read", Entries),
    ("metadata.*", "Any text", Bytes(0, METADATA_BYTES_MAX)),
    ("currency", "ISO 4217 code", Free),
    ("country", "ISO 3166 code, two capital letters", Free),
    ("time_zone", "IANA name, such as America/Chicago", Free),
    ("active", "false takes it out of use", Free),
    ("version", "As views show it; If-Match is what counts", Whole(0, i64::MAX)),
    ("created_at", "As views show it; it is not changed", Free),
    ("object", "As views show it; nobody reads it", Free),
    ("coordinates", "Where it is, for sourcing by distance", Free),
    ("latitude", "Millionths of a degree, north is positive", Whole(i32::MIN as i64, i32::MAX as i64)),
    ("longitude", "Millionths of a degree, east is positive", Whole(i32::MIN as i64, i32::MAX as i64)),
    ("on_shortage", "What happens when stock is short; the stricter of order, item and channel wins", Free),
    ("expected_on", "Day on which it should arrive", Free),
    ("carrier", "Who carries it", LOOSE),
    ("tracking_number", "What the carrier calls it", LOOSE),
    ("unit_cost", "What one unit costs, in minor units", AMOUNT),
    ("weight_grams", "Weight in grams", COUNT),
    ("auto", "How far replenishment goes by itself: sent, drafted, or only told", Free),
    ("lead_time_days", "Days from ordering to arrival", LEAD_TIME),
    ("kind", "Which kind it is", Free),
    // Items.
    ("items.status", "As views show it; retire takes an item out of sale", Free),
    ("items.kind", "stocked is counted, a kit is kept as its components, a service is never counted", Free),
    ("components", "Of a kit: what one of it is made of, each SKU once", Items(1, KIT_COMPONENTS_MAX)),
    ("components[].quantity", "Units in one kit", Whole(1, COMPONENT_UNITS_MAX as i64)),
    ("split_kit", "A kit may ship from several locations", Free),
    ("barcode", "What scanners read", LOOSE),
    ("items.unit_cost", "What one unit costs", Free),
    ("items.unit_cost.amount", "In minor units", AMOUNT),
    ("backorder_cap", "How many units may be sold beyond what is there", Free),
    ("backorder_cap.limit", "So many units", COUNT),
    ("available_from", "Preorder: nothing ships before this day", Free),
    // Locations.
    ("code", "How it is called in every other body", CODE),
    ("address", "Where it is", Free),
    ("address.line1", "Street and number", LOOSE),
    ("address.city", "City", LOOSE),
    ("address.region", "State or province", LOOSE),
    ("address.postal_code", "Postal code", LOOSE),
    ("cutoff_minute", "Minutes after local midnight; later orders count from the next working day", MINUTE),
    ("working_days", "Days on which it ships, each once", Items(1, WEEKDAYS)),
    ("working_days[]", "0 is Monday", WEEKDAY),
    ("handling_days", "Working days from order to shipment", DAYS),
    ("locations.priority", "Lower is asked first", Whole(0, u16::MAX as i64)),
    // Channels.
    ("channels.locations", "Where it sells from; empty means from every active location", Free),
    ("locations[]", "Code of a location", CODE),
    ("buffer", "Kept back of what is available over its locations", Free),
    ("buffer.units", "So many units", COUNT),
    ("buffer.percent", "So many percent, rounded up to whole units", PERCENT),
    ("channels.payment", "When and how money is asked for", Free),
    ("timing", "When money is taken", Free),
    ("payment.backorder", "When units that wait are paid for", Free),
    ("window_ms", "Milliseconds after which an unpaid order is canceled", Whole(0, PAYMENT_WINDOW_MS_MAX)),
    ("gateway", "Which connector is asked, such as test, manual or stripe", TEXT),
    ("single_capture", "Where a gateway captures once per authorization: with the first shipment or the last", Free),
    ("multicapture", "The gateway captures an authorization in several parts", Free),
    ("overcapture_percent", "So much more than authorized the gateway captures", PERCENT),
    ("on_expiry", "What happens when an authorization runs out that is still needed", Free),
    ("sourcing", "Which location ships: the first rule ranks first", Items(0, SOURCING_RULES_MAX)),
    ("rule", "How locations are ranked", Free),
    ("sourcing[].country", "Ship-to country for which these go first", Free),
    ("sourcing[].region", "Ship-to region for which these go first", Free),
    ("sourcing[].locations", "The first is asked first", Free),
    ("mail", "How customers hear of their orders by mail; without it they do not", Free),
    ("sender", "Acme Shop <shop@acme.example>", Bytes(3, TEXT_BYTES_MAX)),
    ("reply_to", "Where answers go", Bytes(3, TEXT_BYTES_MAX)),
    ("payment_url", "Where a customer pays again; {order}, {number} and {external_id} are filled in", Bytes(8, TEXT_BYTES_MAX)),
    ("status_url", "The shop's own page of an order, instead of ours", Bytes(8, TEXT_BYTES_MAX)),
    ("mail.locale", "Language of customers who name none", LOCALE),
    ("opt_outs", "What is not written about", Free),
    ("opt_outs[]", "order_confirmed, shipped, delivered, …", Free),
    // Settings.
    ("complete_after_days", "Shipped orders without tracking complete after so many days", Whole(1, SHOP_DAYS_MAX as i64)),
    ("promise_margin_days", "Added to a purchase order's date when a promise leans on it", DAYS),
    ("over_receipt_percent", "So much more than ordered is received without confirmation", Whole(0, u8::MAX as i64)),
    ("count_approval_units", "A count that differs by more needs approval; null means never", COUNT),
    (
        "authorization_warning_hours",
        "Hours before an authorization runs out at which somebody is told",
        Whole(0, AUTHORIZATION_WARNING_HOURS_MAX as i64),
    ),
    ("last_digest", "As views show it; the server keeps it", Free),
    ("alerts", "Who is told of alerts; nobody without it", Free),
    ("mail_to", "Addresses of staff", Items(0, ALERT_RECIPIENTS_MAX)),
    ("mail_to[]", "A mail address", Bytes(1, TEXT_BYTES_MAX)),
    ("alerts.webhook", "Address of a Slack-compatible webhook, kept secret; \"set\" keeps the known one", Free),
    ("digest_only", "Kinds of alerts that wait for the digest", Items(0, ALERT_RECIPIENTS_MAX)),
    ("digest_only[]", "A kind of alerts", Bytes(0, CODE_BYTES_MAX)),
    ("gather_seconds", "A message waits so long for more to come", PACE),
    ("interval_seconds", "Between two messages to one destination", PACE),
    ("follow_up", "Tell also when a told alert is over", Free),
    ("digest", "Once a day, all that is open", Free),
    ("minute", "Minutes after local midnight", MINUTE),
    // Stock.
    ("safety-stock.quantity", "Kept back from selling", UNITS_OR_NONE),
    ("adjustments.reason", "For example shrinkage", TEXT),
    ("occurred_at", "When it happened, if not now", Free),
    ("bucket", "Which units; by default on_hand", Free),
    ("delta", "So many more, or fewer", Whole(-(QUANTITY_MAX as i64), QUANTITY_MAX as i64)),
    ("set_to", "So many there are; needs if_quantity", COUNT),
    ("if_quantity", "Only if so many are there now", COUNT),
    ("moves.from", "Where the units leave", Free),
    ("moves.to", "Where the units go", Free),
    ("owner", "Whose cart it is", TEXT),
    ("ttl_seconds", "How long it holds", Whole(HOLD_TTL_MS_MIN / SECOND_MS, HOLD_TTL_MS_MAX / SECOND_MS)),
    // Orders.
    ("external_id", "What the channel calls it", TEXT),
    ("prices_include_tax", "Taxes are within the prices, not beside them", Free),
    ("hold_owner", "Whose hold is consumed first", TEXT),
    ("orders.priority", "Higher is filled first when units arrive", Whole(i16::MIN as i64, i16::MAX as i64)),
    ("customer", "Who buys; sealed before anything else sees it", Free),
    ("customer.external_id", "What the channel calls the customer", Free),
    ("customers.external_id", "What the channel calls the customer", Free),
    ("customers.channel", "Code of the channel that gave the external_id", Free),
    ("email", "Mail address", Free),
    ("suppliers.email", "Where purchase orders go", Bytes(1, TEXT_BYTES_MAX)),
    ("customer.name", "What the customer is called", Free),
    ("customers.name", "What the customer is called", Free),
    ("phone", "Phone number", Free),
    ("locale", "Language tag, such as en or de-CH", Free),
    ("ship_to", "Where it goes; sealed except for country and region", Free),
    ("ship_to.name", "Who receives it", Free),
    ("company", "Company", Free),
    ("line1", "Street and number", Free),
    ("line2", "Floor, apartment", Free),
    ("city", "City", Free),
    ("region", "State or province", Free),
    ("postal_code", "Postal code", Free),
    ("orders.lines", "What is bought", Items(1, ORDER_LINES_MAX)),
    ("unit_price", "Of one unit, in minor units", AMOUNT),
    ("discount", "Off the whole line, in minor units", AMOUNT),
    ("tax", "Of the whole line, in minor units", AMOUNT),
    ("total", "What it comes to, in minor units; checked when it is sent", Free),
    ("orders.charges", "Shipping, gift wrap, …", Items(0, ORDER_CHARGES_MAX)),
    ("charges[].kind", "For example shipping", TEXT),
    ("charges[].amount", "In minor units; negative for what is taken off", EITHER_SIGN),
    ("charges[].tax", "In minor units", EITHER_SIGN),
    ("payment_token", "What the gateway knows the means of payment by", TEXT),
    ("payments", "Made elsewhere, before the order came", Items(0, ORDER_PAYMENTS_MAX)),
    ("payments[].reference", "What the gateway calls it", TEXT),
    ("payments[].status", "How far it went", Free),
    ("payments[].amount", "In minor units", Whole(1, AMOUNT_MAX)),
    ("expires_at", "When the authorization runs out", Free),
    ("note", "For the warehouse; sealed", Free),
    ("notify", "false leaves out mail to the customer", Free),
    ("edit.lines", "Lines with what they shall be", Items(0, ORDER_LINES_MAX)),
    ("edit.lines[].quantity", "All units of the line from now on", UNITS_OR_NONE),
    ("add", "Lines that are new", Items(0, ORDER_LINES_MAX)),
    ("lines[].id", "Line of the order", Free),
    ("orders.hold.reason", "Why it waits", TEXT),
    ("orders.cancel.reason", "Why, for those who read it later", TEXT),
    ("cancel.lines", "Which units; without any, all of the order", Free),
    ("cancel.lines[].quantity", "So many of the line", Whole(1, u32::MAX as i64)),
    ("token", "Another means of payment than the one that failed", LOOSE),
    ("mark-paid.amount", "In minor units; by default all that is due", Whole(1, AMOUNT_MAX)),
    ("refunds.lines", "Which units are paid back", Free),
    ("refunds.lines[].quantity", "So many of the line", Whole(1, u32::MAX as i64)),
    ("refunds.charges", "Of the charges, in minor units", AMOUNT),
    ("refunds.amount", "Beside what lines and charges come to, in minor units", AMOUNT),
    ("refunds.payment", "Which payment pays back; by default the latest first", Free),
    // Work of the warehouse.
    ("missing", "What was not found", Free),
    ("missing[].quantity", "So many of the line", Whole(1, u32::MAX as i64)),
    ("index", "Which line, counted from 0", INDEX),
    ("tracking_url", "Where the parcel is followed", LOOSE),
    ("parcels", "What was handed over", Free),
    ("cost", "What shipping cost the shop, in minor units", AMOUNT),
    ("delivered_at", "When it arrived, if not now", Free),
    ("returns.order", "Whose goods come back; without it the return is blind", Free),
    ("returns.location", "Where a blind return arrived", CODE),
    ("returns.external_id", "What the channel calls it", LOOSE),
    ("returns.lines[].sku", "What came back blind", CODE),
    ("returns.lines[].quantity", "Units that come back", Whole(1, u32::MAX as i64)),
    ("receive.lines[].quantity", "Units that came back", Whole(1, u32::MAX as i64)),
    ("returns.receive.lines", "What arrived", Items(1, usize::MAX)),
    ("disposition", "What becomes of the units", Free),
    // Suppliers and purchase orders.
    ("order_minimum", "Least sum of a purchase order, in minor units", AMOUNT),
    ("dispatch", "How purchase orders go out", Free),
    ("suppliers.webhook", "Where purchase orders are posted", Free),
    ("suppliers.webhook.url", "Called with each purchase order", Bytes(8, TEXT_BYTES_MAX)),
    ("suppliers.webhook.secret", "Signs what is posted", Bytes(SECRET_BYTES_MIN, usize::MAX)),
    ("cutoff", "Until when a day's orders are gathered", Free),
    ("weekdays", "Days on which they go out", Items(1, usize::MAX)),
    ("weekdays[]", "0 is Monday", WEEKDAY),
    ("source_location", "Code of the location that fills it up, instead of a supplier", CODE),
    ("reorder_point", "Ordered when so many or fewer are there or on their way", UNITS_OR_NONE),
    ("order_up_to", "Ordered until so many are there or on their way", UNITS_OR_NONE),
    ("reorder_quantity", "So many are ordered each time", UNITS),
    ("moq", "Fewest that are ordered", UNITS_OR_NONE),
    ("multiple", "Ordered in multiples of it", UNITS_OR_NONE),
    ("purchase-orders.lines[].quantity", "Units that are ordered", UNITS_OR_NONE),
    ("amend.lines", "Lines with what they shall be; 0 takes one away", Free),
    ("amend.lines[].quantity", "All units of the line from now on", UNITS_OR_NONE),
    ("acknowledge.lines", "When lines arrive", Free),
    ("receive.lines", "What arrived, each SKU once", Items(1, usize::MAX)),
    ("accepted", "Units that are sellable", COUNT),
    ("damaged", "Units that arrived and are not sellable", COUNT),
    ("confirm_over_receipt", "More than was ordered is meant", Free),
    // Transfers and counts.
    ("transfers.from", "Code of the location that sends", CODE),
    ("transfers.to", "Code of the location that receives", CODE),
    ("transfers.lines[].quantity", "Units that travel", UNITS_OR_NONE),
    ("ship.lines", "What leaves; without any, all of the draft", Free),
    ("ship.lines[].quantity", "Units that leave", UNITS_OR_NONE),
    ("skus", "What is counted, each once", LINES),
    ("skus[]", "A SKU", CODE),
    ("record.lines", "What was counted", Items(1, usize::MAX)),
    ("counted", "Units that were there", Whole(0, ON_HAND_MAX as i64)),
    ("counted_at", "When, if not now", Free),
    ("approve", "The differences are meant", Free),
    // Customers, subscriptions, keys, events.
    ("into", "The customer that stays", Free),
    ("subscriptions.kind", "pull is read by its cursor, sse is a stream, webhook is called; it can't change", Free),
    ("filter", "Which events; all without it", Free),
    ("types", "Types of events, * at the end", FILTERS),
    ("types[]", "Such as order.* or stock.allocated", TEXT),
    ("subjects", "What events are about, * at the end", FILTERS),
    ("subjects[]", "Such as order/ord_1", TEXT),
    ("filter.channels", "Only events of these channels", FILTERS),
    ("filter.channels[]", "Code of a channel", CODE),
    ("subscriptions.webhook", "Which endpoint is called", Free),
    ("subscriptions.webhook.url", "Called with events", Bytes(8, WEBHOOK_URL_BYTES_MAX)),
    ("concurrency", "Calls at once", Whole(1, WEBHOOK_CONCURRENCY_MAX as i64)),
    ("timeout_ms", "Longest wait for an answer", Whole(WEBHOOK_TIMEOUT_MS_MIN as i64, WEBHOOK_TIMEOUT_MS_MAX as i64)),
    ("secret", "Signs the calls; one is made when none is sent", Free),
    ("personal_data", "Events have personal data in the clear", Free),
    ("history", "Events of before the subscription was made count, too", Free),
    ("stalled_after_seconds", "Somebody is told after so long without progress", Whole(1, u32::MAX as i64)),
    ("start", "Where it begins: beginning, now (by default), a time, or an event's id", Free),
    ("pause.reason", "Why, for those who read it later", TEXT),
    ("rewind.to", "beginning, now, a time, or an event's id", Free),
    ("cursor", "The last event that is dealt with", Free),
    ("backfill.from", "First of the range: beginning, a time, or an event's id", Free),
    ("backfill.to", "Last of the range: now, a time, or an event's id", Free),
    ("redeliver.sequence", "One event", Free),
    ("redeliver.from", "First of a range", Free),
    ("redeliver.to", "Last of a range", Free),
    ("parked", "All that is parked", Free),
    ("overlap_seconds", "How long the replaced secret signs along", Whole(0, WEBHOOK_OVERLAP_MS_MAX / SECOND_MS)),
    ("keys.name", "Person or system that has it", Bytes(1, NAME_BYTES_MAX)),
    ("role", "What it may do", Free),
    ("idempotency_key", "Names the line, so that a repeat of it is none", Free),
    ("specversion", "Of CloudEvents", Free),
    ("id", "With source, names the event: a repeat of it is none", Free),
    ("source", "Who sends it", Free),
    ("type", "What it asks for: x-event-type of a route", Free),
    ("subject", "What this is asked of, such as order/ord_1", Free),
    ("data", "The body of that route", Free),
];

/// Writes what is known of each member beside it.
///
/// # Panics
/// When a member has no meaning in the table.
pub fn describe(schema: &mut Value, at: &str) {
    for choice in schema.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
        describe(choice, at);
    }
    if let Some(items) = schema.get_mut("items") {
        of_member(items, &format!("{at}[]"));
    }
    if let Some(each) = schema.get_mut("additionalProperties").filter(|each| each.is_object()) {
        of_member(each, &format!("{at}.*"));
    }
    for (name, member) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        of_member(member, &format!("{at}.{name}"));
    }
}

fn of_member(schema: &mut Value, at: &str) {
    describe(schema, at);
    let is_end = |name: &str| at.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('.'));
    let found = MEMBERS.iter().filter(|(name, ..)| is_end(name)).max_by_key(|(name, ..)| name.len());
    let Some((_, about, bound)) = found else {
        // Objects of a list, and events, are what the list is.
        assert!(
            at.ends_with("[]") && !schema["properties"].is_null() || !schema["oneOf"].is_null(),
            "members.rs does not say what {at} is"
        );
        return;
    };
    schema["description"] = json!(about);
    let (least, most) = match bound {
        Free => return,
        Bytes(min, max) => (("minLength", whole(*min)), ("maxLength", whole(*max))),
        Items(min, max) => (("minItems", whole(*min)), ("maxItems", whole(*max))),
        Whole(min, max) => (("minimum", *min), ("maximum", *max)),
        Entries => (("minProperties", 0), ("maxProperties", whole(METADATA_ENTRIES_MAX))),
    };
    // What every text, list and number has says nothing.
    if least.1 != 0 || least.0 == "minimum" {
        schema[least.0] = json!(least.1);
    }
    if most.1 != i64::MAX {
        schema[most.0] = json!(most.1);
    }
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
