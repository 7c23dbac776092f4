//! Every way to be refused is reached, told with its numbers and with what to do next.

use crate::story::{World, item};
use domain::command::{Command, catalog, order};
use domain::money::Amount;
use domain::{Image, Rejection};
use std::collections::BTreeSet;

/// A way to be refused.
type Refused = Box<dyn Fn(&mut World) -> Rejection>;

/// A new variant does not compile here until it has a row below.
fn place_in_table(rejection: &Rejection) -> usize {
    match rejection {
        Rejection::NotLoaded { .. } => 0,
        Rejection::NotFound { .. } => 1,
        Rejection::AlreadyExists { .. } => 2,
        Rejection::Invalid { .. } => 3,
        Rejection::VersionMismatch { .. } => 4,
        Rejection::WrongStatus { .. } => 5,
        Rejection::OrderRepeated { .. } => 6,
        Rejection::OrderExists { .. } => 7,
        Rejection::TotalMismatch { .. } => 8,
        Rejection::InsufficientStock { .. } => 9,
        Rejection::QuantityMismatch { .. } => 10,
        Rejection::StockPicked { .. } => 11,
        Rejection::StockCommitted { .. } => 12,
        Rejection::RefundTooLarge { .. } => 13,
        Rejection::ConfirmationNeeded { .. } => 14,
    }
}

const VARIANTS: usize = 15;

/// A world in which much can go wrong: O1 is shipped and captured, O2 is being picked.
fn world() -> World {
    let mut world = World::new();
    world.tell(
        "receive MUG@AUS 9
         receive TEA@AUS 9
         place   O1 MUG 2
         gateway O1
         ship    O1 1
         gateway O1
         place   O2 MUG 3
         gateway O2
         pick    O2 1
         place   O3 TEA 1
         gateway O3
         ship    O3 1
         gateway O3
         deliver O3 1
         supplier send 0
         policy  TEA 90 100",
    );
    world
}

fn by_words(words: &'static str) -> Refused {
    Box::new(move |world| {
        let words: Vec<&str> = words.split(' ').collect();
        world.act(&words).expect_err("is refused")
    })
}

fn by_command(command: impl Fn(&World) -> Command + 'static) -> Refused {
    Box::new(move |world| {
        let command = command(world);
        world.run(command).expect_err("is refused")
    })
}

fn wrong_total(_: &World) -> Command {
    let mut command = crate::story::place("O9", &["MUG", "1"]);
    command.total = Some(Amount::new(5));
    order::Command::PlaceOrder(Box::new(command)).into()
}

fn stale(_: &World) -> Command {
    let stocked = item("MUG", domain::catalog::ItemKind::Stocked);
    catalog::Command::UpdateItem { item: stocked, expected_version: Some(7) }.into()
}

fn refund_too_much(world: &World) -> Command {
    use domain::command::payment;
    let order = world.orders["O1"];
    let (lines, charges, amount, payment, reason) = (Vec::new(), Amount::ZERO, Some(Amount::new(1_000_000)), None, None);
    payment::Command::RefundOrder(payment::RefundOrder { order, lines, charges, amount, payment, reason }).into()
}

#[test]
fn every_rejection_is_reached() {
    let rows: Vec<(&str, Refused)> = vec![
        ("place O9 CUP 1", by_words("place O9 CUP 1")),
        ("supplier send 0", by_words("supplier send 0")),
        ("transfer AUS AUS MUG 1", by_words("transfer AUS AUS MUG 1")),
        ("a stale version", by_command(stale)),
        ("pick O1 1", by_words("pick O1 1")),
        ("place O1 MUG 2", by_words("place O1 MUG 2")),
        ("place O1 MUG 3", by_words("place O1 MUG 3")),
        ("a wrong total", by_command(wrong_total)),
        ("hold cart MUG 50", by_words("hold cart MUG 50")),
        ("adjust TEA -50", by_words("adjust TEA -50")),
        ("adjust MUG -7", by_words("adjust MUG -7")),
        ("arrive 1 TEA 9000 0", by_words("arrive 1 TEA 9000 0")),
        ("too large a refund", by_command(refund_too_much)),
    ];
    let mut reached = BTreeSet::new();
    for (name, refused) in rows {
        let mut world = world();
        let rejection = refused(&mut world);
        told_well(name, &rejection);
        reached.insert(place_in_table(&rejection));
    }
    let mut world = world();
    world.tell("transfer AUS BER MUG 5");
    let committed = world.act(&["dispatch", "1"]).expect_err("three are picked");
    told_well("dispatch 1", &committed);
    reached.insert(place_in_table(&committed));
    let gone = left_memory(&mut world);
    reached.insert(place_in_table(&gone));
    let missing: Vec<usize> = (0..VARIANTS).filter(|at| !reached.contains(at)).collect();
    assert!(missing.is_empty(), "not reached: {missing:?}");
}

/// A closed order left memory; it is fetched, never said not to exist.
fn left_memory(world: &mut World) -> Rejection {
    let order = world.orders["O3"];
    world.state.take_images();
    let images = world.state.images();
    let image = images.iter().find(|image| matches!(image, Image::Case(id, _) if *id == order)).expect("in memory");
    assert!(world.state.evict(image), "completed, without timers");
    world.run(order::Command::ReleaseOrder { order, expected_version: None }).expect_err("not in memory")
}

/// Words for people, with a code that is the serialized tag, and nothing written.
fn told_well(name: &str, rejection: &Rejection) {
    let json = serde_json::to_value(rejection).expect("rejections serialize");
    assert_eq!(json["code"], rejection.code(), "{name}");
    assert!(!rejection.title().is_empty() && rejection.detail().len() > 10, "{name}: {}", rejection.detail());
    let back: Rejection = serde_json::from_value(json).expect("rejections read back");
    assert_eq!(back, *rejection, "{name}");
}

#[test]
fn a_refusal_writes_nothing() {
    let mut world = world();
    let before = world.log.len();
    let images =
        |world: &World| world.state.images().iter().map(|image| serde_json::to_string(image).expect("serializes")).collect::<Vec<_>>();
    let then = images(&world);
    for words in ["adjust MUG -7", "hold cart MUG 50", "place O1 MUG 3", "pick O1 1", "arrive 1 TEA 9000 0"] {
        world.act(&words.split(' ').collect::<Vec<_>>()).expect_err("is refused");
    }
    assert_eq!(world.log.len(), before);
    assert_eq!(images(&world), then);
}
