//! Every bound of the rules has its name here.

/// Longest SKU, location, channel or supplier code, in bytes.
pub const CODE_BYTES_MAX: usize = 64;
/// Longest free text (names, references, reasons), in bytes.
pub const TEXT_BYTES_MAX: usize = 500;
/// Longest sealed text (an address with its seal), in bytes.
pub const SEALED_BYTES_MAX: usize = 8_192;
/// Most units that one line of any command may name.
pub const QUANTITY_MAX: u32 = 10_000_000;
/// Most units that may stand on hand of one SKU at one location.
pub const ON_HAND_MAX: u32 = 1_000_000_000;
/// Most units that a new order may make wait of one SKU, with those that wait already.
pub const BACKORDERED_MAX: u32 = 1_000_000_000;
/// Largest amount in minor units, either sign.
pub const AMOUNT_MAX: i64 = 10_000_000_000_000;
/// Most lines of one order.
pub const ORDER_LINES_MAX: usize = 1_500;
/// Most order charges (shipping, gift wrap, …).
pub const ORDER_CHARGES_MAX: usize = 50;
/// Most payments of one order over its life.
pub const ORDER_PAYMENTS_MAX: usize = 100;
/// Most fulfillments of one order over its life.
pub const ORDER_FULFILLMENTS_MAX: usize = 1_000;
/// Most components of a kit, and units of one of them in one kit, so that kits times the largest quantity stay countable.
pub const KIT_COMPONENTS_MAX: usize = 50;
pub const COMPONENT_UNITS_MAX: u32 = 400;
/// Most metadata entries, and bytes of one key or value.
pub const METADATA_ENTRIES_MAX: usize = 50;
pub const METADATA_BYTES_MAX: usize = 500;
/// Most lines of one receipt, adjustment, hold, purchase order, transfer, count or return.
pub const STOCK_LINES_MAX: usize = 500;
/// Most names (hashed) by which one customer is found.
pub const CUSTOMER_FINGERPRINTS_MAX: usize = 50;
/// Most locations of a shop.
pub const LOCATIONS_MAX: usize = 1_000;
/// Most channels of a shop.
pub const CHANNELS_MAX: usize = 200;
/// Last minute of a day.
pub const MINUTE_MAX: u16 = 24 * 60 - 1;
/// Last day of a week; Monday is 0.
pub const WEEKDAY_MAX: u8 = 6;
/// All of it.
pub const PERCENT_MAX: u8 = 100;
/// Longest handling, margin of a promise and wait for completion.
pub const SHOP_DAYS_MAX: u16 = 365;
/// Longest time from ordering to arrival.
pub const LEAD_TIME_DAYS_MAX: u16 = 730;
/// Earliest that somebody is told before an authorization runs out.
pub const AUTHORIZATION_WARNING_HOURS_MAX: u16 = 24 * 90;
/// Shortest and longest language tag, in bytes.
pub const LOCALE_BYTES_MIN: usize = 2;
pub const LOCALE_BYTES_MAX: usize = 35;
/// Most sourcing rules of a channel.
pub const SOURCING_RULES_MAX: usize = 50;
/// Shortest and longest life of a hold.
pub const HOLD_TTL_MS_MIN: i64 = crate::time::SECOND_MS;
pub const HOLD_TTL_MS_MAX: i64 = 30 * crate::time::DAY_MS;
/// Most holds, timers or backorders that one turn ends or fills; the rest continues as durable work.
pub const EXPIRIES_PER_TURN: usize = 100;
pub const BACKORDERS_PER_TURN: usize = 100;
/// Most levels whose policies one turn looks at again, and one transaction of it.
pub const REVIEWS_PER_TURN: usize = 1_000;
pub const REVIEWS_AT_ONCE: usize = 50;
/// Most events of one transaction.
pub const TRANSACTION_EVENTS_MAX: usize = 4_000;
/// Most expected deliveries listed on one stock level.
pub const EXPECTED_PER_LEVEL_MAX: usize = 200;
/// Most changes of a level that an open count remembers; what was counted before them is counted too long ago.
pub const COUNT_BOOK_MAX: usize = 1_000;
/// Most numbers of one alert.
pub const ALERT_NUMBERS_MAX: usize = 20;
/// An outside action that is outstanding for longer raises an alert.
pub const EFFECT_STUCK_AFTER_MS: i64 = 15 * crate::time::MINUTE_MS;
/// Payment window when the channel names none.
pub const PAYMENT_WINDOW_MS_DEFAULT: i64 = 30 * crate::time::MINUTE_MS;
/// Most mails about one order over its life.
pub const ORDER_NOTIFICATIONS_MAX: usize = 200;
/// Pauses between attempts at a delivery that is refused for now: doubled from the first to the last.
pub const DELIVERY_PAUSE_MS_FIRST: i64 = 2 * crate::time::SECOND_MS;
pub const DELIVERY_PAUSE_MS_LAST: i64 = crate::time::HOUR_MS;
/// After this long a delivery that nobody takes has failed.
pub const DELIVERY_MS_MAX: i64 = 3 * crate::time::DAY_MS;
/// Most addresses that alerts go to, and kinds that wait for the digest.
pub const ALERT_RECIPIENTS_MAX: usize = 50;
/// Most alerts that one look at State takes up to be told.
pub const ALERTS_TOLD_MAX: usize = 1_000;
/// Longest that alerts are gathered, and that messages are apart.
pub const ALERT_PACE_SECONDS_MAX: u32 = 24 * 3_600;
/// Longest payment window of a channel.
pub const PAYMENT_WINDOW_MS_MAX: i64 = 90 * crate::time::DAY_MS;
/// Most subscriptions of a shop.
pub const SUBSCRIPTIONS_MAX: usize = 500;
/// Most types, subjects and channels that one subscription's filter names, each.
pub const SUBSCRIPTION_FILTERS_MAX: usize = 100;
/// Longest URL of a webhook, in bytes.
pub const WEBHOOK_URL_BYTES_MAX: usize = 2_000;
/// Most calls to one endpoint at once.
pub const WEBHOOK_CONCURRENCY_MAX: u16 = 32;
/// Shortest and longest wait for an endpoint's answer.
pub const WEBHOOK_TIMEOUT_MS_MIN: u32 = 100;
pub const WEBHOOK_TIMEOUT_MS_MAX: u32 = 60_000;
/// Most secrets that sign at once while they rotate.
pub const WEBHOOK_SECRETS_MAX: usize = 5;
/// Longest time that a replaced secret signs along.
pub const WEBHOOK_OVERLAP_MS_MAX: i64 = 30 * crate::time::DAY_MS;
