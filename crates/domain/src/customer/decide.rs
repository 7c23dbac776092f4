//! What may be done to a customer.

use super::Customer;
use crate::command::customer::Command;
use crate::event::Event;
use crate::event::customer::{CustomerErased, CustomerMerged, CustomerSaved, MailPreferencesSet};
use crate::id::CustomerId;
use crate::limits::{CUSTOMER_FINGERPRINTS_MAX, SEALED_BYTES_MAX};
use crate::memory::Fetch;
use crate::rejection::Rejection;
use crate::settle::Context;
use crate::state::State;
use crate::text::{Fingerprint, Sealed};

pub fn decide(state: &State, _cx: &Context, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::SaveCustomer { id, details, fingerprints } => save(state, id, details, fingerprints),
        Command::MergeCustomers { from, into } => {
            if from == into {
                return Err(Rejection::invalid("into", "must be another customer"));
            }
            living(state, from)?;
            living(state, into)?;
            Ok(vec![CustomerMerged { customer: from, into }.into()])
        }
        Command::SetMailPreferences { id, opt_outs } => {
            let same = living(state, id)?.mail_opt_outs == opt_outs;
            Ok(if same { Vec::new() } else { vec![MailPreferencesSet { customer: id, opt_outs }.into()] })
        }
        Command::EraseCustomer { id } => {
            let customer = find(state, id)?;
            // Asking twice is no mistake: the data is gone.
            Ok(if customer.erased_at.is_some() { Vec::new() } else { vec![CustomerErased { customer: id }.into()] })
        }
    }
}

fn find(state: &State, id: CustomerId) -> Result<&Customer, Rejection> {
    state.customers.get(&id).ok_or_else(|| state.missing(Fetch::Customer(id), "customer"))
}

fn living(state: &State, id: CustomerId) -> Result<&Customer, Rejection> {
    let customer = find(state, id)?;
    match (customer.erased_at, customer.merged_into) {
        (None, None) => Ok(customer),
        (Some(_), _) => Err(Rejection::wrong_status("customer", id, "erased", "not erased")),
        (None, Some(other)) => Err(Rejection::wrong_status("customer", id, "merged", "not merged into another"))
            .map_err(|rejection| name_other(rejection, other)),
    }
}

fn name_other(rejection: Rejection, other: CustomerId) -> Rejection {
    match rejection {
        Rejection::WrongStatus { kind, id, status: _, needed } => {
            Rejection::WrongStatus { kind, id, status: smol_str::format_smolstr!("merged into {other}"), needed }
        }
        rejection => rejection,
    }
}

fn save(state: &State, id: CustomerId, details: Option<Sealed>, mut fingerprints: Vec<Fingerprint>) -> Result<Vec<Event>, Rejection> {
    if details.as_ref().is_some_and(|details| details.0.len() > SEALED_BYTES_MAX) {
        return Err(Rejection::invalid("details", format!("must have at most {SEALED_BYTES_MAX} bytes when sealed")));
    }
    fingerprints.sort_unstable();
    fingerprints.dedup();
    if fingerprints.len() > CUSTOMER_FINGERPRINTS_MAX {
        return Err(Rejection::invalid("fingerprints", format!("send at most {CUSTOMER_FINGERPRINTS_MAX}")));
    }
    state.customer_here(id)?;
    if state.customers.contains(&id) {
        let known = living(state, id)?;
        if known.details == details && known.fingerprints == fingerprints {
            return Ok(Vec::new());
        }
    }
    Ok(vec![CustomerSaved { customer: id, details, fingerprints }.into()])
}
