//! Names of things: numbered ids that read as `ord_1JD`, and codes that people choose.
//!
//! The number inside an id is the thing's place in the log's order. Its text is the prefix and the number in
//! Crockford's base 32 (<https://www.crockford.com/base32.html>), capitals, without leading zeros. Ids of what belongs to
//! an order carry the order's number (`ful_1JD-2`), so that each resolves to its case without a lookup.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smol_str::SmolStr;
use std::fmt;
use std::str::FromStr;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The text of an id while it is made, on the stack: every event names a dozen of them.
struct IdText {
    bytes: [u8; ID_BYTES_MAX],
    len: usize,
}

/// Prefix, two numbers of 13 digits, and a dash.
const ID_BYTES_MAX: usize = 5 + 13 + 1 + 13;

impl IdText {
    fn new(prefix: &str) -> Self {
        let mut bytes = [0; ID_BYTES_MAX];
        bytes[..prefix.len()].copy_from_slice(prefix.as_bytes());
        Self { bytes, len: prefix.len() }
    }

    fn number(mut self, number: u64) -> Self {
        let digits = (u64::BITS - number.leading_zeros()).div_ceil(5).max(1) as usize;
        let mut left = number;
        for digit in self.bytes[self.len..self.len + digits].iter_mut().rev() {
            *digit = ALPHABET[(left & 31) as usize];
            left >>= 5;
        }
        self.len += digits;
        self
    }

    fn dash(mut self) -> Self {
        self.bytes[self.len] = b'-';
        self.len += 1;
        self
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).expect("prefixes and the alphabet are ASCII")
    }
}

fn parse_number(text: &str) -> Option<u64> {
    if text.is_empty() || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    text.bytes().try_fold(0u64, |number, digit| {
        let value = ALPHABET.iter().position(|letter| *letter == digit)?;
        number.checked_mul(32)?.checked_add(value as u64)
    })
}

/// The text is no id of the kind that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a valid id; expected one like {example}")]
pub struct IdMalformed {
    pub text: String,
    pub example: &'static str,
}

macro_rules! text_as_serde {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.id_text().as_str())
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = SmolStr::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.id_text().as_str())
            }
        }
    };
}

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            pub fn text(&self) -> SmolStr {
                SmolStr::new(self.id_text().as_str())
            }

            fn id_text(&self) -> IdText {
                IdText::new($prefix).number(self.0)
            }
        }
        impl FromStr for $name {
            type Err = IdMalformed;
            fn from_str(text: &str) -> Result<Self, IdMalformed> {
                text.strip_prefix($prefix)
                    .and_then(parse_number)
                    .map(Self)
                    .ok_or_else(|| IdMalformed { text: text.to_owned(), example: concat!($prefix, "1JD") })
            }
        }
        text_as_serde!($name);
    };
}

macro_rules! child {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            pub order: OrderId,
            /// Counts from 1 within the order.
            pub n: u16,
        }

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            pub fn text(&self) -> SmolStr {
                SmolStr::new(self.id_text().as_str())
            }

            fn id_text(&self) -> IdText {
                IdText::new($prefix).number(self.order.0).dash().number(u64::from(self.n))
            }
        }
        impl FromStr for $name {
            type Err = IdMalformed;
            fn from_str(text: &str) -> Result<Self, IdMalformed> {
                text.strip_prefix($prefix)
                    .and_then(|rest| {
                        let (order, n) = rest.split_once('-')?;
                        let (order, n) = (OrderId(parse_number(order)?), parse_number(n)?.try_into().ok()?);
                        Some(Self { order, n })
                    })
                    .ok_or_else(|| IdMalformed { text: text.to_owned(), example: concat!($prefix, "1JD-1") })
            }
        }
        text_as_serde!($name);
    };
}

numbered!(OrderId, "ord_");
numbered!(HoldId, "hold_");
numbered!(ReceiptId, "rcpt_");
numbered!(AdjustmentId, "adj_");
numbered!(MoveId, "mov_");
numbered!(PurchaseOrderId, "po_");
numbered!(TransferId, "tr_");
numbered!(CountId, "cnt_");
numbered!(CustomerId, "cus_");
numbered!(AlertId, "alrt_");
numbered!(KeyId, "key_");
numbered!(WorkId, "work_");
numbered!(SubscriptionId, "sub_");
numbered!(
    /// One attempt at an outside action. Gateways get it as their idempotency key.
    EffectId,
    "eff_"
);
child!(LineId, "ol_");
child!(PaymentId, "pay_");
child!(RefundId, "re_");
child!(FulfillmentId, "ful_");
child!(ChargeId, "chg_");
child!(
    /// One mail to the customer of an order.
    NotificationId,
    "ntf_"
);

/// A return of an order (`ret_1JD-1`), or a blind one without an order (`ret_1JD`; `order` is `None`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReturnId {
    pub order: Option<OrderId>,
    pub n: u64,
}

