//! What a person is told, once, and when it is over, told as stories.

use crate::story::check;

#[test]
fn an_order_past_its_promise_is_late_until_it_leaves() {
    check(
        "receive MUG@AUS 2
         place   O1 MUG 1   -> order.placed stock.allocated order.allocated payment.requested
         gateway O1
         wait    86400      ->
         wait    86400      -> order.late alert.raised
         wait    86400      ->
         open    late_order
         ship    O1 1       -> fulfillment.picking fulfillment.packed fulfillment.shipped payment.capture_requested alert.cleared",
    );
}

#[test]
fn an_order_that_leaves_in_time_is_never_late() {
    check(
        "receive MUG@AUS 2
         place   O1 MUG 1
         gateway O1
         ship    O1 1
         gateway O1
         wait    259200     ->
         place   O2 MUG 1
         gateway O2
         cancel  O2
         gateway O2
         wait    259200     ->",
    );
}

#[test]
fn a_late_order_is_so_no_more_when_it_is_canceled() {
    check(
        "receive MUG@AUS 2
         place   O1 MUG 1
         gateway O1
         wait    172800     -> order.late alert.raised
         cancel  O1         -> fulfillment.canceled stock.released order.canceled payment.void_requested alert.cleared",
    );
}

#[test]
fn a_supplier_past_its_day_is_late_until_the_goods_or_a_new_day_come() {
    check(
        "supplier send 0
         policy   MUG 4 20            -> replenishment_policy.set replenishment.triggered purchase_order.created purchase_order.sent alert.raised
         wait     691200              -> purchase_order.late alert.raised
         open     out_of_stock supplier_late
         promise  1 MUG 2026-12-05    -> purchase_order.acknowledged alert.cleared
         wait     432000              -> purchase_order.late alert.raised
         arrive   1 MUG 24 0          -> purchase_order.received stock.received alert.cleared alert.cleared
         open",
    );
}

#[test]
fn an_outside_action_without_an_answer_is_told() {
    check(
        "receive MUG@AUS 2
         place   O1 MUG 1
         wait    899        ->
         wait    1          -> payment.effect_stuck alert.raised
         wait    60         ->
         gateway O1         -> payment.authorized fulfillment.released alert.cleared",
    );
}

#[test]
fn an_authorization_that_runs_out_is_asked_for_anew() {
    check(
        "receive MUG@AUS 2
         place   O1 MUG 1
         gateway O1 172800  -> payment.authorized fulfillment.released
         wait    86400      -> payment.authorization_expiring alert.raised
         open    authorization_expiring
         wait    86400      -> order.late alert.raised payment.expired fulfillment.canceled payment.requested alert.cleared
         gateway O1         -> payment.authorized fulfillment.released",
    );
}

#[test]
fn an_order_whose_authorization_ran_out_is_held_where_the_channel_says_so() {
    check(
        "channel web expiry=hold
         receive MUG@AUS 2
         place   O1 MUG 1
         gateway O1 3600    -> payment.authorized fulfillment.released
         wait    1800       -> payment.authorization_expiring alert.raised
         wait    1800       -> payment.expired order.held fulfillment.canceled
         open    authorization_expiring
         retry   O1         -> payment.requested
         gateway O1         -> payment.authorized
         go      O1         -> order.released fulfillment.released alert.cleared",
    );
}

#[test]
fn a_refused_reauthorization_does_not_cancel_the_order() {
    check(
        "receive MUG@AUS 2
         place   O1 MUG 1
         gateway O1 3600
         pick    O1 1
         wait    3600       -> payment.authorization_expiring alert.raised payment.expired payment.requested alert.cleared
         decline O1         -> payment.failed alert.raised
         wait    7200       ->
         retry   O1         -> payment.requested alert.cleared
         gateway O1         -> payment.authorized
         ship    O1 1       -> fulfillment.packed fulfillment.shipped payment.capture_requested",
    );
}

#[test]
fn the_rest_of_an_authorization_is_gone_when_it_runs_out() {
    check(
        "receive MUG@AUS 1
         place   O1 MUG 2 split
         gateway O1 3600    -> payment.authorized fulfillment.released
         ship    O1 1       -> fulfillment.picking fulfillment.packed fulfillment.shipped payment.capture_requested
         gateway O1         -> payment.captured
         wait    3600       -> payment.authorization_expiring alert.raised payment.expired payment.requested alert.cleared
         gateway O1         -> payment.authorized
         receive MUG@AUS 1  -> stock.received stock.allocated fulfillment.released order.allocated order.promise_changed
         ship    O1 2       -> fulfillment.picking fulfillment.packed fulfillment.shipped payment.capture_requested
         gateway O1         -> payment.captured",
    );
}

#[test]
fn a_capture_that_failed_leaves_a_balance_due_and_an_alert_until_it_is_paid() {
    check(
        "receive MUG@AUS 1
         place   O1 MUG 1
         gateway O1
         ship    O1 1       -> fulfillment.picking fulfillment.packed fulfillment.shipped payment.capture_requested
         decline O1         -> payment.capture_failed alert.raised
         deliver O1 1       -> fulfillment.delivered
         wait    1209600    -> order.completed
         open    capture_failed
         retry   O1         -> payment.capture_requested
         decline O1         -> payment.capture_failed
         paid    O1         -> payment.claimed payment.captured payment.void_requested alert.cleared",
    );
}

#[test]
fn the_edge_raises_what_the_rules_cannot_see() {
    check(
        "alarm sub_1   -> alert.raised
         alarm sub_1   ->
         alarm sub_2   -> alert.raised
         calm  sub_1   -> alert.cleared
         calm  sub_1   ->
         receive MUG@AUS 1
         place O1 MUG 1
         forge O1      -> ! invalid",
    );
}
