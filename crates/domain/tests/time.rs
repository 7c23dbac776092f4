//! What a day brings: preorders, and what is sold no more, told as stories.

use crate::story::check;

#[test]
fn a_preorder_leaves_when_its_day_comes() {
    check(
        "item     MUG from=2026-12-01
         receive  MUG@AUS 2
         place    O1 MUG 1      -> order.placed stock.allocated order.allocated payment.requested
         promised O1 1 2026-12-01
         gateway  O1            -> payment.authorized
         wait     604800        ->
         wait     86400         -> order.available fulfillment.released
         ship     O1 1          -> fulfillment.picking fulfillment.packed fulfillment.shipped payment.capture_requested",
    );
}

#[test]
fn a_preorder_without_stock_is_promised_for_its_day() {
    check(
        "item     MUG from=2026-12-01
         place    O1 MUG 1 backorder  -> order.placed stock.shorted stock.backordered order.backordered payment.requested
         promised O1 1 2026-12-01
         gateway  O1
         wait     691200              -> order.available
         wait     86400               -> order.late alert.raised
         receive  MUG@AUS 1           -> stock.received stock.allocated fulfillment.released order.allocated order.promise_changed alert.cleared",
    );
}

#[test]
fn a_preorder_that_is_put_off_leaves_later() {
    check(
        "item     MUG from=2026-12-01
         receive  MUG@AUS 2
         place    O1 MUG 1
         gateway  O1
         item     MUG from=2026-12-08  -> item.updated
         wait     691200               -> order.available order.promise_changed
         promised O1 1 2026-12-08
         wait     604800               -> order.available fulfillment.released",
    );
}

#[test]
fn a_component_that_is_preordered_holds_its_kit_back() {
    check(
        "item     TEA from=2026-12-01
         receive  MUG@AUS 1
         receive  TEA@AUS 2
         place    O1 SET 1
         promised O1 1 2026-12-01
         gateway  O1            -> payment.authorized
         wait     691200        -> order.available fulfillment.released",
    );
}

#[test]
fn who_waits_at_a_location_that_closes_moves_to_another() {
    check(
        "channel  web at=BER
         place    O1 MUG 2 split
         gateway  O1
         channel  web at=BER+AUS
         receive  MUG@AUS 1
         location BER active=no     -> location.updated
         wait     1                 -> stock.released stock.allocated stock.backordered fulfillment.released
         receive  MUG@AUS 1         -> stock.received stock.allocated fulfillment.released order.allocated order.promise_changed",
    );
}

#[test]
fn what_waits_is_sourced_again_when_somebody_asks() {
    check(
        "place    O1 MUG 2 TEA 1 split
         elsewhere O1                -> ! wrong_status
         receive  MUG@BER 1
         elsewhere O1                -> stock.released stock.allocated stock.backordered
         level    MUG@AUS backordered=0
         level    MUG@BER allocated=1 backordered=1
         cancel   O1
         elsewhere O1                -> ! wrong_status",
    );
}

#[test]
fn a_kit_that_waits_in_part_stays_where_it_is() {
    check(
        "place    O1 SET 2 split
         receive  MUG@BER 9
         receive  TEA@BER 9
         elsewhere O1                -> stock.released stock.allocated order.allocated order.promise_changed
         place    O2 SET 4 split
         level    TEA@BER available=0
         receive  MUG@AUS 9
         receive  TEA@AUS 9
         elsewhere O2                -> ! wrong_status",
    );
}

#[test]
fn a_retired_item_leaves_the_orders_that_wait_for_it_once_nothing_comes() {
    check(
        "supplier draft 0
         policy   MUG 4 20          -> replenishment_policy.set replenishment.triggered purchase_order.created alert.raised
         place    O1 MUG 2 split
         place    O2 MUG 1 TEA 1 split
         gateway  O1
         gateway  O2
         item     MUG retired=yes   -> item.retired purchase_order.canceled alert.cleared
         wait     1                 -> stock.released order.canceled stock.released order.canceled payment.void_requested
         place    O3 MUG 1          -> ! wrong_status
         hold     cart MUG 1        -> ! wrong_status
         receive  TEA@AUS 1         -> stock.received stock.allocated fulfillment.released order.allocated order.promise_changed",
    );
}

#[test]
fn a_retired_item_is_still_delivered_to_those_whose_units_are_on_their_way() {
    check(
        "supplier send 0
         policy   MUG 4 20          -> replenishment_policy.set replenishment.triggered purchase_order.created purchase_order.sent alert.raised
         place    O1 MUG 2 split
         gateway  O1
         item     MUG retired=yes   -> item.retired alert.cleared
         wait     1                 ->
         arrive   1 MUG 1 0         -> purchase_order.received stock.received stock.allocated fulfillment.released
         short    1                 -> purchase_order.closed_short order.promise_changed
         wait     1                 -> stock.released order.canceled order.allocated order.promise_changed",
    );
}

#[test]
fn a_draft_loses_what_no_policy_wants_any_more() {
    check(
        "supplier draft 0
         policy   MUG 4 20          -> replenishment_policy.set replenishment.triggered purchase_order.created alert.raised
         unpolicy MUG               -> replenishment_policy.deleted purchase_order.canceled alert.cleared",
    );
}
