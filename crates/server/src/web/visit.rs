//! One request of a signed-in person, and what pages answer it with.

use super::desk::{Desk, secured};
use super::fault::Fault;
use super::fields::Fields;
use super::mirror::Now;
use super::session::{Note, Session};
use super::{Answer, assets};
use crate::http::Access;
use crate::shop::{Busy, Shop};
use crate::traces::Span;
use askama::Template;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::id::OrderId;
use domain::order::Case;
use domain::time::Timestamp;
use domain::{Command, Image};
use engine::{Committed, Idempotency, ReadError, Reader, Reply};
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLockReadGuard};
use std::time::Duration;

/// How long a page waits for the store to have what is durable.
const STORE_WAIT: Duration = Duration::from_millis(250);

pub struct Visit {
    pub desk: Arc<Desk>,
    pub session: Session,
    pub path: String,
    pub query: Fields,
    pub form: Fields,
    segments: HashMap<String, String>,
    /// Of the request, when it is traced.
    span: Option<Span>,
    /// Of what the browser has already.
    etag: Option<String>,
    same_site: bool,
    /// The script asks again for what is shown already.
    refreshes: bool,
    /// Something was read that the store did not have whole.
    behind: AtomicBool,
}

/// What the layout around every page needs.
#[derive(Clone)]
pub struct Frame {
    pub title: String,
    pub section: &'static str,
    /// Words that the page waits for; empty when it is not live.
    pub watch: String,
    /// Where the log stood when the page was made.
    pub seq: u64,
    pub who: String,
    pub role: String,
    pub csrf: String,
    pub note: Option<Note>,
    pub version: &'static str,
    pub may: May,
    pub alerts: usize,
    pub shortage: usize,
    /// Cancellations that wait for the warehouse.
    pub answers: usize,
}

/// What the key may, so that pages leave out what the server would refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct May {
    pub sell: bool,
    pub work: bool,
    pub operate: bool,
    pub administer: bool,
}

/// A command that took effect.
pub struct Done {
    pub committed: Arc<Committed>,
    pub images: Arc<[Image]>,
}

/// The browser says that the request came from one of our own pages, or is too old to say.
pub fn is_same_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin"), text("host")) {
        (Some(site), _, _) => site == "same-origin" || site == "none",
        (None, Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, from)| from == host),
        (None, Some(_), None) => false,
        (None, None, _) => true,
    }
}

impl Visit {
    pub fn new(desk: Arc<Desk>, session: Session, parts: &Parts, segments: HashMap<String, String>, form: Fields) -> Self {
        let header = |name: header::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self {
            desk,
            session,
            path: parts.uri.path().to_owned(),
            query: Fields::parse(parts.uri.query().unwrap_or_default().as_bytes()),
            form,
            segments,
            span: parts.extensions.get().cloned(),
            etag: header(header::IF_NONE_MATCH),
            same_site: is_same_site(&parts.headers),
            refreshes: parts.headers.contains_key("x-live"),
            behind: AtomicBool::new(false),
        }
    }

    pub fn is_own_form(&self) -> bool {
        let sent = blake3::hash(self.form.text("csrf").as_bytes());
        self.same_site && sent == blake3::hash(self.session.csrf.as_bytes())
    }

    pub fn shop(&self) -> &Arc<Shop> {
        &self.desk.shop
    }

