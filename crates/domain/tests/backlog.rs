//! Work without a bound: what one turn leaves is taken up by the next, also after a restart.

use crate::story::{World, check, sku};
use domain::command::purchasing::{Command, WantedLine};
use domain::id::{LocationCode, SupplierCode};
use domain::limits::BACKORDERS_PER_TURN;
use domain::quantity::Quantity;

/// More than two turns' worth.
const WAITING: usize = 2 * BACKORDERS_PER_TURN + 50;

/// Orders of one mug each wait for one delivery.
fn queue() -> World {
    let mut world = World::new();
    world.tell("supplier draft 0");
    let lines = vec![WantedLine { sku: sku("MUG"), quantity: Quantity::new(400), unit_cost: None }];
    let (supplier, location) = (SupplierCode::new("ACME").unwrap(), LocationCode::new("AUS").unwrap());
    world.run(Command::CreatePurchaseOrder { supplier, location, reference: None, lines }).unwrap();
    world.tell("send 1 -> purchase_order.sent");
    for n in 0..WAITING {
        let words = format!("place O{n} MUG 1 backorder");
        world.act(&words.split(' ').collect::<Vec<_>>()).unwrap();
    }
    world
}

fn all_are_promised(world: &mut World, day: &str) {
    for n in 0..WAITING {
        let words = format!("promised O{n} 1 {day}");
        world.act(&words.split(' ').collect::<Vec<_>>()).unwrap();
    }
}

#[test]
fn everybody_who_waits_hears_of_a_delivery_that_slips() {
    let mut world = queue();
    all_are_promised(&mut world, "2026-12-02");
    world.tell("promise 1 MUG 2026-12-21");
    assert!(world.state.has_backlog(), "one turn does not reach the end of the queue");
    world.pass(0);
    all_are_promised(&mut world, "2026-12-23");
    assert!(!world.state.has_backlog());
}

#[test]
fn a_restart_in_between_leaves_nobody_out() {
    let mut world = queue();
    world.tell("promise 1 MUG 2026-12-21");
    world.restart();
    world.pass(0);
    all_are_promised(&mut world, "2026-12-23");
    assert!(!world.state.has_backlog());
}

#[test]
fn a_delivery_that_moves_twice_is_gone_through_from_the_start() {
    let mut world = queue();
    world.tell("promise 1 MUG 2026-12-21");
    let first = world.state.due(world.now).into_iter().next().expect("a turn's worth is left");
    world.tell("promise 1 MUG 2026-12-28");
    world.run(first).unwrap();
    world.pass(0);
    all_are_promised(&mut world, "2026-12-30");
}

#[test]
fn a_supplier_that_orders_by_itself_again_is_asked_for_what_is_missing() {
    check(
        "supplier send 0
         supply   auto=alert     -> supplier.updated
         policy   MUG 4 20       -> replenishment_policy.set alert.raised alert.raised
         supply   auto=send      -> supplier.updated
         wait     0              -> replenishment.triggered purchase_order.created purchase_order.sent alert.cleared",
    );
}

#[test]
fn of_a_supplier_that_is_not_active_nothing_is_ordered_until_it_is() {
    check(
        "supplier send 0
         supply   active=no      -> supplier.updated
         policy   MUG 4 20       -> replenishment_policy.set alert.raised alert.raised
         wait     0              ->
         supply   active=yes     -> supplier.updated
         wait     0              -> replenishment.triggered purchase_order.created purchase_order.sent alert.cleared",
    );
}

#[test]
fn a_draft_goes_out_when_its_supplier_takes_orders_by_itself() {
    check(
        "supplier draft 0
         policy   MUG 4 20       -> replenishment_policy.set replenishment.triggered purchase_order.created alert.raised
         supply   auto=send      -> supplier.updated purchase_order.sent",
    );
}

#[test]
fn a_draft_waits_for_the_cutoff_that_its_supplier_has_now() {
    check(
        "supplier draft 0
         policy   MUG 4 20               -> replenishment_policy.set replenishment.triggered purchase_order.created alert.raised
         supply   auto=send cutoff=noon  -> supplier.updated purchase_order.postponed
         supply   auto=draft             -> supplier.updated
         wait     10801                  -> purchase_order.postponed
         supply   auto=send cutoff=none  -> supplier.updated purchase_order.sent",
    );
}

#[test]
fn a_location_that_opens_again_replenishes_others() {
    check(
        "receive  MUG@BER 50
         location BER active=no          -> location.updated
         refill   MUG@AUS BER 4 20 send  -> replenishment_policy.set alert.raised alert.raised
         location BER active=yes         -> location.updated
         wait     0                      -> replenishment.triggered transfer.created transfer.shipped alert.cleared",
    );
}

#[test]
fn an_item_that_is_sold_again_is_replenished_again() {
    check(
        "supplier send 0
         item     MUG retired=yes
         policy   MUG 4 20               -> replenishment_policy.set
         item     MUG                    -> item.updated replenishment.triggered purchase_order.created purchase_order.sent alert.raised",
    );
}
