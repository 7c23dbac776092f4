//! The way to the collector: by the client that everything goes out with, over one connection that is kept.

use crate::outbound::{Connection, Dialer, Target, beginning, describe};
use axum::body::Bytes;
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use opentelemetry_http::{HttpClient, HttpError};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub struct Client {
    dialer: Dialer,
    target: Target,
    timeout: Duration,
    kept: tokio::sync::Mutex<Option<Connection>>,
    problem: Problem,
}

/// Why the last batch did not arrive; the library keeps it to itself.
pub type Problem = Arc<Mutex<Option<String>>>;

impl Client {
    /// `None` when the address can't be called. The operator named it, so it may be nearby.
    pub fn new(endpoint: &str, timeout: Duration) -> Option<Self> {
        let target = Target::parse(endpoint)?;
        Some(Self { dialer: Dialer::new(true), target, timeout, kept: tokio::sync::Mutex::default(), problem: Problem::default() })
    }

    /// Host and port, without what may be secret in the rest.
    pub fn authority(&self) -> String {
        self.target.authority.clone()
    }

    pub fn problem(&self) -> Problem {
        self.problem.clone()
    }

    async fn exchange(&self, headers: &HeaderMap, body: &Bytes) -> Result<StatusCode, String> {
        let mut kept = self.kept.lock().await;
        if let Some(mut connection) = kept.take().filter(Connection::is_fresh)
            && connection.sender.ready().await.is_ok()
        {
            match connection.sender.send_request(self.request(headers, body)).await {
                Ok(response) => return Ok(understand(response, connection, &mut kept).await),
                // The collector hung up while nobody looked.
                Err(error) if error.is_closed() || error.is_canceled() || error.is_incomplete_message() => {}
                Err(error) => return Err(describe(&error)),
            }
        }
        let mut connection = self.dialer.connect(&self.target).await.map_err(|error| error.to_string())?;
        match connection.sender.send_request(self.request(headers, body)).await {
            Ok(response) => Ok(understand(response, connection, &mut kept).await),
            Err(error) => Err(describe(&error)),
        }
    }

    fn request(&self, headers: &HeaderMap, body: &Bytes) -> Request<Full<Bytes>> {
        let request = Request::post(&self.target.path).header(header::HOST, &self.target.authority);
        let mut request = request.body(Full::new(body.clone())).expect("a target that was parsed makes a request");
        request.headers_mut().extend(headers.clone());
        request
    }
}

async fn understand(response: Response<Incoming>, mut connection: Connection, kept: &mut Option<Connection>) -> StatusCode {
    let status = response.status();
    let (_, whole) = beginning(response.into_body()).await;
    connection.touch();
    *kept = whole.then_some(connection);
    status
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("target", &self.target).finish_non_exhaustive()
    }
}

/// As the trait's macro would write it.
impl HttpClient for Client {
    fn send_bytes<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let answered = tokio::time::timeout(self.timeout, self.exchange(&parts.headers, &body)).await;
            let answered = answered.unwrap_or_else(|_| Err(format!("no answer within {} s", self.timeout.as_secs_f32())));
            *self.problem.lock().expect("no thread panics with the lock") = answered.as_ref().err().cloned();
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = answered?;
            Ok(response)
        })
    }
}
