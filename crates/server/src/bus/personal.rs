//! What of an event is personal or secret: left out, or opened for those who may have it.

use crate::vault::Vault;
use domain::text::Sealed;
use serde_json::{Map, Value};

/// How sealed text begins.
const SEAL: &str = "v1.cus_";
/// How secrets of the shop begin, which leave it for nobody.
const SECRET_SEAL: &str = "v1.key.";
/// Members that are for the shop alone, whoever asks: keyed hashes, tokens of gateways, secrets of webhooks.
const NEVER: &[&str] = &["email_fingerprint", "fingerprints", "payment_token", "token", "content", "secrets"];
/// What users attach for themselves goes out as it is.
const THEIRS: &str = "metadata";

/// Whether there is something that the vault may open.
pub fn is_sealed(data: &str) -> bool {
    data.contains(SEAL)
}

/// The payload without anything personal; `None` when there is nothing to leave out.
pub fn left_out(data: &str) -> Option<String> {
    let quoted = |name: &&str| data.match_indices(*name).any(|(at, _)| data[..at].ends_with('"'));
    let touched = is_sealed(data) || data.contains(SECRET_SEAL) || NEVER.iter().any(quoted);
    touched.then(|| rewritten(data, None))
}

/// The payload with what can still be opened; of erased customers nothing can.
pub fn opened(data: &str, vault: &Vault) -> String {
    rewritten(data, Some(vault))
}

fn rewritten(data: &str, vault: Option<&Vault>) -> String {
    let mut value: Value = serde_json::from_str(data).expect("the log holds JSON");
    rewrite(&mut value, vault);
    value.to_string()
}

fn rewrite(value: &mut Value, vault: Option<&Vault>) {
    match value {
        Value::Object(members) => rewrite_members(members, vault),
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, vault)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn rewrite_members(members: &mut Map<String, Value>, vault: Option<&Vault>) {
    members.retain(|name, value| !NEVER.contains(&name.as_str()) && !value.as_str().is_some_and(|text| text.starts_with(SECRET_SEAL)));
    let sealed: Vec<(String, Sealed)> = members
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), Sealed(value.as_str().filter(|text| text.starts_with(SEAL))?.to_owned()))))
        .collect();
    for (name, sealed) in sealed {
        members.remove(&name);
        match vault.and_then(|vault| vault.open_sealed::<Value>(&sealed)) {
            // A name and an address stand beside the country, as when the order is read.
            Some(Value::Object(details)) => details.into_iter().filter(|(_, value)| !value.is_null()).for_each(|(name, value)| {
                members.insert(name, value);
            }),
            Some(value) => {
                members.insert(name, value);
            }
            None => {}
        }
    }
    for (name, value) in members.iter_mut() {
        if name != THEIRS {
            rewrite(value, vault);
        }
    }
}

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
        assert_eq!(parsed(left_out(&data).unwrap()), closed);
        let open = json!({"order": {"customer": {"id": "cus_1", "name": "Ada", "email": "ada@example.com"}, "note": "ring twice",
                                    "metadata": {"token": "mine"}}});
        assert_eq!(parsed(opened(&data, &vault)), open);
        vault.erase(ada).unwrap();
        assert_eq!(parsed(opened(&data, &vault)), closed);
        assert_eq!(left_out("{\"order\":\"ord_1\"}"), None);
        let supplier = json!({"webhook": {"url": "https://acme.example", "secret": vault.seal_secret("s").unwrap()}}).to_string();
        let closed = json!({"webhook": {"url": "https://acme.example"}});
        assert_eq!((parsed(left_out(&supplier).unwrap()), parsed(opened(&supplier, &vault))), (closed.clone(), closed));
    }
}
