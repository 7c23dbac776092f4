//! Texts that the rules carry but never read.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Personal data, encrypted before it reached the rules. Only the vault can open it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub String);

/// Keyed hash of something personal (a mail address, an outside customer id), for finding without reading.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub SmolStr);

/// What users attach for themselves: texts by key, bounded by the `METADATA_*` limits.
pub type Metadata = BTreeMap<SmolStr, SmolStr>;
