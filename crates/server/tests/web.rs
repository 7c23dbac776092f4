//! The dashboard's door: who may pass, and what is refused.

#[expect(dead_code, reason = "each test file is compiled with its own copy")]
mod client;
#[path = "web/together.rs"]
mod together;
#[path = "web/words.rs"]
mod words;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use client::Client;
use http_body_util::BodyExt;
use server::keys::Role;
use server::web::{COOKIE, Desk, PAGES, router};
use tower::ServiceExt;

struct Door {
    client: Client,
    router: axum::Router,
    desk: std::sync::Arc<Desk>,
}

/// Somebody who has signed in: the cookie, and the token of the forms.
struct Guest {
    cookie: String,
    csrf: String,
}

impl Door {
    async fn new() -> Self {
        let client = Client::furnished().await;
        let desk = Desk::open(client.shop.clone(), client.folder.path()).unwrap();
        Self { router: router(desk.clone()), desk, client }
    }

    async fn send(&self, method: &str, path: &str, cookie: Option<&str>, body: &str) -> Response {
        let mut request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        self.router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap()
    }

    async fn sign_in(&self, role: Role) -> Guest {
        let (_, secret) = self.client.shop.keys.create(role.as_str(), role).unwrap();
        let answer = self.send("POST", "/sign-in", None, &format!("key={secret}")).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let set = answer.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
        assert!(set.starts_with(COOKIE) && set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
        let cookie = set.split(';').next().unwrap().to_owned();
        let page = text(self.send("GET", "/more", Some(&cookie), "").await).await;
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        Guest { cookie, csrf }
    }
}

async fn text(response: Response) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

fn example(path: &str) -> String {
    let step = if path.starts_with("/purchase-orders") { "send" } else { "approve" };
    path.replace("{step}", step).replace("{sku}", "MUG").replace("{code}", "AUS").replace("{seq}", "3").replace("{id}", "ord_1")
}

#[tokio::test]
async fn every_page_asks_for_a_session_and_for_its_role() {
    let door = Door::new().await;
    let roles = [Role::Admin, Role::Operator, Role::Warehouse, Role::Storefront, Role::ReadOnly];
    let mut guests = Vec::new();
    for role in roles {
        guests.push((role, door.sign_in(role).await));
    }
    for page in PAGES {
        let path = example(page.path);
        let nobody = door.send(page.method, &path, None, "").await;
        assert_eq!(nobody.status(), StatusCode::SEE_OTHER, "{path}");
        assert!(nobody.headers()[header::LOCATION].to_str().unwrap().starts_with("/sign-in"), "{path}");
        for (role, guest) in &guests {
            let allowed = page.access.roles().contains(role);
            let answer = door.send(page.method, &path, Some(&guest.cookie), &format!("csrf={}", guest.csrf)).await;
            if !allowed {
                assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{} {path} as {role:?}", page.method);
            } else if page.method == "POST" {
                let foreign = door.send("POST", &path, Some(&guest.cookie), "csrf=guess").await;
                assert_eq!(foreign.status(), StatusCode::FORBIDDEN, "{path} without our token");
            }
        }
    }
}

#[tokio::test]
async fn a_page_forbids_scripts_and_frames_from_elsewhere() {
    let door = Door::new().await;
    let guest = door.sign_in(Role::Admin).await;
    let page = door.send("GET", "/", Some(&guest.cookie), "").await;
    assert_eq!(page.status(), StatusCode::OK);
    let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    let etag = page.headers()[header::ETAG].to_str().unwrap().to_owned();
    let html = text(page).await;
    assert!(!html.contains("style=\"") && !html.contains("onclick") && !html.contains("<script>"), "inline is forbidden by the policy");
    assert!(html.len() < 100 * 1024);
    let request = Request::builder().uri("/").header(header::COOKIE, &guest.cookie).header(header::IF_NONE_MATCH, etag);
    let again = door.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "what is the same is not sent again");
}

