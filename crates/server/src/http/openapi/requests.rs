//! What each route takes, as shapes of the bodies that clients send.
//!
//! A shape is an example, as for answers: a name that ends with `?` may be left out. `"a|b"` is one of these words, `{"$one":[…]}` one of these
//! shapes, `{"*":…}` an object with names of the client's own. Tests hold every body that they send against its shape, and ask each route for the
//! names that it knows.

use super::super::routes::Route;
use serde_json::{Map, Value, json};

const ITEM: &str = r#"{"sku":"MUG-RED","name":"Red mug","kind?":"stocked|kit|service","components?":[{"sku":"MUG-RED","quantity":1}],"split_kit?":false,
    "barcode?":"4006381333931","unit_cost?":{"amount":350,"currency":"USD"},"weight_grams?":320,
    "backorder_cap?":{"$one":["none|up_to_incoming|unlimited",{"limit":5}]},"on_shortage?":"reject|backorder|split|partial",
    "available_from?":"2026-12-01","metadata?":{"*":""},"status?":"active|retired","version?":1,"created_at?":"2026-11-24T09:30:00.000Z","object?":"item"}"#;
const LOCATION: &str = r#"{"code":"AUS","name":"Austin","address":{"line1?":"1 Dock Rd","city?":"Austin","region?":"TX","postal_code?":"78701","country":"US"},
    "coordinates?":{"latitude":30267153,"longitude":-97743057},"time_zone?":"America/Chicago","cutoff_minute?":900,"working_days?":[0],"handling_days?":1,
    "priority?":1,"kind?":"warehouse|store|supplier","active?":true,"version?":1,"created_at?":"2026-11-24T09:30:00.000Z","object?":"location"}"#;
const CHANNEL: &str = r#"{"code":"web","name":"Web shop","kind?":"web|store|marketplace|wholesale","locations?":["AUS"],
    "buffer?":{"$one":["none",{"units":3},{"percent":5}]},"on_shortage?":"reject|backorder|split|partial",
    "payment?":{"timing?":"capture_at_shipment|capture_at_placement|invoice|outside","backorder?":"now|on_allocation","window_ms?":1800000,"gateway?":"test",
    "single_capture?":"first_shipment|last_shipment","multicapture?":true,"overcapture_percent?":0,"on_expiry?":"reauthorize|hold"},
    "sourcing?":[{}],"mail?":{"sender":"Acme <shop@acme.example>","reply_to?":"help@acme.example","payment_url?":"https://acme.example/pay/{number}",
    "status_url?":"https://acme.example/orders/{number}","locale?":"en","opt_outs?":["delivered"]},"active?":true,"version?":1,
    "created_at?":"2026-11-24T09:30:00.000Z","object?":"channel"}"#;
const SETTINGS: &str = r#"{"complete_after_days?":14,"promise_margin_days?":1,"over_receipt_percent?":0,"count_approval_units?":5,
    "authorization_warning_hours?":24,"last_digest?":"2026-11-24","alerts?":{"mail_to?":["ops@acme.example"],"webhook?":"https://chat.example/hook",
    "digest_only?":["low_stock"],"gather_seconds?":10,"interval_seconds?":300,"follow_up?":false,"digest?":{"minute":480,"time_zone":"Europe/Berlin"}},
    "version?":1,"object?":"settings"}"#;
const SUPPLIER: &str = r#"{"code":"ACME","name":"Acme Ltd","email?":"orders@acme.example","lead_time_days?":7,"currency":"USD","order_minimum?":0,
    "auto?":"send|draft|alert","dispatch?":"none|mail|webhook","webhook?":{"url":"https://acme.example/orders","secret?":"at least 16 characters"},
    "cutoff?":{"minute":720,"weekdays":[0],"time_zone":"Europe/Berlin"},"active?":true,"metadata?":{"*":""},"version?":1,
    "created_at?":"2026-11-24T09:30:00.000Z","object?":"supplier"}"#;
