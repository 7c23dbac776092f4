//! Replenishment and purchase orders, told as stories.

use crate::story::check;
use domain::command::purchasing::{Command, WantedLine};
use domain::quantity::Quantity;

#[test]
fn a_sale_below_the_reorder_point_orders_by_itself_and_the_backorder_fills() {
    check(
        "supplier send 0          -> supplier.created
         receive  MUG@AUS 10
         policy   MUG 4 20        -> replenishment_policy.set
         place    O1 MUG 5        -> order.placed stock.allocated order.allocated payment.requested
         place    O2 MUG 7 split  -> order.placed stock.allocated stock.shorted stock.backordered order.backordered payment.requested replenishment.triggered purchase_order.created purchase_order.sent alert.raised order.promise_changed
         arrive   1 MUG 30 0      -> ! confirmation_needed
         arrive   1 MUG 24 0      -> purchase_order.received stock.received stock.allocated order.allocated order.promise_changed alert.cleared",
    );
}

#[test]
fn drafts_wait_for_the_cutoff_and_are_amended_until_then() {
    check(
        "supplier cutoff 0
         receive  MUG@AUS 10
         policy   MUG 4 20
         place    O1 MUG 6        -> order.placed stock.allocated order.allocated payment.requested replenishment.triggered purchase_order.created alert.raised
         place    O2 MUG 4        -> order.placed stock.allocated order.allocated payment.requested alert.cleared alert.raised
         cancel   O1              -> stock.released order.canceled purchase_order.canceled alert.cleared
         gateway  O1
         gateway  O1
         place    O3 MUG 6        -> order.placed stock.allocated order.allocated payment.requested replenishment.triggered purchase_order.created alert.raised
         gateway  O3
         gateway  O2
         wait     10801           -> purchase_order.sent
         drop     2               -> purchase_order.canceled replenishment.triggered purchase_order.created",
    );
}

#[test]
fn a_draft_below_the_order_minimum_is_postponed() {
    check(
        "supplier cutoff 100000
         policy   MUG 4 20   -> replenishment_policy.set replenishment.triggered purchase_order.created alert.raised
         wait     10801      -> purchase_order.postponed
         send     1          -> purchase_order.sent
         send     1          -> ! wrong_status",
    );
}

#[test]
fn what_arrives_damaged_is_not_for_sale_and_what_never_arrives_is_closed() {
    check(
        "supplier send 0
         policy   MUG 4 20       -> replenishment_policy.set replenishment.triggered purchase_order.created purchase_order.sent alert.raised
         arrive   1 MUG 10 2     -> purchase_order.received stock.received stock.moved alert.cleared
         short    1              -> purchase_order.closed_short
         short    1              -> ! wrong_status",
    );
}

#[test]
fn what_is_ordered_by_hand_costs_what_the_policy_says() {
    let mut world = crate::story::World::new();
    world.tell("supplier draft 0\n receive MUG@AUS 30\n policy MUG 4 20");
    let (supplier, location) = ("ACME".parse().unwrap(), "AUS".parse().unwrap());
    let wanted = |name| WantedLine { sku: crate::story::sku(name), quantity: Quantity::new(6), unit_cost: None };
    let lines = vec![wanted("MUG"), wanted("TEA")];
    world.run(Command::CreatePurchaseOrder { supplier, location, reference: None, lines }).unwrap();
    let order = world.state.purchasing.orders.sorted().pop().unwrap().1.clone();
    assert_eq!(order.lines.iter().map(|line| line.unit_cost.get()).collect::<Vec<_>>(), [100, 0]);
}
