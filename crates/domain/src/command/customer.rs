//! Asked of the customer room.

use crate::id::CustomerId;
use crate::text::{Fingerprint, Sealed};

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
    EraseCustomer {
        id: CustomerId,
    },
}
