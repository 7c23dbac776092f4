//! What is known of a customer: sealed details, and hashes to find it by.

use crate::id::CustomerId;
use crate::notification::TopicKind;
use crate::text::{Fingerprint, Sealed};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    pub id: CustomerId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Sealed>,
    /// Of mail addresses and outside ids, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fingerprints: Vec<Fingerprint>,
    /// What this customer does not want mail about.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub mail_opt_outs: BTreeSet<TopicKind>,
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
    /// Nothing about the customer is asked while others' commands are settled: who is erased, merged, or does not want mail stays, since
    /// that has to be known whenever one of their orders moves on.
    pub fn may_leave(&self) -> bool {
        self.erased_at.is_none() && self.merged_into.is_none() && self.mail_opt_outs.is_empty()
    }

    pub fn new(id: CustomerId, created_at: Timestamp) -> Self {
        let (details, fingerprints, mail_opt_outs) = (None, Vec::new(), BTreeSet::new());
        Self { id, details, fingerprints, mail_opt_outs, merged_into: None, erased_at: None, orders: 0, created_at, version: 0 }
    }
}
