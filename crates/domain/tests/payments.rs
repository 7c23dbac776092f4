//! When money moves, told as stories.

use crate::story::{World, check};
use domain::command::payment::Command;
use domain::money::Amount;
use domain::payment::{Action, Outcome};

#[test]
fn without_multicapture_the_first_shipment_captures_everything() {
    check(
        "channel web multicapture=no
         receive MUG@AUS 1
         place   O1 MUG 2 split
         gateway O1
         ship    O1 1          -> fulfillment.picking fulfillment.packed fulfillment.shipped payment.capture_requested
         gateway O1            -> payment.captured
         receive MUG@AUS 1
         ship    O1 2          -> fulfillment.picking fulfillment.packed fulfillment.shipped",
    );
}

#[test]
fn without_multicapture_the_last_shipment_captures_everything_where_the_channel_says_so() {
    check(
        "channel web multicapture=no single=last
         receive MUG@AUS 1
         place   O1 MUG 2 split
         gateway O1
         ship    O1 1          -> fulfillment.picking fulfillment.packed fulfillment.shipped
         receive MUG@AUS 1
         ship    O1 2          -> fulfillment.picking fulfillment.packed fulfillment.shipped payment.capture_requested
         gateway O1            -> payment.captured",
    );
}

#[test]
fn an_edit_within_what_the_gateway_captures_beyond_needs_no_new_authorization() {
    check(
        "channel web overcapture=50
         receive MUG@AUS 9
         place   O1 MUG 2
         gateway O1            -> payment.authorized fulfillment.released
         edit    O1 1 3        -> fulfillment.canceled order.edited stock.allocated fulfillment.released
         ship    O1 2          -> fulfillment.picking fulfillment.packed fulfillment.shipped payment.capture_requested
         gateway O1            -> payment.captured
         deliver O1 2          -> fulfillment.delivered order.completed",
    );
}

#[test]
fn an_edit_beyond_it_is_authorized_before_work_goes_on() {
    check(
        "channel web overcapture=50
         receive MUG@AUS 9
         place   O1 MUG 2
         gateway O1
         edit    O1 1 5        -> fulfillment.canceled order.edited stock.allocated payment.requested
         gateway O1            -> payment.authorized fulfillment.released",
    );
}

#[test]
fn a_backorder_is_paid_once_it_is_covered_where_the_channel_says_so() {
    check(
        "channel web backorder=on_allocation
         place   O1 MUG 1 backorder  -> order.placed stock.shorted stock.backordered order.backordered
         receive MUG@AUS 1           -> stock.received stock.allocated payment.requested order.allocated order.promise_changed
         gateway O1                  -> payment.authorized fulfillment.released",
    );
}

#[test]
fn capture_at_placement_is_given_back_on_cancellation() {
    check(
        "channel web timing=placement
         receive MUG@AUS 1
         place   O1 MUG 1      -> order.placed stock.allocated order.allocated payment.requested
         gateway O1            -> payment.authorized payment.capture_requested fulfillment.released
         gateway O1            -> payment.captured
         cancel  O1            -> fulfillment.canceled stock.released order.canceled refund.requested
         gateway O1            -> refund.completed",
    );
}

#[test]
fn an_invoice_is_worked_on_at_once_and_paid_later() {
    check(
        "channel web timing=invoice
         receive MUG@AUS 1
         place   O1 MUG 1      -> order.placed stock.allocated order.allocated fulfillment.released
         ship    O1 1          -> fulfillment.picking fulfillment.packed fulfillment.shipped
         deliver O1 1          -> fulfillment.delivered
         paid    O1            -> payment.claimed payment.captured order.completed
         paid    O1            -> ! invalid",
    );
}

#[test]
fn what_was_given_back_is_not_given_back_again_when_its_line_is_canceled() {
    check(
        "receive MUG@AUS 9
         channel web timing=placement
         place   O1 MUG 2 MUG 3
         gateway O1               -> payment.authorized payment.capture_requested fulfillment.released
         gateway O1               -> payment.captured
         refund  O1 1 2           -> refund.requested
         gateway O1               -> refund.completed
         cancel  O1 1 2           -> fulfillment.canceled stock.released order.canceled fulfillment.released
         refund  O1 2 1           -> refund.requested
         gateway O1               -> refund.completed
         cancel  O1 2 1           -> fulfillment.canceled stock.released order.canceled refund.requested fulfillment.released
         gateway O1               -> refund.completed
         cancel  O1               -> fulfillment.canceled stock.released order.canceled refund.requested
         gateway O1               -> refund.completed
         cancel  O1               -> ! wrong_status",
    );
}

#[test]
fn a_refunded_shipment_is_not_captured_again_and_the_next_one_is() {
    check(
        "receive MUG@AUS 3
         place   O1 MUG 5 split
         gateway O1               -> payment.authorized fulfillment.released
         pick O1 1
         pack O1 1
         ship O1 1                -> fulfillment.shipped payment.capture_requested
         gateway O1               -> payment.captured
         refund  O1 1 2           -> refund.requested
         gateway O1               -> refund.completed
         refund  O1 1 1           -> refund.requested
         gateway O1               -> refund.completed
         receive MUG@AUS 2        -> stock.received stock.allocated fulfillment.released order.allocated order.promise_changed
         pick O1 2
         pack O1 2
         ship O1 2                -> fulfillment.shipped payment.capture_requested
         gateway O1               -> payment.captured
         deliver O1 1
         deliver O1 2             -> fulfillment.delivered order.completed",
    );
}

#[test]
fn what_is_canceled_while_the_gateway_is_asked_is_not_captured_at_once() {
    check(
        "receive MUG@AUS 9
         channel web timing=placement
         place   O1 MUG 3
         cancel  O1 1 2           -> stock.released order.canceled
         gateway O1               -> payment.authorized payment.capture_requested fulfillment.released
         gateway O1               -> payment.captured
         pick O1 1
         pack O1 1
         ship O1 1
         deliver O1 1             -> fulfillment.delivered order.completed",
    );
}

#[test]
fn what_a_gateway_that_captures_once_did_not_capture_secures_nothing() {
    let mut world = World::new();
    world.tell(
        "receive MUG@AUS 2
         channel web multicapture=no
         place   O1 MUG 4 split
         gateway O1
         pick O1 1
         pack O1 1
         ship O1 1                -> fulfillment.shipped payment.capture_requested",
    );
    let order = world.orders["O1"];
    let effect = world.state.case(order).unwrap().effects[0].clone();
    let Action::Capture { amount, .. } = effect.action else { panic!("{effect:?}") };
    let outcome = Outcome::Captured { amount: Amount::new(amount.get() / 2), reference: "half".into() };
    world.run(Command::RecordEffect { effect: effect.id, order, outcome }).unwrap();
    world.tell(
        "receive MUG@AUS 2        -> stock.received stock.allocated order.allocated order.promise_changed
         gateway O1               -> payment.authorized payment.capture_requested fulfillment.released",
    );
}
