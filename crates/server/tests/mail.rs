//! Mail against a real mail server, aiosmtpd: run by `cargo xtask test mail`.

#[path = "mail/alerts.rs"]
mod alerts;
#[allow(dead_code, reason = "shared with tests that use the rest")]
mod client;
#[path = "mail/post.rs"]
mod post;

use post::{House, Post, plain};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

const CHILD: &str = "QUARTERMASTER_MAIL_CHILD";

/// What a Python script prints about its input.
fn python(script: &str, input: &[u8]) -> Vec<u8> {
    let python = std::env::var("QUARTERMASTER_TEST_PYTHON").expect("no Python: run `cargo xtask test mail`");
    let mut process = Command::new(python).args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut process.stdin.take().unwrap(), input).unwrap();
    process.wait_with_output().unwrap().stdout
}

/// A mail with its encodings undone, by Python's own parser.
fn read(mail: &str) -> serde_json::Value {
    let script = "import sys, json, email, email.policy\n\
        m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)\n\
        body = lambda kind: (lambda part: part.get_content() if part else None)(m.get_body((kind,)))\n\
        files = {a.get_filename(): a.get_content() for a in m.iter_attachments()}\n\
        print(json.dumps({'subject': m['subject'], 'from': m['from'], 'to': m['to'], 'reply_to': m['reply-to'], 'id': m['message-id'],\n\
            'tls': m['x-tls'], 'auth': m['x-auth'], 'text': body('plain'), 'html': body('html'), 'files': files}))";
    serde_json::from_slice(&python(script, mail.as_bytes())).expect("Python reads the mail")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_confirmed_by_mail_and_recorded() {
    let post = Post::open();
    let house = House::open(&plain(post.port)).await;
    let order = house.order("zoe@example.com", "de-DE", "tok_visa").await;
    let sent = house.until(&order, "sent").await;
    let mails = post.until(1).await;
    let mail = read(&mails[0]);
    assert_eq!(mail["subject"], "Ihre Bestellung 1001 ist bestätigt");
    assert_eq!(mail["from"], "Acme Übersee <shop@acme.example>");
    assert_eq!(mail["to"], "Zoë Müller <zoe@example.com>");
    assert_eq!(mail["reply_to"], "help@acme.example");
    assert_eq!(mail["id"], format!("<{}>", sent["reference"].as_str().unwrap()));
    let text = mail["text"].as_str().unwrap();
    for part in ["Guten Tag Zoë Müller,", "2 × Tasse »grün« & blau  2.469,00\u{a0}€", "Hauptstraße 1", "https://acme.example/status/"]
    {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
    assert!(mail["html"].as_str().unwrap().contains("Tasse »grün« &amp; blau"), "{}", mail["html"]);
    let types: Vec<String> = house.client.get(&format!("/v1/orders/{order}/timeline")).await.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["type"].as_str().unwrap().to_owned())
        .filter(|kind| kind.contains("notification") || kind.contains("effect"))
        .collect();
    let wanted = ["notification.requested", "effect.started", "notification.sent"].map(|kind| format!("quartermaster.{kind}.v1"));
    assert_eq!(types, wanted);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_recipient_is_recorded_and_not_tried_again() {
    let post = Post::open();
    let house = House::open(&plain(post.port)).await;
    let order = house.order("refused@example.com", "en", "tok_visa").await;
    let failed = house.until(&order, "failed").await;
    assert_eq!((&failed["attempts"], &failed["failure"]["code"]), (&1.into(), &"550".into()));
    // The connection is good for the next one.
    let order = house.order("ada@example.com", "en", "tok_visa").await;
    house.until(&order, "sent").await;
    assert_eq!(post.mails().len(), 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_failure_is_tried_again_until_it_is_taken() {
    let post = Post::open();
    let house = House::open(&plain(post.port)).await;
    let order = house.order("later@example.com", "en", "tok_visa").await;
    let deferred = house.until(&order, "deferred").await;
    assert_eq!(deferred["failure"]["code"], "451");
    let sent = house.until(&order, "sent").await;
    assert_eq!(sent["attempts"], 3);
    assert_eq!(post.mails().len(), 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_gets_the_mail_when_it_is_back_and_the_log_is_not_filled_meanwhile() {
    let port = Post::open().port;
    let house = House::open(&plain(port)).await;
    let order = house.order("ada@example.com", "en", "tok_visa").await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let waiting = house.until(&order, "requested").await;
    assert_eq!(waiting["attempts"], 0);
    let post = Post::on_port(port);
    house.until(&order, "sent").await;
    assert_eq!(post.until(1).await.len(), 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guarded_server_gets_it_encrypted_and_with_a_password() {
    let post = Post::guarded();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("password"), "secret\n").unwrap();
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mail/localhost.pem");
    let config = format!(
        "[smtp]\nurl = \"smtp://localhost:{}\"\nuser = \"shop\"\npassword_file = \"{}\"\nca_file = \"{authority}\"\nfrom = \"office@acme.example\"\n",
        post.port,
        folder.path().join("password").display()
    );
    let house = House::open(&config).await;
    let order = house.order("ada@example.com", "en", "tok_visa").await;
    house.until(&order, "sent").await;
    let mail = read(&post.until(1).await[0]);
    assert_eq!((&mail["tls"], &mail["auth"]), (&"True".into(), &"True".into()));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_payment_leads_to_the_shops_page_and_the_silent_hear_nothing() {
    let post = Post::open();
    let house = House::open(&plain(post.port)).await;
    house.order("ada@example.com", "en", "tok_decline").await;
    let mails = post.until(2).await;
    let failed = mails.iter().map(|mail| read(mail)).find(|mail| mail["subject"].as_str().unwrap().contains("did not go through"));
    assert!(failed.unwrap()["text"].as_str().unwrap().contains("https://acme.example/pay/1001"));
    let silent = r#"{"channel":"web","currency":"EUR","notify":false,"customer":{"email":"ada@example.com"},"lines":[{"sku":"MUG","quantity":1,"unit_price":1}]}"#;
    let silent = house.client.post("/v1/orders", silent).await.body;
    house.client.until(&format!("/v1/orders/{}", silent["id"].as_str().unwrap()), "payment_status", "authorized").await;
    assert_eq!(post.mails().len(), 2);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_order_goes_to_its_supplier_with_its_lines_as_csv() {
    let post = Post::open();
    let house = House::open(&plain(post.port)).await;
    let client = &house.client;
    for (method, path, body) in [
        ("POST", "/v1/suppliers", r#"{"code":"ACME","name":"Töpferei","email":"orders@pots.example","currency":"EUR","dispatch":"mail"}"#),
        (
            "PUT",
            "/v1/replenishment-policies",
            r#"{"sku":"MUG","location":"AUS","supplier":"ACME","reorder_point":200,"order_up_to":300,"unit_cost":350}"#,
        ),
    ] {
        let answer = client.send(method, path, Some(&client.key), &[], body).await;
        assert_eq!(answer.status.as_u16(), 201, "{path}: {}", answer.body);
    }
    let mail = read(&post.until(1).await[0]);
    assert_eq!((&mail["subject"], &mail["to"]), (&"Purchase order po_1".into(), &"Töpferei <orders@pots.example>".into()));
    let csv = mail["files"]["po_1.csv"].as_str().unwrap().replace("\r\n", "\n");
    assert!(csv.starts_with("purchase_order,sku,name,quantity,"), "{csv}");
    assert!(csv.contains("po_1,MUG,Tasse »grün« & blau,200,350,EUR,"), "{csv}");
    for _ in 0..100 {
        let order = client.get("/v1/purchase-orders/po_1").await.body;
        if order["dispatch"]["status"] == "sent" {
            house.close().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the purchase order was never recorded as sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_hears_the_day_and_of_another_day_and_may_cancel() {
    let post = Post::open();
    let clock = std::sync::atomic::AtomicI64::new(domain::time::Timestamp::parse("2026-11-26T09:00:00.000Z").unwrap().0);
    let house = House::open_at(&plain(post.port), clock.into()).await;
    let client = &house.client;
    let order = r#"{"channel":"web","currency":"USD","on_shortage":"backorder","payment_token":"tok_visa",
        "customer":{"email":"ada@example.com","name":"Ada","locale":"en-US"},"lines":[{"sku":"TEA","quantity":2,"unit_price":1250}]}"#;
    for (path, body) in [
        ("/v1/items", r#"{"sku":"TEA","name":"Tea"}"#),
        ("/v1/suppliers", r#"{"code":"ACME","name":"Acme","currency":"USD"}"#),
        ("/v1/purchase-orders", r#"{"supplier":"ACME","location":"AUS","lines":[{"sku":"TEA","quantity":24,"unit_cost":350}]}"#),
        ("/v1/purchase-orders/po_1/send", ""),
        ("/v1/purchase-orders/po_1/acknowledge", r#"{"reference":"SO-88","lines":[{"sku":"TEA","expected_on":"2026-12-10"}]}"#),
        ("/v1/orders", order),
    ] {
        let answer = client.post(path, body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.body);
    }
    let text = |mail: &str| read(mail)["text"].as_str().unwrap().replace("\r\n", "\n");
    let first = text(&post.until(1).await[0]);
    assert!(first.contains("2 × Tea  $25.00\n    ships by December 14, 2026"), "{first}");
    // The supplier ships later than it had said.
    let later = r#"{"reference":"ASN-7","lines":[{"sku":"TEA","expected_on":"2026-12-17"}]}"#;
    assert!(client.post("/v1/purchase-orders/po_1/acknowledge", later).await.status.is_success());
    let second = text(&post.until(2).await[1]);
    assert!(second.contains("December 21, 2026"), "{second}");
    let link = second.split_whitespace().find(|word| word.starts_with("https://acme.example/status/")).unwrap();
    assert!(second.contains(&format!("cancel it: {link}")), "{second}");
    let path = link.trim_start_matches("https://acme.example");
    let page = client.send("GET", path, None, &[], "").await;
    assert_eq!(page.status.as_u16(), 200, "the link leads to the order");
    house.close().await;
}

/// Not a test of its own: the child that is killed while its mail server has the mail and has not answered.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let house = House::at(folder.into(), tempfile::tempdir().unwrap(), None).await;
    house.furnish_again().await;
    let order = house.order("hang@example.com", "en", "tok_visa").await;
    println!("placed {order}");
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_sending_and_recording_a_mail_is_in_doubt_and_never_sent_twice() {
    let post = Post::open();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("quartermaster.toml"), plain(post.port)).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(CHILD, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let order = lines.map(|line| line.unwrap()).find_map(|line| line.split("placed ").nth(1).map(str::to_owned)).unwrap();
    post.until(1).await;
    child.kill().unwrap();
    child.wait().unwrap();
    let house = House::at(folder.path().to_owned(), tempfile::tempdir().unwrap(), None).await;
    let doubt = house.until(&order, "in_doubt").await;
    assert_eq!((&doubt["attempts"], &doubt["failure"]["code"]), (&1.into(), &"interrupted".into()));
    let alerts = house.client.get("/v1/alerts").await.body;
    assert_eq!((&alerts["data"][0]["kind"], &alerts["data"][0]["order"]), (&"mail_in_doubt".into(), &order.as_str().into()));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(post.mails().len(), 1, "nobody sends it again but a person");
    house.close().await;
}
