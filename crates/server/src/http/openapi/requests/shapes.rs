//! The bodies that clients send, as shapes of them.
//!
//! A shape is an example, as for answers: a name that ends with `?` may be left out, with `??` it may be null as well. `"a|b"` is one of these
//! words, `"=a"` this word, `{"$one":[…]}` one of these shapes, `{"*":…}` an object with names of the client's own. Tests hold every body that
//! they send against its shape, ask each route for the names that it knows, and send null wherever something may be left out.

const ITEM: &str = r#"{"sku":"MUG-RED","name":"Red mug","kind?":"stocked|kit|service","components?":[{"sku":"MUG-RED","quantity":1}],"split_kit?":false,
    "barcode??":"4006381333931","unit_cost??":{"amount":350,"currency":"USD"},"weight_grams??":320,
    "backorder_cap?":{"$one":["none|up_to_incoming|unlimited",{"limit":5}]},"on_shortage??":"reject|backorder|split|partial",
    "available_from??":"2026-12-01","metadata?":{"*":""},"status?":"active|retired","version?":1,"created_at?":"2026-11-24T09:30:00.000Z","object?":"item"}"#;
const LOCATION: &str = r#"{"code":"AUS","name":"Austin","address":{"line1??":"1 Dock Rd","city??":"Austin","region??":"TX","postal_code??":"78701","country":"US"},
    "coordinates??":{"latitude":30267153,"longitude":-97743057},"time_zone?":"America/Chicago","cutoff_minute?":900,"working_days?":[0],"handling_days?":1,
    "priority?":1,"kind?":"warehouse|store|supplier","active?":true,"version?":1,"created_at?":"2026-11-24T09:30:00.000Z","object?":"location"}"#;
const CHANNEL: &str = r#"{"code":"web","name":"Web shop","kind?":"web|store|marketplace|wholesale","locations?":["AUS"],
    "buffer?":{"$one":["none",{"units":3},{"percent":5}]},"on_shortage?":"reject|backorder|split|partial",
    "payment?":{"timing?":"capture_at_shipment|capture_at_placement|invoice|outside","backorder?":"now|on_allocation","window_ms?":1800000,"gateway?":"test",
    "single_capture?":"first_shipment|last_shipment","multicapture?":true,"overcapture_percent?":0,"on_expiry?":"reauthorize|hold"},
    "sourcing?":[{"$one":[{"rule":"same_country|same_region|priority|fewest_splits|nearest"},
    {"rule":"=prefer","country":"US","region??":"TX","locations":["AUS"]}]}],"mail??":{"sender":"Acme <shop@acme.example>","reply_to??":"help@acme.example","payment_url??":"https://acme.example/pay/{number}",
    "status_url??":"https://acme.example/orders/{number}","locale?":"en","opt_outs?":["delivered"]},"active?":true,"version?":1,
    "created_at?":"2026-11-24T09:30:00.000Z","object?":"channel"}"#;
const SETTINGS: &str = r#"{"complete_after_days?":14,"promise_margin_days?":1,"over_receipt_percent?":0,"count_approval_units??":5,
    "authorization_warning_hours?":24,"last_digest??":"2026-11-24","alerts??":{"mail_to?":["ops@acme.example"],"webhook??":"https://chat.example/hook",
    "digest_only?":["low_stock"],"gather_seconds?":10,"interval_seconds?":300,"follow_up?":false,"digest??":{"minute":480,"time_zone":"Europe/Berlin"}},
    "version?":1,"object?":"settings"}"#;
const SUPPLIER: &str = r#"{"code":"ACME","name":"Acme Ltd","email??":"orders@acme.example","lead_time_days?":7,"currency":"USD","order_minimum?":0,
    "auto?":"send|draft|alert","dispatch?":"none|mail|webhook","webhook??":{"url":"https://acme.example/orders","secret":"at least 16 characters"},
    "cutoff??":{"minute":720,"weekdays":[0],"time_zone":"Europe/Berlin"},"active?":true,"metadata?":{"*":""},"version?":1,
    "created_at?":"2026-11-24T09:30:00.000Z","object?":"supplier"}"#;
