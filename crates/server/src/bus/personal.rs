//! What of an event is personal or secret: left out, or opened for those who may have it.

use crate::vault::{self, Vault};
use domain::text::Sealed;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// How sealed text begins.
const SEAL: &str = "v1.cus_";
/// Members that are for the shop alone, whoever asks: keyed hashes, tokens of gateways, secrets of webhooks.
const NEVER: &[&str] = &["email_fingerprint", "fingerprints", "payment_token", "token", "content", "secrets"];
/// What users attach for themselves goes out as it is.
const THEIRS: &str = "metadata";

/// Whether there is something that the vault may open.
pub fn is_sealed(data: &str) -> bool {
    data.contains(SEAL)
}

/// The payload without anything personal.
pub fn left_out(data: &str) -> Cow<'_, str> {
    if is_touched(data) { rewritten(data, None).into() } else { data.into() }
}

/// The payload with what can still be opened; of erased customers nothing can.
pub fn opened(data: &str, vault: &Vault) -> String {
    rewritten(data, Some(vault))
}

/// Whether there may be something to leave out: some text begins as one that is.
fn is_touched(data: &str) -> bool {
    let begins = |text: &str| text.starts_with(SEAL) || vault::is_secret(text) || NEVER.iter().any(|name| text.starts_with(name));
    data.match_indices('"').any(|(at, _)| begins(&data[at + 1..]))
}

fn rewritten(data: &str, vault: Option<&Vault>) -> String {
    let mut out = String::with_capacity(data.len());
    rewrite(&mut out, data, vault);
    out
}

/// What holds nothing of interest goes over as it stands in the log, byte for byte.
fn rewrite(out: &mut String, json: &str, vault: Option<&Vault>) {
    let inside = |json| serde_json::from_str(json).expect("the log holds JSON");
    match json.as_bytes().first() {
        Some(b'{') if is_touched(json) => rewrite_members(out, inside(json), vault),
        Some(b'[') if is_touched(json) => {
            let items: Vec<&RawValue> = serde_json::from_str(json).expect("the log holds JSON");
            out.push('[');
            for (at, item) in items.into_iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                rewrite(out, item.get(), vault);
            }
            out.push(']');
        }
        _ => out.push_str(json),
    }
}

fn rewrite_members(out: &mut String, Members(members): Members, vault: Option<&Vault>) {
    let text = |value: &RawValue| value.get().strip_prefix('"').unwrap_or_default().trim_end_matches('"').to_owned();
    let is = |value: &RawValue, begins: fn(&str) -> bool| value.get().strip_prefix('"').is_some_and(begins);
    let (sealed, mut plain): (Vec<_>, Vec<_>) = members.into_iter().partition(|(_, value)| is(value, |text| text.starts_with(SEAL)));
    plain.retain(|(name, value)| !NEVER.contains(&&**name) && !is(value, vault::is_secret));
    let mut open: Vec<(Cow<str>, Value)> = Vec::new();
    for (name, value) in sealed {
        match vault.and_then(|vault| vault.open_sealed::<Value>(&Sealed(text(value)))) {
            // A name and an address stand beside the country, as when the order is read.
            Some(Value::Object(details)) => {
                open.extend(details.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.into(), value)));
            }
            Some(value) => open.push((name, value)),
            None => {}
        }
    }
    plain.retain(|(name, _)| !open.iter().any(|(opened, _)| opened == name));
    let mut opening = "{";
    let mut begin = |out: &mut String, name: &str| {
        out.push_str(std::mem::replace(&mut opening, ","));
        engine::json::push(out, name).expect("texts serialize");
        out.push(':');
    };
    for (name, value) in &plain {
        begin(out, name);
        if name == THEIRS { out.push_str(value.get()) } else { rewrite(out, value.get(), vault) }
    }
    for (name, value) in &open {
        begin(out, name);
        engine::json::push(out, value).expect("values serialize");
    }
    out.push_str(if opening == "{" { "{}" } else { "}" });
}

/// The members of an object in their order, their values untouched.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(32);
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn personal_data_is_left_out_or_opened_and_gone_after_erasure() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let ada = vault.customer(&Default::default()).unwrap();
        let details = vault.seal(ada, &json!({"name": "Ada", "email": "ada@example.com", "phone": null})).unwrap();
        let note = vault.seal(ada, &"ring twice").unwrap();
        let data = json!({
            "order": {"customer": {"id": "cus_1", "details": details, "email_fingerprint": "77"}, "note": note, "payment_token": "tok",
                      "metadata": {"token": "mine"}}
        });
        let data = data.to_string();
        let parsed = |text: String| serde_json::from_str::<Value>(&text).unwrap();
        let closed = json!({"order": {"customer": {"id": "cus_1"}, "metadata": {"token": "mine"}}});
        assert_eq!(parsed(left_out(&data).into()), closed);
        let open = json!({"order": {"customer": {"id": "cus_1", "name": "Ada", "email": "ada@example.com"}, "note": "ring twice",
                                    "metadata": {"token": "mine"}}});
        assert_eq!(parsed(opened(&data, &vault)), open);
        vault.erase(ada).unwrap();
        assert_eq!(parsed(opened(&data, &vault)), closed);
        // What does not concern it is not touched, the order of members neither.
        let others = r#"{"order":"ord_1","lines":[{"tokens":1},2],"a":"token"}"#;
        assert_eq!(left_out(others), others);
        assert_secrets_stay(&vault);
        assert_secrets_stay(&vault.under(Some("a key of the operator's")));
    }

    fn assert_secrets_stay(vault: &Vault) {
        let parsed = |text: String| serde_json::from_str::<Value>(&text).unwrap();
        let supplier = json!({"webhook": {"url": "https://acme.example", "secret": vault.seal_secret("s").unwrap()}}).to_string();
        let closed = json!({"webhook": {"url": "https://acme.example"}});
        assert_eq!((parsed(left_out(&supplier).into()), parsed(opened(&supplier, vault))), (closed.clone(), closed));
    }
}
