//! An endpoint that hears webhooks and answers as it is told.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One call as it came in.
#[derive(Debug, Clone)]
pub struct Heard {
    pub id: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub event: Value,
}

impl Heard {
    pub fn subject(&self) -> &str {
        self.event["subject"].as_str().unwrap()
    }

    pub fn seq(&self) -> u64 {
        self.event["sequence"].as_str().unwrap().parse().unwrap()
    }
}

type Answering = dyn Fn(&Heard) -> Response + Send + Sync;

struct Inner {
    /// Accepted with a 2xx.
    accepted: Mutex<Vec<Heard>>,
    refused: Mutex<Vec<Heard>>,
    answer: Mutex<Arc<Answering>>,
}

#[derive(Clone)]
pub struct Receiver {
    pub address: SocketAddr,
    inner: Arc<Inner>,
}

impl Receiver {
    /// Accepts everything, until told otherwise.
    pub async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer: Arc<Answering> = Arc::new(|_| StatusCode::NO_CONTENT.into_response());
        let inner = Arc::new(Inner { accepted: Mutex::default(), refused: Mutex::default(), answer: Mutex::new(answer) });
        let app = Router::new().route("/", post(hear)).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, inner }
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub fn answers(&self, answer: impl Fn(&Heard) -> Response + Send + Sync + 'static) {
        *self.inner.answer.lock().unwrap() = Arc::new(answer);
    }

    pub fn accepts(&self) {
        self.answers(|_| StatusCode::NO_CONTENT.into_response());
    }

    pub fn accepted(&self) -> Vec<Heard> {
        self.inner.accepted.lock().unwrap().clone()
    }

    pub fn refused(&self) -> Vec<Heard> {
        self.inner.refused.lock().unwrap().clone()
    }

    /// Waits until so many were accepted.
    pub async fn until(&self, count: usize) -> Vec<Heard> {
        for _ in 0..3000 {
            let accepted = self.accepted();
            if accepted.len() >= count {
                return accepted;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} of {count} came: {:?}", self.accepted().len(), self.accepted().iter().map(|heard| &heard.id).collect::<Vec<_>>());
    }
}

async fn hear(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let event: Value = serde_json::from_slice(&body).unwrap();
    let id = headers["webhook-id"].to_str().unwrap().to_owned();
    let heard = Heard { id, headers, body, event };
    let answer = inner.answer.lock().unwrap().clone();
    let response = answer(&heard);
    let heap = if response.status().is_success() { &inner.accepted } else { &inner.refused };
    heap.lock().unwrap().push(heard);
    response
}
