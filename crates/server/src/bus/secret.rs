//! Secrets of webhooks as Standard Webhooks writes them: `whsec_` and base64 of 24 to 64 bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const PREFIX: &str = "whsec_";
const BYTES_MIN: usize = 24;
const BYTES_MAX: usize = 64;

/// A new secret of 256 random bits.
///
/// # Errors
/// When the operating system gives no random bytes.
pub fn fresh() -> Result<Vec<u8>, getrandom::Error> {
    let mut bytes = vec![0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

pub fn text(secret: &[u8]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(secret))
}

/// # Errors
/// With what it has to be.
pub fn parse(text: &str) -> Result<Vec<u8>, String> {
    let bytes = text.strip_prefix(PREFIX).and_then(|rest| STANDARD.decode(rest).ok());
    let sound = bytes.filter(|bytes| (BYTES_MIN..=BYTES_MAX).contains(&bytes.len()));
    sound.ok_or_else(|| format!("must be \"{PREFIX}\" and base64 of {BYTES_MIN} to {BYTES_MAX} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_survives_its_text() {
        let secret = fresh().unwrap();
        assert_eq!(parse(&text(&secret)), Ok(secret));
        for wrong in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ="] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