const ORDER: &str = r#"{"channel":"web","external_id??":"W-10045","currency":"USD","prices_include_tax?":false,"on_shortage??":"reject|backorder|split|partial",
    "hold_owner??":"cart_9","priority?":0,"customer??":{"external_id??":"c_88","email??":"ada@example.com","name??":"Ada","phone??":"+1 512 555 0100","locale??":"en"},
    "ship_to??":{"name??":"Ada","company??":"","line1??":"1 Main St","line2??":"","city??":"Austin","region??":"TX","postal_code??":"78701","phone??":"","country":"US",
    "coordinates??":{"latitude":30267153,"longitude":-97743057}},
    "lines":[{"external_id??":"1","sku":"MUG-RED","quantity":3,"unit_price":1200,"discount?":0,"tax?":297,"total??":3897}],
    "charges?":[{"kind":"shipping","amount":500,"tax?":41,"total??":541}],"total??":4438,"payment_token??":"tok_visa",
    "payments?":[{"gateway":"stripe","reference??":"pi_1","status":"authorized|captured","amount":4438,"expires_at??":"2026-12-01T00:00:00Z"}],
    "note??":"","notify?":true,"metadata?":{"*":""}}"#;
const UNITS: &str = r#"{"location":"AUS","reference??":"ASN-7","lines":[{"sku":"MUG-RED","quantity":24}]}"#;
const ADJUSTMENT: &str = r#"{"location":"AUS","reason":"shrinkage","reference??":"CC-114","occurred_at??":"2026-11-24T09:30:00Z",
    "lines":[{"sku":"MUG-RED","bucket?":"on_hand|damaged|quality_control|quarantine","delta??":-1,"set_to??":4,"if_quantity??":4}]}"#;
const REASON: &str = r#"{"reason??":"wrong pallet"}"#;
const REFUND: &str = r#"{"lines?":[{"id":"ol_1-1","quantity":1}],"charges?":0,"amount??":500,"payment??":"pay_1-1","reason??":"broken"}"#;
const SUBSCRIPTION: &str = r#"{"name":"ERP","kind??":"pull|sse|webhook","filter?":{"types?":["order.*"],"subjects?":["order/*"],"channels?":["web"]},
    "webhook??":{"url":"https://erp.example/events","concurrency??":4,"timeout_ms??":15000,"secret??":"whsec_…"},"personal_data?":false,"history?":false,
    "stalled_after_seconds??":900,"start??":"now"}"#;

