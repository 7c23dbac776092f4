//! Subscriptions: made, changed, rewound, rotated, ended.

use crate::story::World;
use domain::Rejection;
use domain::command::subscription::{Change, Command, CreateSubscription};
use domain::id::SubscriptionId;
use domain::subscription::{Filter, Kind, Secret, Status, Webhook};
use domain::text::Sealed;
use domain::time::Timestamp;

const ID: SubscriptionId = SubscriptionId(1);

fn webhook(url: &str) -> Webhook {
    let secrets = vec![Secret { sealed: Sealed("sealed".into()), expires_at: None }];
    Webhook { url: url.into(), concurrency: 4, timeout_ms: 15_000, secrets }
}

fn create(kind: Kind, webhook: Option<Webhook>) -> CreateSubscription {
    CreateSubscription {
        name: "ERP".into(),
        kind,
        filter: Filter::default(),
        webhook,
        personal_data: false,
        history: false,
        stalled_after_s: None,
        after: 7,
        incarnation: 1,
    }
}

#[test]
fn what_a_subscription_may_not_be_is_told_in_order() {
    let mut world = World::new();
    let base = || create(Kind::Webhook, Some(webhook("https://erp.example/in")));
    let filter = |types: &[&str]| Filter { types: types.iter().map(|name| (*name).into()).collect(), ..Filter::default() };
    for (wrong, field) in [
        (CreateSubscription { name: "".into(), ..base() }, "name"),
        (CreateSubscription { filter: filter(&["*.placed"]), ..base() }, "filter.types"),
        (CreateSubscription { stalled_after_s: Some(0), ..base() }, "stalled_after_seconds"),
        (create(Kind::Webhook, None), "webhook"),
        (create(Kind::Pull, Some(webhook("https://erp.example"))), "webhook"),
        (create(Kind::Webhook, Some(webhook("ftp://erp.example"))), "webhook.url"),
        (CreateSubscription { personal_data: true, ..create(Kind::Webhook, Some(webhook("http://erp.example"))) }, "webhook.url"),
        (create(Kind::Webhook, Some(Webhook { concurrency: 0, ..webhook("https://erp.example") })), "webhook.concurrency"),
        (create(Kind::Webhook, Some(Webhook { timeout_ms: 1, ..webhook("https://erp.example") })), "webhook.timeout_ms"),
        (create(Kind::Webhook, Some(Webhook { secrets: Vec::new(), ..webhook("https://erp.example") })), "secret"),
    ] {
        match world.run(Command::CreateSubscription(Box::new(wrong))) {
            Err(Rejection::Invalid { field: told, .. }) => assert_eq!(told, field),
            other => panic!("{field}: {other:?}"),
        }
    }
    assert!(world.run(Command::CreateSubscription(Box::new(base()))).is_ok());
    world.replays();
}

#[test]
fn it_stops_goes_on_and_ends() {
    let mut world = World::new();
    world.run(Command::CreateSubscription(Box::new(create(Kind::Pull, None)))).unwrap();
    let status = |world: &World| world.state.subscriptions.get(&ID).unwrap().status;
    world.run(Command::DisableSubscription { subscription: ID, reason: "gone".into() }).unwrap();
    assert_eq!(status(&world), Status::Disabled);
    assert!(world.run(Command::DisableSubscription { subscription: ID, reason: "gone".into() }).unwrap().events.is_empty());
    world.run(Command::ResumeSubscription { subscription: ID, incarnation: 2, expected_version: None }).unwrap();
    assert_eq!((status(&world), world.state.subscriptions.get(&ID).unwrap().incarnation), (Status::Active, 2));
    world.run(Command::RewindSubscription { subscription: ID, after: 3, expected_version: None }).unwrap();
    let known = world.state.subscriptions.get(&ID).unwrap();
    assert_eq!((known.after, known.generation), (3, 1));
    let stale = Command::PauseSubscription { subscription: ID, reason: "x".into(), expected_version: Some(1) };
    assert!(matches!(world.run(stale), Err(Rejection::VersionMismatch { expected: 1, current: 4 })));
    world.run(Command::DeleteSubscription { subscription: ID, expected_version: None }).unwrap();
    assert!(matches!(world.run(Command::DeleteSubscription { subscription: ID, expected_version: None }), Err(Rejection::NotFound { .. })));
    world.run(Command::CreateSubscription(Box::new(create(Kind::Pull, None)))).unwrap();
    assert!(world.state.subscriptions.contains(&SubscriptionId(2)), "an id is not given again");
    world.replays();
}

#[test]
fn an_old_secret_signs_along_until_its_end() {
    let mut world = World::new();
    world.run(Command::CreateSubscription(Box::new(create(Kind::Webhook, Some(webhook("https://erp.example")))))).unwrap();
    let rotate =
        |to: &str, overlap_ms| Command::RotateSecret { subscription: ID, secret: Sealed(to.into()), overlap_ms, expected_version: None };
    world.run(rotate("second", 60_000)).unwrap();
    let known = world.state.subscriptions.get(&ID).unwrap().webhook.clone().unwrap();
    let end = known.secrets[1].expires_at.unwrap();
    let signing = |at: Timestamp| known.signing(at).map(|secret| secret.sealed.0.clone()).collect::<Vec<_>>();
    assert_eq!(signing(Timestamp(end.0 - 1)), ["second", "sealed"]);
    assert_eq!(signing(end), ["second"]);
    world.run(rotate("third", 0)).unwrap();
    let secrets = &world.state.subscriptions.get(&ID).unwrap().webhook.as_ref().unwrap().secrets;
    assert_eq!(
        secrets.iter().map(|secret| secret.sealed.0.as_str()).collect::<Vec<_>>(),
        ["third"],
        "without overlap the others end at once"
    );
    let change = Change {
        name: "ERP 2".into(),
        filter: Filter::default(),
        webhook: Some(Webhook { secrets: Vec::new(), ..webhook("https://erp.example/new") }),
        personal_data: true,
        history: false,
        stalled_after_s: None,
    };
    world.run(Command::UpdateSubscription { subscription: ID, change: Box::new(change), expected_version: None }).unwrap();
    let known = world.state.subscriptions.get(&ID).unwrap();
    let webhook = known.webhook.as_ref().unwrap();
    assert_eq!((webhook.url.as_str(), webhook.secrets.len(), known.personal_data), ("https://erp.example/new", 1, true));
    world.replays();
}
