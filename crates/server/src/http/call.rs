//! One request as a handler sees it, and its answer.

use super::problem::Problem;
use crate::keys::Key;
use crate::shop::{Busy, Shop};
use crate::traces::Span;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::id::OrderId;
use domain::order::Case;
use domain::{Command, Image, Rejection};
use engine::{Committed, Consistency, Idempotency, ReadError, Reader, Reply};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

/// Largest page of a list.
pub const PAGE_MAX: usize = 200;
const PAGE_DEFAULT: usize = 50;
/// About what an order of some lines takes as JSON.
const VIEW_BYTES: usize = 2048;

pub struct Call {
    pub shop: Arc<Shop>,
    pub key: Arc<Key>,
    /// Of the request, when it is traced.
    pub span: Option<Span>,
    pub method: &'static str,
    pub path: String,
    pub headers: HeaderMap,
    pub segments: HashMap<String, String>,
    pub query: HashMap<String, String>,
    pub body: Bytes,
}

/// What a handler has to say.
pub struct Answer {
    pub status: StatusCode,
    pub content: Content,
    pub version: Option<u64>,
    pub replayed: bool,
}

/// In which form an answer leaves its handler.
pub enum Content {
    Value(Value),
    /// JSON, rendered already.
    Text(Vec<u8>),
    /// Sent as it is, with a status of its own.
    Response(Response),
}

impl Answer {
    fn new(status: StatusCode, content: Content) -> Self {
        Self { status, content, version: None, replayed: false }
    }

    pub fn ok(body: Value) -> Self {
        Self::new(StatusCode::OK, Content::Value(body))
    }

    pub fn created(body: Value) -> Self {
        Self::new(StatusCode::CREATED, Content::Value(body))
    }

    /// Goes to bytes at once, without a tree of values in between.
    pub fn rendered(status: StatusCode, view: &impl serde::Serialize) -> Self {
        let mut text = String::with_capacity(VIEW_BYTES);
        engine::json::push(&mut text, view).expect("entities serialize");
        Self::new(status, Content::Text(text.into_bytes()))
    }

    pub fn raw(response: Response) -> Self {
        Self::new(response.status(), Content::Response(response))
    }

    /// The JSON of it; null when it has another form.
    pub fn value(self) -> Value {
        match self.content {
            Content::Value(value) => value,
            Content::Text(text) => serde_json::from_slice(&text).unwrap_or_default(),
            Content::Response(_) => Value::Null,
        }
    }

    pub fn at(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }

    pub fn replayed(mut self, replayed: bool) -> Self {
        self.replayed = replayed;
        self
    }

    /// Nothing but its version when the client names that among those it has (RFC 9110, 13.1.2).
    pub fn unless_known(self, if_none_match: &HeaderValue) -> Self {
        let Some(version) = self.version.filter(|_| self.status == StatusCode::OK) else { return self };
        let tags = if_none_match.to_str().unwrap_or_default().split(',').map(|tag| tag.trim().trim_start_matches("W/"));
        let known = tags.into_iter().any(|tag| tag == "*" || tag.trim_matches('"').parse() == Ok(version));
        if known { Self::raw(StatusCode::NOT_MODIFIED.into_response()).at(version) } else { self }
    }

    pub fn respond(self) -> Response {
        let json = |text: Vec<u8>| {
            let mut response = Response::new(Body::from(text));
            *response.status_mut() = self.status;
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        };
        let mut response = match self.content {
            Content::Value(value) => json(value.to_string().into_bytes()),
            Content::Text(text) => json(text),
            Content::Response(response) => response,
        };
        let headers = response.headers_mut();
        if let Some(version) = self.version {
            headers.insert(header::ETAG, HeaderValue::try_from(format!("\"{version}\"")).expect("digits"));
        }
        if self.replayed {
            headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
        }
        response
    }
}

/// A command that took effect.
pub struct Done {
    pub committed: Arc<Committed>,
    pub images: Arc<[Image]>,
    pub repeated: bool,
}

impl Done {
    pub fn case(&self) -> Option<&Arc<Case>> {
        self.images.iter().find_map(|image| match image {
            Image::Case(_, case) => case.as_ref(),
            _ => None,
        })
    }
}

/// `{object: "list", data, has_more, next_cursor}`; `last` is the cursor of the last row.
pub fn list(data: Vec<Value>, has_more: bool, last: Option<String>) -> Value {
    serde_json::json!({"object": "list", "data": data, "has_more": has_more, "next_cursor": last.filter(|_| has_more)})
}

/// A key of the store as a cursor: as it is, or coded when not all of it can stand in an address.
pub fn cursor_of(key: &str) -> String {
    let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if plain { key.to_owned() } else { format!("~{}", URL_SAFE_NO_PAD.encode(key)) }
}

fn key_of(cursor: &str) -> Option<String> {
    match cursor.strip_prefix('~') {
        None => Some(cursor.to_owned()),
        Some(coded) => String::from_utf8(URL_SAFE_NO_PAD.decode(coded).ok()?).ok(),
    }
}

impl Call {
    /// The key after which a list goes on, as [`cursor_of`] coded it; empty for the beginning.
    ///
    /// # Errors
    /// When the cursor is none of ours.
    pub fn after(&self) -> Result<String, Problem> {
        let cursor = self.query::<String>("cursor")?.unwrap_or_default();
        key_of(&cursor).ok_or_else(|| Problem::bad_field("cursor", "must be the next_cursor of the page before"))
    }

    /// The same request with another body; it stays the same request to idempotency, which looks at this one.
    pub fn with_body(&self, body: String) -> Self {
        Self { body: body.into(), ..self.again() }
    }

