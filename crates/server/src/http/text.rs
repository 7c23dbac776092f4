//! Free text of a body, bounded before anything keeps it.

use domain::limits::TEXT_BYTES_MAX;
use serde::{Deserialize, Deserializer, de};
use smol_str::SmolStr;

/// A reference, a reason, a carrier: at most [`TEXT_BYTES_MAX`] bytes that the rules carry and never read.
pub struct Text(SmolStr);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = SmolStr::deserialize(deserializer)?;
        if text.len() > TEXT_BYTES_MAX {
            return Err(de::Error::custom(format_args!("has {} bytes, expected at most {TEXT_BYTES_MAX}", text.len())));
        }
        Ok(Self(text))
    }
}

impl From<Text> for SmolStr {
    fn from(text: Text) -> Self {
        text.0
    }
}

/// What stands when nothing was sent.
impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self(SmolStr::new_static(text))
    }
}

#[cfg(test)]
mod tests {
    use super::Text;
    use domain::limits::TEXT_BYTES_MAX;
    use serde_json::{from_value, json};

    #[test]
    fn a_text_has_its_bound() {
        assert!(from_value::<Text>(json!("x".repeat(TEXT_BYTES_MAX))).is_ok());
        let error = from_value::<Text>(json!("x".repeat(TEXT_BYTES_MAX + 1))).err().expect("one byte too many");
        assert_eq!(error.to_string(), format!("has {} bytes, expected at most {TEXT_BYTES_MAX}", TEXT_BYTES_MAX + 1));
    }
}
