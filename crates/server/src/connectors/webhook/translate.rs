//! Between our words and a webhook's: pure.

use super::{Posted, Target};
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use serde_json::{Value, json};

/// # Errors
/// When a header cannot be one.
pub fn request(target: &Target, headers: &[(&str, String)], body: String) -> Result<Request<Full<Bytes>>, String> {
    let mut request = Request::post(&target.path)
        .header(HOST, &target.authority)
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

/// A message as Slack's incoming webhooks and their like read it.
pub fn slack(title: &str, lines: &[String]) -> Value {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let list = lines.iter().map(|line| format!("• {}", escape(line))).collect::<Vec<_>>().join("\n");
    json!({"text": format!("*{}*\n{list}", escape(title))})
}

#[cfg(test)]
mod tests {
    use super::*;

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