const ORDER: &str = r#"{"channel":"web","external_id?":"W-10045","currency":"USD","prices_include_tax?":false,"on_shortage?":"reject|backorder|split|partial",
    "hold_owner?":"cart_9","priority?":0,"customer?":{"external_id?":"c_88","email?":"ada@example.com","name?":"Ada","phone?":"+1 512 555 0100","locale?":"en"},
    "ship_to?":{"name?":"Ada","company?":"","line1?":"1 Main St","line2?":"","city?":"Austin","region?":"TX","postal_code?":"78701","phone?":"","country":"US",
    "coordinates?":{"latitude":30267153,"longitude":-97743057}},
    "lines":[{"external_id?":"1","sku":"MUG-RED","quantity":3,"unit_price":1200,"discount?":0,"tax?":297,"total?":3897}],
    "charges?":[{"kind":"shipping","amount":500,"tax?":41,"total?":541}],"total?":4438,"payment_token?":"tok_visa",
    "payments?":[{"gateway":"stripe","reference?":"pi_1","status":"authorized|captured","amount":4438,"expires_at?":"2026-12-01T00:00:00Z"}],
    "note?":"","notify?":true,"metadata?":{"*":""}}"#;
const UNITS: &str = r#"{"location":"AUS","reference?":"ASN-7","lines":[{"sku":"MUG-RED","quantity":24}]}"#;
const ADJUSTMENT: &str = r#"{"location":"AUS","reason":"shrinkage","reference?":"CC-114","occurred_at?":"2026-11-24T09:30:00Z",
    "lines":[{"sku":"MUG-RED","bucket?":"on_hand|damaged|quality_control|quarantine","delta?":-1,"set_to?":4,"if_quantity?":4}]}"#;
const REASON: &str = r#"{"reason?":"wrong pallet"}"#;
const REFUND: &str = r#"{"lines?":[{"id":"ol_1-1","quantity":1}],"charges?":0,"amount?":500,"payment?":"pay_1-1","reason?":"broken"}"#;
const SUBSCRIPTION: &str = r#"{"name":"ERP","kind?":"pull|sse|webhook","filter?":{"types?":["order.*"],"subjects?":["order/*"],"channels?":["web"]},
    "webhook?":{"url":"https://erp.example/events","concurrency?":4,"timeout_ms?":15000,"secret?":"whsec_…"},"personal_data?":false,"history?":false,
    "stalled_after_seconds?":900,"start?":"now"}"#;

