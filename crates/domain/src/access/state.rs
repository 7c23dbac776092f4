//! What the access room keeps.
use crate::id::KeyId;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Key {
    pub id: KeyId,
}
