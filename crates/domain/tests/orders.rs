//! The way of an order, told as stories.

use crate::story::check;

#[test]
fn an_order_is_placed_paid_shipped_and_completed() {
    check(
        "receive MUG@AUS 10  -> stock.received
         place   O1 MUG 3    -> order.placed stock.allocated order.allocated payment.requested
         gateway O1          -> payment.authorized fulfillment.released
         pick    O1 1        -> fulfillment.picking
         pack    O1 1        -> fulfillment.packed
         ship    O1 1        -> fulfillment.shipped payment.capture_requested
         gateway O1          -> payment.captured
         deliver O1 1        -> fulfillment.delivered order.completed",
    );
}

#[test]
fn released_stock_can_be_sold_again() {
    check(
        "receive MUG@AUS 10
         place  O1 MUG 7         -> order.placed stock.allocated order.allocated payment.requested
         place  O2 MUG 4 reject  -> order.placed stock.shorted order.rejected
         gateway O1
         cancel O1               -> fulfillment.canceled stock.released order.canceled payment.void_requested
         gateway O1              -> payment.voided
         place  O2 MUG 4         -> order.placed stock.allocated order.allocated payment.requested",
    );
}

#[test]
fn a_rejected_order_frees_its_external_id_and_a_placed_one_keeps_it() {
    check(
        "place O1 MUG 1          -> order.placed stock.shorted order.rejected
         receive MUG 5
         place O1 MUG 1          -> order.placed stock.allocated order.allocated payment.requested
         place O1 MUG 1          -> ! order_repeated
         place O1 MUG 2          -> ! order_exists",
    );
}

#[test]
fn split_ships_what_is_there_and_the_rest_later() {
    check(
        "receive MUG@AUS 2
         place   O1 MUG 3 split  -> order.placed stock.allocated stock.shorted stock.backordered order.backordered payment.requested
         gateway O1              -> payment.authorized fulfillment.released
         ship    O1 1            -> fulfillment.picking fulfillment.packed fulfillment.shipped payment.capture_requested
         gateway O1              -> payment.captured
         receive MUG@AUS 5       -> stock.received stock.allocated fulfillment.released order.allocated order.promise_changed
         ship    O1 2            -> fulfillment.picking fulfillment.packed fulfillment.shipped payment.capture_requested
         gateway O1              -> payment.captured",
    );
}

#[test]
fn backorder_waits_until_the_whole_order_can_ship() {
    check(
        "receive MUG@AUS 2
         place   O1 MUG 3 backorder  -> order.placed stock.allocated stock.shorted stock.backordered order.backordered payment.requested
         gateway O1                  -> payment.authorized
         receive MUG@AUS 1           -> stock.received stock.allocated fulfillment.released order.allocated order.promise_changed",
    );
}

#[test]
fn partial_ships_what_is_there_and_cancels_the_rest() {
    check(
        "receive MUG@AUS 2
         place   O1 MUG 3 partial  -> order.placed stock.allocated stock.shorted order.canceled order.allocated payment.requested
         gateway O1                -> payment.authorized fulfillment.released",
    );
}

#[test]
fn demand_is_summed_over_lines_and_kits_before_deciding() {
    check(
        "receive MUG@AUS 2
         receive TEA@AUS 3
         place O1 MUG 1 SET 1 TEA 2  -> order.placed stock.shorted order.rejected
         place O2 MUG 1 SET 1 TEA 1  -> order.placed stock.allocated order.allocated payment.requested",
    );
}

#[test]
fn a_kit_ships_whole_from_one_location() {
    check(
        "receive MUG@AUS 1
         receive TEA@BER 2
         place O1 SET 1   -> order.placed stock.shorted order.rejected
         receive MUG@BER 1
         place O2 SET 1   -> order.placed stock.allocated order.allocated payment.requested",
    );
}

#[test]
fn a_kit_that_is_canceled_in_part_loses_whole_kits_of_one_location() {
    check(
        "receive MUG@AUS 2
         receive TEA@AUS 4
         receive MUG@BER 1
         receive TEA@BER 2
         place   O1 SET 3    -> order.placed stock.allocated order.allocated payment.requested
         cancel  O1 1 1      -> stock.released order.canceled
         gateway O1          -> payment.authorized fulfillment.released fulfillment.released
         cancel  O1 1 1      -> fulfillment.canceled stock.released order.canceled
         level   MUG@AUS allocated=0
         level   TEA@AUS allocated=0
         level   MUG@BER allocated=1
         level   TEA@BER allocated=2",
    );
}

