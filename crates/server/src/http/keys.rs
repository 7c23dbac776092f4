//! API keys.

use super::call::{Answer, Call, field, list};
use super::problem::Problem;
use crate::keys::{Key, NAME_BYTES_MAX, Role};
use domain::id::KeyId;
use domain::time::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

fn view(key: &Key) -> Value {
    json!({
        "id": key.id, "object": "key", "name": key.name, "role": key.role, "created_at": Timestamp(key.created_at),
        "last_used_at": key.last_used_at.map(Timestamp), "revoked_at": key.revoked_at.map(Timestamp),
    })
}

fn with_secret((key, secret): (Key, String)) -> Value {
    let mut view = view(&key);
    view["secret"] = json!(secret);
    view
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyBody {
    name: String,
    role: String,
}

pub async fn key_create(call: Call) -> Result<Answer, Problem> {
    let body: KeyBody = call.json()?;
    let role: Role = field("role", &body.role)?;
    if body.name.trim().is_empty() || body.name.len() > NAME_BYTES_MAX {
        return Err(Problem::bad_field("name", format!("must have 1 to {NAME_BYTES_MAX} bytes")));
    }
    let made = call.shop.keys.create(&body.name, role).map_err(Problem::internal)?;
    Ok(Answer::created(with_secret(made)))
}

pub async fn key_list(call: Call) -> Result<Answer, Problem> {
    Ok(Answer::ok(list(call.shop.keys.list().iter().map(view).collect(), false, None)))
}

pub async fn key_revoke(call: Call) -> Result<Answer, Problem> {
    let id: KeyId = call.segment("id")?;
    if !call.shop.keys.revoke(id).map_err(Problem::internal)? {
        return Err(Problem::not_found("key", &id.text()));
    }
    let key = call.shop.keys.list().into_iter().find(|key| key.id == id);
    Ok(Answer::ok(key.as_ref().map_or(Value::Null, view)))
}

pub async fn key_rotate(call: Call) -> Result<Answer, Problem> {
    let id: KeyId = call.segment("id")?;
    let fresh = call.shop.keys.rotate(id).map_err(Problem::internal)?;
    Ok(Answer::ok(with_secret(fresh.ok_or_else(|| Problem::not_found("key", &id.text()))?)))
}
