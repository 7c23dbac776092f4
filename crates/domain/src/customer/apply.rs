//! How events change customers.

use super::Customer;
use crate::event::Event;
use crate::id::CustomerId;
use crate::order::Buyer;
use crate::state::State;
use crate::time::Timestamp;

pub(crate) fn apply(state: &mut State, now: Timestamp, event: &mut Event) {
    match event {
        Event::CustomerSaved(saved) => {
            let counters = state.counters_mut();
            counters.customer = counters.customer.max(saved.customer.0);
            if !state.customers.contains(&saved.customer) {
                state.customers.insert(saved.customer, Customer::new(saved.customer, now));
            }
            change(state, saved.customer, |customer| {
                customer.details.clone_from(&saved.details);
                customer.fingerprints.clone_from(&saved.fingerprints);
            });
        }
        Event::CustomerMerged(merged) => {
            let mut moved = (Vec::new(), 0);
            change(state, merged.customer, |customer| {
                customer.merged_into = Some(merged.into);
                moved = (std::mem::take(&mut customer.fingerprints), std::mem::take(&mut customer.orders));
            });
            // The other customer's version counts its own events only: this one is about the customer that ended.
            if let Some(other) = state.customers.get_mut(&merged.into) {
                other.fingerprints.extend(moved.0);
                other.fingerprints.sort_unstable();
                other.fingerprints.dedup();
                other.orders += moved.1;
            }
        }
        Event::MailPreferencesSet(set) => change(state, set.customer, |customer| customer.mail_opt_outs.clone_from(&set.opt_outs)),
        Event::CustomerErased(erased) => change(state, erased.customer, |customer| {
            customer.details = None;
            customer.fingerprints.clear();
            customer.erased_at = Some(now);
        }),
        Event::OrderPlaced(placed) => {
            if let Some(buyer) = &placed.order.customer {
                bought(state, now, buyer);
            }
        }
        _ => {}
    }
}

/// Whoever buys is a customer from then on.
fn bought(state: &mut State, now: Timestamp, buyer: &Buyer) {
    let id = state.heir(buyer.id);
    if !state.customers.contains(&id) {
        let counters = state.counters_mut();
        counters.customer = counters.customer.max(id.0);
        let mut customer = Customer::new(id, now);
        customer.details.clone_from(&buyer.details);
        customer.fingerprints.extend(buyer.email_fingerprint.clone());
        state.customers.insert(id, customer);
    }
    let customer = state.customers.get_mut(&id).expect("inserted above");
    customer.orders += 1;
}

impl State {
    /// Who a customer has become, as far as memory tells. Only living customers merge, so the chain ends.
    pub(crate) fn heir(&self, mut id: CustomerId) -> CustomerId {
        while let Some(next) = self.customers.get(&id).and_then(|customer| customer.merged_into) {
            id = next;
        }
        id
    }
}

fn change(state: &mut State, id: CustomerId, change: impl FnOnce(&mut Customer)) {
    let customer = state.customers.get_mut(&id).expect("decide looked the customer up");
    change(customer);
    customer.version += 1;
}