#[test]
fn a_service_that_is_left_alone_is_work_of_its_own() {
    check(
        "receive MUG@AUS 1
         place   O1 MUG 1 WRAP 1  -> order.placed stock.allocated order.allocated payment.requested
         cancel  O1 1 1           -> stock.released order.canceled
         gateway O1               -> payment.authorized fulfillment.released
         ship    O1 1             -> fulfillment.picking fulfillment.packed fulfillment.shipped payment.capture_requested",
    );
}

#[test]
fn a_service_needs_no_stock_and_rides_along() {
    check(
        "receive MUG@AUS 1
         place   O1 MUG 1 WRAP 1  -> order.placed stock.allocated order.allocated payment.requested
         gateway O1               -> payment.authorized fulfillment.released
         ship    O1 1             -> fulfillment.picking fulfillment.packed fulfillment.shipped payment.capture_requested
         place   O2 WRAP 2        -> order.placed order.allocated payment.requested
         gateway O2               -> payment.authorized fulfillment.released",
    );
}

#[test]
fn a_declined_payment_can_be_tried_again_until_the_window_ends() {
    check(
        "receive MUG@AUS 1
         place   O1 MUG 1  -> order.placed stock.allocated order.allocated payment.requested
         decline O1        -> payment.failed alert.raised
         retry   O1        -> payment.requested alert.cleared
         decline O1        -> payment.failed alert.raised
         wait    1801      -> payment.window_ended stock.released order.canceled alert.cleared
         place   O2 MUG 1  -> order.placed stock.allocated order.allocated payment.requested",
    );
}

#[test]
fn an_order_canceled_while_it_is_being_paid_is_voided_after() {
    check(
        "receive MUG@AUS 1
         place   O1 MUG 1  -> order.placed stock.allocated order.allocated payment.requested
         cancel  O1        -> stock.released order.canceled
         gateway O1        -> payment.authorized payment.void_requested
         gateway O1        -> payment.voided",
    );
}

#[test]
fn canceling_some_units_refunds_what_was_captured_for_them() {
    check(
        "receive MUG@AUS 2
         place   O1 MUG 3 split
         gateway O1
         ship    O1 1
         gateway O1
         cancel  O1 1 1     -> stock.released order.canceled order.allocated
         refund  O1 1 1     -> refund.requested
         gateway O1         -> refund.completed
         refund  O1 1 9     -> ! invalid",
    );
}

#[test]
fn a_held_order_is_not_worked_on() {
    check(
        "receive MUG@AUS 2
         place   O1 MUG 1
         gateway O1        -> payment.authorized fulfillment.released
         stop    O1        -> order.held fulfillment.canceled
         go      O1        -> order.released fulfillment.released
         go      O1        -> ! wrong_status",
    );
}

#[test]
fn an_edit_before_picking_changes_claims_and_money() {
    check(
        "receive MUG@AUS 5
         place   O1 MUG 2
         gateway O1        -> payment.authorized fulfillment.released
         edit    O1 1 4    -> fulfillment.canceled order.edited stock.allocated payment.requested
         gateway O1        -> payment.authorized fulfillment.released
         edit    O1 1 1    -> fulfillment.canceled stock.released order.canceled order.edited fulfillment.released
         edit    O1 1 9    -> ! insufficient_stock",
    );
}

#[test]
fn work_under_way_is_asked_back() {
    check(
        "receive MUG@AUS 2
         place   O1 MUG 2
         gateway O1
         pick    O1 1      -> fulfillment.picking
         cancel  O1        -> fulfillment.cancel_requested
         refuse  O1 1      -> fulfillment.cancel_declined
         cancel  O1        -> fulfillment.cancel_requested
         accept  O1 1      -> fulfillment.canceled stock.released order.canceled payment.void_requested",
    );
}

#[test]
fn a_cancellation_accepted_twice_is_refused_the_second_time() {
    check(
        "receive MUG@AUS 3
         place   O1 MUG 2 TEA 1 split
         gateway O1           -> payment.authorized fulfillment.released
         pick    O1 1
         recall  O1 1         -> fulfillment.cancel_requested
         accept  O1 1         -> fulfillment.canceled stock.released order.canceled
         accept  O1 1         -> ! wrong_status
         receive TEA@AUS 1    -> stock.received stock.allocated fulfillment.released order.allocated order.promise_changed",
    );
}

#[test]
fn what_was_asked_back_and_not_found_leaves_the_order() {
    check(
        "receive   MUG@AUS 3
         place     O1 MUG 2 TEA 1 split
         gateway   O1           -> payment.authorized fulfillment.released
         pick      O1 1
         recall    O1 1         -> fulfillment.cancel_requested
         shortpick O1 1 0 2     -> fulfillment.short_picked stock.released stock.adjusted stock.backordered stock.released order.canceled
         accept    O1 1         -> ! wrong_status
         receive   TEA@AUS 1    -> stock.received stock.allocated fulfillment.released order.allocated order.promise_changed",
    );
}

