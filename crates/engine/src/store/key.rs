//! Keys of after-images, cheap to make and to compare for what every order touches.

use domain::Image;
use domain::id::{LocationCode, OrderId, Sku};
use smol_str::SmolStr;

/// Which entity an after-image is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageKey {
    Case(OrderId),
    Level(Sku, LocationCode),
    Other(&'static str, SmolStr),
}

impl ImageKey {
    pub fn of(image: &Image) -> Self {
        if let Image::Case(id, _) = image {
            Self::Case(*id)
        } else if let Image::Level((sku, location), _) = image {
            Self::Level(sku.clone(), location.clone())
        } else {
            Self::Other(image.kind(), image.key())
        }
    }

    /// From the kind and the key as text; `None` when there cannot be such a thing.
    pub fn named(kind: &'static str, key: &str) -> Option<Self> {
        match kind {
            "case" => key.parse().ok().map(Self::Case),
            "level" => {
                let (sku, location) = key.split_once(LEVEL_SEPARATOR)?;
                Some(Self::Level(sku.parse().ok()?, location.parse().ok()?))
            }
            other => Some(Self::Other(other, key.into())),
        }
    }
}

/// Stands between SKU and location where a level's key is one text.
pub const LEVEL_SEPARATOR: char = '\u{1f}';
