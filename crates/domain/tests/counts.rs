//! Cycle counts, told as stories.

use crate::story::check;

#[test]
fn a_variance_is_posted_as_an_adjustment() {
    check(
        "receive MUG@AUS 10
         tally   MUG TEA       -> count.opened
         post    1             -> ! invalid
         counted 1 MUG 8       -> count.recorded
         counted 1 SET 8       -> ! not_found
         post    1             -> stock.adjusted count.posted
         level   MUG@AUS on_hand=8
         post    1             -> ! wrong_status
         untally 1             -> ! wrong_status",
    );
}

#[test]
fn what_moves_between_counting_and_recording_is_not_counted_twice() {
    check(
        "receive MUG@AUS 10
         tally   MUG
         wait    60
         receive MUG@AUS 5
         wait    60
         counted 1 MUG 9 90    -> count.recorded
         post    1             -> stock.adjusted count.posted
         level   MUG@AUS on_hand=14",
    );
}

#[test]
fn units_that_come_back_while_somebody_counts_are_on_the_book() {
    check(
        "receive MUG@AUS 10
         tally   MUG
         wait    60
         blind   MUG 2 restock
         wait    60
         counted 1 MUG 12      -> count.recorded
         post    1             -> count.posted
         level   MUG@AUS on_hand=12",
    );
}

#[test]
fn picked_units_are_not_on_the_shelf() {
    check(
        "receive MUG@AUS 10
         place   O1 MUG 3
         gateway O1
         tally   MUG
         wait    60
         pick    O1 1
         wait    60
         counted 1 MUG 7 30    -> count.recorded
         post    1             -> count.posted
         tally   MUG
         counted 2 MUG 10 200  -> ! invalid
         counted 2 MUG 7       -> count.recorded
         post    2             -> count.posted",
    );
}

#[test]
fn a_large_variance_needs_approval() {
    check(
        "settings approval=2
         receive MUG@AUS 10
         tally   MUG
         counted 1 MUG 6
         post    1             -> ! confirmation_needed
         post    1 approved    -> stock.adjusted count.posted
         tally   MUG
         counted 2 MUG 8
         post    2             -> stock.adjusted count.posted
         level   MUG@AUS on_hand=8
         tally   MUG
         untally 3             -> count.canceled",
    );
}

#[test]
fn a_count_that_finds_less_takes_from_those_who_wait_but_never_from_the_picked() {
    check(
        "receive MUG@AUS 4
         place   O1 MUG 2
         gateway O1
         pick    O1 1
         place   O2 MUG 1
         tally   MUG
         counted 1 MUG 0
         post    1             -> stock.released stock.backordered stock.adjusted count.posted order.backordered order.promise_changed
         level   MUG@AUS on_hand=2 allocated=2",
    );
}
