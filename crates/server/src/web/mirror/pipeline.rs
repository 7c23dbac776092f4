//! Where every open order stands, and since when: counted as cases change, never by looking through them.

use domain::fulfillment::FulfillmentState;
use domain::id::{FulfillmentId, LocationCode, OrderId, ReturnId};
use domain::order::{AllocationStatus, Case, FulfillmentStatus, OrderStatus, PaymentStatus};
use domain::payment::{self, PaymentState};
use domain::returns::ReturnStatus;
use domain::time::{Date, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How far an open order has come. An order with work in several places stands where its most advanced open work does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    OnHold,
    Placed,
    Allocated,
    Paid,
    Released,
    Picking,
    Packed,
    Shipped,
    Delivered,
}

impl Stage {
    /// The way of an order, first to last.
    pub const WAY: [Self; 8] =
        [Self::Placed, Self::Allocated, Self::Paid, Self::Released, Self::Picking, Self::Packed, Self::Shipped, Self::Delivered];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnHold => "on_hold",
            Self::Placed => "placed",
            Self::Allocated => "allocated",
            Self::Paid => "paid",
            Self::Released => "released",
            Self::Picking => "picking",
            Self::Packed => "packed",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        std::iter::once(Self::OnHold).chain(Self::WAY).find(|stage| stage.as_str() == text)
    }
}

/// A piece of open work of the warehouse, oldest first within its location and state.
pub type Work = (Timestamp, FulfillmentId);

/// A return that is not over: those to approve first, then those on their way, the oldest first.
pub type Back = (ReturnStatus, Timestamp, ReturnId);

/// Open orders by stage and by what is wrong with them.
#[derive(Default)]
pub struct Pipeline {
    seen: HashMap<OrderId, Seen>,
    /// Also of orders that are closed.
    pub returns: BTreeSet<Back>,
    returning: HashMap<OrderId, Vec<Back>>,
    stages: BTreeMap<Stage, BTreeSet<(Timestamp, OrderId)>>,
    /// By the day that was promised, those that still have to ship.
    pub promised: BTreeSet<(Date, OrderId)>,
    pub short: BTreeSet<OrderId>,
    /// The payment failed or ran out, or a capture did not go through.
    pub unpaid: BTreeSet<OrderId>,
    /// Released, picking and packed.
    pub work: BTreeMap<(LocationCode, FulfillmentState), BTreeSet<Work>>,
    /// The shop wants it back; the warehouse has to answer.
    pub cancel_requested: BTreeSet<FulfillmentId>,
}

struct Seen {
    stage: Stage,
    since: Timestamp,
    promised: Option<Date>,
    short: bool,
    unpaid: bool,
    work: Vec<(LocationCode, FulfillmentState, Work, bool)>,
}

impl Pipeline {
    /// Takes up an order as it is now; one that is closed or gone leaves.
    pub fn see(&mut self, id: OrderId, case: Option<&Case>) {
        if let Some(before) = self.seen.remove(&id) {
            self.forget(id, &before);
        }
        self.see_returns(id, case);
        let Some(case) = case.filter(|case| !case.order.is_closed()) else { return };
        let seen = Seen::of(case);
        self.stages.entry(seen.stage).or_default().insert((seen.since, id));
        if let Some(day) = seen.promised {
            self.promised.insert((day, id));
        }
        if seen.short {
            self.short.insert(id);
        }
        if seen.unpaid {
            self.unpaid.insert(id);
        }
        for (location, state, work, canceling) in &seen.work {
            self.work.entry((location.clone(), *state)).or_default().insert(*work);
            if *canceling {
                self.cancel_requested.insert(work.1);
            }
        }
        self.seen.insert(id, seen);
    }

    fn see_returns(&mut self, id: OrderId, case: Option<&Case>) {
        for back in self.returning.remove(&id).into_iter().flatten() {
            self.returns.remove(&back);
        }
        let open = case.into_iter().flat_map(|case| &case.returns).filter(|back| !back.is_closed());
        let open: Vec<Back> = open.map(|back| (back.status, back.created_at, back.id)).collect();
        if !open.is_empty() {
            self.returns.extend(open.iter().copied());
            self.returning.insert(id, open);
        }
    }

