//! Payments, refunds and returns: they stand in their orders, and are listed across all of them, the newest first.

use super::call::{Answer, Call, list, object};
use super::problem::Problem;
use domain::Image;
use domain::id::{OrderId, PaymentId, RefundId, ReturnId};
use domain::order::Case;
use engine::{OrderFilter, ReadError, Reader};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Orders that a page looks through at most; what is beyond is on the next one.
const ORDERS_MAX: usize = 1000;
/// Orders that are read at once.
const STEP: usize = 100;

/// A place among the parts of all orders: within an order the latest comes first, and 0 is behind them all.
#[derive(Clone, Copy)]
struct Place {
    order: OrderId,
    n: u64,
}

/// One of an order, with its number within it.
struct Part {
    n: u64,
    view: Value,
}

/// What a list walks through.
struct Walk {
    /// `None` is every order.
    having: Option<&'static str>,
    /// Only of this one.
    order: Option<OrderId>,
    status: Option<String>,
    from: Option<Place>,
    limit: usize,
    parts: fn(&Case) -> Vec<Part>,
}

impl Walk {
    fn of(call: &Call, having: Option<&'static str>, from: Option<Place>, parts: fn(&Case) -> Vec<Part>) -> Result<Self, Problem> {
        Ok(Self { having, order: call.query("order")?, status: call.query("status")?, from, limit: call.limit()?, parts })
    }

    fn keeps(&self, view: &Value) -> bool {
        self.status.as_ref().is_none_or(|wanted| view["status"] == **wanted)
    }

    /// The parts, and where to go on when there may be more.
    fn read(&self, reader: &Reader) -> Result<(Vec<Value>, Option<Place>), ReadError> {
        let (mut found, mut last, mut looked) = (Vec::new(), None, 0);
        let mut before = self.from.map(|from| from.order.0.saturating_add(1));
        loop {
            let cases = self.cases(reader, before)?;
            for case in &cases {
                let id = case.order.id;
                let begun = self.from.filter(|from| from.order == id);
                let mut parts = (self.parts)(case);
                parts.sort_unstable_by_key(|part| std::cmp::Reverse(part.n));
                parts.retain(|part| begun.is_none_or(|from| part.n < from.n) && self.keeps(&part.view));
                for part in parts {
                    if found.len() == self.limit {
                        return Ok((found, last));
                    }
                    last = Some(Place { order: id, n: part.n });
                    found.push(part.view);
                }
            }
            looked += cases.len();
            let Some(end) = cases.last().filter(|_| cases.len() == STEP) else { return Ok((found, None)) };
            before = Some(end.order.id.0);
            if looked >= ORDERS_MAX {
                return Ok((found, Some(Place { order: end.order.id, n: 0 })));
            }
        }
    }

    fn cases(&self, reader: &Reader, before: Option<u64>) -> Result<Vec<Arc<Case>>, ReadError> {
        if let Some(id) = self.order {
            return Ok(reader.case(id)?.into_iter().collect());
        }
        match self.having {
            None => Ok(reader.orders(&OrderFilter::default(), before, STEP)?.into_iter().map(|row| row.case).collect()),
            Some(kind) => reader.find("", kind, before, STEP)?.into_iter().filter_map(|id| reader.case(id).transpose()).collect(),
        }
    }
}

/// A part with its order.
fn part(kind: &str, case: &Case, n: impl Into<u64>, part: &impl Serialize) -> Part {
    let mut view = object(kind, part);
    view["order"] = json!(case.order.id);
    Part { n: n.into(), view }
}

fn payments(case: &Case) -> Vec<Part> {
    case.payments.iter().map(|payment| part("payment", case, payment.id.n, payment)).collect()
}

fn refunds(case: &Case) -> Vec<Part> {
    case.refunds.iter().map(|refund| part("refund", case, refund.id.n, refund)).collect()
}

fn returns(case: &Case) -> Vec<Part> {
    case.returns.iter().map(|known| part("return", case, known.id.n, known)).collect()
}

/// One payment of an order.
pub(super) fn payment(case: &Case, id: PaymentId) -> Option<Value> {
    payments(case).into_iter().find(|part| part.n == u64::from(id.n)).map(|part| part.view)
}

fn page(data: Vec<Value>, next: Option<impl ToString>) -> Answer {
    let cursor = next.map(|id| id.to_string());
    Answer::ok(list(data, cursor.is_some(), cursor))
}

/// Numbers within an order fit, since that is where they come from.
fn small(n: u64) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

async fn one(call: &Call, kind: &'static str, order: OrderId, n: u64, parts: fn(&Case) -> Vec<Part>) -> Result<Answer, Problem> {
    let id = call.segments.get("id").map(String::as_str).unwrap_or_default();
    let missing = || Problem::not_found(kind, id);
    let case = call.read(move |reader| reader.case(order)).await?.ok_or_else(missing)?;
    parts(&case).into_iter().find(|part| part.n == n).map(|part| Answer::ok(part.view)).ok_or_else(missing)
}

pub async fn payment_list(call: Call) -> Result<Answer, Problem> {
    let from = call.query::<PaymentId>("cursor")?.map(|id| Place { order: id.order, n: id.n.into() });
    let walk = Walk::of(&call, None, from, payments)?;
    let (found, next) = call.read(move |reader| walk.read(reader)).await?;
    Ok(page(found, next.map(|place| PaymentId { order: place.order, n: small(place.n) })))
}

pub async fn payment_get(call: Call) -> Result<Answer, Problem> {
    let id: PaymentId = call.segment("id")?;
    one(&call, "payment", id.order, id.n.into(), payments).await
}

pub async fn refund_list(call: Call) -> Result<Answer, Problem> {
    let from = call.query::<RefundId>("cursor")?.map(|id| Place { order: id.order, n: id.n.into() });
    let walk = Walk::of(&call, Some("refund"), from, refunds)?;
    let (found, next) = call.read(move |reader| walk.read(reader)).await?;
    Ok(page(found, next.map(|place| RefundId { order: place.order, n: small(place.n) })))
}

pub async fn refund_get(call: Call) -> Result<Answer, Problem> {
    let id: RefundId = call.segment("id")?;
    one(&call, "refund", id.order, id.n.into(), refunds).await
}

/// Those of orders first, then the blind ones.
pub async fn return_list(call: Call) -> Result<Answer, Problem> {
    let cursor = call.query::<ReturnId>("cursor")?;
    let from = cursor.and_then(|id| Some(Place { order: id.order?, n: id.n }));
    let walk = Walk::of(&call, Some("return"), from, returns)?;
    let blind_after = cursor.filter(|id| id.order.is_none()).map(|id| id.text());
    let read = call.read(move |reader| {
        let (mut found, next) = if blind_after.is_none() { walk.read(reader)? } else { (Vec::new(), None) };
        if let Some(place) = next {
            return Ok((found, Some(ReturnId { order: Some(place.order), n: place.n })));
        }
        if walk.order.is_some() {
            return Ok((found, None));
        }
        // One more than fits tells whether there are more; none is before `ret_0`.
        let room = walk.limit - found.len();
        let images = reader.list("return", blind_after.as_deref().unwrap_or_default(), room + 1)?;
        let mut last = ReturnId { order: None, n: 0 };
        for image in images.iter().take(room) {
            if let Image::Return(id, Some(known)) = image {
                last = *id;
                found.extend(Some(object("return", known.as_ref())).filter(|view| walk.keeps(view)));
            }
        }
        Ok((found, (images.len() > room).then_some(last)))
    });
    let (found, next) = read.await?;
    Ok(page(found, next))
}
