//! Updates keep what they do not name: the body is laid over the entity as it stands.

use super::call::{Call, Done, object};
use super::problem::Problem;
use domain::{Command, Image, Rejection};
use engine::Idempotency;
use serde_json::{Map, Value};
use std::time::{Duration, Instant};

/// Objects that are merged member by member; everything else is replaced as a whole.
pub const MERGED: &[&str] = &["address", "alerts", "mail", "metadata", "payment", "webhook"];
/// How long an update is made anew when others change the same thing meanwhile; each time one of them gets through.
const TRYING_MAX: Duration = Duration::from_secs(5);
/// Between two tries: who was faster is not durable yet, and only what is durable can be read.
const PAUSE: Duration = Duration::from_millis(1);

/// Makes the command of the whole body and submits it. Without `If-Match` it expects the version that the body was laid over, so that two
/// updates of different members do not lose each other.
///
/// # Errors
/// When there is no such entity, the body is refused, or the command is.
pub async fn update<C: Into<Command>, F: Future<Output = Result<C, Problem>>>(
    call: &Call,
    kind: &'static str,
    key: &str,
    make: impl Fn(Call, Option<u64>) -> F,
) -> Result<Done, Problem> {
    let sent = call.json::<Map<String, Value>>()?;
    let make = &make;
    until_it_stands(call, |named| {
        let (wanted, sent) = (key.to_owned(), sent.clone());
        async move {
            let image = call.read(move |reader| reader.entity(kind, &wanted)).await?;
            let Some(Value::Object(mut whole)) = image.map(|image: Image| object(kind, &image)) else {
                return Err(Problem::not_found(kind, key));
            };
            let stands = whole.get("version").and_then(Value::as_u64);
            // What is sealed there is not what a client would send.
            whole.get_mut("webhook").and_then(Value::as_object_mut).map(|webhook| webhook.remove("secret"));
            lay_over(&mut whole, sent);
            make(call.with_body(Value::Object(whole).to_string()), named.or(stands)).await
        }
    })
    .await
}

/// Makes a command of what stands and submits it; when somebody else changed that meanwhile, of what stands then. `make` gets the version
/// that the client named, which is tried once.
///
/// # Errors
/// As `make`, when the command is refused, or when others were faster for [`TRYING_MAX`].
pub async fn until_it_stands<C: Into<Command>, F: Future<Output = Result<C, Problem>>>(
    call: &Call,
    make: impl Fn(Option<u64>) -> F,
) -> Result<Done, Problem> {
    let (named, idempotency) = (call.if_match()?, call.idempotency()?);
    let started = Instant::now();
    let mut tried = 0;
    while started.elapsed() < TRYING_MAX {
        let key = idempotency.clone().map(|known| of_try(known, tried));
        match call.reply(make(named).await?.into(), key).await? {
            Err(Rejection::VersionMismatch { .. }) if named.is_none() => tokio::time::sleep(PAUSE).await,
            outcome => return Ok(outcome?),
        }
        tried += 1;
    }
    Err(Problem::contended())
}

/// A refusal is remembered under its key, so that the next try needs another one; a repeat of the request goes through the same ones.
fn of_try(known: Idempotency, tried: u32) -> Idempotency {
    if tried == 0 { known } else { Idempotency { key: format!("{}.{tried}", known.key), ..known } }
}

/// `null` takes an optional member away; of metadata, an entry.
pub fn lay_over(whole: &mut Map<String, Value>, sent: Map<String, Value>) {
    for (name, value) in sent {
        match (whole.get_mut(&name), value) {
            (Some(Value::Object(there)), Value::Object(value)) if MERGED.contains(&name.as_str()) => {
                there.extend(value);
                if name == "metadata" {
                    there.retain(|_, value| !value.is_null());
                }
            }
            (_, value) => {
                whole.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn what_is_not_named_stays() {
        for (sent, name, after) in [
            (json!({"name": "B"}), "mail", json!({"sender": "a@b", "locale": "en"})),
            (json!({"mail": {"locale": "de"}}), "mail", json!({"sender": "a@b", "locale": "de"})),
            (json!({"mail": null}), "mail", json!(null)),
            (json!({"metadata": {"a": null, "b": "2"}}), "metadata", json!({"b": "2", "c": "3"})),
            (json!({"buffer": {"units": 5}}), "buffer", json!({"units": 5})),
        ] {
            let mut whole =
                json!({"name": "A", "mail": {"sender": "a@b", "locale": "en"}, "metadata": {"a": "1", "c": "3"}, "buffer": {"percent": 9}});
            super::lay_over(whole.as_object_mut().unwrap(), sent.as_object().unwrap().clone());
            assert_eq!(whole[name], after, "{sent}");
        }
    }
}
