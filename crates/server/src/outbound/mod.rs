//! Calls to addresses that people of the shop named (endpoints of subscriptions, suppliers, chats) or its operator (a collector of traces).
//! There is no other way out over HTTP.
//!
//! Names are resolved here, every address is checked, and exactly the checked one is connected to. What is sent is signed as Standard
//! Webhooks has it; redirects are not followed; of an answer, a bounded part is read.

mod connect;
mod sign;

pub use connect::{Connection, Dialer, Target, Unreached, is_public};
pub use sign::Signer;

use http_body_util::BodyExt;
use hyper::body::Incoming;

/// What is kept of an answer.
const ANSWER_BYTES_KEPT: usize = 1024;
/// An answer that is longer is not read to its end: the connection is given up instead.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// The first kilobyte of an answer, and whether it was read to its end.
pub async fn beginning(mut body: Incoming) -> (String, bool) {
    let (mut kept, mut read) = (Vec::new(), 0);
    loop {
        match body.frame().await {
            None => break,
            Some(Err(_)) => return (text(&kept), false),
            Some(Ok(frame)) => {
                let Some(data) = frame.data_ref() else { continue };
                read += data.len();
                kept.extend_from_slice(&data[..data.len().min(ANSWER_BYTES_KEPT - kept.len())]);
                if read > ANSWER_BYTES_MAX {
                    return (text(&kept), false);
                }
            }
        }
    }
    (text(&kept), true)
}

/// What went wrong with a call, with its cause.
pub fn describe(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