/// Routes with their shapes; where a route has none, its example says it all.
const SHAPES: &[(&str, &str, &str)] = &[
    ("POST", "/v1/items", ITEM),
    ("POST", "/v1/items/bulk", ITEM),
    ("PUT", "/v1/items/{sku}", ITEM),
    ("POST", "/v1/locations", LOCATION),
    ("PUT", "/v1/locations/{code}", LOCATION),
    ("POST", "/v1/channels", CHANNEL),
    ("PUT", "/v1/channels/{code}", CHANNEL),
    ("PUT", "/v1/settings", SETTINGS),
    ("POST", "/v1/suppliers", SUPPLIER),
    ("PUT", "/v1/suppliers/{code}", SUPPLIER),
    ("POST", "/v1/orders", ORDER),
    ("POST", "/v1/orders/bulk", ORDER),
    ("POST", "/v1/orders/preview", ORDER),
    ("POST", "/v1/receipts", UNITS),
    ("POST", "/v1/receipts/bulk", UNITS),
    ("POST", "/v1/adjustments", ADJUSTMENT),
    ("POST", "/v1/adjustments/bulk", ADJUSTMENT),
    ("POST", "/v1/receipts/{id}/reverse", REASON),
    ("POST", "/v1/fulfillments/{id}/cancel", REASON),
    ("POST", "/v1/fulfillments/{id}/decline-cancel", REASON),
    ("POST", "/v1/purchase-orders/{id}/cancel", REASON),
    ("POST", "/v1/transfers/{id}/close-lost", REASON),
    ("POST", "/v1/transfers/{id}/cancel", REASON),
    ("POST", "/v1/subscriptions/{id}/pause", REASON),
    (
        "POST",
        "/v1/moves",
        r#"{"location":"AUS","reason?":"broken","from":"on_hand|damaged|quality_control|quarantine","to":"on_hand|damaged|quality_control|quarantine","lines":[{"sku":"MUG-RED","quantity":1}]}"#,
    ),
    (
        "POST",
        "/v1/holds",
        r#"{"owner":"cart_9","channel?":"web","ttl_seconds?":900,"lines":[{"sku":"MUG-RED","quantity":1,"location?":"AUS"}]}"#,
    ),
    ("POST", "/v1/holds/{id}/extend", r#"{"ttl_seconds?":900}"#),
    (
        "POST",
        "/v1/orders/{id}/edit",
        r#"{"lines?":[{"id":"ol_1-1","quantity":2,"discount?":0,"tax?":0}],"add?":[{"external_id?":"1","sku":"MUG-RED","quantity":1,"unit_price":1200,"discount?":0,"tax?":0,"total?":1200}]}"#,
    ),
    ("POST", "/v1/orders/{id}/cancel", r#"{"reason?":"customer","lines?":[{"id":"ol_1-1","quantity":1}]}"#),
    ("POST", "/v1/orders/{id}/pay", r#"{"token?":"tok_visa"}"#),
    ("POST", "/v1/orders/{id}/mark-paid", r#"{"amount?":4438,"reference?":"bank 77"}"#),
    ("POST", "/v1/orders/{id}/refunds", REFUND),
    ("POST", "/v1/orders/{id}/refunds/preview", REFUND),
    (
        "POST",
        "/v1/fulfillments/{id}/ship",
        r#"{"carrier?":"UPS","tracking_number?":"1Z999","tracking_url?":"https://ups.example/1Z999","parcels?":[{"weight_grams?":900}],"cost?":700}"#,
    ),
    ("POST", "/v1/fulfillments/{id}/deliver", r#"{"delivered_at?":"2026-12-02T10:00:00.000Z"}"#),
    (
        "POST",
        "/v1/returns",
        r#"{"order?":"ord_1","location?":"AUS","external_id?":"R-1","reason?":"too small","lines":[{"id?":"ol_1-1","sku?":"MUG-RED","quantity":1,"disposition?":"restock|damaged|scrap"}]}"#,
    ),
    ("POST", "/v1/returns/{id}/receive", r#"{"location":"AUS","lines":[{"index":0,"quantity":1,"disposition":"restock|damaged|scrap"}]}"#),
    (
        "PUT",
        "/v1/replenishment-policies",
        r#"{"sku":"MUG-RED","location":"AUS","supplier?":"ACME","source_location?":"BER","auto?":"send|draft|alert","reorder_point":10,"order_up_to?":60,"reorder_quantity?":24,"moq?":12,"multiple?":12,"lead_time_days?":7,"unit_cost?":350,"active?":true,"version?":1,"object?":"policy"}"#,
    ),
    (
        "POST",
        "/v1/purchase-orders",
        r#"{"supplier":"ACME","location":"AUS","reference?":"PO-7","lines":[{"sku":"MUG-RED","quantity":24,"unit_cost?":350}]}"#,
    ),
    ("POST", "/v1/purchase-orders/{id}/amend", r#"{"lines":[{"sku":"MUG-RED","quantity":36,"unit_cost?":350}]}"#),
    ("POST", "/v1/purchase-orders/{id}/acknowledge", r#"{"reference?":"SO-88","lines?":[{"sku":"MUG-RED","expected_on":"2026-12-03"}]}"#),
    (
        "POST",
        "/v1/purchase-orders/{id}/receive",
        r#"{"lines":[{"sku":"MUG-RED","accepted":22,"damaged?":2}],"confirm_over_receipt?":false}"#,
    ),
    (
        "POST",
        "/v1/transfers",
        r#"{"from":"AUS","to":"BER","reference?":"TR-7","expected_on?":"2026-12-03","lines":[{"sku":"MUG-RED","quantity":24}]}"#,
    ),
    ("POST", "/v1/transfers/{id}/amend", r#"{"lines?":[{"sku":"MUG-RED","quantity":36}],"expected_on?":"2026-12-04"}"#),
    (
        "POST",
        "/v1/transfers/{id}/ship",
        r#"{"lines?":[{"sku":"MUG-RED","quantity":24}],"expected_on?":"2026-12-03","carrier?":"DHL","tracking_number?":"JD014"}"#,
    ),
    ("POST", "/v1/transfers/{id}/receive", r#"{"lines":[{"sku":"MUG-RED","accepted":22,"damaged?":1}]}"#),
    (
        "POST",
        "/v1/customers",
        r#"{"channel?":"web","external_id?":"c_88","email?":"ada@example.com","name?":"Ada","phone?":"+1 512 555 0100","locale?":"en"}"#,
    ),
    ("POST", "/v1/counts", r#"{"location":"AUS","skus":["MUG-RED"],"reference?":"CC-114"}"#),
    ("POST", "/v1/counts/{id}/record", r#"{"lines":[{"sku":"MUG-RED","counted":7,"counted_at?":"2026-11-24T09:30:00.000Z"}]}"#),
    ("POST", "/v1/counts/{id}/post", r#"{"approve?":false}"#),
    ("POST", "/v1/subscriptions", SUBSCRIPTION),
    ("PUT", "/v1/subscriptions/{id}", SUBSCRIPTION),
    ("POST", "/v1/subscriptions/{id}/rotate-secret", r#"{"secret?":"whsec_…","overlap_seconds?":86400}"#),
    ("POST", "/v1/subscriptions/{id}/redeliver", r#"{"sequence?":"1-4821","from?":"1-4000","to?":"now","parked?":false}"#),
    ("POST", "/v1/keys", r#"{"name":"web shop","role":"admin|operator|warehouse|storefront|read_only"}"#),
];

/// The description of a route's body. `keeps`: what is left out stays, so nothing has to be sent.
pub fn body(route: &Route, keeps: bool) -> Value {
    if route.path == "/v1/events" {
        let event: Value = serde_json::from_str(route.body).expect("examples are JSON");
        return json!({"oneOf": [free(&event), {"type": "array", "items": free(&event)}]});
    }
    let shape = SHAPES.iter().find(|(method, path, _)| (*method, *path) == (route.method, route.path));
    let text = shape.map_or(route.body, |(_, _, shape)| shape);
    let mut described = schema(&serde_json::from_str(text).expect("shapes are JSON"));
    if keeps {
        let members = described["properties"].as_object_mut().into_iter().flat_map(|members| members.values_mut());
        members.filter_map(Value::as_object_mut).for_each(|member| {
            member.remove("required");
        });
        described.as_object_mut().map(|schema| schema.remove("required"));
        let fixed = route.path.rsplit('{').next().and_then(|name| name.strip_suffix('}'));
        fixed.and_then(|name| described["properties"].as_object_mut()?.remove(name));
    }
    if route.path.ends_with("/bulk") {
        described["properties"]["idempotency_key"] = json!({"type": ["string", "null"]});
    }
    described
}

fn schema(shape: &Value) -> Value {
    match shape {
        Value::Object(members) if members.is_empty() => json!({}),
        Value::Object(members) => {
            if let Some(Value::Array(choices)) = members.get("$one") {
                return json!({"oneOf": choices.iter().map(schema).collect::<Vec<_>>()});
            }
            if let Some(each) = members.get("*") {
                return json!({"type": "object", "additionalProperties": schema(each)});
            }
            let required: Vec<&String> = members.keys().filter(|name| !name.ends_with('?')).collect();
            let property = |(name, value): (&String, &Value)| match name.strip_suffix('?') {
                Some(name) => (name.to_owned(), or_null(schema(value))),
                None => (name.clone(), schema(value)),
            };
            let properties: Map<String, Value> = members.iter().map(property).collect();
            json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
        }
        Value::Array(items) => json!({"type": "array", "items": items.first().map_or_else(|| json!({}), schema)}),
        Value::String(text) if text.contains('|') => json!({"type": "string", "enum": text.split('|').collect::<Vec<_>>()}),
        Value::String(text) => json!({"type": "string", "examples": [text]}),
        Value::Number(number) => json!({"type": "integer", "examples": [number]}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Null => json!({}),
    }
}

/// An event carries any command's body.
fn free(event: &Value) -> Value {
    let mut described = schema(event);
    described["properties"]["data"] = json!({"type": "object"});
    described.as_object_mut().map(|schema| schema.remove("additionalProperties"));
    described
}

fn or_null(mut schema: Value) -> Value {
    if let Some(kind) = schema.get("type").and_then(Value::as_str).map(str::to_owned) {
        schema["type"] = json!([kind, "null"]);
        if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            words.push(Value::Null);
        }
    } else if let Some(choices) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        choices.push(json!({"type": "null"}));
    }
    schema
}
