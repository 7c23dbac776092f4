//! What is known of a customer: sealed details, and hashes to find it by.

use crate::id::CustomerId;
use crate::text::{Fingerprint, Sealed};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    pub id: CustomerId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Sealed>,
    /// Of mail addresses and outside ids, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fingerprints: Vec<Fingerprint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<CustomerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Timestamp>,
    /// Orders placed by this customer or those merged into it.
    pub orders: u64,
    pub created_at: Timestamp,
    pub version: u64,
}

impl Customer {
    pub fn new(id: CustomerId, created_at: Timestamp) -> Self {
        Self { id, details: None, fingerprints: Vec::new(), merged_into: None, erased_at: None, orders: 0, created_at, version: 0 }
    }
}