#[test]
fn an_order_asked_back_whole_closes_when_nothing_of_it_is_found() {
    check(
        "receive   MUG@AUS 2
         place     O1 MUG 2
         gateway   O1
         pick      O1 1
         cancel    O1           -> fulfillment.cancel_requested
         shortpick O1 1 0 2     -> fulfillment.short_picked stock.released stock.adjusted stock.backordered stock.released order.canceled payment.void_requested",
    );
}

#[test]
fn canceling_a_line_leaves_other_work_alone() {
    check(
        "receive MUG@AUS 1
         place   O1 MUG 1 TEA 1 split
         gateway O1           -> payment.authorized fulfillment.released
         receive TEA@AUS 1    -> stock.received stock.allocated fulfillment.released order.allocated order.promise_changed
         cancel  O1 2 1       -> fulfillment.canceled stock.released order.canceled
         ship    O1 1         -> fulfillment.picking fulfillment.packed fulfillment.shipped payment.capture_requested",
    );
}

#[test]
fn each_order_that_changed_sums_up_last() {
    let mut world = crate::story::World::new();
    world.tell(
        "receive MUG@AUS 1
         place   O1 MUG 1 split
         place   O2 MUG 1 split
         place   O3 MUG 1 split
         receive MUG@AUS 2",
    );
    let (_, transaction) = world.log.last().expect("told above");
    let names: Vec<&str> = transaction.events.iter().map(|recorded| recorded.event.type_name()).collect();
    assert_eq!(names[names.len() - 2..], ["order.updated.v1"; 2]);
    assert_eq!(names.iter().filter(|name| **name == "order.updated.v1").count(), 2);
    for recorded in &transaction.events {
        if let domain::Event::OrderUpdated(updated) = &recorded.event {
            let order = &world.state.cases.get(&updated.order).expect("open").order;
            assert_eq!(
                (updated.version, updated.status, updated.allocation_status),
                (order.version, order.status, order.allocation_status)
            );
        }
    }
}

#[test]
fn partial_takes_no_components_of_kits_that_it_cancels() {
    check(
        "kit     PAIR MUG 1 TEA 2
         receive MUG@AUS 3
         receive TEA@BER 3
         place   O1 PAIR 3 partial  -> order.placed stock.allocated stock.shorted order.canceled order.allocated payment.requested
         level   MUG@AUS allocated=1
         level   TEA@BER allocated=2
         hold    cart PAIR 1        -> ! insufficient_stock
         receive TEA@AUS 1
         hold    cart PAIR 1        -> hold.created
         sells   PAIR 0",
    );
}

#[test]
fn partial_of_nothing_is_a_rejection() {
    check(
        "place O1 MUG 3 WRAP 1 partial  -> order.placed stock.shorted order.rejected
         receive MUG@AUS 1
         place O1 MUG 3 WRAP 1 partial  -> order.placed stock.allocated stock.shorted order.canceled order.allocated payment.requested",
    );
}

#[test]
fn a_kit_that_lost_a_component_does_not_ship_in_parts() {
    check(
        "receive   MUG@AUS 2
         receive   TEA@AUS 4
         place     O1 SET 2 split
         gateway   O1           -> payment.authorized fulfillment.released
         shortpick O1 1 1 1     -> fulfillment.picking fulfillment.short_picked stock.released stock.adjusted stock.backordered order.backordered order.promise_changed
         ship      O1 1         -> fulfillment.packed fulfillment.shipped payment.capture_requested
         receive   TEA@AUS 1
         ship      O1 2",
    );
}

#[test]
fn an_order_is_not_complete_while_a_service_of_it_is_worked_on() {
    check(
        "receive MUG@AUS 1
         receive MUG@BER 1
         place   O1 MUG 2 WRAP 1 split
         gateway O1         -> payment.authorized fulfillment.released fulfillment.released
         cancel  O1 1 1     -> fulfillment.canceled stock.released order.canceled
         pick    O1 2
         pack    O1 2
         ship    O1 2       -> fulfillment.shipped payment.capture_requested fulfillment.released
         gateway O1         -> payment.captured
         deliver O1 2       -> fulfillment.delivered
         wait    8640000    ->
         pick    O1 3
         pack    O1 3
         ship    O1 3       -> fulfillment.shipped
         deliver O1 3       -> fulfillment.delivered order.completed",
    );
}
