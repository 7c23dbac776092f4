//! What may leave memory: whatever is over and stored. Memory is then proportional to what is open.
//!
//! Nothing is read during a decision. Who names something that is not in memory, though its number was given out, is refused with
//! `NotLoaded`; the engine fetches it, or notes that it is [absent](State::note_absent), and asks again.

use crate::count::CountStatus;
use crate::event::{Event, Subject};
use crate::id::{AlertId, CountId, CustomerId, HoldId, OrderId, PurchaseOrderId, ReceiptId, TransferId};
use crate::rejection::Rejection;
use crate::state::{Image, State};
use crate::stock::HoldStatus;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Something that may have left memory, by its kind and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fetch {
    Case(OrderId),
    Hold(HoldId),
    Receipt(ReceiptId),
    PurchaseOrder(PurchaseOrderId),
    Transfer(TransferId),
    Count(CountId),
    Customer(CustomerId),
    Alert(AlertId),
}

impl Fetch {
    /// As in [`Image::kind`].
    pub fn kind(self) -> &'static str {
        match self {
            Self::Case(_) => "case",
            Self::Hold(_) => "hold",
            Self::Receipt(_) => "receipt",
            Self::PurchaseOrder(_) => "purchase_order",
            Self::Transfer(_) => "transfer",
            Self::Count(_) => "count",
            Self::Customer(_) => "customer",
            Self::Alert(_) => "alert",
        }
    }

    /// As in [`Image::key`].
    pub fn key(self) -> SmolStr {
        match self {
            Self::Case(id) => id.text(),
            Self::Hold(id) => id.text(),
            Self::Receipt(id) => id.text(),
            Self::PurchaseOrder(id) => id.text(),
            Self::Transfer(id) => id.text(),
            Self::Count(id) => id.text(),
            Self::Customer(id) => id.text(),
            Self::Alert(id) => id.text(),
        }
    }

    /// Under which its events are counted apart from it; a case counts its own.
    pub fn subject(self) -> Option<Subject> {
        match self {
            Self::Case(_) => None,
            Self::Hold(id) => Some(Subject::Hold(id)),
            Self::Receipt(id) => Some(Subject::Receipt(id)),
            Self::PurchaseOrder(id) => Some(Subject::PurchaseOrder(id)),
            Self::Transfer(id) => Some(Subject::Transfer(id)),
            Self::Count(id) => Some(Subject::Count(id)),
            Self::Customer(id) => Some(Subject::Customer(id)),
            Self::Alert(id) => Some(Subject::Alert(id)),
        }
    }

    /// What a subject stands for, when that may leave memory.
    fn of(subject: &Subject) -> Option<Self> {
        match subject {
            Subject::Order(id) => Some(Self::Case(*id)),
            Subject::Hold(id) => Some(Self::Hold(*id)),
            Subject::Receipt(id) => Some(Self::Receipt(*id)),
            Subject::PurchaseOrder(id) => Some(Self::PurchaseOrder(*id)),
            Subject::Transfer(id) => Some(Self::Transfer(*id)),
            Subject::Count(id) => Some(Self::Count(*id)),
            Subject::Customer(id) => Some(Self::Customer(*id)),
            Subject::Alert(id) => Some(Self::Alert(*id)),
            Subject::Item(_)
            | Subject::Location(_)
            | Subject::Channel(_)
            | Subject::Settings
            | Subject::Stock(..)
            | Subject::Adjustment(_)
            | Subject::Move(_)
            | Subject::Supplier(_)
            | Subject::Policy(..)
            | Subject::Return(_)
            | Subject::Key(_)
            | Subject::Subscription(_) => None,
        }
    }
}

impl Image {
    /// It is over, or asked for too seldom to be kept: it may leave memory once it is stored.
    pub fn may_leave(&self) -> bool {
        match self {
            Self::Case(_, Some(case)) => case.may_leave(),
            Self::Hold(_, Some(hold)) => hold.status != HoldStatus::Active,
            Self::PurchaseOrder(_, Some(order)) => order.may_leave(),
            Self::Count(_, Some(count)) => count.status != CountStatus::Open,
            Self::Return(_, Some(known)) => known.is_closed(),
            Self::Alert(_, Some(alert)) => alert.may_leave(),
            Self::Customer(_, Some(customer)) => customer.may_leave(),
            Self::Receipt(_, Some(_)) => true,
            Self::Transfer(_, Some(transfer)) => transfer.is_over(),
            Self::Item(..)
            | Self::Location(..)
            | Self::Channel(..)
            | Self::Settings(..)
            | Self::Level(..)
            | Self::Supplier(..)
            | Self::Policy(..)
            | Self::Key(..)
            | Self::Subscription(..)
            | Self::Counters(..)
            | Self::Subject(..) => false,
            Self::Case(_, None)
            | Self::Hold(_, None)
            | Self::PurchaseOrder(_, None)
            | Self::Count(_, None)
            | Self::Return(_, None)
            | Self::Alert(_, None)
            | Self::Receipt(_, None)
            | Self::Customer(_, None)
            | Self::Transfer(_, None) => false,
        }
    }

