//! Problems as RFC 9457 has them: a stable type and code, the numbers as members, and what to do next.

mod kinds;

use crate::keys::Role;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Rejection;
use engine::ReadError;
pub use kinds::{KINDS, Kind};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// Why a request was not done.
#[derive(Debug)]
pub struct Problem {
    kind: &'static Kind,
    detail: String,
    members: Map<String, Value>,
    retry_after_s: Option<u32>,
}

impl Problem {
    fn new(kind: &'static Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), members: Map::new(), retry_after_s: None }
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }

    pub fn unauthorized() -> Self {
        let detail = "Send a key as \"Authorization: Bearer qm_…\". Make one with `quartermaster keys create`.";
        Self::new(&kinds::UNAUTHORIZED, detail)
    }

    pub fn unknown_key() -> Self {
        let detail = "This key is not known here, or was revoked. `quartermaster keys list` shows those that are; make one with `quartermaster keys create`.";
        Self::new(&kinds::UNAUTHORIZED, detail)
    }

    pub fn forbidden(role: Role, needed: &str) -> Self {
        let detail = format!("This is not for {}; it takes one of: {needed}.", role.a_key());
        Self::new(&kinds::FORBIDDEN, detail)
    }

    pub fn not_found(kind: &str, id: &str) -> Self {
        Rejection::NotFound { kind: kind.into(), id: id.into() }.into()
    }

    pub fn no_route(path: &str) -> Self {
        let detail = format!("There is nothing at {path}. The API is described at /docs.");
        Self::new(&kinds::NO_SUCH_PATH, detail)
    }

    pub fn wrong_method(path: &str) -> Self {
        let detail = format!("{path} does not know this method. The API is described at /docs.");
        Self::new(&kinds::METHOD_NOT_ALLOWED, detail)
    }

    /// `body` is read once more, for the name of the field that is wrong.
    pub fn bad_json<T: DeserializeOwned>(body: &[u8], error: &serde_json::Error) -> Self {
        if body.iter().all(u8::is_ascii_whitespace) {
            let detail = "The body is empty. Send JSON; /docs shows an example.";
            return Self::new(&kinds::BAD_JSON, detail);
        }
        let found = serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_slice(body)).err();
        let field = found.map(|found| found.path().to_string()).filter(|path| path != "." && !path.contains('?'));
        let place = field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default();
        let detail = format!("The body can't be read: {place}{}. Correct it there and send it again.", in_words(&error.to_string()));
        let mut problem = Self::new(&kinds::BAD_JSON, detail);
        if let Some(field) = field {
            problem = problem.with("field", json!(field));
        }
        problem.with("line", json!(error.line())).with("column", json!(error.column()))
    }

    /// A member of a body whose members were read as values.
    pub fn bad_member(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let path = error.path().to_string();
        let field = if path == "." || path.contains('?') { "body" } else { &path };
        Self::bad_field(field, in_words(&error.inner().to_string()))
    }

    pub fn bad_field(field: &str, problem: impl std::fmt::Display) -> Self {
        let detail = format!("{field}: {problem}.");
        Self::new(&kinds::INVALID, detail).with("field", json!(field))
    }

    /// `common` is the last event that this log shares with the one that the cursor is from.
    pub fn cursor_gone(cursor: &str, common: &str) -> Self {
        let detail = format!(
            "{cursor} is not in this log: it ends before, or was restored from a backup. Go on after {common}; what you had beyond it never happened here."
        );
        Self::new(&kinds::CURSOR_GONE, detail).with("common", json!(common))
    }

    pub fn too_large(limit: usize) -> Self {
        let detail = format!("The body is larger than {limit} bytes. Send it in parts, or use the NDJSON bulk endpoints.");
        Self::new(&kinds::TOO_LARGE, detail)
    }

    pub fn rate_limited(wait: std::time::Duration) -> Self {
        let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        let detail = "Too many requests with this key. Wait as long as Retry-After says, or use the NDJSON bulk endpoints.";
        Self { retry_after_s: Some(seconds), ..Self::new(&kinds::RATE_LIMITED, detail) }
    }

    pub fn busy() -> Self {
        let detail = "More is waiting than can be done at once. Nothing happened; try again in a second.";
        Self { retry_after_s: Some(1), ..Self::new(&kinds::BUSY, detail) }
    }

    /// Whoever changes the same thing all the time leaves no room for others.
    pub fn contended() -> Self {
        let detail = "Others changed the same thing each time that this was tried. Nothing happened; try again in a second.";
        Self { retry_after_s: Some(1), ..Self::new(&kinds::BUSY, detail) }
    }

    pub fn outcome_unknown() -> Self {
        let detail =
            "The server stops before it knows whether this took effect. Retry with the same Idempotency-Key: it takes effect once.";
        Self { retry_after_s: Some(2), ..Self::new(&kinds::OUTCOME_UNKNOWN, detail) }
    }

    pub fn no_space() -> Self {
        let detail = "The disk of the server is full. Nothing happened; free some space and try again.";
        Self::new(&kinds::NO_SPACE, detail)
    }

    pub fn key_reused() -> Self {
        let detail = "This Idempotency-Key was used with another body. Use a new key for a new request.";
        Self::new(&kinds::KEY_REUSED, detail)
    }

    pub fn internal(why: impl std::fmt::Display) -> Self {
        tracing::error!("a request failed: {why}");
        let detail = "Something is wrong with the server; its log says what. Nothing acknowledged is lost.";
        Self::new(&kinds::INTERNAL, detail)
    }

    /// With the id that logs and support know the request by.
    pub fn respond(self, request_id: &str) -> Response {
        let mut body = Map::new();
        body.insert("type".into(), json!(self.kind.address()));
        body.insert("code".into(), json!(self.kind.code));
        body.insert("title".into(), json!(self.kind.title));
        body.insert("status".into(), json!(self.kind.status.as_u16()));
        body.insert("detail".into(), json!(self.detail));
        body.insert("request_id".into(), json!(request_id));
        body.extend(self.members);
        let mut response = (self.kind.status, Value::Object(body).to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.kind.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }

    pub fn code(&self) -> &'static str {
        self.kind.code
    }

    /// As a line of a bulk answer has it.
    pub fn line(self) -> Value {
        let mut body = Map::new();
        body.insert("status".into(), json!(self.kind.status.as_u16()));
        body.insert("code".into(), json!(self.kind.code));
        body.insert("detail".into(), json!(self.detail));
        body.extend(self.members);
        Value::Object(body)
    }
}

