//! Every kind of problem that the server tells: answers and the pages that explain them are made from this one table.

use axum::http::StatusCode;
use domain::Rejection;
use serde_json::{Value, json};

/// What all problems of a code have in common.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Stable; clients branch on it.
    pub code: &'static str,
    pub status: StatusCode,
    /// A few words for people.
    pub title: &'static str,
    pub meaning: &'static str,
    pub remedy: &'static str,
}

macro_rules! kinds {
    ($($name:ident $status:ident $code:literal $title:literal, $meaning:literal, $remedy:literal;)*) => {
        $(pub static $name: Kind =
            Kind { code: $code, status: StatusCode::$status, title: $title, meaning: $meaning, remedy: $remedy };)*
        /// All of them.
        pub static KINDS: &[&Kind] = &[$(&$name),*];
    };
}

kinds! {
    UNAUTHORIZED UNAUTHORIZED "unauthorized" "No valid key",
        "The request came without a key, or with one that is not known here or was revoked.",
        "Send a key as “Authorization: Bearer qm_…”. Make one with “quartermaster keys create”.";
    FORBIDDEN FORBIDDEN "forbidden" "Not allowed for this key",
        "The key is valid, but its role may not do this.",
        "Use a key with one of the roles that the detail names, or ask an admin for one.";
    NO_SUCH_PATH NOT_FOUND "no_such_path" "No such path",
        "There is nothing at this address.",
        "Check the path; the API is described at /docs.";
    METHOD_NOT_ALLOWED METHOD_NOT_ALLOWED "method_not_allowed" "Method not allowed",
        "There is something at this address, but it does not know this method.",
        "Check the method; the API is described at /docs.";
    BAD_JSON BAD_REQUEST "bad_json" "The body is not what is expected",
        "The body is no JSON, has a member that is not known, lacks one that is needed, or has a value of another type.",
        "Correct what the detail names; field, line and column say where it is. Nothing happened.";
    INVALID BAD_REQUEST "invalid" "Invalid request",
        "A field of the body, the query or a header is out of its bounds, or fields contradict each other.",
        "Correct the field that is named and send the request again. Nothing happened.";
    TOTAL_MISMATCH BAD_REQUEST "total_mismatch" "Totals do not add up",
        "A total that was sent is not the sum of its parts. Amounts are integers in minor units.",
        "Correct the parts or the total; computed says what the parts come to.";
    NOT_FOUND NOT_FOUND "not_found" "Not found",
        "Nothing of this kind has this id or code.",
        "Check the spelling, or create it first.";
    ALREADY_EXISTS CONFLICT "already_exists" "Already exists",
        "Something of this kind has this id or code already.",
        "Update what is there, or choose another name.";
    VERSION_MISMATCH PRECONDITION_FAILED "version_mismatch" "Changed since it was read",
        "The request named a version with If-Match, and the thing has changed since then.",
        "Read it again and repeat the change with the new ETag.";
    WRONG_STATUS CONFLICT "wrong_status" "Not possible in this status",
        "The thing is in a status in which this cannot be done; current_status says which, needed what it takes.",
        "Read it again and decide what is to be done now.";
    ORDER_REPEATED CONFLICT "order_repeated" "Order already placed",
        "The channel placed an order of this external_id with the same content before.",
        "Nothing has to be done: order names the one that stands.";
    ORDER_EXISTS CONFLICT "order_exists" "External id already used",
        "The channel has an order of this external_id with other content.",
        "Use another external_id, or edit the order that is named.";
    INSUFFICIENT_STOCK CONFLICT "insufficient_stock" "Not enough stock",
        "Fewer units can be sold than the order or hold asks for; lines has the numbers. A refused order stands as rejected and can be read.",
        "Lower the quantity, wait for the restock that is told, or send on_shortage “split”, “partial” or “backorder”.";
    QUANTITY_MISMATCH CONFLICT "quantity_mismatch" "Quantity is not what was expected",
        "The adjustment named with if_quantity what it believed was there, and something else is there.",
        "Read the stock again, or count once more, and repeat.";
    STOCK_PICKED CONFLICT "stock_picked" "Units are already picked",
        "The units are in somebody's hands for an order and can't be taken away.",
        "Short-pick the fulfillments that have them first, or take fewer.";
    STOCK_COMMITTED CONFLICT "stock_committed" "Units are committed",
        "The units are allocated, held or unavailable and can't leave the location.",
        "Ship fewer, or free some first.";
    REFUND_TOO_LARGE CONFLICT "refund_too_large" "Refund too large",
        "More was asked back than is left to refund.",
        "Ask for at most what refundable says.";
    CONFIRMATION_NEEDED CONFLICT "confirmation_needed" "Confirmation needed",
        "This is unusual enough that somebody has to say that it is meant.",
        "Look at what the detail says; send the field that is named with true to do it all the same.";
    CURSOR_GONE GONE "cursor_gone" "Cursor beyond the log",
        "The place is not in this log: the log ends before it, or was restored from a backup.",
        "Go on after common, the last event that both have; what you had beyond it never happened here.";
    TOO_LARGE PAYLOAD_TOO_LARGE "too_large" "Body too large",
        "The body has more bytes than one request may have.",
        "Send it in parts, or use the NDJSON bulk endpoints.";
    KEY_REUSED UNPROCESSABLE_ENTITY "idempotency_key_reused" "Idempotency key reused",
        "This Idempotency-Key was used with another body before.",
        "Use a new key for a new request, and the old one only to repeat the old request unchanged.";
    RATE_LIMITED TOO_MANY_REQUESTS "rate_limited" "Too many requests",
        "The key sent more requests than it may in this time. Nothing happened.",
        "Wait as long as Retry-After says, or use the NDJSON bulk endpoints.";
    BUSY SERVICE_UNAVAILABLE "busy" "Busy",
        "More is waiting than can be done at once, or others kept changing the same thing. Nothing happened.",
        "Try again after the time that Retry-After says.";
    BEHIND SERVICE_UNAVAILABLE "behind" "Lists are behind",
        "Lists are more than a second behind what was acknowledged.",
        "Try again, or add consistency=any to read what is there.";
    OUTCOME_UNKNOWN SERVICE_UNAVAILABLE "outcome_unknown" "Outcome unknown",
        "The server could not tell in time whether this took effect.",
        "Repeat it with the same Idempotency-Key: it takes effect once. Without a key, look before you repeat it.";
    NO_SPACE INSUFFICIENT_STORAGE "no_space" "Disk full",
        "The disk of the server is full. Nothing happened; reading still works.",
        "Free some space on the server and try again.";
    INTERNAL INTERNAL_SERVER_ERROR "internal" "Internal error",
        "Something is wrong with the server. Nothing acknowledged is lost.",
        "Its log says what, under the request_id of the answer.";
    NOT_LOADED CONFLICT "not_loaded" "Not in memory",
        "What the request is about had to be fetched and was not there in time. Nothing happened.",
        "Try again.";
}

