//! An address that leads nowhere: people get a page, programs a problem.

use super::assets;
use super::desk::secured;
use crate::http::Problem;
use askama::Template;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

#[derive(Template)]
#[template(path = "nowhere.html")]
struct Nowhere {
    version: &'static str,
}

pub async fn nowhere(request: Request) -> Response {
    let path = request.uri().path();
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if path.starts_with("/v1/") || !accepts.contains("text/html") {
        return Problem::no_route(path).respond("-");
    }
    match (Nowhere { version: assets::VERSION.as_str() }).render() {
        Ok(text) => secured((StatusCode::NOT_FOUND, Html(text)).into_response()),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
