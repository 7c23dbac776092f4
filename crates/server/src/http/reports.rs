//! The shop in numbers: what it did over time, and what its stock is worth.

use super::call::{Answer, Call};
use super::problem::Problem;
use domain::Image;
use domain::catalog::UnitCost;
use domain::quantity::Quantity;
use domain::time::{MINUTE_MS, Timestamp};
use engine::{ReadError, Reader};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Most steps of one report.
const STEPS_MAX: usize = 1000;
/// Entities that are read at once.
const CHUNK: usize = 500;

/// What was placed, sold, shipped and delivered, by steps of time; `from` and `until` in RFC 3339, `step` minute, hour or day (UTC).
pub async fn sales(call: Call) -> Result<Answer, Problem> {
    let (name, minutes) = match call.query::<String>("step")?.as_deref() {
        Some("minute") => ("minute", 1),
        Some("hour") => ("hour", 60),
        None | Some("day") => ("day", 24 * 60),
        Some(_) => return Err(Problem::bad_field("step", "must be minute, hour or day")),
    };
    let step_ms = i64::from(minutes) * MINUTE_MS;
    let until = time(&call, "until")?.unwrap_or(call.shop.now().0 + 1);
    let from = time(&call, "from")?.unwrap_or(until - 30 * step_ms).div_euclid(step_ms) * step_ms;
    let steps = usize::try_from((until - from + step_ms - 1).div_euclid(step_ms)).unwrap_or(0);
    if !(1..=STEPS_MAX).contains(&steps) {
        return Err(Problem::bad_field("from", format!("must be before until, by 1 to {STEPS_MAX} steps of a {name}")));
    }
    let sums = call.read(move |reader| reader.minutes(from, minutes, steps)).await?;
    let data = (0..steps).map(|at| {
        let start = Timestamp(from + i64::try_from(at).unwrap_or(0) * step_ms);
        let mut row = json!({"start": start, "sales": {}, "captured": {}});
        for plain in PLAIN {
            row[plain] = json!(sums.get(plain).map_or(0, |amounts| amounts[at]));
        }
        for (name, amounts) in &sums {
            if let Some((group @ ("sales" | "captured"), currency)) = name.split_once('.') {
                row[group][currency] = json!(amounts[at]);
            }
        }
        row
    });
    let data: Vec<Value> = data.collect();
    Ok(Answer::ok(
        json!({"object": "report", "report": "sales", "step": name, "from": Timestamp(from), "until": Timestamp(until), "data": data}),
    ))
}

/// Numbers without a currency.
const PLAIN: [&str; 8] = [
    engine::minutes::ORDERS,
    engine::minutes::REJECTED,
    engine::minutes::CANCELED,
    engine::minutes::UNITS,
    engine::minutes::UNITS_FILLED,
    engine::minutes::SHIPPED,
    engine::minutes::SHIPPED_ON_TIME,
    engine::minutes::DELIVERED,
];

fn time(call: &Call, name: &str) -> Result<Option<i64>, Problem> {
    let text = call.query::<String>(name)?;
    text.map(|text| Timestamp::parse(&text).map(|time| time.0).map_err(|error| Problem::bad_field(name, error))).transpose()
}

/// Of one location.
#[derive(Default)]
struct Worth {
    skus: u64,
    on_hand: u64,
    available: u64,
    incoming: u64,
    /// On hand at unit cost, in minor units, by currency.
    value: BTreeMap<String, i128>,
    /// Units on hand of items that have no unit cost.
    without_cost: u64,
}

/// What is on hand at each location, valued at the items' present unit cost.
pub async fn stock_value(call: Call) -> Result<Answer, Problem> {
    let worth = call.read(worth).await?;
    let data = worth.into_iter().map(|(location, worth)| {
        // An amount beyond what a number of JSON holds exactly is none that a shop has.
        let value: Map<String, Value> =
            worth.value.into_iter().map(|(currency, sum)| (currency, json!(i64::try_from(sum).unwrap_or(i64::MAX)))).collect();
        json!({"location": location, "skus": worth.skus, "on_hand": worth.on_hand, "available": worth.available, "incoming": worth.incoming,
            "value": value, "on_hand_without_cost": worth.without_cost})
    });
    let data: Vec<Value> = data.collect();
    Ok(Answer::ok(json!({"object": "report", "report": "stock_value", "sequence": call.shop.engine.stored().to_string(), "data": data})))
}

fn worth(reader: &Reader) -> Result<BTreeMap<String, Worth>, ReadError> {
    let mut costs: BTreeMap<String, UnitCost> = BTreeMap::new();
    each(reader, "item", |image| {
        if let Image::Item(sku, Some(item)) = image {
            costs.extend(item.unit_cost.map(|cost| (sku.to_string(), cost)));
        }
    })?;
    let mut worth: BTreeMap<String, Worth> = BTreeMap::new();
    let units = |quantity: Quantity| u64::try_from(quantity.signed()).unwrap_or(0);
    each(reader, "level", |image| {
        let Image::Level(_, Some(level)) = image else { return };
        let of = worth.entry(level.location.to_string()).or_default();
        of.skus += u64::from(!level.on_hand.is_zero());
        of.on_hand += units(level.on_hand);
        of.available += units(level.available());
        of.incoming += units(level.incoming());
        match costs.get(level.sku.as_str()) {
            Some(cost) => {
                *of.value.entry(cost.currency.to_string()).or_default() +=
                    i128::from(cost.amount.get()) * i128::from(level.on_hand.signed());
            }
            None => of.without_cost += units(level.on_hand),
        }
    })?;
    Ok(worth)
}

fn each(reader: &Reader, kind: &'static str, mut tell: impl FnMut(&Image)) -> Result<(), ReadError> {
    let mut after = String::new();
    loop {
        let images = reader.list(kind, &after, CHUNK)?;
        images.iter().for_each(&mut tell);
        match images.last().filter(|_| images.len() == CHUNK) {
            Some(last) => after = last.key().to_string(),
            None => return Ok(()),
        }
    }
}