    /// The same request once more.
    pub fn again(&self) -> Self {
        Self {
            shop: self.shop.clone(),
            key: self.key.clone(),
            span: self.span.clone(),
            method: self.method,
            path: self.path.clone(),
            headers: self.headers.clone(),
            segments: self.segments.clone(),
            query: self.query.clone(),
            body: self.body.clone(),
        }
    }

    /// A part of the path, as its type.
    ///
    /// # Errors
    /// When it is not of that type.
    pub fn segment<T: FromStr>(&self, name: &str) -> Result<T, Problem>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.segments.get(name).map(String::as_str).unwrap_or_default();
        text.parse().map_err(|error| Problem::bad_field(name, error))
    }

    /// A query parameter, as its type.
    ///
    /// # Errors
    /// When it is not of that type.
    pub fn query<T: FromStr>(&self, name: &str) -> Result<Option<T>, Problem>
    where
        T::Err: std::fmt::Display,
    {
        self.query.get(name).map(|text| text.parse().map_err(|error| Problem::bad_field(name, error))).transpose()
    }

    /// # Errors
    /// When `limit` is no number from 1 to [`PAGE_MAX`].
    pub fn limit(&self) -> Result<usize, Problem> {
        match self.query::<usize>("limit")? {
            None => Ok(PAGE_DEFAULT),
            Some(limit @ 1..=PAGE_MAX) => Ok(limit),
            Some(_) => Err(Problem::bad_field("limit", format!("must be 1 to {PAGE_MAX}"))),
        }
    }

    /// # Errors
    /// When the body is not JSON of that shape; an empty one counts as `{}`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body).map_err(|error| Problem::bad_json::<T>(&self.body, &error))
    }

    /// The version that the client changes.
    ///
    /// # Errors
    /// When `If-Match` is no version.
    pub fn if_match(&self) -> Result<Option<u64>, Problem> {
        let Some(value) = self.headers.get(header::IF_MATCH) else { return Ok(None) };
        let text = value.to_str().unwrap_or_default().trim().trim_start_matches("W/").trim_matches('"');
        if text == "*" {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| Problem::bad_field("If-Match", "must be the ETag of your last read, like \"3\""))
    }

    /// # Errors
    /// When the header is empty or too long.
    pub fn idempotency(&self) -> Result<Option<Idempotency>, Problem> {
        let Some(value) = self.headers.get("idempotency-key") else { return Ok(None) };
        let text = value.to_str().unwrap_or_default();
        if text.is_empty() || text.len() > 255 {
            return Err(Problem::bad_field("Idempotency-Key", "must have 1 to 255 characters"));
        }
        let scope = format!("{}\n{}\n{}\n{text}", self.key.id, self.method, self.path);
        let hash = |bytes: &[u8]| blake3::hash(bytes).to_hex()[..32].to_owned();
        Ok(Some(Idempotency { key: hash(scope.as_bytes()), body: hash(&self.body) }))
    }

    /// Submits the request's one command and waits until it is durable.
    ///
    /// # Errors
    /// The rejection, or that the engine can't take it now.
    pub async fn submit(&self, command: impl Into<Command>) -> Result<Done, Problem> {
        let idempotency = self.idempotency()?;
        Ok(self.reply(command.into(), idempotency).await??)
    }

    /// As [`Call::submit`], with the rejection as data.
    ///
    /// # Errors
    /// That the engine can't take it now.
    pub async fn reply(&self, command: Command, idempotency: Option<Idempotency>) -> Result<Result<Done, Rejection>, Problem> {
        let reply = self.shop.submit_in(self.span.as_ref(), command, self.key.name.clone(), idempotency).await;
        match reply.map_err(|Busy| if self.shop.engine.failure().is_some() { Problem::outcome_unknown() } else { Problem::busy() })? {
            Reply::Done { committed, images, repeated } => Ok(Ok(Done { committed, images, repeated })),
            Reply::Refused { rejection, .. } => Ok(Err(rejection)),
            Reply::KeyReused => Err(Problem::key_reused()),
            Reply::OutcomeUnknown => Err(Problem::outcome_unknown()),
            Reply::NoSpace => Err(Problem::no_space()),
        }
    }

    /// Runs a read off the async threads; `consistency=any` takes lists as they are, however far behind.
    ///
    /// # Errors
    /// As the read itself, or when `consistency` is neither `any` nor `latest`.
    pub async fn read<T, F>(&self, ask: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Reader) -> Result<T, ReadError> + Send + 'static,
    {
        let consistency = match self.query.get("consistency").map(String::as_str) {
            None | Some("latest") => Consistency::Latest,
            Some("any") => Consistency::Any,
            Some(_) => return Err(Problem::bad_field("consistency", "must be \"any\" or \"latest\"")),
        };
        Ok(self.shop.read_at(consistency, ask).await?)
    }

    /// The order as it durably stands.
    ///
    /// # Errors
    /// When there is none.
    pub async fn case(&self, id: OrderId) -> Result<Arc<Case>, Problem> {
        let found = self.shop.read(move |reader| reader.case(id)).await?;
        found.ok_or_else(|| Problem::not_found("order", &id.text()))
    }
}

/// A field of a body as its domain type.
///
/// # Errors
/// Naming the field.
pub fn field<T: FromStr>(name: &str, text: &str) -> Result<T, Problem>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error| Problem::bad_field(name, error))
}

/// Any entity as JSON, with what kind of object it is.
pub fn object(kind: &str, value: &impl serde::Serialize) -> Value {
    let mut body = serde_json::to_value(value).expect("entities serialize");
    if let Value::Object(members) = &mut body {
        members.insert("object".to_owned(), Value::String(kind.to_owned()));
    }
    body
}
