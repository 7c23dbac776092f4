//! Posts JSON to an address that a person of the shop named: a supplier's, or a Slack-compatible one for alerts.
//!
//! One connection a post, TLS with the public authorities, no redirects, the answer capped. What came of it is told as far as it can be
//! known: nothing was sent, it was refused, or there was no answer after it was handed over.

mod translate;

pub use translate::{signature, slack};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// For connecting, and again for the answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Of an answer, at most this is read.
const ANSWER_BYTES_MAX: usize = 1024;

/// What became of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    Taken {
        status: u16,
    },
    /// Nothing was handed over, or the other side asks to come again.
    Later {
        code: String,
        message: String,
    },
    Refused {
        code: String,
        message: String,
    },
    /// Handed over without an answer.
    InDoubt {
        code: String,
        message: String,
    },
}

#[derive(Clone)]
pub struct Poster {
    tls: TlsConnector,
}

impl Default for Poster {
    fn default() -> Self {
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.expect("ring knows the default versions").with_root_certificates(roots).with_no_client_auth();
        Self { tls: TlsConnector::from(Arc::new(config)) }
    }
}

/// A connection that may be spoken HTTP over.
trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send> Stream for T {}

impl Poster {
    /// Posts a JSON body with further headers.
    pub async fn post(&self, url: &str, headers: &[(&str, String)], body: String) -> Posted {
        let later = |code: &str, message: String| Posted::Later { code: code.to_owned(), message };
        let Ok(uri) = url.parse::<Uri>() else {
            return Posted::Refused { code: "address".to_owned(), message: "the address can't be read".to_owned() };
        };
        let stream = match tokio::time::timeout(TIMEOUT, self.connect(&uri)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(why)) => return later("connection", why),
            Err(_) => return later("timeout", "the connection was not made in time".to_owned()),
        };
        let request = match translate::request(&uri, headers, body) {
            Ok(request) => request,
            Err(message) => return Posted::Refused { code: "address".to_owned(), message },
        };
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = match handshake {
            Ok(pair) => pair,
            Err(error) => return later("connection", error.to_string()),
        };
        let driver = tokio::spawn(connection);
        let answered = tokio::time::timeout(TIMEOUT, async {
            let response = sender.send_request(request).await?;
            let status = response.status().as_u16();
            let text = match Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await {
                Ok(collected) => String::from_utf8_lossy(&collected.to_bytes()).into_owned(),
                Err(_) => String::new(),
            };
            Ok::<_, hyper::Error>((status, text))
        });
        let posted = match answered.await {
            Ok(Ok((status, text))) => translate::answer(status, text),
            Ok(Err(error)) => Posted::InDoubt { code: "connection".to_owned(), message: error.to_string() },
            Err(_) => Posted::InDoubt { code: "timeout".to_owned(), message: "no answer came in time".to_owned() },
        };
        driver.abort();
        posted
    }

    async fn connect(&self, uri: &Uri) -> Result<Box<dyn Stream>, String> {
        let host = uri.host().ok_or("the address names no host")?;
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await.map_err(|error| error.to_string())?;
        if !secure {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        Ok(Box::new(self.tls.connect(name, stream).await.map_err(|error| error.to_string())?))
    }
}
