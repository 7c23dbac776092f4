//! Levels, holds and bad news, told as stories.

use crate::story::check;

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

#[test]
fn kits_whose_components_stand_apart_are_neither_held_nor_sold() {
    check(
        "receive MUG@AUS 5
         receive TEA@BER 10
         sells   SET 0
         hold    cart SET 1         -> ! insufficient_stock
         place   O1 SET 1           -> order.placed stock.shorted order.rejected
         receive TEA@AUS 4
         sells   SET 2
         hold    cart SET 3         -> ! insufficient_stock
         hold    cart SET 2         -> hold.created
         level   MUG@AUS held=2
         level   TEA@AUS held=4
         level   TEA@BER held=0",
    );
}

#[test]
fn a_shortage_of_kits_in_a_hold_is_told_in_kits() {
    let mut world = crate::story::World::new();
    world.tell("receive MUG@AUS 9\n receive TEA@AUS 5");
    let error = world.act(&["hold", "cart", "SET", "4"]).expect_err("two kits are there");
    let domain::Rejection::InsufficientStock { lines, .. } = error else { panic!("{error:?}") };
    assert_eq!((lines[0].wanted.get(), lines[0].available.get()), (4, 2));
}

#[test]
fn a_hold_stays_where_its_channel_sells_from() {
    check(
        "channel web at=AUS
         receive MUG@BER 5
         hold    cart MUG 1 at BER   -> ! invalid
         hold    cart MUG 1          -> ! insufficient_stock
         receive MUG@AUS 1
         hold    cart MUG 1 at AUS   -> hold.created
         hold    cart MUG 1 at XXX   -> ! not_found",
    );
}

#[test]
fn a_channel_that_keeps_stock_back_does_not_stand_before_others() {
    let waiting: String = (0..120).map(|n| format!("place S{n} via shop MUG 1 split\n")).collect();
    check(&format!(
        "channel shop buffer=1000
         {waiting}
         place   O1 MUG 1 split
         receive MUG@AUS 1   -> stock.received stock.allocated order.allocated order.promise_changed
         gateway O1          -> payment.authorized fulfillment.released",
    ));
}

#[test]
fn who_waits_where_a_channel_sells_no_more_is_still_served_there() {
    check(
        "channel web at=BER
         place   O1 MUG 2 split
         channel web at=AUS
         receive MUG@BER 2    -> stock.received stock.allocated order.allocated order.promise_changed
         gateway O1           -> payment.authorized fulfillment.released",
    );
}

#[test]
fn bad_news_leaves_work_alone_that_does_not_hold_the_sku() {
    check(
        "receive MUG@AUS 1
         place   O1 MUG 1 TEA 1 split
         gateway O1           -> payment.authorized fulfillment.released
         receive TEA@AUS 1    -> stock.received stock.allocated fulfillment.released order.allocated order.promise_changed
         adjust  TEA -1       -> fulfillment.canceled stock.released stock.backordered stock.adjusted order.backordered order.promise_changed
         ship    O1 1         -> fulfillment.picking fulfillment.packed fulfillment.shipped payment.capture_requested",
    );
}

#[test]
fn a_location_stands_once_in_a_channel() {
    check("channel web at=AUS+BER+AUS  -> ! invalid");
}
