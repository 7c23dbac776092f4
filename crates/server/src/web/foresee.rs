//! What a command would bring about: the rules themselves, run on a copy of what the command touches.
//!
//! The copy holds the order, the SKUs with their levels and policies, and the small shared things. The writer is not asked. What the
//! rules would touch beyond the copy (other orders that wait for freed units) is not foreseen.

use super::fault::Fault;
use super::tell;
use super::visit::Visit;
use domain::event::Recorded;
use domain::id::{LocationCode, OrderId, Sku};
use domain::money::Currency;
use domain::{Command, Event, Image, Rejection, State, Transaction};
use engine::{ReadError, Reader};
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

/// Most holds that are looked through.
const HOLDS_MAX: usize = 500;
/// Most sentences of a form; the rest is counted.
const SENTENCES_MAX: usize = 12;

/// The events in words, or why the command would be refused.
///
/// # Errors
/// When the store cannot be read.
pub async fn foresee(visit: &Visit, command: impl Into<Command>, order: Option<OrderId>, skus: Vec<Sku>) -> Result<Vec<String>, Fault> {
    let command = command.into();
    Ok(match settled(visit, command, order, skus).await? {
        (Some(Ok(transaction)), currency) => sentences(&transaction.events, currency),
        (Some(Err(Rejection::NotLoaded { .. })), _) | (None, _) => Vec::new(),
        (Some(Err(rejection)), _) => vec![refused(rejection)],
    })
}

/// Why the command would be refused, if it would.
///
/// # Errors
/// When the store cannot be read.
pub async fn refusal(visit: &Visit, command: impl Into<Command>, skus: Vec<Sku>) -> Result<Option<String>, Fault> {
    Ok(match settled(visit, command.into(), None, skus).await? {
        (Some(Err(Rejection::NotLoaded { .. })), _) | (Some(Ok(_)) | None, _) => None,
        (Some(Err(rejection)), _) => Some(refused(rejection)),
    })
}

/// As [`refusal`], of what was typed; nothing as long as nothing was.
///
/// # Errors
/// When the store cannot be read.
pub async fn refusal_of(visit: &Visit, command: Result<Command, Fault>, skus: Vec<Sku>) -> Result<Option<String>, Fault> {
    match command {
        _ if visit.query.is_empty() => Ok(None),
        Ok(command) => refusal(visit, command, skus).await,
        Err(fault) => Ok(Some(fault.detail)),
    }
}

fn refused(rejection: Rejection) -> String {
    format!("It would be refused: {}", Fault::from(rejection).detail)
}

/// How the command settles on the copy; `None` when the copy lacks something that the rules need.
type Settled = (Option<Result<Transaction, Rejection>>, Currency);

async fn settled(visit: &Visit, command: Command, order: Option<OrderId>, skus: Vec<Sku>) -> Result<Settled, Fault> {
    let copy = Copy::of(visit, skus);
    let cx = domain::Context { now: visit.time(), actor: visit.session.key.name.as_str().into() };
    visit
        .read(move |reader| {
            let (mut state, currency) = copy.state(reader, order)?;
            // A copy that lacks something must not stop the page.
            let settled = std::panic::catch_unwind(AssertUnwindSafe(|| state.settle(&cx, command)));
            Ok((settled.ok(), currency))
        })
        .await
}

/// What a copy is made of.
pub struct Copy {
    /// Small things that decisions read.
    shared: Vec<Image>,
    /// Where each SKU is kept.
    places: Vec<(Sku, Vec<LocationCode>)>,
    skus: Vec<Sku>,
}

impl Copy {
    pub fn of(visit: &Visit, skus: Vec<Sku>) -> Self {
        let now = visit.now();
        let mut shared: Vec<Image> = vec![Image::Settings((), Some(now.settings.clone()))];
        shared.extend(now.locations.iter().map(|(key, value)| Image::Location(key.clone(), Some(value.clone()))));
        shared.extend(now.channels.iter().map(|(key, value)| Image::Channel(key.clone(), Some(value.clone()))));
        shared.extend(now.suppliers.iter().map(|(key, value)| Image::Supplier(key.clone(), Some(value.clone()))));
        shared.extend(now.alerts.iter().map(|(key, value)| Image::Alert(*key, Some(value.clone()))));
        let orders = now.purchase_orders.iter().filter(|(_, order)| !order.status.is_over());
        shared.extend(orders.map(|(key, value)| Image::PurchaseOrder(*key, Some(value.clone()))));
        shared.extend(now.counts.iter().map(|(key, value)| Image::Count(*key, Some(value.clone()))));
        shared.extend(now.transfers.iter().map(|(key, value)| Image::Transfer(*key, Some(value.clone()))));
        let places = now.levels.iter().map(|(sku, levels)| (sku.clone(), levels.keys().cloned().collect())).collect();
        Self { shared, places, skus }
    }

    /// # Errors
    /// When the store cannot be read.
    pub fn state(self, reader: &Reader, order: Option<OrderId>) -> Result<(State, Currency), ReadError> {
        let mut state = State::default();
        let mut skus: BTreeSet<Sku> = self.skus.into_iter().collect();
        let mut currency = Currency::USD;
        let case = order.map(|id| reader.case(id)).transpose()?.flatten();
        if let Some(case) = &case {
            currency = case.order.currency;
            skus.extend(case.order.parts().map(|part| part.sku.clone()));
            skus.extend(case.order.lines.iter().map(|line| line.sku.clone()));
        }
        self.shared.into_iter().for_each(|image| state.load(image));
        let mut load = |kind: &'static str, key: &str| -> Result<(), ReadError> {
            if let Some(image) = reader.entity(kind, key)? {
                state.load(image);
            }
            Ok(())
        };
        load("counters", "-")?;
        for sku in &skus {
            load("item", sku.as_str())?;
            let Ok(at) = self.places.binary_search_by(|(known, _)| known.cmp(sku)) else { continue };
            for location in &self.places[at].1 {
                let key = format!("{sku}\u{1f}{location}");
                load("level", &key)?;
                load("policy", &key)?;
            }
        }
        for image in reader.list("hold", "", HOLDS_MAX)? {
            let Image::Hold(_, Some(hold)) = &image else { continue };
            if hold.status == domain::stock::HoldStatus::Active {
                state.load(image);
            }
        }
        if let Some(case) = case {
            state.load(Image::Case(case.order.id, Some(case)));
        }
        Ok((state, currency))
    }
}

fn sentences(events: &[Recorded], currency: Currency) -> Vec<String> {
    // Only the event that says it best.
    let told = events.iter().filter(|recorded| !matches!(recorded.event, Event::OrderAllocated(_)));
    let mut sentences: Vec<String> = told.map(|recorded| tell::sentence(&recorded.event, currency)).collect();
    if sentences.len() > SENTENCES_MAX {
        let more = sentences.len() - SENTENCES_MAX;
        sentences.truncate(SENTENCES_MAX);
        sentences.push(format!("and {more} more"));
    }
    if sentences.is_empty() {
        sentences.push("Nothing would change.".to_owned());
    }
    sentences
}
