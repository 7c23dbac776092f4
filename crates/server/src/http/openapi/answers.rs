//! What each route answers, as shapes of the objects that clients read.
//!
//! A shape is an example: a name that ends with `?` may be missing or null, `"$name"` stands for another shape, `"$a|b"` for one of several. A test holds every
//! shape against what the API really answers.

use serde_json::{Map, Value, json};

/// Objects by name.
pub const SHAPES: &[(&str, &str)] = &[
    (
        "item",
        r#"{"object":"item","sku":"MUG-RED","name":"Red mug","kind":"stocked","barcode?":"4006381333931","unit_cost?":{"amount":350,"currency":"USD"},
            "weight_grams?":320,"backorder_cap":{},"on_shortage?":"split","available_from?":"2026-12-01","components?":[{"sku":"MUG-RED","quantity":1}],"split_kit?":false,
            "metadata?":{},"status":"active","version":1,"created_at":"2026-11-24T09:30:00.000Z"}"#,
    ),
    (
        "location",
        r#"{"object":"location","code":"AUS","name":"Austin","kind":"warehouse","address":{"line1?":"1 Dock Rd","line2?":"","city?":"Austin","region?":"TX","postal_code?":"78701","country":"US"},
            "coordinates?":{"latitude":30267153,"longitude":-97743057},"time_zone":"America/Chicago","cutoff_minute":900,"working_days":[0],"handling_days":1,
            "priority":1,"active":true,"version":1,"created_at":"2026-11-24T09:30:00.000Z"}"#,
    ),
    (
        "channel",
        r#"{"object":"channel","code":"web","name":"Web shop","kind":"web","locations":["AUS"],"buffer":{},"on_shortage":"reject",
            "payment":{"timing":"capture_at_shipment","backorder":"now","window_ms":0,"gateway":"test","single_capture":"first_shipment","multicapture":true,"overcapture_percent":0,"on_expiry":"reauthorize"},
            "sourcing":[{"rule":"priority"}],"mail?":{"sender":"Acme <shop@acme.example>","reply_to?":"help@acme.example",
            "payment_url?":"https://acme.example/pay/{number}","status_url?":"https://acme.example/orders/{number}","locale":"en","opt_outs?":["delivered"]},"active":true,"version":1,"created_at":"2026-11-24T09:30:00.000Z"}"#,
    ),
    (
        "settings",
        r#"{"object":"settings","complete_after_days":14,"promise_margin_days":1,"over_receipt_percent":0,"count_approval_units?":5,"authorization_warning_hours":24,"last_digest?":"2026-11-24",
            "alerts?":{"mail_to":["ops@acme.example"],"webhook?":"set","digest_only?":["low_stock"],"gather_seconds":10,"interval_seconds":300,"follow_up":false,
            "digest?":{"minute":480,"time_zone":"Europe/Berlin"}},"version":1}"#,
    ),
    (
        "level",
        r#"{"location":"AUS","version":93,"on_hand":4,"allocated":2,"picked":0,"held":1,"unavailable":{"damaged":1,"quality_control":0,"quarantine":0},
            "safety_stock":0,"available":0,"backordered":1,"incoming":24,"next_incoming?":{"quantity":24,"expected_on?":"2026-12-03"},"inventory_position":24}"#,
    ),
    (
        "past_level",
        r#"{"location":"AUS","version":93,"on_hand":4,"allocated":2,"picked?":1,"held?":1,"unavailable?":1,"backordered?":1,"available":0}"#,
    ),
    ("stock", r#"{"object":"stock","sku":"MUG-RED","sequence":"4821","levels":["$level|past_level"]}"#),
    (
        "stock_level",
        r#"{"object":"stock_level","sku":"MUG-RED","location":"AUS","version":93,"on_hand":4,"allocated":2,"picked":0,"held":1,
            "unavailable":{"damaged":1,"quality_control":0,"quarantine":0},"safety_stock":0,"available":0,"backordered":1,"incoming":24,
            "next_incoming?":{"quantity":24,"expected_on?":"2026-12-03"},"inventory_position":24}"#,
    ),
    ("brief_level", r#"{"version":93,"on_hand":4,"allocated?":2,"picked?":1,"held?":1,"unavailable?":1,"backordered?":1,"available":0}"#),
    (
        "movement",
        r#"{"sequence":"4821","time":"2026-11-24T09:30:00.000Z","actor":"web shop","kind":"allocated","sku":"MUG-RED","location":"AUS","quantity":2,
            "subject":"order/ord_1JD","level":"$brief_level"}"#,
    ),
    (
        "why",
        r#"{"object":"why","sku":"MUG-RED","channel":"web","available":{},"reasons":[{"reason":"held","location?":"AUS","quantity?":1}]}"#,
    ),
    ("availability", r#"{"sku":"MUG-RED","known":true,"unlimited":false,"available":{}}"#),
    ("consequence", r#"{"type":"hold.broken","hold?":"hold_1","order?":"ord_1","sku":"MUG-RED","quantity":1}"#),
    (
        "bulk_result",
        r#"{"line":1,"status":201,"replayed?":false,"body?":{},"code?":"already_exists","detail?":"There is already an item \"MUG-RED\". Update it, or choose another name."}"#,
    ),
    (
        "receipt",
        r#"{"object":"receipt","id":"rcpt_1","location":"AUS","reference?":"ASN-7","lines":[{"sku":"MUG-RED","quantity":24}],"reversed":false,
            "consequences?":["$consequence"],"created_at":"2026-11-24T09:30:00.000Z"}"#,
    ),
    (
        "adjustment",
        r#"{"object":"adjustment","id?":"adj_1","status":"posted","location?":"AUS","reason?":"shrinkage","reference?":"CC-114",
            "lines?":[{"sku":"MUG-RED","bucket":"on_hand","delta":-1,"level":"$brief_level"}],"consequences":["$consequence"],
            "created_at?":"2026-11-24T09:30:00.000Z"}"#,
    ),
    (
        "move",
        r#"{"object":"move","id":"mov_1","location":"AUS","from":"on_hand","to":"damaged","lines":[{"sku":"MUG-RED","quantity":1,"level":"$brief_level"}],
            "consequences":["$consequence"]}"#,
    ),
    (
        "hold",
        r#"{"object":"hold","id":"hold_1","owner":"cart_9","channel":"web","status":"active","expires_at":"2026-11-24T09:45:00.000Z",
            "lines":[{"sku":"MUG-RED","quantity":1,"location":"AUS"}],"version":1,"created_at":"2026-11-24T09:30:00.000Z"}"#,
    ),
    (
        "order",
        r#"{"object":"order","id":"ord_1JD","number":"1001","version":3,"channel":"web","external_id?":"W-10045","origin":"live","status":"open",
            "status_reason?":"customer","payment_status":"authorized","allocation_status":"partial","fulfillment_status":"unfulfilled","currency":"USD",
            "prices_include_tax":false,"on_shortage":"split","priority":0,"total":4438,"canceled_amount":0,"authorized":4438,"captured":0,"refunded":0,
            "balance_due":4438,"promised_ship_by?":"2026-12-04","customer?":"$buyer","ship_to?":"$ship_to","note?":"Ring twice","notify":true,
            "lines":["$order_line"],"charges":[{"id":"chg_1JD-1","kind":"shipping","amount":500,"tax":41,"total":541}],"payments":["$payment"],
            "refunds":["$refund"],"fulfillments":["$fulfillment"],"returns":["$return"],
            "notifications":["$notification"],"metadata":{},"created_at":"2026-11-24T09:30:00.000Z",
            "updated_at":"2026-11-24T09:30:00.000Z","late_since?":"2026-12-05T06:00:00.000Z","closed_at?":"2026-11-24T09:30:00.000Z"}"#,
    ),
    ("buyer", r#"{"id":"cus_1","external_id?":"c_88","email?":"ada@example.com","name?":"Ada","phone?":"+1 512","locale?":"en-US"}"#),
    (
        "ship_to",
        r#"{"name?":"Ada","company?":"","line1?":"1 Main St","line2?":"","city?":"Austin","region?":"TX","postal_code?":"78701","phone?":"","country":"US"}"#,
    ),
    (
        "order_line",
        r#"{"id":"ol_1JD-1","external_id?":"li_1","sku":"MUG-RED","name":"Red mug","ordered":3,"allocated":2,"backordered":1,"shipped":0,"canceled":0,
            "returned":0,"unit_price":1200,"discount":0,"tax":297,"total":3897,"promised_ship_by?":"2026-12-04","promise_source?":"po_77","ships_from?":"2026-12-01T06:00:00.000Z",
            "allocations?":[{"location":"AUS","quantity":2,"released":2,"picked":0}],"backorders?":[{"location":"AUS","quantity":1}],"components?":["$component"]}"#,
    ),
    (
        "component",
        r#"{"sku":"MUG-RED","per_unit":1,"ordered":3,"allocations?":[{"location":"AUS","quantity":2,"released":2,"picked":0}],
            "backorders?":[{"location":"AUS","quantity":1}],"shipped":0,"canceled":0,"returned":0}"#,
    ),
    (
        "payment",
        r#"{"object?":"payment","order?":"ord_1JD","id":"pay_1JD-1","gateway":"test","token?":"tok_visa","reference?":"pi_3P","status":"authorized","amount":4438,"authorized":4438,"captured":0,"refunded":0,
            "capture_now":false,"multicapture":true,"overcapture_percent":0,"expiring?":true,"expires_at?":"2026-12-01T09:30:00.000Z","failure?":"card_declined","created_at":"2026-11-24T09:30:00.000Z"}"#,
    ),
    (
        "refund",
        r#"{"object?":"refund","order?":"ord_1JD","id":"re_1JD-1","payment":"pay_1JD-1","status":"refunded","amount":1200,"charges":0,"lines?":[{"line":"ol_1JD-1","quantity":1,"amount":1200,"tax":0}],
            "of_excess":false,"reason?":"broken","failure?":"closed account","created_at":"2026-11-24T09:30:00.000Z"}"#,
    ),
    (
        "refund_preview",
        r#"{"object":"refund_preview","amount":1200,"tax":0,"charges":0,"refundable":4438,"lines":[{"line":"ol_1JD-1","quantity":1,"amount":1200,"tax":0}],
            "payments":[{"payment":"pay_1JD-1","amount":1200}]}"#,
    ),
    (
        "fulfillment",
        r#"{"object":"fulfillment","id":"ful_1JD-1","order":"ord_1JD","location":"AUS","status":"released","cancel_requested":false,
            "lines":[{"line":"ol_1JD-1","part?":0,"sku":"MUG-RED","quantity":2,"picked":0}],
            "shipment?":{"carrier?":"UPS","tracking_number?":"1Z999","tracking_url?":"https://","cost?":700,"parcels?":[{"weight_grams?":900,"tracking_number?":"1Z999"}]},
            "created_at":"2026-11-24T09:30:00.000Z","shipped_at?":"2026-11-25T09:30:00.000Z","delivered_at?":"2026-11-27T09:30:00.000Z"}"#,
    ),
    (
        "return",
        r#"{"object?":"return","id":"ret_1JD-1","order?":"ord_1JD","location?":"AUS","external_id?":"R-1","status":"requested","reason?":"too small",
            "lines":[{"line?":"ol_1JD-1","sku":"MUG-RED","quantity":1,"received?":[{"quantity":1,"disposition":"restock"}]}],"received_at?":"2026-11-24T09:30:00.000Z","closed_at?":"2026-11-24T09:30:00.000Z",
            "version":1,"created_at":"2026-11-24T09:30:00.000Z"}"#,
    ),
    (
        "sales_report",
        r#"{"object":"report","report":"sales","step":"day","from":"2026-11-24T00:00:00.000Z","until":"2026-11-25T00:00:00.000Z",
            "data":[{"start":"2026-11-24T00:00:00.000Z","orders":12,"rejected":1,"canceled":0,"units":30,"units_filled":28,"shipped":9,
            "shipped_on_time":9,"delivered":7,"sales":{},"captured":{}}]}"#,
    ),
    (
        "stock_value_report",
        r#"{"object":"report","report":"stock_value","sequence":"4821","data":[{"location":"AUS","skus":310,"on_hand":8412,"available":8120,
            "incoming":240,"value":{},"on_hand_without_cost":0}]}"#,
    ),
    (
        "notification",
        r#"{"id":"ntf_1JD-1","topics":[{"topic":"shipped","fulfillment?":"ful_1JD-1","refund?":"re_1JD-1","return?":"ret_1JD-1"}],"status":"sent","attempts":1,
            "requested_at":"2026-11-24T09:30:00.000Z","retry_at?":"2026-11-24T09:30:00.000Z","ended_at?":"2026-11-24T09:30:00.000Z",
            "reference?":"ntf_1JD-1@acme.example","failure?":{"code":"550","message":"no such user"}}"#,
    ),
    (
        "mail_preview",
        r#"{"object":"mail_preview","topic":"shipped","locale":"en","subject":"Your order 1001 is on its way","text":"…","html":"…","problem?":"shipped.txt: …"}"#,
    ),
    (
        "supplier",
        r#"{"object":"supplier","code":"ACME","name":"Acme Ltd","email?":"orders@acme.example","lead_time_days":7,"currency":"USD","order_minimum":0,
            "cutoff?":{"minute":720,"time_zone":"Europe/London","weekdays":[0]},"auto":"send","dispatch?":"mail","webhook?":{"url":"https://acme.example/orders"},"metadata?":{},"active":true,"version":1,"created_at":"2026-11-24T09:30:00.000Z"}"#,
    ),
    (
        "policy",
        r#"{"object":"policy","sku":"MUG-RED","location":"AUS","supplier?":"ACME","source_location?":"LON","auto?":"draft","reorder_point":10,"order_up_to?":60,"reorder_quantity?":24,"moq":12,
            "multiple":12,"lead_time_days?":7,"unit_cost?":350,"active":true,"deleted?":true,"version":1}"#,
    ),
    (
        "purchase_order",
        r#"{"object":"purchase_order","id":"po_77","supplier":"ACME","location":"AUS","status":"sent","currency":"USD","total?":8400,"automatic":true,
            "reference?":"SO-88","lines":[{"sku":"MUG-RED","ordered":24,"received":0,"canceled":0,"unit_cost?":350,"expected_on?":"2026-12-03","late_at?":"2026-12-04T06:00:00.000Z"}],
            "dispatch?":{"via":"mail","status":"sent","attempts":1,"requested_at":"2026-11-24T12:00:00.000Z","retry_at?":"2026-11-24T12:00:00.000Z",
            "ended_at?":"2026-11-24T12:00:00.000Z","reference?":"po_77@acme.example","failure?":{"code":"550","message":"no such user"}},
            "send_at?":"2026-11-24T12:00:00.000Z","sent_at?":"2026-11-24T12:00:00.000Z","late_since?":"2026-12-04T06:00:00.000Z","version":1,"created_at":"2026-11-24T09:30:00.000Z"}"#,
    ),
    (
        "transfer",
        r#"{"object":"transfer","id":"tr_1","from":"AUS","to":"BER","status":"shipped","automatic":false,"reference?":"TR-7","carrier?":"DHL","tracking_number?":"JD014",
            "lines":[{"sku":"MUG-RED","quantity":24,"shipped":24,"received":20,"damaged":1,"lost":0}],"expected_on?":"2026-12-03",
            "late_at?":"2026-12-03T23:00:00.000Z","late_since?":"2026-12-03T23:00:00.000Z","shipped_at?":"2026-11-24T09:30:00.000Z",
            "closed_at?":"2026-12-03T09:30:00.000Z","version":1,"created_at":"2026-11-24T09:30:00.000Z"}"#,
    ),
    (
        "customer",
        r#"{"object":"customer","id":"cus_1","external_id?":"c_88","email?":"ada@example.com","name?":"Ada","phone?":"+1 512","locale?":"en-US","orders":3,"mail_opt_outs":["delivered"],
            "merged_into?":"cus_2","erased_at?":"2026-11-24T09:30:00.000Z","version":1,"created_at":"2026-11-24T09:30:00.000Z"}"#,
    ),
    (
        "count",
        r#"{"object":"count","id":"cnt_1","location":"AUS","reference?":"CC-114","status":"open",
            "lines":[{"sku":"MUG-RED","counted?":{"quantity":7,"expected":8,"at":"2026-11-24T09:30:00.000Z"},"book?":[{"at":"2026-11-24T09:00:00.000Z","expected":8}]}],"closed_at?":"2026-11-24T09:30:00.000Z","version":1,"created_at":"2026-11-24T09:30:00.000Z"}"#,
    ),
    (
        "alert",
        r#"{"object":"alert","id":"alert_1","kind":"low_stock","sku?":"MUG-RED","location?":"AUS","order?":"ord_1","numbers":{},"status":"open",
            "purchase_order?":"po_77","transfer?":"tr_1","subscription?":"sub_1","subject?":"stock/MUG-RED@AUS","connector?":"stripe",
            "note?":"no answer for an hour","raised_at":"2026-11-24T09:30:00.000Z","acknowledged_by?":"ada","cleared_at?":"2026-11-24T09:30:00.000Z","told?":[{"destination":"mail","status":"open"}],"version":1}"#,
    ),
    (
        "subscription",
        r#"{"object":"subscription","id":"sub_1","name":"ERP","kind":"webhook","filter":{"types":["order.*"],"subjects":["order/*"],"channels":["web"]},
            "webhook?":{"url":"https://erp.example/events","concurrency":4,"timeout_ms":15000,"secrets":[{"expires_at?":"2026-11-25T09:30:00.000Z"}]},
            "personal_data":false,"history":false,"stalled_after_seconds?":300,"status":"active","status_reason?":"maintenance","cursor":"1-4821",
            "lag":{"events":0,"seconds":0},"circuit":"closed","last_error?":"answered 500","failing_since?":"2026-11-24T09:30:00.000Z","parked":0,
            "backfills":[{"next":"1-7","to":"1-99"}],"secret?":"whsec_…","created_at":"2026-11-24T09:30:00.000Z","updated_at":"2026-11-24T09:30:00.000Z",
            "version":1}"#,
    ),
    (
        "attempt",
        r#"{"object":"attempt","event":"1-4821","sequence":"4821","type":"order.placed.v1","subject":"order/ord_1","attempt":1,
            "time":"2026-11-24T09:30:00.000Z","delivered":false,"status?":500,"error?":"no answer within 15000 ms","duration_ms":12,"answer":"oops"}"#,
    ),
    (
        "dead_letter",
        r#"{"object":"dead_letter","subject":"order/ord_1","sequence":"4821","attempts":4,"since":"2026-11-24T09:30:00.000Z","given_up":false,
            "event?":"$event"}"#,
    ),
    ("discarded_letter", r#"{"object":"dead_letter","sequence":"4821","discarded":true}"#),
    (
        "test_delivery",
        r#"{"object":"test_delivery","event":"test-1764000000000","delivered":true,"status?":204,"error?":"redirects are not followed","duration_ms":12,
            "answer":""}"#,
    ),
    ("backfill", r#"{"object":"backfill","subscription":"sub_1","from":"1-1","to":"1-4821"}"#),
    ("redelivery", r#"{"object":"redelivery","subscription?":"sub_1","parked?":1,"from?":"1-1","to?":"1-4821"}"#),
    (
        "event_result",
        r#"{"id?":"a-17","source?":"/erp","status":201,"replayed?":false,"body?":{},"code?":"not_found","detail?":"There is no …","field?":"data","line?":1,"column?":1,"kind?":"order"}"#,
    ),
    ("deleted_subscription", r#"{"object":"subscription","id":"sub_1","deleted":true}"#),
    ("acknowledgment", r#"{"object":"acknowledgment","subscription":"sub_1","cursor":"1-4821"}"#),
    (
        "key",
        r#"{"object":"key","id":"key_1","name":"web shop","role":"storefront","secret?":"qm_…","created_at":"2026-11-24T09:30:00.000Z",
            "last_used_at?":"2026-11-24T09:30:00.000Z","revoked_at?":"2026-11-24T09:30:00.000Z"}"#,
    ),
    (
        "event",
        r#"{"specversion":"1.0","id":"1-4821","source":"/shops/main","type":"quartermaster.stock.allocated.v1","subject":"order/ord_1JD",
            "time":"2026-11-24T09:30:00.000Z","datacontenttype":"application/json","sequence":"00000000000000004821",
            "subjectsequence":"00000000000000000093","correlationid":"ord_1JD","causationid?":"1-4820","actor":"web shop","data":{}}"#,
    ),
];

/// Schemas of all shapes, by name.
pub fn schemas() -> Map<String, Value> {
    let mut shapes: Map<String, Value> =
        SHAPES.iter().map(|(name, example)| ((*name).to_owned(), serde_json::from_str(example).expect("shapes are JSON"))).collect();
    let preview = order_preview(&shapes["order"]);
    shapes.insert("order_preview".to_owned(), preview);
    shapes.into_iter().map(|(name, shape)| (name, schema(&shape))).collect()
}

/// An order that has neither id nor number yet, with the decision where it would ship from.
fn order_preview(order: &Value) -> Value {
    let members = order.as_object().into_iter().flatten().map(|(name, value)| match name.as_str() {
        "id" | "number" => (format!("{name}?"), value.clone()),
        _ => (name.clone(), value.clone()),
    });
    members.chain([("sourcing?".to_owned(), json!({}))]).collect()
}

/// The schema of a successful answer: an object, or a list of it.
pub fn answer(method: &str, path: &str) -> Value {
    match of_route(method, path) {
        Some(Answer::One(name)) => reference(name),
        Some(Answer::List(name)) => json!({
            "type": "object",
            "required": ["object", "data", "has_more", "next_cursor"],
            "properties": {
                "object": {"const": "list"}, "channel": {"type": "string"}, "data": {"type": "array", "items": reference(name)},
                "has_more": {"type": "boolean"}, "next_cursor": {"type": ["string", "null"]},
            },
        }),
        None => json!({"type": "object"}),
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

pub enum Answer {
    One(&'static str),
    List(&'static str),
}

/// Objects by the resource that the path begins with.
const RESOURCES: &[(&str, &str)] = &[
    ("items", "item"),
    ("locations", "location"),
    ("channels", "channel"),
    ("stock", "stock_level"),
    ("receipts", "receipt"),
    ("adjustments", "adjustment"),
    ("moves", "move"),
    ("holds", "hold"),
    ("orders", "order"),
    ("fulfillments", "fulfillment"),
    ("returns", "return"),
    ("suppliers", "supplier"),
    ("replenishment-policies", "policy"),
    ("purchase-orders", "purchase_order"),
    ("transfers", "transfer"),
    ("customers", "customer"),
    ("counts", "count"),
    ("payments", "payment"),
    ("refunds", "refund"),
    ("notifications", "order"),
    ("alerts", "alert"),
    ("events", "event"),
    ("keys", "key"),
    ("subscriptions", "subscription"),
];

/// Which shape a route answers with; `None` where it is not written down.
pub fn of_route(method: &str, path: &str) -> Option<Answer> {
    match (method, path) {
        ("GET" | "PUT", "/v1/settings") => return Some(Answer::One("settings")),
        ("GET", "/v1/stock/{sku}") => return Some(Answer::One("stock")),
        ("GET", "/v1/stock/{sku}/ledger") => return Some(Answer::List("movement")),
        ("GET", "/v1/stock/{sku}/why") => return Some(Answer::One("why")),
        ("GET", "/v1/availability") => return Some(Answer::List("availability")),
        ("GET", "/v1/orders/{id}/timeline") => return Some(Answer::List("event")),
        ("GET", "/v1/subscriptions/{id}/events") => return Some(Answer::List("event")),
        ("GET", "/v1/subscriptions/{id}/stream") => return None,
        ("POST", "/v1/subscriptions/{id}/test") => return Some(Answer::One("test_delivery")),
        ("POST", "/v1/subscriptions/{id}/backfill") => return Some(Answer::One("backfill")),
        ("POST", "/v1/subscriptions/{id}/redeliver") => return Some(Answer::One("redelivery")),
        ("GET", "/v1/subscriptions/{id}/attempts") => return Some(Answer::List("attempt")),
        ("GET", "/v1/subscriptions/{id}/dead-letters") => return Some(Answer::List("dead_letter")),
        ("POST", "/v1/subscriptions/{id}/dead-letters/{sequence}/discard") => return Some(Answer::One("discarded_letter")),
        ("POST", "/v1/events") => return Some(Answer::List("event_result")),
        ("POST", "/v1/subscriptions/{id}/ack") => return Some(Answer::One("acknowledgment")),
        ("POST", "/v1/subscriptions/{id}/delete") => return Some(Answer::One("deleted_subscription")),
        ("POST", bulk) if bulk.ends_with("/bulk") => return Some(Answer::One("bulk_result")),
        ("POST", "/v1/orders/preview") => return Some(Answer::One("order_preview")),
        ("PUT", "/v1/customers/{id}/mail-preferences") => return Some(Answer::One("customer")),
        ("POST", "/v1/replenishment-policies/{sku}/{location}/delete") => return Some(Answer::One("policy")),
        ("GET", "/v1/reports/sales") => return Some(Answer::One("sales_report")),
        ("GET", "/v1/reports/stock-value") => return Some(Answer::One("stock_value_report")),
        ("POST", "/v1/orders/{id}/refunds/preview") => return Some(Answer::One("refund_preview")),
        ("GET", "/v1/mail/preview") => return Some(Answer::One("mail_preview")),
        _ => {}
    }
    let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
    let (_, object) = RESOURCES.iter().find(|(noun, _)| *noun == parts[0])?;
    let known_verbs = parts[1..].iter().all(|part| part.starts_with('{')) || (method == "POST" && parts.len() == 3) || parts[0] == "stock";
    match (method, parts.len()) {
        ("GET", 1) => Some(Answer::List(object)),
        _ if known_verbs => Some(Answer::One(object)),
        _ => None,
    }
}

fn schema(example: &Value) -> Value {
    match example {
        Value::Object(members) if members.is_empty() => json!({}),
        Value::Object(members) => {
            let name_of = |name: &str| name.trim_end_matches('?').to_owned();
            let required: Vec<&String> = members.keys().filter(|name| !name.ends_with('?')).collect();
            let properties: Map<String, Value> = members
                .iter()
                .map(|(name, value)| (name_of(name), if name.ends_with('?') { or_null(schema(value)) } else { schema(value) }))
                .collect();
            json!({"type": "object", "required": required, "properties": properties})
        }
        Value::Array(items) => json!({"type": "array", "items": items.first().map_or_else(|| json!({}), schema)}),
        Value::String(text) => match text.strip_prefix('$') {
            Some(names) if names.contains('|') => json!({"oneOf": names.split('|').map(reference).collect::<Vec<_>>()}),
            Some(name) => reference(name),
            None => json!({"type": "string", "examples": [text]}),
        },
        Value::Number(number) => json!({"type": "integer", "examples": [number]}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Null => json!({}),
    }
}

fn or_null(mut schema: Value) -> Value {
    match schema.get("type").and_then(Value::as_str).map(str::to_owned) {
        Some(kind) => schema["type"] = json!([kind, "null"]),
        None if schema.get("$ref").is_some() => return json!({"oneOf": [schema, {"type": "null"}]}),
        None => {}
    }
    schema
}
