//! Customers: found by hashes, merged, erased.

use crate::story::World;
use domain::Rejection;
use domain::command::customer::Command;
use domain::id::CustomerId;
use domain::text::{Fingerprint, Sealed};

fn save(id: u64, mails: &[&str]) -> Command {
    let fingerprints = mails.iter().map(|mail| Fingerprint((*mail).into())).collect();
    Command::SaveCustomer { id: CustomerId(id), details: Some(Sealed("c2VhbGVk".into())), fingerprints }
}

#[test]
fn saving_the_same_again_says_nothing() {
    let mut world = World::new();
    assert_eq!(world.run(save(1, &["a", "b"])).unwrap().events.len(), 1);
    assert!(world.run(save(1, &["b", "a"])).unwrap().events.is_empty());
    world.replays();
}

#[test]
fn a_merged_customer_is_found_in_the_other() {
    let mut world = World::new();
    world.run(save(1, &["a"])).unwrap();
    world.run(save(2, &["b"])).unwrap();
    world.run(Command::MergeCustomers { from: CustomerId(1), into: CustomerId(2) }).unwrap();
    let into = world.state.customers.get(&CustomerId(2)).unwrap();
    assert_eq!(into.fingerprints, [Fingerprint("a".into()), Fingerprint("b".into())]);
    assert!(matches!(world.run(save(1, &["c"])), Err(Rejection::WrongStatus { .. })));
    assert!(matches!(world.run(Command::MergeCustomers { from: CustomerId(2), into: CustomerId(1) }), Err(Rejection::WrongStatus { .. })));
    world.replays();
}

#[test]
fn nothing_personal_is_left_of_an_erased_customer() {
    let mut world = World::new();
    world.run(save(1, &["a"])).unwrap();
    world.run(Command::EraseCustomer { id: CustomerId(1) }).unwrap();
    let gone = world.state.customers.get(&CustomerId(1)).unwrap();
    assert!(gone.details.is_none() && gone.fingerprints.is_empty() && gone.erased_at.is_some());
    assert!(world.run(Command::EraseCustomer { id: CustomerId(1) }).unwrap().events.is_empty());
    world.replays();
}
