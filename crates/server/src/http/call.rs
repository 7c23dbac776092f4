//! One request as a handler sees it, and its answer.

use super::problem::Problem;
use crate::keys::Key;
use crate::shop::{Busy, Shop};
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::id::OrderId;
use domain::order::Case;
use domain::{Command, Image, Rejection};
use engine::{Committed, Idempotency, Reply};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

/// Largest page of a list.
pub const PAGE_MAX: usize = 200;
const PAGE_DEFAULT: usize = 50;

pub struct Call {
    pub shop: Arc<Shop>,
    pub key: Arc<Key>,
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
    pub body: Value,
    pub version: Option<u64>,
    pub replayed: bool,
    /// Sent as it is instead of `body`.
    pub raw: Option<Response>,
}

impl Answer {
    pub fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body, version: None, replayed: false, raw: None }
    }

    pub fn created(body: Value) -> Self {
        Self { status: StatusCode::CREATED, ..Self::ok(body) }
    }

    pub fn raw(response: Response) -> Self {
        Self { raw: Some(response), ..Self::ok(Value::Null) }
    }

    pub fn at(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }

    pub fn replayed(mut self, replayed: bool) -> Self {
        self.replayed = replayed;
        self
    }

    pub fn respond(self) -> Response {
        let mut response = match self.raw {
            Some(response) => response,
            None => (self.status, [(header::CONTENT_TYPE, "application/json")], self.body.to_string()).into_response(),
        };
        let headers = response.headers_mut();
        if let Some(version) = self.version {
            headers.insert(header::ETAG, HeaderValue::from_str(&format!("\"{version}\"")).expect("digits"));
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

impl Call {
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
        serde_json::from_slice(body).map_err(|error| Problem::bad_json(&error))
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
        let reply = self.shop.submit(command, self.key.name.clone(), idempotency).await;
        match reply.map_err(|Busy| if self.shop.engine.failure().is_some() { Problem::outcome_unknown() } else { Problem::busy() })? {
            Reply::Done { committed, images, repeated } => Ok(Ok(Done { committed, images, repeated })),
            Reply::Refused { rejection, .. } => Ok(Err(rejection)),
            Reply::KeyReused => Err(Problem::key_reused()),
            Reply::OutcomeUnknown => Err(Problem::outcome_unknown()),
            Reply::NoSpace => Err(Problem::no_space()),
        }
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
