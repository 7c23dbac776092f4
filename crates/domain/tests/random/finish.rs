//! Everybody does their part: stock arrives, gateways say yes, the warehouse ships, carriers deliver. Then no order may be left open.

use super::shop::{YES, outcome};
use crate::story::World;
use domain::command::{Command, catalog, fulfillment, order, payment, stock};
use domain::fulfillment::{FulfillmentState, Shipment};
use domain::order::{Case, OrderStatus};
use domain::payment::{Effect, RefundStatus, balance_due};
use domain::quantity::Quantity;
use domain::stock::ReceiptLine;

/// Turns after which nothing may be left to do.
const TURNS: usize = 40;
const DAY_MS: i64 = 86_400_000;

pub fn finish(mut world: World) {
    open_again(&mut world);
    for _ in 0..TURNS {
        supply(&mut world);
        let commands = todo(&world);
        for command in commands {
            // What another has settled meanwhile is refused.
            let _ = world.run(command);
            world.pass(0);
        }
        world.pass(DAY_MS);
        super::money::check(&world);
    }
    for (id, case) in world.state.cases.sorted() {
        assert!(case.order.is_closed(), "{id} is left open: {}", serde_json::to_string_pretty(case.as_ref()).unwrap());
        assert!(case.effects.is_empty(), "{id} waits for a gateway: {:?}", case.effects);
        // A refund that failed is left to a person.
        let failed = case.refunds.iter().any(|refund| refund.status == RefundStatus::Failed);
        let due = balance_due(case).get();
        assert!(
            due == 0 || failed || is_rejected(case),
            "{id}: {due} are due, and nobody asks: {}",
            serde_json::to_string_pretty(case.as_ref()).unwrap()
        );
    }
    for (key, level) in world.state.stock.levels.sorted() {
        let left = [level.allocated, level.held, level.picked, level.backordered];
        assert_eq!(left, [Quantity::ZERO; 4], "{}@{}: nobody is left who claims it", key.0, key.1);
    }
    world.replays();
}

/// Nobody pays for what was never taken.
fn is_rejected(case: &Case) -> bool {
    case.order.status == OrderStatus::Rejected
}

/// Every location works and every channel sells from all of them, without keeping anything back.
fn open_again(world: &mut World) {
    let locations: Vec<_> = world.state.catalog.locations.sorted().into_iter().map(|(_, it)| it.as_ref().clone()).collect();
    for mut location in locations {
        location.active = true;
        world.run(catalog::Command::UpdateLocation { location, expected_version: None }).unwrap();
    }
    let channels: Vec<_> = world.state.catalog.channels.sorted().into_iter().map(|(_, it)| it.as_ref().clone()).collect();
    for mut channel in channels {
        (channel.locations, channel.buffer) = (Vec::new(), domain::catalog::Buffer::None);
        world.run(catalog::Command::UpdateChannel { channel, expected_version: None }).unwrap();
    }
    world.pass(0);
}

/// More than anybody waits for, wherever it may be received.
fn supply(world: &mut World) {
    for name in ["MUG", "TEA", "POT"] {
        for location in ["AUS", "BER"] {
            let lines = vec![ReceiptLine { sku: crate::story::sku(name), quantity: Quantity::new(50) }];
            let location = domain::id::LocationCode::new(location).unwrap();
            let _ = world.run(stock::Command::ReceiveStock { location, reference: None, lines });
            world.pass(0);
        }
    }
}

fn todo(world: &World) -> Vec<Command> {
    let mut commands = Vec::new();
    for (id, case) in world.state.cases.sorted() {
        if !case.order.is_closed() {
            commands.push(order::Command::ReleaseOrder { order: *id, expected_version: None }.into());
            commands.push(payment::Command::RetryPayment { order: *id, token: None }.into());
        }
        let said = |effect: &Effect| payment::Command::RecordEffect {
            effect: effect.id,
            order: *id,
            outcome: outcome(&effect.action, YES, world.now),
        };
        commands.extend(case.effects.iter().map(|effect| said(effect).into()));
        for work in &case.fulfillments {
            let fulfillment = work.id;
            match work.status {
                FulfillmentState::Released | FulfillmentState::Picking | FulfillmentState::Packed if work.cancel_requested => {
                    commands.push(fulfillment::Command::AcceptCancel { fulfillment }.into());
                }
                FulfillmentState::Released | FulfillmentState::Picking | FulfillmentState::Packed => {
                    commands.push(fulfillment::Command::Ship { fulfillment, shipment: Shipment::default() }.into());
                }
                FulfillmentState::Shipped => commands.push(fulfillment::Command::Deliver { fulfillment, delivered_at: None }.into()),
                FulfillmentState::Delivered | FulfillmentState::ShortPicked | FulfillmentState::Canceled => {}
            }
        }
    }
    // Invoices are paid, and what a gateway would not capture.
    let payable = world.state.cases.sorted().into_iter().filter(|(_, case)| balance_due(case).get() > 0);
    commands.extend(payable.map(|(id, _)| payment::Command::MarkPaid { order: *id, amount: None, reference: None }.into()));
    commands
}
