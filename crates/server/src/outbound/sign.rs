//! Signatures as Standard Webhooks has them (<https://www.standardwebhooks.com>): HMAC-SHA256 over id, time and body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// What signs; made once for many messages.
pub struct Signer(Vec<hmac::Key>);

impl Signer {
    /// Each secret signs; receivers accept whichever they know.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self(secrets.into_iter().map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret)).collect())
    }

    /// The header `webhook-signature`; `time` is seconds since the Unix epoch.
    pub fn sign(&self, id: &str, time: i64, body: &[u8]) -> String {
        let head = format!("{id}.{time}.");
        let signatures = self.0.iter().map(|key| {
            let mut context = hmac::Context::with_key(key);
            context.update(head.as_bytes());
            context.update(body);
            format!("v1,{}", STANDARD.encode(context.sign()))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::secret;

    /// The example of the specification.
    #[test]
    fn it_signs_as_the_specification_does() {
        let key = secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signer = Signer::new([key.as_slice()]);
        let signed = signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b"{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(Signer::new([key.as_slice(), b"other"]).sign("a", 1, b"").split(' ').count(), 2);
    }
}