/// Routes with their shapes; where a route has none, its example says it all.
pub const SHAPES: &[(&str, &str, &str)] = &[
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
        r#"{"location":"AUS","reason??":"broken","from":"on_hand|damaged|quality_control|quarantine","to":"on_hand|damaged|quality_control|quarantine","lines":[{"sku":"MUG-RED","quantity":1}]}"#,
    ),
    (
        "POST",
        "/v1/holds",
        r#"{"owner":"cart_9","channel??":"web","ttl_seconds??":900,"lines":[{"sku":"MUG-RED","quantity":1,"location??":"AUS"}]}"#,
    ),
    ("POST", "/v1/holds/{id}/extend", r#"{"ttl_seconds??":900}"#),
    (
        "POST",
        "/v1/orders/{id}/edit",
        r#"{"lines?":[{"id":"ol_1-1","quantity":2,"discount??":0,"tax??":0}],"add?":[{"external_id??":"1","sku":"MUG-RED","quantity":1,"unit_price":1200,"discount?":0,"tax?":0,"total??":1200}]}"#,
    ),
    ("POST", "/v1/orders/{id}/cancel", r#"{"reason??":"customer","lines?":[{"id":"ol_1-1","quantity":1}]}"#),
    ("POST", "/v1/orders/{id}/pay", r#"{"token??":"tok_visa"}"#),
    ("POST", "/v1/orders/{id}/mark-paid", r#"{"amount??":4438,"reference??":"bank 77"}"#),
    ("POST", "/v1/orders/{id}/refunds", REFUND),
    ("POST", "/v1/orders/{id}/refunds/preview", REFUND),
    (
        "POST",
        "/v1/fulfillments/{id}/ship",
        r#"{"carrier??":"UPS","tracking_number??":"1Z999","tracking_url??":"https://ups.example/1Z999","parcels?":[{"weight_grams??":900,"tracking_number??":"1Z999"}],"cost??":700}"#,
    ),
    ("POST", "/v1/fulfillments/{id}/deliver", r#"{"delivered_at??":"2026-12-02T10:00:00.000Z"}"#),
    (
        "POST",
        "/v1/returns",
        r#"{"order??":"ord_1","location??":"AUS","external_id??":"R-1","reason??":"too small","lines":[{"id??":"ol_1-1","sku??":"MUG-RED","quantity":1,"disposition??":"restock|damaged|scrap"}]}"#,
    ),
    ("POST", "/v1/returns/{id}/receive", r#"{"location":"AUS","lines":[{"index":0,"quantity":1,"disposition":"restock|damaged|scrap"}]}"#),
    (
        "PUT",
        "/v1/replenishment-policies",
        r#"{"sku":"MUG-RED","location":"AUS","supplier?":"ACME","source_location?":"BER","auto??":"send|draft|alert","reorder_point":10,"order_up_to?":60,"reorder_quantity?":24,"moq?":12,"multiple?":12,"lead_time_days??":7,"unit_cost?":350,"active?":true,"version?":1,"object?":"policy"}"#,
    ),
    (
        "POST",
        "/v1/purchase-orders",
        r#"{"supplier":"ACME","location":"AUS","reference??":"PO-7","lines":[{"sku":"MUG-RED","quantity":24,"unit_cost??":350}]}"#,
    ),
    ("POST", "/v1/purchase-orders/{id}/amend", r#"{"lines":[{"sku":"MUG-RED","quantity":36,"unit_cost??":350}]}"#),
    ("POST", "/v1/purchase-orders/{id}/acknowledge", r#"{"reference??":"SO-88","lines?":[{"sku":"MUG-RED","expected_on":"2026-12-03"}]}"#),
    (
        "POST",
        "/v1/purchase-orders/{id}/receive",
        r#"{"lines":[{"sku":"MUG-RED","accepted":22,"damaged?":2}],"confirm_over_receipt?":false}"#,
    ),
    (
        "POST",
        "/v1/transfers",
        r#"{"from":"AUS","to":"BER","reference??":"TR-7","expected_on??":"2026-12-03","lines":[{"sku":"MUG-RED","quantity":24}]}"#,
    ),
    ("POST", "/v1/transfers/{id}/amend", r#"{"lines?":[{"sku":"MUG-RED","quantity":36}],"expected_on??":"2026-12-04"}"#),
    (
        "POST",
        "/v1/transfers/{id}/ship",
        r#"{"lines?":[{"sku":"MUG-RED","quantity":24}],"expected_on??":"2026-12-03","carrier??":"DHL","tracking_number??":"JD014"}"#,
    ),
    ("POST", "/v1/transfers/{id}/receive", r#"{"lines":[{"sku":"MUG-RED","accepted":22,"damaged?":1}]}"#),
    (
        "POST",
        "/v1/customers",
        r#"{"channel??":"web","external_id??":"c_88","email??":"ada@example.com","name??":"Ada","phone??":"+1 512 555 0100","locale??":"en"}"#,
    ),
    ("POST", "/v1/counts", r#"{"location":"AUS","skus":["MUG-RED"],"reference??":"CC-114"}"#),
    ("POST", "/v1/counts/{id}/record", r#"{"lines":[{"sku":"MUG-RED","counted":7,"counted_at??":"2026-11-24T09:30:00.000Z"}]}"#),
    ("POST", "/v1/counts/{id}/post", r#"{"approve?":false}"#),
    ("POST", "/v1/subscriptions", SUBSCRIPTION),
    ("PUT", "/v1/subscriptions/{id}", SUBSCRIPTION),
    ("POST", "/v1/subscriptions/{id}/rotate-secret", r#"{"secret??":"whsec_…","overlap_seconds??":86400}"#),
    ("POST", "/v1/subscriptions/{id}/redeliver", r#"{"sequence??":"1-4821","from??":"1-4000","to??":"now","parked?":false}"#),
    ("POST", "/v1/keys", r#"{"name":"web shop","role":"admin|operator|warehouse|storefront|read_only"}"#),
];
