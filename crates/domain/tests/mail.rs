//! What customers and suppliers hear, told as stories.

use crate::story::{World, channel, check};
use domain::catalog::ChannelMail;
use domain::command::{catalog, customer};
use domain::id::CustomerId;
use domain::notification::{DeliveryStatus, TopicKind};
use std::collections::BTreeSet;

fn mail(opt_outs: &[TopicKind]) -> ChannelMail {
    ChannelMail {
        sender: "Acme <shop@acme.example>".into(),
        reply_to: None,
        payment_url: None,
        status_url: None,
        locale: "en".into(),
        opt_outs: opt_outs.iter().copied().collect(),
    }
}

/// A shop whose channel writes to buyers who all have an address.
fn writing(opt_outs: &[TopicKind]) -> World {
    let mut world = World::new();
    let mut web = channel("web");
    web.mail = Some(Box::new(mail(opt_outs)));
    world.run(catalog::Command::UpdateChannel { channel: web, expected_version: None }).unwrap();
    world.addressed = true;
    world
}

fn topics(world: &World, order: &str) -> Vec<Vec<&'static str>> {
    let case = world.state.case(world.orders[order]).unwrap();
    case.notifications.iter().map(|mail| mail.topics.iter().map(|topic| topic.kind().as_str()).collect()).collect()
}

#[test]
fn a_customer_hears_of_the_way_of_an_order() {
    let mut world = writing(&[]);
    world.tell(
        "receive MUG@AUS 10
         place   O1 MUG 3    -> order.placed stock.allocated order.allocated payment.requested notification.requested
         start   O1 1        -> effect.started
         sent    O1 1        -> notification.sent
         gateway O1          -> payment.authorized fulfillment.released
         ship    O1 1        -> fulfillment.picking fulfillment.packed fulfillment.shipped payment.capture_requested notification.requested
         gateway O1          -> payment.captured
         deliver O1 1        -> fulfillment.delivered order.completed notification.requested
         return  O1 1 1
         approve O1 1        -> return.approved notification.requested
         refund  O1 1 1      -> refund.requested
         gateway O1          -> refund.completed notification.requested",
    );
    assert_eq!(topics(&world, "O1"), [["order_confirmed"], ["shipped"], ["delivered"], ["return_approved"], ["refunded"]]);
    assert_eq!(world.state.outbox().count(), 4, "the sent one is out of the box");
}

#[test]
fn one_transaction_gives_one_mail() {
    let mut world = writing(&[]);
    world.tell(
        "receive MUG@AUS 2
         place   O1 MUG 3 split  -> order.placed stock.allocated stock.shorted stock.backordered order.backordered payment.requested notification.requested
         place   O2 MUG 3 reject -> order.placed stock.shorted order.rejected
         decline O1              -> payment.failed alert.raised notification.requested
         cancel  O1              -> stock.released order.canceled alert.cleared notification.requested",
    );
    assert_eq!(topics(&world, "O1"), [vec!["order_confirmed", "order_backordered"], vec!["payment_failed"], vec!["order_canceled"]]);
    assert!(topics(&world, "O2").is_empty(), "the store front has told of the rejection");
}

#[test]
fn nobody_hears_who_cannot_or_does_not_want_to() {
    let mut silent = writing(&[]);
    silent.addressed = false;
    silent.tell("receive MUG@AUS 9\n place O1 MUG 1 -> order.placed stock.allocated order.allocated payment.requested");
    check("receive MUG@AUS 9\n place O1 MUG 1 -> order.placed stock.allocated order.allocated payment.requested");
    let mut world = writing(&[TopicKind::OrderConfirmed]);
    world.tell("receive MUG@AUS 9\n place O1 MUG 1 -> order.placed stock.allocated order.allocated payment.requested");
    let opt_outs = BTreeSet::from([TopicKind::OrderCanceled]);
    world.run(customer::Command::SetMailPreferences { id: CustomerId(1), opt_outs }).unwrap();
    world.tell("cancel O1 -> stock.released order.canceled");
}

#[test]
fn an_erased_customer_gets_no_further_mail() {
    let mut world = writing(&[]);
    world.tell("receive MUG@AUS 9\n place O1 MUG 1");
    world.run(customer::Command::EraseCustomer { id: CustomerId(1) }).unwrap();
    world.tell("cancel O1 -> stock.released order.canceled");
}

#[test]
fn a_mail_refused_for_now_waits_longer_each_time_and_is_given_up_after_days() {
    let mut world = writing(&[]);
    world.tell(
        "receive MUG@AUS 9
         place O1 MUG 1
         start O1 1   -> effect.started
         start O1 1   ->
         busy  O1 1   -> notification.deferred
         start O1 1   ->
         wait  2
         start O1 1   -> effect.started
         busy  O1 1   -> notification.deferred
         wait  2
         start O1 1   ->
         wait  2
         start O1 1   -> effect.started
         sent  O1 1   -> notification.sent
         sent  O1 1   ->
         busy  O1 1   ->
         paid  O1",
    );
    world.tell("place O2 MUG 1");
    world.now = world.now.plus_ms(domain::limits::DELIVERY_MS_MAX);
    world.tell("start O2 1 -> effect.started\n busy O2 1 -> notification.failed");
}

#[test]
fn a_mail_in_doubt_raises_an_alert_until_it_is_sent_again() {
    let mut world = writing(&[]);
    world.tell(
        "receive MUG@AUS 9
         place O1 MUG 1
         start O1 1  -> effect.started
         doubt O1 1  -> notification.in_doubt alert.raised
         start O1 1  ->
         again O1 1  -> notification.requested alert.cleared
         start O1 2  -> effect.started
         refused O1 2 -> notification.failed",
    );
    let case = world.state.case(world.orders["O1"]).unwrap();
    assert_eq!(case.notifications[1].delivery.status, DeliveryStatus::Failed);
    assert_eq!(world.state.outbox().count(), 0);
}

#[test]
fn a_purchase_order_goes_to_its_supplier() {
    check(
        "supplier mail 0
         policy  MUG@AUS 5 20  -> replenishment_policy.set replenishment.triggered purchase_order.created purchase_order.sent purchase_order.dispatch_requested alert.raised
         start   1             -> effect.started
         busy    1             -> purchase_order.dispatch_deferred
         wait    2
         start   1             -> effect.started
         refused 1             -> purchase_order.dispatch_failed alert.raised
         again   1             -> purchase_order.dispatch_requested alert.cleared
         start   1             -> effect.started
         doubt   1             -> purchase_order.dispatch_in_doubt alert.raised
         again   1             -> purchase_order.dispatch_requested alert.cleared
         start   1             -> effect.started
         sent    1             -> purchase_order.dispatched",
    );
}
