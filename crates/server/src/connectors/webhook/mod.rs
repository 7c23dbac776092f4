//! Posts JSON to an address that a person of the shop named: a supplier's, or a Slack-compatible one for alerts.
//!
//! One connection a post, over the client that refuses private addresses ([`crate::outbound`]). What came of it is told as far as it can
//! be known: nothing was sent, it was refused, or there was no answer after it was handed over.

mod translate;

pub use translate::slack;

use crate::outbound::{Connection, Dialer, Target, Unreached, beginning, describe};
use std::time::Duration;

/// For connecting, and again for the answer.
const TIMEOUT: Duration = Duration::from_secs(15);

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

pub struct Poster {
    dialer: Dialer,
}

impl Poster {
    /// `allow_private` lets addresses lie in private, loopback and link-local networks.
    pub fn new(allow_private: bool) -> Self {
        Self { dialer: Dialer::new(allow_private) }
    }

    /// Posts a JSON body with further headers.
    pub async fn post(&self, url: &str, headers: &[(&str, String)], body: String) -> Posted {
        let Some(target) = Target::parse(url) else { return refused("the address can't be called: http or https, a host, no user") };
        let request = match translate::request(&target, headers, body) {
            Ok(request) => request,
            Err(message) => return refused(&message),
        };
        let mut connection: Connection = match tokio::time::timeout(TIMEOUT, self.dialer.connect(&target)).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(Unreached::Forbidden(why))) => return refused(&why),
            Ok(Err(Unreached::Failed(message))) => return Posted::Later { code: "connection".to_owned(), message },
            Err(_) => return Posted::Later { code: "timeout".to_owned(), message: "the connection was not made in time".to_owned() },
        };
        let answered = tokio::time::timeout(TIMEOUT, async {
            let response = connection.sender.send_request(request).await?;
            let status = response.status().as_u16();
            Ok::<_, hyper::Error>((status, beginning(response.into_body()).await.0))
        });
        match answered.await {
            Ok(Ok((status, text))) => translate::answer(status, text),
            Ok(Err(error)) => Posted::InDoubt { code: "connection".to_owned(), message: describe(&error) },
            Err(_) => Posted::InDoubt { code: "timeout".to_owned(), message: "no answer came in time".to_owned() },
        }
    }
}

fn refused(message: &str) -> Posted {
    Posted::Refused { code: "address".to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_at_home_is_posted_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for url in
            [format!("http://127.0.0.1:{port}/in"), format!("http://localhost:{port}/in"), format!("http://[::ffff:127.0.0.1]:{port}/in")]
        {
            let posted = Poster::new(false).post(&url, &[], "{}".to_owned()).await;
            assert!(matches!(&posted, Posted::Refused { message, .. } if message.contains("not a public address")), "{url}: {posted:?}");
        }
        let tried = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(tried.is_err(), "somebody connected");
        for url in ["ftp://acme.example", "https://u:p@acme.example/in", "acme"] {
            assert!(matches!(Poster::new(true).post(url, &[], String::new()).await, Posted::Refused { .. }), "{url}");
        }
    }
}
