//! Facts about customers. Nothing personal stands here in the clear.

use crate::id::CustomerId;
use crate::notification::TopicKind;
use crate::text::{Fingerprint, Sealed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerSaved {
    pub customer: CustomerId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Sealed>,
    pub fingerprints: Vec<Fingerprint>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerMerged {
    pub customer: CustomerId,
    pub into: CustomerId,
}

/// What the customer does not want mail about, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailPreferencesSet {
    pub customer: CustomerId,
    pub opt_outs: BTreeSet<TopicKind>,
}

/// The key that opened this customer's data is destroyed; what was sealed with it is noise from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerErased {
    pub customer: CustomerId,
}