    /// The shop as the mirror has it. Not over an `await`.
    pub fn now(&self) -> RwLockReadGuard<'_, Now> {
        self.desk.shop.mirror.now()
    }

    pub fn time(&self) -> Timestamp {
        self.desk.shop.now()
    }

    /// A sequence that the log has.
    ///
    /// # Errors
    /// When it is still to come: what is there now is not what will be there then.
    pub fn recorded(&self, seq: u64) -> Result<u64, Fault> {
        let newest = self.shop().engine.durable();
        if seq <= newest { Ok(seq) } else { Err(Fault::invalid(format!("{seq} lies beyond the end of the log, which is at {newest}."))) }
    }

    pub fn may(&self, access: Access) -> bool {
        access.roles().contains(&self.session.key.role)
    }

    /// A part of the path, as its type.
    ///
    /// # Errors
    /// When it is not of that type: there is no such thing.
    pub fn segment<T: FromStr>(&self, name: &str, kind: &str) -> Result<T, Fault> {
        let text = self.segments.get(name).map(String::as_str).unwrap_or_default();
        text.parse().map_err(|_| Fault::not_found(kind, text))
    }

    /// Reads the store; what it does not have yet within [`STORE_WAIT`] is left out, and the page is told to ask again.
    ///
    /// # Errors
    /// When log or store cannot be read.
    pub async fn read<T, F>(&self, ask: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&Reader) -> Result<T, ReadError> + Send + 'static,
    {
        let (answer, whole) = self.desk.shop.read_soon(STORE_WAIT, ask).await?;
        if !whole {
            self.behind.store(true, Ordering::Relaxed);
        }
        Ok(answer)
    }

    /// The order as it durably stands.
    ///
    /// # Errors
    /// When there is none.
    pub async fn case(&self, id: OrderId) -> Result<Arc<Case>, Fault> {
        self.read(move |reader| reader.case(id)).await?.ok_or_else(|| Fault::not_found("order", &id.text()))
    }

    /// Submits a command as the session's key and waits until it is durable. The form's `once` makes a second click harmless.
    ///
    /// # Errors
    /// The rejection, or that the engine can't take it now.
    pub async fn submit(&self, command: impl Into<Command>) -> Result<Done, Fault> {
        self.submit_as(command.into(), "").await
    }

    /// As [`Visit::submit`], for one of several commands of a form.
    ///
    /// # Errors
    /// As there.
    pub async fn submit_as(&self, command: Command, part: &str) -> Result<Done, Fault> {
        let once = self.form.some("once").map(|once| {
            let hash = |text: String| blake3::hash(text.as_bytes()).to_hex()[..32].to_owned();
            let key = hash(format!("{}\nweb\n{}\n{once}\n{part}", self.session.key.id, self.path));
            Idempotency { key, body: hash(self.form.query(&["csrf"], &[])) }
        });
        let reply = self.desk.shop.submit_in(self.span.as_ref(), command, self.session.key.name.clone(), once).await;
        let stopped = || self.desk.shop.engine.failure().is_some();
        match reply.map_err(|Busy| if stopped() { Fault::outcome_unknown() } else { Fault::busy() })? {
            Reply::Done { committed, images, repeated: _ } => Ok(Done { committed, images }),
            Reply::Refused { rejection, .. } => Err(rejection.into()),
            Reply::KeyReused => Err(Fault::invalid("This form was sent before with other values. Reload the page and look first.")),
            Reply::OutcomeUnknown => Err(Fault::outcome_unknown()),
            Reply::NoSpace => Err(Fault::no_space()),
        }
    }

    /// After an action: back to a page, which tells what was done.
    pub fn done(&self, to: &str, note: impl Into<String>) -> Answer {
        self.go(to, Note { text: note.into(), warns: false })
    }

    /// As [`Visit::done`], when something was not done.
    pub fn done_in_part(&self, to: &str, note: impl Into<String>) -> Answer {
        self.go(to, Note { text: note.into(), warns: true })
    }

    #[expect(clippy::unnecessary_wraps, reason = "ends handlers that may fail")]
    fn go(&self, to: &str, note: Note) -> Answer {
        self.desk.sessions.note(&self.session, note);
        Ok(Redirect::to(to).into_response())
    }

    pub fn frame(&self, title: impl Into<String>, section: &'static str, watch: impl Into<String>) -> Frame {
        // A page that only refreshes itself would take it from the one that opens.
        let note = if self.refreshes { None } else { self.desk.sessions.take_note(&self.session) };
        let frame = self.frame_of_fault();
        Frame { title: title.into(), section, watch: watch.into(), note, ..frame }
    }

    /// As [`Visit::frame`], for a page that says what went wrong.
    pub fn frame_of_fault(&self) -> Frame {
        let key = &self.session.key;
        // From where the store stands on, the live connection brings what is missing.
        let seq = self.desk.shop.engine.stored().min(*self.desk.shop.mirror.applied().borrow());
        let now = self.now();
        let may = May {
            sell: self.may(Access::Sell),
            work: self.may(Access::Work),
            operate: self.may(Access::Operate),
            administer: self.may(Access::Administer),
        };
        Frame {
            title: String::new(),
            section: "",
            watch: String::new(),
            seq,
            who: key.name.clone(),
            role: key.role.as_str().replace('_', "-"),
            csrf: self.session.csrf.clone(),
            note: None,
            version: assets::VERSION.as_str(),
            may,
            alerts: now.alerts.values().filter(|alert| alert.status == domain::alert::AlertStatus::Open).count(),
            shortage: now.pipeline.short.len(),
            answers: now.pipeline.cancel_requested.len(),
        }
    }

    /// Renders a page; `304` when the browser has it already.
    ///
    /// # Errors
    /// When the template fails.
    pub fn show(&self, page: &impl Template) -> Answer {
        self.show_as(StatusCode::OK, page)
    }

    /// # Errors
    /// When the template fails.
    pub fn show_as(&self, status: StatusCode, page: &impl Template) -> Answer {
        let text = page.render()?;
        // Where the log stands is no reason to show the same page again.
        let hash = blake3::hash(without_seq(&text).as_bytes()).to_hex();
        let etag = format!("\"{}\"", &hash[..32]);
        if status == StatusCode::OK && self.etag.as_deref() == Some(etag.as_str()) {
            return Ok(self.told_to_ask_again(StatusCode::NOT_MODIFIED.into_response()));
        }
        let mut response = (status, Html(text)).into_response();
        response.headers_mut().insert(header::ETAG, HeaderValue::from_str(&etag).expect("a hash is plain"));
        Ok(self.told_to_ask_again(response))
    }

    /// When the store was behind, the script comes back soon.
    fn told_to_ask_again(&self, mut response: Response) -> Response {
        if self.behind.load(Ordering::Relaxed) {
            response.headers_mut().insert("x-behind", HeaderValue::from_static("1"));
        }
        secured(response)
    }
}

