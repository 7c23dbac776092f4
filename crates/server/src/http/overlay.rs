//! Updates keep what they do not name: the body is laid over the entity as it stands.

use super::call::{Call, Done, object};
use super::problem::Problem;
use domain::{Command, Image};
use serde_json::{Map, Value};

/// Objects that are merged member by member; everything else is replaced as a whole.
const MERGED: &[&str] = &["address", "alerts", "mail", "metadata", "payment", "webhook"];
/// How often an update is made anew when somebody else changed the same thing meanwhile.
const TRIES_MAX: usize = 3;

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
    let (named, sent) = (call.if_match()?, call.json::<Map<String, Value>>()?);
    let mut tries = 0;
    loop {
        let wanted = key.to_owned();
        let image = call.read(move |reader| reader.entity(kind, &wanted)).await?;
        let Some(Value::Object(mut whole)) = image.map(|image: Image| object(kind, &image)) else {
            return Err(Problem::not_found(kind, key));
        };
        let stands = whole.get("version").and_then(Value::as_u64);
        // What is sealed there is not what a client would send.
        whole.get_mut("webhook").and_then(Value::as_object_mut).map(|webhook| webhook.remove("secret"));
        lay_over(&mut whole, sent.clone());
        let command = make(call.with_body(Value::Object(whole).to_string()), named.or(stands)).await?;
        tries += 1;
        match call.submit(command).await {
            Err(problem) if problem.code() == "version_mismatch" && named.is_none() && tries < TRIES_MAX => {}
            outcome => return outcome,
        }
    }
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