#[tokio::test]
async fn a_link_signs_in_once_and_a_revoked_key_signs_out() {
    let door = Door::new().await;
    let link = door.desk.sign_in_link().unwrap().unwrap();
    let first = door.send("GET", &link, None, "").await;
    let cookie = first.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(door.send("GET", &link, None, "").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(door.send("GET", "/", Some(&cookie), "").await.status(), StatusCode::OK);
    let keys = &door.client.shop.keys;
    keys.list().iter().for_each(|key| {
        keys.revoke(key.id).unwrap();
    });
    assert_eq!(door.send("GET", "/", Some(&cookie), "").await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_action_is_done_once_however_often_its_button_is_pressed() {
    let door = Door::new().await;
    let guest = door.sign_in(Role::Operator).await;
    door.client.post("/v1/orders", &client::order("W-1", 2)).await;
    door.client.until("/v1/orders/ord_1", "payment_status", "authorized").await;
    let asked = text(door.send("GET", "/orders/ord_1/hold", Some(&guest.cookie), "").await).await;
    assert!(asked.contains("Order held"), "it says what will happen");
    let once = asked.split("name=\"once\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let body = format!("csrf={}&once={once}&reason=check", guest.csrf);
    for _ in 0..2 {
        let done = door.send("POST", "/orders/ord_1/hold", Some(&guest.cookie), &body).await;
        assert_eq!((done.status(), done.headers()[header::LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, "/orders/ord_1"));
    }
    let refused = door.send("POST", "/orders/ord_1/hold", Some(&guest.cookie), &format!("csrf={}&reason=again", guest.csrf)).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert!(text(refused).await.contains("needs it to be open"), "the form comes back with the reason");
    let timeline = door.client.get("/v1/orders/ord_1/timeline").await.body;
    let held =
        timeline["data"].as_array().unwrap().iter().filter(|event| event["type"] == "quartermaster.order.held.v1").collect::<Vec<_>>();
    assert_eq!((held.len(), held[0]["actor"].as_str()), (1, Some("operator")));
}

#[tokio::test]
async fn a_return_waits_on_the_overview_and_among_the_returns_until_it_is_over() {
    let door = Door::new().await;
    let guest = door.sign_in(Role::Operator).await;
    door.client.post("/v1/orders", &client::order("W-1", 2)).await;
    let order = door.client.until("/v1/orders/ord_1", "payment_status", "authorized").await;
    let work = order["fulfillments"][0]["id"].as_str().unwrap().to_owned();
    for (step, body) in [("pick", ""), ("pack", ""), ("ship", r#"{"carrier":"UPS","tracking_number":"1Z"}"#), ("deliver", "")] {
        let done = door.client.post(&format!("/v1/fulfillments/{work}/{step}"), body).await;
        assert_eq!(done.status, StatusCode::OK, "{step}: {}", done.body);
    }
    // The order is over; its return is not.
    door.client.until("/v1/orders/ord_1", "status", "completed").await;
    let asked = r#"{"order":"ord_1","reason":"too_small","lines":[{"id":"ol_1-1","quantity":1}]}"#;
    assert_eq!(door.client.post("/v1/returns", asked).await.body["status"], "requested");
    let page = async |path: &str| text(door.send("GET", path, Some(&guest.cookie), "").await).await;
    assert!(page("/").await.contains("/returns/ret_1-1/approve"), "the overview offers it");
    let returns = page("/returns").await;
    assert!(returns.contains("Requested") && returns.contains("1 × MUG") && returns.contains("too small"), "{returns}");
    for (step, fields) in [("approve", ""), ("receive", "&location=AUS&arrived.0=1"), ("close", "")] {
        let body = format!("csrf={}{fields}", guest.csrf);
        let done = door.send("POST", &format!("/returns/ret_1-1/{step}"), Some(&guest.cookie), &body).await;
        assert_eq!(done.status(), StatusCode::SEE_OTHER, "{step}: {}", text(done).await);
    }
    let returns = page("/returns").await;
    assert!(returns.contains("No return waits") && returns.contains("Closed"), "{returns}");
    assert!(!page("/").await.contains("Returns to approve"));
}
