//! What has to go out by mail or to suppliers, as it is durable, in the order in which it may be tried.

use domain::Image;
use domain::id::{DeliveryId, NotificationId, OrderId};
use domain::notification::Delivery;
use domain::purchasing::DispatchVia;
use domain::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A mail or a purchase order on its way out. What stands in it is read when it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    pub of: DeliveryId,
    /// Who carries it.
    pub via: DispatchVia,
    pub delivery: Delivery,
}

/// Comes before every letter.
const FIRST: DeliveryId = DeliveryId::Notification(NotificationId { order: OrderId(0), n: 0 });

#[derive(Default)]
pub struct Outbox {
    letters: BTreeMap<DeliveryId, Letter>,
    /// By carrier, and by when each may be tried.
    queue: BTreeSet<(DispatchVia, Timestamp, DeliveryId)>,
    /// Orders with letters, so that all others cost one look.
    orders: BTreeSet<OrderId>,
}

impl Outbox {
    /// Takes up what an after-image says of letters.
    pub fn watch(&mut self, image: &Image) {
        match image {
            Image::Case(id, Some(case)) => {
                if case.notifications.is_empty() {
                    return;
                }
                let waits = case.outgoing().next().is_some();
                if !waits && !self.orders.contains(id) {
                    return;
                }
                for notification in &case.notifications {
                    self.put(DeliveryId::Notification(notification.id), DispatchVia::Mail, &notification.delivery);
                }
                if waits {
                    self.orders.insert(*id);
                } else {
                    self.orders.remove(id);
                }
            }
            Image::PurchaseOrder(id, Some(order)) => {
                if let Some(dispatch) = &order.dispatch {
                    self.put(DeliveryId::PurchaseOrder(*id), dispatch.via, &dispatch.delivery);
                }
            }
            _ => {}
        }
    }

    fn put(&mut self, of: DeliveryId, via: DispatchVia, delivery: &Delivery) {
        if let Some(known) = self.letters.remove(&of) {
            self.queue.remove(&(known.via, known.delivery.due_at(), of));
        }
        if !delivery.status.is_over() {
            self.queue.insert((via, delivery.due_at(), of));
            self.letters.insert(of, Letter { of, via, delivery: delivery.clone() });
        }
    }

    fn queue(&self, via: DispatchVia) -> impl Iterator<Item = (Timestamp, DeliveryId)> {
        let from = (via, Timestamp(i64::MIN), FIRST);
        self.queue.range(from..).take_while(move |(of, ..)| *of == via).map(|(_, at, of)| (*at, *of))
    }

    pub fn due(&self, via: DispatchVia, now: Timestamp, limit: usize) -> Vec<Letter> {
        let due = self.queue(via).take_while(|(at, _)| *at <= now).take(limit);
        due.filter_map(|(_, of)| self.letters.get(&of).cloned()).collect()
    }

    pub fn next(&self, via: DispatchVia) -> Option<Timestamp> {
        self.queue(via).next().map(|(at, _)| at)
    }
}
