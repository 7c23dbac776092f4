//! Between our words and a webhook's: pure.

use super::{Bytes, CONTENT_TYPE, Full, HOST, Posted, Request, USER_AGENT, Uri};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// # Errors
/// When a header or the address cannot be one.
pub fn request(uri: &Uri, headers: &[(&str, String)], body: String) -> Result<Request<Full<Bytes>>, String> {
    let authority = uri.authority().map(|authority| authority.as_str().rsplit('@').next().unwrap_or_default().to_owned());
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::post(path)
        .header(HOST, authority.ok_or("the address names no host")?)
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("quartermaster/", env!("CARGO_PKG_VERSION")));
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request.body(Full::new(Bytes::from(body))).map_err(|error| error.to_string())
}

/// What a status means for what was posted. A redirect is not followed: the address is to be corrected.
pub fn answer(status: u16, text: String) -> Posted {
    let code = status.to_string();
    match status {
        200..=299 => Posted::Taken { status },
        408 | 425 | 429 | 500..=599 => Posted::Later { code, message: text },
        _ => Posted::Refused { code, message: text },
    }
}

/// The `webhook-signature` of Standard Webhooks: `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`.
pub fn signature(secret: &[u8], id: &str, timestamp_s: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(format!("{id}.{timestamp_s}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// A message as Slack's incoming webhooks and their like read it.
pub fn slack(title: &str, lines: &[String]) -> Value {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let list = lines.iter().map(|line| format!("• {}", escape(line))).collect::<Vec<_>>().join("\n");
    json!({"text": format!("*{}*\n{list}", escape(title))})
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification (https://www.standardwebhooks.com).
    #[test]
    fn a_signature_is_as_the_standard_has_it() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn an_answer_is_taken_refused_or_to_be_asked_for_again() {
        assert_eq!(answer(204, String::new()), Posted::Taken { status: 204 });
        for status in [429, 500, 503] {
            assert!(matches!(answer(status, String::new()), Posted::Later { .. }), "{status}");
        }
        for status in [301, 400, 404, 410] {
            assert!(matches!(answer(status, String::new()), Posted::Refused { .. }), "{status}");
        }
    }

    #[test]
    fn a_message_has_no_markup_but_ours() {
        assert_eq!(slack("2 alerts", &["<b> & c".to_owned()])["text"], "*2 alerts*\n• &lt;b&gt; &amp; c");
    }
}
