//! Returns across all orders: those that wait for somebody, and the last ones.

use super::Answer;
use super::orders::one::{ReturnView, return_view};
use super::show;
use super::visit::{Frame, Visit};
use askama::Template;
use domain::id::{OrderId, ReturnId};
use domain::order::Case;
use domain::returns::Return;
use domain::time::Timestamp;
use engine::{ReadError, Reader};
use std::sync::Arc;

/// Rows of each list.
const ROWS: usize = 100;
/// Orders that the last returns are looked for in.
const LAST: usize = 50;

struct Row {
    href: String,
    number: String,
    back: ReturnView,
}

#[derive(Template)]
#[template(path = "returns.html")]
struct Returns {
    frame: Frame,
    open: Vec<Row>,
    waiting: usize,
    last: Vec<Row>,
}

pub async fn page(visit: Visit) -> Answer {
    let frame = visit.frame("Returns", "orders", "order");
    let now = visit.time();
    let (ids, waiting): (Vec<ReturnId>, usize) = {
        let mirror = visit.now();
        let waiting = &mirror.pipeline.returns;
        (waiting.iter().take(ROWS).map(|(_, _, id)| *id).collect(), waiting.len())
    };
    let (open, last) = visit
        .read(move |reader| {
            let open = ids.iter().map(|id| Ok((*id, id.order.map(|order| reader.case(order)).transpose()?.flatten())));
            Ok((open.collect::<Result<Vec<_>, ReadError>>()?, latest(reader)?))
        })
        .await?;
    let open = open.iter().filter_map(|(id, case)| rows(case.as_ref()?, now, |back| back == *id).pop()).collect();
    let over = |case: &Arc<Case>| {
        let over: Vec<ReturnId> = case.returns.iter().filter(|back| back.is_closed()).map(|back| back.id).collect();
        rows(case, now, |id| over.contains(&id))
    };
    let last = last.iter().flat_map(over).take(ROWS).collect();
    visit.show(&Returns { frame, open, waiting, last })
}

/// Orders that had something sent back, the newest first.
fn latest(reader: &Reader) -> Result<Vec<Arc<Case>>, ReadError> {
    let orders = reader.find("", "return", None, LAST)?;
    let cases = orders.into_iter().map(|order: OrderId| reader.case(order)).collect::<Result<Vec<_>, _>>()?;
    Ok(cases.into_iter().flatten().collect())
}

fn rows(case: &Case, now: Timestamp, wanted: impl Fn(ReturnId) -> bool) -> Vec<Row> {
    let found = case.returns.iter().filter(|back| wanted(back.id));
    let row = |back: &Return| Row {
        href: format!("/orders/{}#{}", case.order.id, back.id),
        number: format!("#{}", show::number(case.order.id)),
        back: return_view(back, now),
    };
    found.map(row).collect()
}
