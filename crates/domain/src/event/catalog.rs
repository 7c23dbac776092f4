//! Facts about items, locations, channels and settings. Updates carry the whole value after.

use crate::catalog::{Channel, Item, Location, Settings};
use crate::id::Sku;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemCreated {
    pub item: Item,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemUpdated {
    pub item: Item,
}

/// The item is sold no more; open orders go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemRetired {
    pub sku: Sku,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LocationCreated {
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LocationUpdated {
    pub location: Location,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelCreated {
    pub channel: Channel,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelUpdated {
    pub channel: Channel,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SettingsUpdated {
    pub settings: Settings,
}
