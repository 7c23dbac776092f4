//! Who is told of alerts: once, and not again after a restart.

use crate::story::World;
use domain::alert::{AlertRouting, AlertStatus, Destination, outlook};
use domain::command::{alert, catalog};
use domain::id::AlertId;
use domain::text::Sealed;
use domain::time::Date;
use std::sync::Arc;

fn routing(follow_up: bool, digest_only: &[&str]) -> AlertRouting {
    AlertRouting {
        mail_to: vec!["ops@acme.example".into()],
        webhook: Some(Sealed("v1.key.x".into())),
        digest_only: digest_only.iter().map(|kind| (*kind).into()).collect(),
        gather_seconds: 10,
        interval_seconds: 300,
        follow_up,
        digest: None,
    }
}

fn telling(follow_up: bool, digest_only: &[&str]) -> World {
    let mut world = World::new();
    let settings = world.state.catalog.settings();
    let settings = domain::catalog::Settings { alerts: Some(Arc::new(routing(follow_up, digest_only))), ..settings };
    world.run(catalog::Command::UpdateSettings { settings, expected_version: None }).unwrap();
    world.tell("receive MUG@AUS 9\n place O1 MUG 1\n decline O1 -> payment.failed alert.raised");
    world
}

/// `mail alrt_1 open`, …
fn untold(world: &World) -> Vec<String> {
    let untold = outlook(&world.state).untold;
    untold.iter().map(|(to, alert)| format!("{} {} {:?}", to.as_str(), alert.id, alert.status)).collect()
}

fn tell(world: &mut World, destination: Destination, status: AlertStatus) -> usize {
    let command = alert::Command::RecordTold { destination, alerts: vec![(AlertId(1), status)] };
    world.run(command).unwrap().events.len()
}

#[test]
fn each_destination_is_told_once_and_hears_when_it_is_over() {
    let mut world = telling(true, &[]);
    assert_eq!(untold(&world), ["mail alrt_1 Open", "webhook alrt_1 Open"]);
    assert_eq!(tell(&mut world, Destination::Mail, AlertStatus::Open), 1);
    assert_eq!(tell(&mut world, Destination::Mail, AlertStatus::Open), 0, "told is told");
    assert_eq!(untold(&world), ["webhook alrt_1 Open"]);
    world.tell("cancel O1");
    assert_eq!(untold(&world), ["mail alrt_1 Cleared"], "the webhook never heard of it");
    tell(&mut world, Destination::Mail, AlertStatus::Cleared);
    assert!(untold(&world).is_empty());
    world.replays();
}

#[test]
fn without_follow_ups_an_end_is_not_told_and_some_kinds_wait_for_the_digest() {
    let mut world = telling(false, &[]);
    tell(&mut world, Destination::Mail, AlertStatus::Open);
    world.tell("cancel O1");
    assert!(untold(&world).is_empty());
    assert!(untold(&telling(true, &["payment_failed"])).is_empty());
    assert!(untold(&World::new()).is_empty());
}

#[test]
fn a_digest_is_recorded_once_a_day() {
    let mut world = telling(true, &[]);
    let mut record = |day: &str| {
        let day = Date::parse(day).unwrap();
        world.run(alert::Command::RecordDigest { day }).unwrap().events.len()
    };
    assert_eq!((record("2026-11-24"), record("2026-11-24"), record("2026-11-23"), record("2026-11-25")), (1, 0, 0, 1));
    world.replays();
}
