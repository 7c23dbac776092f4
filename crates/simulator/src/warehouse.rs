//! Those who handle goods: the warehouse picks, packs and ships; the supplier delivers; customers send back.

use crate::world::World;
use domain::Image;
use domain::command::{fulfillment, purchasing, returns};
use domain::event::purchasing::ReceivedUnits;
use domain::fulfillment::{Fulfillment, FulfillmentState, Shipment};
use domain::id::{FulfillmentId, LineId, LocationCode, OrderId, PurchaseOrderId, ReturnId};
use domain::order::Line;
use domain::purchasing::PurchaseOrderStatus;
use domain::quantity::Quantity;
use domain::returns::Disposition;
use domain::state::State;
use engine::Reply;

/// Work that waits for somebody, in the order of its ids.
pub(crate) fn open_works(state: &State) -> Vec<Fulfillment> {
    let cases = state.cases.sorted().into_iter().flat_map(|(_, case)| case.fulfillments.clone());
    cases
        .filter(|work| match work.status {
            FulfillmentState::Released | FulfillmentState::Picking | FulfillmentState::Packed | FulfillmentState::Shipped => true,
            FulfillmentState::Delivered | FulfillmentState::ShortPicked | FulfillmentState::Canceled => false,
        })
        .collect()
}

/// A purchase order with what it still brings.
type Delivery = (PurchaseOrderId, Vec<ReceivedUnits>);

pub(crate) fn deliveries(state: &State) -> Vec<Delivery> {
    let open = state.purchasing.orders.sorted().into_iter().filter(|(_, order)| match order.status {
        PurchaseOrderStatus::Sent | PurchaseOrderStatus::Acknowledged | PurchaseOrderStatus::PartiallyReceived => true,
        PurchaseOrderStatus::Draft | PurchaseOrderStatus::Received | PurchaseOrderStatus::ClosedShort | PurchaseOrderStatus::Canceled => {
            false
        }
    });
    let units =
        |line: &domain::purchasing::PurchaseLine| ReceivedUnits { sku: line.sku.clone(), accepted: line.open(), damaged: Quantity::ZERO };
    open.map(|(id, order)| (*id, order.lines.iter().filter(|line| !line.open().is_zero()).map(units).collect())).collect()
}

/// Lines that have shipped and are not on a return.
fn shipped(state: &State) -> Vec<(OrderId, Line)> {
    let cases = state.cases.sorted().into_iter().filter(|(_, case)| case.returns.is_empty());
    let lines = cases.flat_map(|(id, case)| case.order.lines.iter().map(|line| (*id, line.clone())));
    lines.filter(|(_, line)| !line.shipped().is_zero()).collect()
}

impl World {
    pub(crate) fn work(&mut self) -> Result<(), String> {
        let works = self.machine.look(open_works)?;
        let Some(work) = self.random.pick(&works).cloned() else { return Ok(()) };
        let fulfillment = work.id;
        let roll = self.random.below(100);
        let command = match (work.status, work.cancel_requested) {
            (FulfillmentState::Shipped, _) => fulfillment::Command::Deliver { fulfillment, delivered_at: None },
            (_, true) if roll < 50 => fulfillment::Command::AcceptCancel { fulfillment },
            (_, true) => fulfillment::Command::DeclineCancel { fulfillment, reason: None },
            (_, false) if roll < 15 => fulfillment::Command::StartPick { fulfillment },
            (_, false) if roll < 30 => fulfillment::Command::Pack { fulfillment },
            (_, false) if roll < 40 => return self.short_pick(&work),
            (_, false) if roll < 46 => fulfillment::Command::RequestCancel { fulfillment, reason: "customer".into() },
            (_, false) => return self.ship(fulfillment),
        };
        self.request(command).map(drop)
    }

    pub(crate) fn ship(&mut self, fulfillment: FulfillmentId) -> Result<(), String> {
        let reply = self.request(fulfillment::Command::Ship { fulfillment, shipment: Shipment::default() })?;
        let Reply::Done { images, .. } = &reply else { return Ok(()) };
        let work = images.iter().find_map(|image| match image {
            Image::Case(id, Some(case)) if *id == fulfillment.order => case.fulfillments.get(usize::from(fulfillment.n) - 1).cloned(),
            _ => None,
        });
        self.oracle.left(&work.ok_or("a shipment without its work")?);
        Ok(())
    }

    fn short_pick(&mut self, work: &Fulfillment) -> Result<(), String> {
        let goods: Vec<_> = work.lines.iter().zip(0u16..).filter(|(line, _)| line.part.is_some() && !line.quantity.is_zero()).collect();
        let Some((line, index)) = self.random.pick(&goods) else { return Ok(()) };
        let missing = self.random.units(1, line.quantity.get());
        let short = fulfillment::Command::ShortPick { fulfillment: work.id, missing: vec![(*index, Quantity::new(missing))] };
        if let Reply::Done { .. } = self.request(short)? {
            self.oracle.arrived(line.sku.as_str(), -i64::from(missing));
        }
        Ok(())
    }

    pub(crate) fn supplier_delivers(&mut self) -> Result<(), String> {
        let open = self.machine.look(deliveries)?;
        let Some((order, mut lines)) = self.random.pick(&open).cloned() else { return Ok(()) };
        for line in &mut lines {
            line.accepted = Quantity::new(self.random.units(1, line.accepted.get()));
        }
        self.deliver(order, lines)
    }

    pub(crate) fn deliver(&mut self, order: PurchaseOrderId, lines: Vec<ReceivedUnits>) -> Result<(), String> {
        let arrived = lines.clone();
        if let Reply::Done { .. } = self.request(purchasing::Command::Receive { order, lines, confirm_over_receipt: false })? {
            arrived.iter().for_each(|units| self.oracle.arrived(units.sku.as_str(), units.accepted.signed()));
        }
        Ok(())
    }

    /// Asked for, approved, received and closed, as far as the shop lets it.
    pub(crate) fn goods_come_back(&mut self) -> Result<(), String> {
        let lines = self.machine.look(shipped)?;
        let Some((order, line)) = self.random.pick(&lines).cloned() else { return Ok(()) };
        let units = Quantity::new(self.random.units(1, line.shipped().get()));
        let id = ReturnId { order: Some(order), n: 1 };
        let line_id: LineId = line.id;
        self.request(returns::Command::Request { order, lines: vec![(line_id, units)], reason: None })?;
        self.request(returns::Command::Approve { id })?;
        let location = LocationCode::new("AUS").map_err(|error| error.to_string())?;
        let lines = vec![returns::Arrived { index: 0, disposition: Disposition::Restock, quantity: units }];
        if let Reply::Done { .. } = self.request(returns::Command::Receive { id, location, lines })? {
            for part in &line.parts {
                self.oracle.arrived(part.sku.as_str(), part.per_unit.signed() * units.signed());
            }
        }
        self.request(returns::Command::Close { id }).map(drop)
    }
}
