//! The link by which a customer opens an order without a login: which order, until when, and a keyed hash over both.
//!
//! The key stays in the vault. Whoever has the link has the order's page and nothing else; nobody can make one without the key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::id::OrderId;
use domain::time::{DAY_MS, HOUR_MS, Timestamp};

/// How long a link is good for.
pub const LINK_DAYS: i64 = 120;
const MAC_BYTES: usize = 16;

pub struct StatusLinks {
    key: [u8; 32],
}

impl StatusLinks {
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// Tells this shop from every other, without telling its key.
    pub fn mark(&self) -> String {
        blake3::derive_key("quartermaster shop mark", &self.key)[..5].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn mac(&self, head: &[u8]) -> [u8; MAC_BYTES] {
        let hash = blake3::keyed_hash(&self.key, head);
        *hash.as_bytes().first_chunk().expect("a hash has 32 bytes")
    }

    /// A token for an order, good for [`LINK_DAYS`] from `now`.
    pub fn token(&self, order: OrderId, now: Timestamp) -> String {
        let hours = now.plus_ms(LINK_DAYS * DAY_MS).0 / HOUR_MS;
        let mut bytes = order.0.to_be_bytes().to_vec();
        bytes.extend(u32::try_from(hours).unwrap_or(u32::MAX).to_be_bytes());
        let mac = self.mac(&bytes);
        bytes.extend(mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The order of a token that we made and that is not too old.
    pub fn order(&self, token: &str, now: Timestamp) -> Option<OrderId> {
        if token.len() > 64 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (head, mac) = bytes.split_last_chunk::<MAC_BYTES>()?;
        // Hashes compare in constant time.
        let sound = blake3::keyed_hash(&self.key, head).as_bytes()[..MAC_BYTES].iter().zip(mac).fold(0, |all, (a, b)| all | (a ^ b)) == 0;
        let (order, until) = (head.first_chunk::<8>()?, head.get(8..)?.first_chunk::<4>()?);
        let fresh = now.0 / HOUR_MS <= i64::from(u32::from_be_bytes(*until));
        (sound && head.len() == 12 && fresh).then(|| OrderId(u64::from_be_bytes(*order)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_its_order_until_it_is_too_old_and_no_other() {
        let links = StatusLinks::new([7; 32]);
        let now = Timestamp(1_795_424_400_000);
        let token = links.token(OrderId(17), now);
        assert_eq!(links.order(&token, now), Some(OrderId(17)));
        assert_eq!(links.order(&token, now.plus_ms((LINK_DAYS + 1) * DAY_MS)), None);
        assert_eq!(StatusLinks::new([8; 32]).order(&token, now), None);
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(changed == token || links.order(&changed, now).is_none(), "{changed}");
        }
        for text in ["", "A", "not a token", &token[1..], &"A".repeat(65)] {
            assert_eq!(links.order(text, now), None, "{text}");
        }
    }
}