impl Kind {
    /// A new way to be refused does not compile until it has a row above.
    pub fn of(rejection: &Rejection) -> &'static Self {
        match rejection {
            Rejection::NotLoaded { .. } => &NOT_LOADED,
            Rejection::NotFound { .. } => &NOT_FOUND,
            Rejection::AlreadyExists { .. } => &ALREADY_EXISTS,
            Rejection::Invalid { .. } => &INVALID,
            Rejection::VersionMismatch { .. } => &VERSION_MISMATCH,
            Rejection::WrongStatus { .. } => &WRONG_STATUS,
            Rejection::OrderRepeated { .. } => &ORDER_REPEATED,
            Rejection::OrderExists { .. } => &ORDER_EXISTS,
            Rejection::TotalMismatch { .. } => &TOTAL_MISMATCH,
            Rejection::InsufficientStock { .. } => &INSUFFICIENT_STOCK,
            Rejection::QuantityMismatch { .. } => &QUANTITY_MISMATCH,
            Rejection::StockPicked { .. } => &STOCK_PICKED,
            Rejection::StockCommitted { .. } => &STOCK_COMMITTED,
            Rejection::RefundTooLarge { .. } => &REFUND_TOO_LARGE,
            Rejection::ConfirmationNeeded { .. } => &CONFIRMATION_NEEDED,
        }
    }

    /// The `type` of its problems, which is where its page is.
    pub fn address(&self) -> String {
        format!("/problems/{}", self.code.replace('_', "-"))
    }

    /// The kind whose page is at `/problems/{name}`.
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().copied().find(|kind| kind.code == name.replace('-', "_"))
    }

    pub fn json(&self) -> Value {
        json!({
            "type": self.address(), "code": self.code, "title": self.title, "status": self.status.as_u16(), "meaning": self.meaning,
            "remedy": self.remedy,
        })
    }

    pub fn html(&self) -> String {
        let Self { code, status, title, meaning, remedy } = self;
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
            <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title></head>\n<body><h1>{title}</h1>\n\
            <p><code>{code}</code>, HTTP {}</p>\n<h2>What it means</h2>\n<p>{meaning}</p>\n<h2>What to do</h2>\n<p>{remedy}</p></body></html>\n",
            status.as_u16()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart_and_are_plain_text() {
        for (at, kind) in KINDS.iter().enumerate() {
            assert!(KINDS[..at].iter().all(|other| other.code != kind.code), "{} is there twice", kind.code);
            assert_eq!(Kind::named(kind.address().trim_start_matches("/problems/")), Some(*kind));
            for text in [kind.title, kind.meaning, kind.remedy] {
                assert!(!text.is_empty() && !text.contains(['<', '>', '&']), "{}: {text}", kind.code);
            }
        }
        assert_eq!(Kind::named("nothing"), None);
    }
}