impl ReturnId {
    pub const PREFIX: &'static str = "ret_";

    pub fn text(&self) -> SmolStr {
        SmolStr::new(self.id_text().as_str())
    }

    fn id_text(&self) -> IdText {
        let text = IdText::new(Self::PREFIX);
        match self.order {
            Some(order) => text.number(order.0).dash().number(self.n),
            None => text.number(self.n),
        }
    }
}

impl FromStr for ReturnId {
    type Err = IdMalformed;
    fn from_str(text: &str) -> Result<Self, IdMalformed> {
        let malformed = || IdMalformed { text: text.to_owned(), example: "ret_1JD-1" };
        let rest = text.strip_prefix(Self::PREFIX).ok_or_else(malformed)?;
        let (order, n) = match rest.split_once('-') {
            Some((order, n)) => (Some(OrderId(parse_number(order).ok_or_else(malformed)?)), n),
            None => (None, rest),
        };
        Ok(Self { order, n: parse_number(n).ok_or_else(malformed)? })
    }
}
text_as_serde!(ReturnId);

/// Something that goes out and may be in doubt: a mail to a customer (`ntf_1JD-1`), or a purchase order to its supplier (`po_77`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryId {
    Notification(NotificationId),
    PurchaseOrder(PurchaseOrderId),
}

impl DeliveryId {
    pub fn text(&self) -> SmolStr {
        SmolStr::new(self.id_text().as_str())
    }

    fn id_text(&self) -> IdText {
        match self {
            Self::Notification(id) => id.id_text(),
            Self::PurchaseOrder(id) => id.id_text(),
        }
    }
}

impl FromStr for DeliveryId {
    type Err = IdMalformed;
    fn from_str(text: &str) -> Result<Self, IdMalformed> {
        let purchase = text.starts_with(PurchaseOrderId::PREFIX);
        if purchase { text.parse().map(Self::PurchaseOrder) } else { text.parse().map(Self::Notification) }
    }
}
text_as_serde!(DeliveryId);

/// The text cannot be a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a valid {kind}: use 1 to {max} characters, without control characters or blanks at the ends")]
pub struct CodeMalformed {
    pub text: String,
    pub kind: &'static str,
    pub max: usize,
}

macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(SmolStr);

        impl $name {
            /// # Errors
            /// When the text is empty, longer than [`crate::limits::CODE_BYTES_MAX`], blank at an end, or has a control character.
            pub fn new(text: impl AsRef<str>) -> Result<Self, CodeMalformed> {
                let text = text.as_ref();
                let max = crate::limits::CODE_BYTES_MAX;
                let sound = !text.is_empty() && text.len() <= max && text.trim() == text && !text.contains(|c: char| c.is_control());
                if sound {
                    Ok(Self(SmolStr::new(text)))
                } else {
                    Err(CodeMalformed { text: text.to_owned(), kind: $kind, max })
                }
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = CodeMalformed;
            fn from_str(text: &str) -> Result<Self, CodeMalformed> {
                Self::new(text)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = SmolStr::deserialize(deserializer)?;
                Self::new(&text).map_err(de::Error::custom)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

code!(
    /// Name of an item, spelled exactly as the shop spells it.
    Sku,
    "SKU"
);
code!(LocationCode, "location code");

impl LocationCode {
    /// Before every code: where a range begins.
    pub(crate) fn first() -> Self {
        Self(SmolStr::default())
    }
}
code!(ChannelCode, "channel code");
code!(SupplierCode, "supplier code");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text() {
        for number in [0, 1, 31, 32, 1741, u64::from(u32::MAX), u64::MAX] {
            let id = OrderId(number);
            assert_eq!(id.text().parse::<OrderId>(), Ok(id));
        }
        assert_eq!(OrderId(1 << 10 | 18 << 5 | 13).text(), "ord_1JD");
        let longest = ReturnId { order: Some(OrderId(u64::MAX)), n: u64::MAX };
        assert_eq!(longest.text().parse::<ReturnId>(), Ok(longest));
        assert_eq!(AlertId(u64::MAX).text().parse::<AlertId>(), Ok(AlertId(u64::MAX)));
        let child = FulfillmentId { order: OrderId(1000), n: 300 };
        assert_eq!(child.text().parse::<FulfillmentId>(), Ok(child));
        for blind in [ReturnId { order: None, n: 7 }, ReturnId { order: Some(OrderId(9)), n: 2 }] {
            assert_eq!(blind.text().parse::<ReturnId>(), Ok(blind));
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "ord_", "ord_01", "ord_1L", "ord_1-1", "pay_1", "ord_ZZZZZZZZZZZZZZZZ"] {
            assert!(text.parse::<OrderId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_code_keeps_its_exact_spelling() {
        assert_eq!(Sku::new("85123a").expect("sound").as_str(), "85123a");
        for text in ["", " A", "A ", "A\nB"] {
            assert!(Sku::new(text).is_err(), "{text:?}");
        }
    }
}