    /// It has to be in memory from the start. A count of events comes and goes with what it counts for.
    pub fn is_live(&self) -> bool {
        match self {
            Self::Subject(subject, _) => Fetch::of(subject).is_none() && !matches!(subject, Subject::Return(_)),
            image => !image.is_gone() && !image.may_leave(),
        }
    }

    /// Under which its events are counted, when it may leave memory and the count with it.
    pub fn subject(&self) -> Option<Subject> {
        match self {
            Self::Return(id, _) => Some(Subject::Return(*id)),
            image => image.fetched_by()?.subject(),
        }
    }

    fn fetched_by(&self) -> Option<Fetch> {
        match self {
            Self::Case(id, _) => Some(Fetch::Case(*id)),
            Self::Hold(id, _) => Some(Fetch::Hold(*id)),
            Self::Receipt(id, _) => Some(Fetch::Receipt(*id)),
            Self::PurchaseOrder(id, _) => Some(Fetch::PurchaseOrder(*id)),
            Self::Transfer(id, _) => Some(Fetch::Transfer(*id)),
            Self::Count(id, _) => Some(Fetch::Count(*id)),
            Self::Customer(id, _) => Some(Fetch::Customer(*id)),
            Self::Alert(id, _) => Some(Fetch::Alert(*id)),
            Self::Item(..)
            | Self::Location(..)
            | Self::Channel(..)
            | Self::Settings(..)
            | Self::Level(..)
            | Self::Supplier(..)
            | Self::Policy(..)
            | Self::Return(..)
            | Self::Key(..)
            | Self::Subscription(..)
            | Self::Counters(..)
            | Self::Subject(..) => None,
        }
    }
}

impl State {
    /// Lets go of what an image shows, with its count of events, when it is over and unchanged since. `false` when it stays.
    pub fn evict(&mut self, image: &Image) -> bool {
        if !image.may_leave() || !self.stands_as(image) {
            return false;
        }
        // Whatever else is over stands in no index.
        if let Image::Case(_, Some(case)) = image {
            self.unindex_case(case);
        }
        self.evict_row(image);
        if let Some(subject) = image.subject() {
            self.subjects.evict(&subject);
        }
        true
    }

    /// Nobody has this: until the command is settled, it is unknown instead of not in memory.
    pub fn note_absent(&mut self, fetch: Fetch) {
        self.absent.insert(fetch);
    }

    /// Ends what [`State::note_absent`] began.
    pub fn forget_absent(&mut self) {
        self.absent.clear();
    }

    /// The first thing that an event changes and that has to be fetched before, if any.
    pub fn needed_by(&self, event: &Event) -> Option<Fetch> {
        let own = Fetch::of(&event.subject());
        let other = match event {
            Event::CustomerMerged(merged) => Some(merged.into),
            Event::OrderPlaced(placed) => placed.order.customer.as_ref().map(|buyer| buyer.id),
            _ => None,
        };
        let other = other.map(|customer| Fetch::Customer(self.heir(customer)));
        own.into_iter().chain(other).find(|fetch| self.may_be_stored(*fetch))
    }

    /// Whether something is not in memory, though it may exist.
    fn may_be_stored(&self, fetch: Fetch) -> bool {
        let counters = self.counters();
        let (here, number, last) = match fetch {
            Fetch::Case(id) => (self.cases.contains(&id), id.0, counters.order),
            Fetch::Hold(id) => (self.stock.holds.contains(&id), id.0, counters.hold),
            Fetch::Receipt(id) => (self.stock.receipts.contains(&id), id.0, counters.receipt),
            Fetch::PurchaseOrder(id) => (self.purchasing.orders.contains(&id), id.0, counters.purchase_order),
            Fetch::Transfer(id) => (self.transfers.all.contains(&id), id.0, counters.transfer),
            Fetch::Count(id) => (self.counts.contains(&id), id.0, counters.count),
            Fetch::Customer(id) => (self.customers.contains(&id), id.0, counters.customer),
            Fetch::Alert(id) => (self.alerts.contains(&id), id.0, counters.alert),
        };
        !here && number != 0 && number <= last && !self.absent.contains(&fetch)
    }

    /// Why something is not found: it has to be fetched, or there never was such a thing. `name` is what people call it.
    pub(crate) fn missing(&self, fetch: Fetch, name: &'static str) -> Rejection {
        if self.may_be_stored(fetch) { Rejection::NotLoaded { key: fetch } } else { Rejection::not_found(name, fetch.key()) }
    }

    /// Who a customer has become, and that they are in memory if they are anybody yet.
    ///
    /// # Errors
    /// `NotLoaded` when they may exist and have left memory.
    pub(crate) fn customer_here(&self, id: CustomerId) -> Result<(), Rejection> {
        let fetch = Fetch::Customer(self.heir(id));
        if self.may_be_stored(fetch) { Err(Rejection::NotLoaded { key: fetch }) } else { Ok(()) }
    }
}

impl std::fmt::Display for Fetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind(), self.key())
    }
}