    fn forget(&mut self, id: OrderId, before: &Seen) {
        self.stages.get_mut(&before.stage).map(|orders| orders.remove(&(before.since, id)));
        if let Some(day) = before.promised {
            self.promised.remove(&(day, id));
        }
        self.short.remove(&id);
        self.unpaid.remove(&id);
        for (location, state, work, _) in &before.work {
            self.work.get_mut(&(location.clone(), *state)).map(|works| works.remove(work));
            self.cancel_requested.remove(&work.1);
        }
    }

    pub fn open(&self) -> usize {
        self.seen.len()
    }

    /// How many stand there, and since when the first of them.
    pub fn standing(&self, stage: Stage) -> (usize, Option<Timestamp>) {
        let orders = self.stages.get(&stage);
        (orders.map_or(0, BTreeSet::len), orders.and_then(|orders| orders.first()).map(|(since, _)| *since))
    }

    /// Those that stand there, the longest first.
    pub fn at(&self, stage: Stage) -> impl Iterator<Item = OrderId> {
        self.stages.get(&stage).into_iter().flatten().map(|(_, id)| *id)
    }

    /// Orders that were promised for a day before `today`, the latest first.
    pub fn late(&self, today: Date) -> impl Iterator<Item = OrderId> {
        self.promised.range(..(today, OrderId(0))).map(|(_, id)| *id)
    }

    /// Open work that began before `before`, by location.
    pub fn stuck(&self, before: Timestamp) -> impl Iterator<Item = Work> {
        let first = FulfillmentId { order: OrderId(0), n: 0 };
        self.work.values().flat_map(move |works| works.range(..(before, first)).copied())
    }

    pub fn work_at(&self, location: &LocationCode, state: FulfillmentState) -> Option<&BTreeSet<Work>> {
        self.work.get(&(location.clone(), state))
    }
}

impl Seen {
    fn of(case: &Case) -> Self {
        let (stage, since) = stage(case);
        let open = |line: &&domain::order::Line| line.parts.iter().any(|part| !part.open().is_zero());
        let promises = case.order.lines.iter().filter(open).filter_map(|line| line.promise.as_ref());
        let active = case.fulfillments.iter().filter(|work| !work.status.is_over());
        let work = active.map(|work| (work.location.clone(), work.status, (work.created_at, work.id), work.cancel_requested));
        Self {
            stage,
            since,
            promised: promises.map(|promise| promise.ship_by).min(),
            short: case.order.parts().any(|part| !part.backorders.is_empty()),
            unpaid: is_unpaid(case),
            work: work.collect(),
        }
    }
}

fn is_unpaid(case: &Case) -> bool {
    let failed = matches!(case.order.payment_status, PaymentStatus::Failed | PaymentStatus::Expired);
    failed || case.payments.iter().any(|payment| payment.status == PaymentState::Authorized && payment.failure.is_some())
}

/// The stage, and when it began as far as the case itself tells.
pub fn stage(case: &Case) -> (Stage, Timestamp) {
    let order = &case.order;
    if order.status == OrderStatus::OnHold {
        return (Stage::OnHold, order.updated_at);
    }
    let began = |state: FulfillmentState| {
        let works = case.fulfillments.iter().filter(|work| work.status == state);
        works.map(|work| work.created_at).min()
    };
    for (state, stage) in [
        (FulfillmentState::Packed, Stage::Packed),
        (FulfillmentState::Picking, Stage::Picking),
        (FulfillmentState::Released, Stage::Released),
    ] {
        if let Some(since) = began(state) {
            return (stage, since);
        }
    }
    let left = case.fulfillments.iter().filter_map(|work| work.shipped_at).max();
    match order.fulfillment_status {
        FulfillmentStatus::Delivered => return (Stage::Delivered, order.updated_at),
        FulfillmentStatus::Shipped => return (Stage::Shipped, left.unwrap_or(order.updated_at)),
        FulfillmentStatus::Unfulfilled | FulfillmentStatus::Partial => {}
    }
    let paid = payment::authorized(case).get() > 0;
    let stage = match (paid, order.allocation_status) {
        (true, _) => Stage::Paid,
        (false, AllocationStatus::Full) => Stage::Allocated,
        (false, AllocationStatus::None | AllocationStatus::Partial) => Stage::Placed,
    };
    (stage, order.created_at)
}