/// The page of a problem's `type`: for people where a browser asks, and as JSON otherwise.
pub fn page(kind: &Kind, headers: &HeaderMap) -> Response {
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let (media, text) = if accepts.contains("text/html") {
        ("text/html; charset=utf-8", kind.html())
    } else {
        ("application/json", kind.json().to_string())
    };
    ([(header::CONTENT_TYPE, media)], text).into_response()
}

/// The names of our number types say nothing to those who send them.
fn in_words(error: &str) -> String {
    let types = [
        ("expected u8", "expected a whole number from 0 to 255"),
        ("expected u16", "expected a whole number from 0 to 65535"),
        ("expected u32", "expected a whole number from 0 to 4294967295"),
        ("expected u64", "expected a whole number, not below 0"),
        ("expected i64", "expected a whole number"),
        ("expected i32", "expected a whole number"),
        ("expected i16", "expected a whole number"),
    ];
    types.iter().fold(error.to_owned(), |text, (name, words)| text.replace(name, words))
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let kind = Kind::of(&rejection);
        debug_assert_eq!((kind.code, kind.title), (rejection.code(), rejection.title()), "the table has what the rules say");
        let mut problem = Self::new(kind, rejection.detail());
        if let Ok(Value::Object(members)) = serde_json::to_value(&rejection) {
            let told = members.into_iter().filter(|(name, _)| name != "code" && name != "problem");
            // What it is that stands in the way: `status` is HTTP's.
            problem.members.extend(told.map(|(name, value)| (if name == "status" { "current_status".to_owned() } else { name }, value)));
        }
        problem
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Behind => {
                let detail = "Lists are more than a second behind. Try again, or add consistency=any to read what is there.";
                Self { retry_after_s: Some(1), ..Self::new(&kinds::BEHIND, detail) }
            }
            ReadError::Store(_) | ReadError::Log(_) => Self::internal(error),
        }
    }
}