/// The page without its one changing attribute and without the token of its forms.
fn without_seq(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) =
        [" data-seq=\"", " name=\"once\" value=\""].iter().filter_map(|mark| rest.split_once(mark)).min_by_key(|(before, _)| before.len())
    {
        out.push_str(before);
        rest = after.split_once('"').map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out
}

#[derive(Template)]
#[template(path = "fault.html")]
struct FaultPage<'a> {
    frame: Frame,
    fault: &'a Fault,
}

/// A page that says what went wrong.
pub fn fault_page(mut frame: Frame, fault: &Fault) -> Response {
    frame.title = fault.title.clone();
    let text = FaultPage { frame, fault }.render().unwrap_or_else(|_| fault.detail.clone());
    secured((fault.status, Html(text)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_from_elsewhere_is_not_ours() {
        let with = |pairs: &[(&'static str, &'static str)]| {
            pairs
                .iter()
                .map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect::<HeaderMap>()
        };
        for (pairs, same) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "cross-site"), ("origin", "http://a"), ("host", "a")], false),
            (&[("origin", "http://shop:7700"), ("host", "shop:7700")], true),
            (&[("origin", "http://evil"), ("host", "shop:7700")], false),
            (&[("origin", "null"), ("host", "shop:7700")], false),
            (&[], true),
        ] {
            assert_eq!(is_same_site(&with(pairs)), same, "{pairs:?}");
        }
    }

    #[test]
    fn the_sequence_is_no_difference() {
        assert_eq!(
            without_seq("<a data-seq=\"12\" b><i name=\"once\" value=\"x\">"),
            without_seq("<a data-seq=\"13\" b><i name=\"once\" value=\"y\">")
        );
        assert_ne!(without_seq("<a data-seq=\"12\" b>"), without_seq("<a data-seq=\"12\" c>"));
    }
}
