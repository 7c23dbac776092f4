//! Goods that come back, told as stories.

use crate::story::check;

#[test]
fn a_return_is_approved_received_and_sold_again() {
    check(
        "receive MUG@AUS 3
         place   O1 MUG 3
         gateway O1
         return  O1 1 1          -> ! invalid
         ship    O1 1
         gateway O1
         return  O1 1 2          -> return.requested
         return  O1 1 2          -> ! invalid
         back    O1 1 1 restock  -> ! wrong_status
         approve O1 1            -> return.approved
         back    O1 1 1 restock  -> return.received
         back    O1 1 2 damaged  -> ! invalid
         back    O1 1 1 damaged  -> return.received
         finish  O1 1            -> return.closed
         place   O2 MUG 2        -> order.placed stock.shorted order.rejected
         place   O3 MUG 1        -> order.placed stock.allocated order.allocated payment.requested
         return  O1 1 1          -> return.requested
         deny    O1 2            -> return.rejected",
    );
}

#[test]
fn a_blind_return_fills_those_who_wait() {
    check(
        "place O1 MUG 2 split
         blind MUG 1 scrap    -> return.received
         blind MUG 1 restock  -> return.received stock.allocated",
    );
}
