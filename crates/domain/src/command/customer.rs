//! Asked of the customer room.

use crate::id::CustomerId;
use crate::notification::TopicKind;
use crate::text::{Fingerprint, Sealed};
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Creates the customer, or brings it up to date. The vault gives the number: it has the key that opens `details`.
    SaveCustomer {
        id: CustomerId,
        details: Option<Sealed>,
        fingerprints: Vec<Fingerprint>,
    },
    /// `from` becomes `into`: what finds it finds the other from now on.
    MergeCustomers {
        from: CustomerId,
        into: CustomerId,
    },
    /// What the customer does not want mail about, whole.
    SetMailPreferences {
        id: CustomerId,
        opt_outs: BTreeSet<TopicKind>,
    },
    EraseCustomer {
        id: CustomerId,
    },
}
