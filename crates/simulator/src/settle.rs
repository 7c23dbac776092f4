//! When everyone does their part, everything comes to an end: nothing is stuck.

use crate::disk;
use crate::vendor;
use crate::warehouse::{deliveries, open_works};
use crate::world::{Summary, World};
use domain::command::{fulfillment, payment};
use domain::fulfillment::FulfillmentState;
use domain::id::OrderId;
use domain::order::PaymentStatus;
use domain::payment::PaymentState;
use domain::state::State;
use domain::stock::HoldStatus;
use domain::time::DAY_MS;
use std::collections::BTreeMap;

/// Days within which everything has to end.
const ROUNDS_MAX: u32 = 80;

/// What is not at its end yet.
fn unfinished(state: &State) -> Vec<String> {
    let mut left = Vec::new();
    for (id, case) in state.cases.sorted() {
        if !case.may_leave() {
            let works: Vec<_> = case.fulfillments.iter().map(|work| work.status).collect();
            let payments: Vec<_> = case.payments.iter().map(|payment| payment.status).collect();
            left.push(format!(
                "{id} is {:?}, {:?}, {:?}, {:?}; works {works:?}, payments {payments:?}, effects {:?}, timers {:?}, returns {:?}",
                case.order.status,
                case.order.payment_status,
                case.order.allocation_status,
                case.order.fulfillment_status,
                case.effects,
                case.timers,
                case.returns.iter().map(|known| known.status).collect::<Vec<_>>(),
            ));
        }
    }
    let holds = state.stock.holds.sorted().into_iter().filter(|(_, hold)| hold.status == HoldStatus::Active);
    left.extend(holds.map(|(id, hold)| format!("{id} is active until {:?}", hold.expires_at)));
    left
}

/// Units that orders wait for, by SKU and location.
fn missing(state: &State) -> BTreeMap<(String, String), u32> {
    let levels = state.stock.levels.sorted().into_iter().filter(|(_, level)| !level.backordered.is_zero());
    levels.map(|(key, level)| ((key.0.to_string(), key.1.to_string()), level.backordered.get() + level.safety_stock.get() + 2)).collect()
}

/// Orders that a person has to ask to pay again, and returns to close.
fn unpaid(state: &State) -> Vec<OrderId> {
    let cases = state.cases.sorted().into_iter().filter(|(_, case)| {
        let failed = case.payments.iter().any(|payment| match payment.status {
            PaymentState::Authorized | PaymentState::Captured => payment.failure.is_some(),
            PaymentState::Failed | PaymentState::Expired => case.order.payment_status != PaymentStatus::Captured,
            PaymentState::Requested | PaymentState::Refunded | PaymentState::Voided => false,
        });
        failed && !case.order.is_closed() && case.effects.is_empty()
    });
    cases.map(|(id, _)| *id).collect()
}

impl World {
    /// No more faults: the disk is repaired, and the machine started again.
    ///
    /// # Errors
    /// When it does not start.
    pub fn heal(&mut self) -> Result<(), String> {
        disk::plan(&self.machine.plan).fault = None;
        self.machine.restart()?;
        self.machine.quiet()
    }

    /// Everyone does their part until nothing is left to do.
    ///
    /// # Errors
    /// When something is stuck.
    pub fn settle(&mut self) -> Result<(), String> {
        for _ in 0..ROUNDS_MAX {
            self.everyone_works()?;
            if self.machine.look(unfinished)?.is_empty() {
                return Ok(());
            }
            self.machine.turn_clock(DAY_MS);
            self.machine.quiet()?;
        }
        Err(format!("stuck:\n{}", self.machine.look(unfinished)?.join("\n")))
    }

    fn everyone_works(&mut self) -> Result<(), String> {
        for asked in self.machine.engine()?.outstanding() {
            let (effect, order) = (asked.effect.id, asked.order);
            self.request(payment::Command::RecordEffect { effect, order, outcome: vendor::yes(&asked.effect.action, None) })?;
        }
        for order in self.machine.look(unpaid)? {
            self.request(payment::Command::RetryPayment { order, token: None })?;
        }
        for ((sku, place), units) in self.machine.look(missing)? {
            self.receive(&sku, &place, units)?;
        }
        for (order, lines) in self.machine.look(deliveries)? {
            self.deliver(order, lines)?;
        }
        for work in self.machine.look(open_works)? {
            let fulfillment = work.id;
            if work.cancel_requested {
                self.request(fulfillment::Command::AcceptCancel { fulfillment })?;
            } else if work.status == FulfillmentState::Shipped {
                self.request(fulfillment::Command::Deliver { fulfillment, delivered_at: None })?;
            } else {
                self.ship(fulfillment)?;
            }
        }
        Ok(())
    }

    /// The last proof: what was acknowledged is there, and the log folded from empty is what lived.
    ///
    /// # Errors
    /// When it is not.
    pub fn prove(mut self) -> Result<Summary, String> {
        self.oracle_agrees()?;
        let alive = self.machine.look(engine::state_hash)?;
        self.machine.stop();
        let report = engine::verify(&self.machine.folder).map_err(|error| error.to_string())?;
        if report.state_hash != alive {
            return Err(format!("replay differs: {} folded, {alive} alive", report.state_hash));
        }
        let orders = self.oracle.placed.values().map(Vec::len).sum();
        let (starts, power_losses) = (self.machine.starts, self.machine.power_losses);
        Ok(Summary { orders, starts, power_losses, state_hash: alive, ..self.summary })
    }
}
