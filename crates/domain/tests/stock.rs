//! Levels, holds and bad news, told as stories.

mod story;
use story::check;

#[test]
fn a_hold_reserves_and_its_owner_consumes_it() {
    check(
        "receive MUG@AUS 3
         hold  cart MUG 2        -> hold.created
         place O1 MUG 2          -> order.placed stock.shorted order.rejected
         hold  other MUG 2       -> ! insufficient_stock
         place O2 MUG 2 by cart  -> order.placed hold.consumed stock.allocated order.allocated payment.requested",
    );
}

#[test]
fn a_hold_ends_by_itself() {
    check(
        "receive MUG@AUS 2
         hold  cart MUG 2  -> hold.created
         wait  59          ->
         wait  2           -> hold.expired
         unhold 1          -> ! wrong_status
         place O1 MUG 2    -> order.placed stock.allocated order.allocated payment.requested",
    );
}

#[test]
fn bad_news_takes_from_holds_then_from_orders_but_never_from_picked_units() {
    check(
        "receive MUG@AUS 5
         place   O1 MUG 2
         gateway O1         -> payment.authorized fulfillment.released
         pick    O1 1       -> fulfillment.picking
         place   O2 MUG 1
         hold    cart MUG 1
         adjust  MUG -3     -> hold.broken stock.released stock.backordered stock.adjusted order.backordered order.promise_changed
         adjust  MUG -1     -> ! stock_picked
         receive MUG 1      -> stock.received stock.allocated order.allocated order.promise_changed",
    );
}

#[test]
fn bad_news_about_two_skus_of_one_order_ends_its_work_once() {
    check(
        "receive MUG@AUS 1
         receive TEA@AUS 1
         place   O1 MUG 1 TEA 1
         gateway O1               -> payment.authorized fulfillment.released
         adjust  MUG -1 TEA -1    -> fulfillment.canceled stock.released stock.backordered stock.released stock.backordered stock.adjusted order.backordered order.promise_changed",
    );
}

#[test]
fn damaged_units_are_on_hand_but_not_for_sale() {
    check(
        "receive MUG@AUS 3
         damage MUG 2      -> stock.moved
         place  O1 MUG 2   -> order.placed stock.shorted order.rejected
         safety MUG 1      -> stock.safety_stock_set
         place  O2 MUG 1   -> order.placed stock.shorted order.rejected",
    );
}

#[test]
fn a_short_pick_lowers_stock_and_the_order_waits_for_another() {
    check(
        "receive MUG@AUS 2
         place     O1 MUG 2 split
         gateway   O1
         shortpick O1 1 0 1  -> fulfillment.picking fulfillment.short_picked stock.released stock.adjusted stock.backordered order.backordered order.promise_changed
         ship      O1 1      -> fulfillment.packed fulfillment.shipped payment.capture_requested
         receive   MUG 1     -> stock.received stock.allocated fulfillment.released order.allocated order.promise_changed",
    );
}

#[test]
fn those_who_wait_are_served_by_priority_then_age() {
    check(
        "place O1 MUG 1 split         -> order.placed stock.shorted stock.backordered order.backordered payment.requested
         place O2 MUG 1 split
         place O3 MUG 1 split urgent
         receive MUG 1                -> stock.received stock.allocated order.allocated order.promise_changed
         gateway O3                   -> payment.authorized fulfillment.released
         gateway O1                   -> payment.authorized",
    );
}
