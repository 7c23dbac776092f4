//! Asked of the catalog. `expected_version` is the client's `If-Match`.

use crate::catalog::{Channel, Item, Location, Settings};
use crate::id::Sku;

/// Creates and updates carry the whole value; `version`, `status` and `created_at` of what is sent are ignored.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    CreateItem(Item),
    UpdateItem { item: Item, expected_version: Option<u64> },
    RetireItem { sku: Sku, expected_version: Option<u64> },
    CreateLocation(Location),
    UpdateLocation { location: Location, expected_version: Option<u64> },
    CreateChannel(Channel),
    UpdateChannel { channel: Channel, expected_version: Option<u64> },
    UpdateSettings { settings: Settings, expected_version: Option<u64> },
}
