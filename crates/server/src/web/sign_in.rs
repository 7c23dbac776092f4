//! Signing in with a key or a link, and out.

use super::assets;
use super::desk::{Desk, secured, session_of};
use super::fields::Fields;
use super::session::{COOKIE, SESSION_MS};
use super::visit::is_same_site;
use askama::Template;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::id::KeyId;
use std::sync::Arc;

/// Longest form that is read here, in bytes.
const FORM_BYTES_MAX: usize = 8 * 1024;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    version: &'static str,
    next: &'a str,
    error: Option<&'static str>,
}

fn show(status: StatusCode, next: &str, error: Option<&'static str>) -> Response {
    let page = SignIn { version: assets::VERSION.as_str(), next, error };
    match page.render() {
        Ok(text) => secured((status, Html(text)).into_response()),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// A path of ours, never another site.
fn own(next: &str) -> &str {
    let plain = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\') && !next.contains(char::is_control);
    if plain { next } else { "/" }
}

pub async fn page(State(desk): State<Arc<Desk>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let next = own(query.text("next"));
    if session_of(&desk, &headers).is_some() {
        return Redirect::to(next).into_response();
    }
    let ended = query.some("ended").map(|_| "Your session had ended, so nothing was done. Sign in, and do it again.");
    show(StatusCode::OK, next, ended)
}

pub async fn submit(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    if !is_same_site(&headers) || body.len() > FORM_BYTES_MAX {
        return show(StatusCode::FORBIDDEN, "/", Some("That form did not come from this page. Try again here."));
    }
    let form = Fields::parse(&body);
    let next = own(form.text("next"));
    match desk.shop.keys.check(form.text("key")) {
        Some(key) => begin(&desk, &headers, key.id, next),
        None => show(
            StatusCode::UNAUTHORIZED,
            next,
            Some("No such key. It may have been revoked, or a part is missing: a key begins with qm_ and has 46 characters."),
        ),
    }
}

pub async fn follow(State(desk): State<Arc<Desk>>, headers: HeaderMap, Path(link): Path<String>) -> Response {
    match desk.sessions.follow_link(&link) {
        Some(key) => begin(&desk, &headers, key, "/"),
        None if session_of(&desk, &headers).is_some() => Redirect::to("/").into_response(),
        None => show(StatusCode::UNAUTHORIZED, "/", Some("This link was used already, or is older than 15 minutes. Sign in with a key.")),
    }
}

fn begin(desk: &Desk, headers: &HeaderMap, key: KeyId, next: &str) -> Response {
    let secret = match desk.sessions.begin(key) {
        Ok(secret) => secret,
        Err(error) => {
            tracing::error!("a session could not begin: {error}");
            return show(StatusCode::INTERNAL_SERVER_ERROR, next, Some("The session could not be kept; the server's log says why."));
        }
    };
    with_cookie(Redirect::to(next).into_response(), headers, &secret, SESSION_MS / 1000)
}

pub async fn sign_out(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(session) = session_of(&desk, &headers) {
        if !is_same_site(&headers) || Fields::parse(&body).text("csrf") != session.csrf {
            return StatusCode::FORBIDDEN.into_response();
        }
        if let Err(error) = desk.sessions.end(&session) {
            tracing::error!("a session could not be ended on disk: {error}");
        }
    }
    with_cookie(Redirect::to("/sign-in").into_response(), &headers, "", 0)
}

/// `Secure` behind a proxy that speaks TLS; without one the address is loopback.
fn with_cookie(mut response: Response, headers: &HeaderMap, secret: &str, seconds: i64) -> Response {
    let tls = headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    let secure = if tls { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    response.headers_mut().insert(header::SET_COOKIE, HeaderValue::from_str(&cookie).expect("base64 is plain"));
    secured(response)
}

#[cfg(test)]
mod tests {
    #[test]
    fn nobody_is_sent_to_another_site() {
        for (next, to) in [("/orders?x=1", "/orders?x=1"), ("//evil", "/"), ("https://evil", "/"), ("/\\evil", "/"), ("", "/")] {
            assert_eq!(super::own(next), to);
        }
    }
}
