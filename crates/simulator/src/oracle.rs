//! An independent, naive model: what was acknowledged, counted on fingers. It knows nothing of allocations, holds or cascades.

use domain::Image;
use domain::fulfillment::Fulfillment;
use domain::id::OrderId;
use engine::{OrderFilter, Reader, Reply};
use std::collections::BTreeMap;

/// Orders of one page of a list.
const PAGE: usize = 200;

/// The first answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The transaction, or the refusal, in full.
    pub text: String,
    /// When it came, in milliseconds of the shop's clock.
    pub at: i64,
}

#[derive(Debug, Default)]
pub struct Oracle {
    /// By idempotency key.
    pub answers: BTreeMap<String, Answer>,
    /// Orders by external id, the rejected ones too, in the order in which they were placed.
    pub placed: BTreeMap<String, Vec<OrderId>>,
    on_hand: BTreeMap<String, i64>,
    /// Units that ever came in, less those that turned out not to be there.
    received: BTreeMap<String, i64>,
}

/// What a request was answered, without what differs between a first answer and its repeat.
pub fn text(reply: &Reply) -> String {
    match reply {
        Reply::Done { committed, .. } => format!("{committed:?}"),
        Reply::Refused { rejection, .. } => format!("{rejection:?}"),
        Reply::KeyReused | Reply::OutcomeUnknown | Reply::NoSpace => format!("{reply:?}"),
    }
}

impl Oracle {
    pub fn arrived(&mut self, sku: &str, units: i64) {
        *self.on_hand.entry(sku.to_owned()).or_default() += units;
        *self.received.entry(sku.to_owned()).or_default() += units;
    }

    pub fn left(&mut self, work: &Fulfillment) {
        for line in work.lines.iter().filter(|line| line.part.is_some()) {
            *self.on_hand.entry(line.sku.to_string()).or_default() -= line.quantity.signed();
        }
    }

    /// Compares with what the store tells: units on hand, nothing sold that never came, each order once.
    pub fn agrees(&self, reader: &Reader) -> Result<(), String> {
        let mut on_hand: BTreeMap<String, i64> = BTreeMap::new();
        for image in reader.list("level", "", PAGE).map_err(|error| error.to_string())? {
            if let Image::Level(key, Some(level)) = image {
                *on_hand.entry(key.0.to_string()).or_default() += level.on_hand.signed();
            }
        }
        for (sku, units) in &self.on_hand {
            let told = on_hand.get(sku).copied().unwrap_or(0);
            if told != *units {
                return Err(format!("{sku}: {told} on hand, {units} were acknowledged"));
            }
        }
        let (orders, sold) = self.orders(reader)?;
        for (sku, units) in sold {
            let received = self.received.get(&sku).copied().unwrap_or(0);
            if units > received {
                return Err(format!("{sku}: {units} sold of {received} received"));
            }
        }
        let mut placed = self.placed.clone();
        placed.values_mut().for_each(|ids| ids.sort_unstable());
        if orders == placed {
            return Ok(());
        }
        let differs = orders.iter().find(|(name, ids)| placed.get(*name) != Some(ids)).map(|(name, ids)| (name, ids, placed.get(name)));
        let missing = placed.iter().find(|(name, _)| !orders.contains_key(*name));
        Err(format!("orders are not those that were acknowledged: {differs:?}, missing {missing:?}"))
    }

    /// Every order by its external id, and the units that are committed to orders or have left.
    fn orders(&self, reader: &Reader) -> Result<(BTreeMap<String, Vec<OrderId>>, BTreeMap<String, i64>), String> {
        let (mut orders, mut sold) = (BTreeMap::<String, Vec<OrderId>>::new(), BTreeMap::<String, i64>::new());
        let mut before = None;
        loop {
            let rows = reader.orders(&OrderFilter::default(), before, PAGE).map_err(|error| error.to_string())?;
            let Some(last) = rows.last() else { break };
            before = Some(last.id.0);
            for row in rows {
                let name = row.case.order.external_id.as_deref().unwrap_or_default();
                orders.entry(name.to_owned()).or_default().push(row.id);
                for part in row.case.order.lines.iter().flat_map(|line| &line.parts) {
                    *sold.entry(part.sku.to_string()).or_default() += part.allocated().signed() + part.shipped.signed();
                }
            }
        }
        orders.values_mut().for_each(|ids| ids.sort_unstable());
        Ok((orders, sold))
    }
}
