//! Units on their way from one location to another, told as stories.

use crate::story::check;

#[test]
fn units_leave_are_in_transit_and_arrive_in_parts() {
    check(
        "receive  MUG@AUS 10
         transfer AUS BER MUG 8   -> transfer.created
         level    MUG@AUS on_hand=10 available=10
         level    MUG@BER incoming=0 position=0
         dispatch 1               -> transfer.shipped
         level    MUG@AUS on_hand=2 position=2
         level    MUG@BER on_hand=0 incoming=8 position=8
         land     1 MUG 3 1       -> transfer.received
         level    MUG@BER on_hand=4 available=3 damaged=1 incoming=4
         land     1 MUG 5 0       -> ! invalid
         land     1 TEA 1 0       -> ! not_found
         land     1 MUG 3 0       -> transfer.received
         lose     1               -> transfer.closed_lost
         lose     1               -> ! wrong_status
         level    MUG@BER on_hand=7 incoming=0 position=6",
    );
}

#[test]
fn a_transfer_that_arrives_whole_is_received() {
    check(
        "receive  MUG@AUS 2
         transfer AUS BER MUG 2
         dispatch 1
         land     1 MUG 2 0   -> transfer.received
         land     1 MUG 1 0   -> ! wrong_status
         undraft  1           -> ! wrong_status",
    );
}

#[test]
fn a_draft_is_amended_or_canceled_and_a_shipped_one_is_not() {
    check(
        "receive  MUG@AUS 9
         receive  TEA@AUS 9
         transfer AUS AUS MUG 1        -> ! invalid
         transfer AUS BER WRAP 1       -> ! invalid
         transfer AUS XXX MUG 1        -> ! not_found
         transfer AUS BER MUG 1 MUG 1  -> ! invalid
         transfer AUS BER MUG 5        -> transfer.created
         redraft  1 MUG 0 TEA 3        -> transfer.amended
         dispatch 1 TEA 2              -> transfer.shipped
         level    TEA@BER incoming=2
         level    MUG@BER incoming=0
         redraft  1 TEA 3              -> ! wrong_status
         undraft  1                    -> ! wrong_status
         transfer AUS BER MUG 5
         undraft  2                    -> transfer.canceled
         dispatch 2                    -> ! wrong_status
         undraft  9                    -> ! not_found",
    );
}

#[test]
fn units_that_orders_or_carts_count_on_do_not_travel() {
    check(
        "receive  MUG@AUS 10
         place    O1 MUG 3
         gateway  O1
         pick     O1 1
         place    O2 MUG 2
         hold     cart MUG 1
         damage   MUG 1
         transfer AUS BER MUG 4
         dispatch 1              -> ! stock_committed
         dispatch 1 MUG 3        -> transfer.shipped
         level    MUG@AUS on_hand=7 available=0",
    );
}

#[test]
fn promises_lean_on_a_transfer_and_backorders_fill_when_it_arrives() {
    check(
        "channel  web at=BER
         receive  MUG@AUS 5
         place    O1 MUG 2 split             -> order.placed stock.shorted stock.backordered order.backordered payment.requested
         gateway  O1
         transfer AUS BER MUG 5 by 2026-11-26
         dispatch 1                          -> transfer.shipped order.promise_changed
         land     1 MUG 1 0                  -> transfer.received stock.allocated fulfillment.released
         land     1 MUG 4 0                  -> transfer.received stock.allocated fulfillment.released order.allocated order.promise_changed
         level    MUG@BER on_hand=5 allocated=2 backordered=0",
    );
}

#[test]
fn a_transfer_that_does_not_arrive_on_its_day_is_told_once() {
    check(
        "receive  MUG@AUS 5
         transfer AUS BER MUG 5 by 2026-11-24
         dispatch 1           -> transfer.shipped
         wait     86400       ->
         wait     86400       -> transfer.late alert.raised
         wait     86400       ->
         land     1 MUG 5 0   -> transfer.received alert.cleared",
    );
}

#[test]
fn a_level_is_refilled_from_another_location_by_draft() {
    check(
        "receive  MUG@AUS 50
         receive  MUG@BER 5
         refill   MUG@BER BER 2 10 draft  -> ! invalid
         refill   MUG@BER XXX 2 10 draft  -> ! not_found
         refill   MUG@BER AUS 5 10 draft  -> replenishment_policy.set replenishment.triggered transfer.created alert.raised
         refill   MUG@AUS BER 5 10 draft  -> ! invalid
         receive  TEA@AUS 50
         refill   TEA@BER AUS 2 4 draft   -> replenishment_policy.set replenishment.triggered transfer.amended alert.raised
         receive  MUG@BER 9               -> stock.received transfer.amended alert.cleared
         receive  TEA@BER 9               -> stock.received transfer.canceled alert.cleared",
    );
}

#[test]
fn a_level_is_refilled_from_another_location_as_soon_as_that_has_the_units() {
    check(
        "receive  MUG@AUS 4
         refill   MUG@BER AUS 2 6 send    -> replenishment_policy.set replenishment.triggered transfer.created alert.raised
         receive  MUG@AUS 4               -> stock.received transfer.shipped
         level    MUG@BER incoming=6
         level    MUG@AUS on_hand=2
         land     1 MUG 6 0               -> transfer.received alert.cleared
         adjust   MUG@BER -5              -> stock.adjusted replenishment.triggered transfer.created alert.raised
         receive  MUG@AUS 3               -> stock.received transfer.shipped",
    );
}

#[test]
fn a_policy_that_only_alerts_moves_nothing() {
    check(
        "receive  MUG@AUS 50
         refill   MUG@BER AUS 2 6 alert   -> replenishment_policy.set alert.raised alert.raised
         open     out_of_stock replenishment_due
         receive  MUG@BER 9               -> stock.received alert.cleared alert.cleared",
    );
}

#[test]
fn a_promise_leans_on_the_delivery_that_is_left_for_the_order() {
    check(
        "channel  web at=BER
         receive  MUG@AUS 20
         place    O1 MUG 2 split
         place    O2 MUG 2 split
         transfer AUS BER MUG 3 by 2026-11-26
         dispatch 1                           -> transfer.shipped order.promise_changed
         promised O1 1 2026-11-30
         promised O2 1 none
         place    O3 MUG 1 split urgent
         promised O3 1 2026-11-30
         transfer AUS BER MUG 5 by 2026-12-03
         dispatch 2                           -> transfer.shipped order.promise_changed
         promised O1 1 2026-11-30
         promised O2 1 2026-12-07",
    );
}
