//! `expand[]`: instead of the name of another object, the object itself.

use super::call::{Answer, Call, object};
use super::order_view::order_view;
use super::problem::Problem;
use super::{customers, order_parts, purchasing};
use domain::Image;
use domain::id::{CustomerId, OrderId, PaymentId};
use engine::{ReadError, Reader};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Most expansions of one request.
const WANTED_MAX: usize = 8;
/// Most objects that one expansion reads.
const OBJECTS_MAX: usize = 1000;

/// What can be put in place of a name, by the field where the name stands.
const FIELDS: [(&str, &str); 11] = [
    ("order", "order"),
    ("customer", "customer"),
    ("payment", "payment"),
    ("sku", "item"),
    ("location", "location"),
    ("from", "location"),
    ("to", "location"),
    ("source_location", "location"),
    ("channel", "channel"),
    ("supplier", "supplier"),
    ("purchase_order", "purchase_order"),
];

/// The fields that a query wants expanded: `expand[]=customer&expand[]=lines.sku`, or `expand=` with commas.
pub fn wanted(query: Option<&str>) -> Vec<String> {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let mut wanted = Vec::new();
    for (_, text) in pairs.filter(|(name, _)| matches!(name.as_ref(), "expand[]" | "expand")) {
        wanted.extend(text.split(',').filter(|path| !path.is_empty()).map(|path| path.trim_start_matches("data.").to_owned()));
    }
    wanted
}

/// The answer with each wanted field replaced; a field that is null or missing stays as it is, and what is gone stays a name.
///
/// # Errors
/// When a field cannot be expanded, or there are too many.
pub async fn expand(call: &Call, answer: Answer, wanted: &[String]) -> Result<Answer, Problem> {
    if wanted.len() > WANTED_MAX {
        return Err(Problem::bad_field("expand[]", format!("at most {WANTED_MAX} fields of one request")));
    }
    let (status, version, replayed) = (answer.status, answer.version, answer.replayed);
    let mut body = answer.value();
    for path in wanted {
        let field = path.rsplit('.').next().unwrap_or_default();
        let Some((_, kind)) = FIELDS.iter().find(|(name, _)| *name == field) else {
            let known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
            return Err(Problem::bad_field(
                "expand[]",
                format!("\"{path}\" is not known; what can be expanded ends with {}", known.join(", ")),
            ));
        };
        let steps: Vec<&str> = path.split('.').collect();
        let mut names = BTreeSet::new();
        at(&mut body, &steps, &mut |value| names.extend(name_of(value)));
        if names.len() > OBJECTS_MAX {
            return Err(Problem::bad_field("expand[]", format!("\"{path}\" names more than {OBJECTS_MAX} objects; ask for fewer rows")));
        }
        let found = read(call, kind, names).await?;
        at(&mut body, &steps, &mut |value| {
            if let Some(object) = name_of(value).and_then(|name| found.get(&name)) {
                *value = object.clone();
            }
        });
    }
    let mut expanded = Answer::ok(body).replayed(replayed);
    (expanded.status, expanded.version) = (status, version);
    Ok(expanded)
}

/// The id or code that stands there; of an order's customer, who is shown in part already, the id in it.
fn name_of(value: &Value) -> Option<String> {
    value.as_str().or_else(|| value["id"].as_str()).map(str::to_owned)
}

/// Every value that a path leads to, through lists and the rows of a page.
fn at(value: &mut Value, steps: &[&str], tell: &mut impl FnMut(&mut Value)) {
    match (value, steps) {
        (Value::Array(items), _) => items.iter_mut().for_each(|item| at(item, steps, tell)),
        (Value::Object(members), _) if members.get("object").is_some_and(|object| object == "list") => {
            if let Some(data) = members.get_mut("data") {
                at(data, steps, tell);
            }
        }
        (value, []) => tell(value),
        (Value::Object(members), [step, rest @ ..]) => {
            if let Some(member) = members.get_mut(*step) {
                at(member, rest, tell);
            }
        }
        (_, [..]) => {}
    }
}

async fn read(call: &Call, kind: &'static str, names: BTreeSet<String>) -> Result<BTreeMap<String, Value>, Problem> {
    let wanted: Vec<String> = names.into_iter().collect();
    let found =
        call.read(move |reader| wanted.into_iter().map(|name| Ok((find(reader, kind, &name)?, name))).collect::<Result<Vec<_>, _>>());
    let views = found.await?.into_iter().filter_map(|(image, name)| Some((view(call, kind, &image?, &name)?, name)));
    Ok(views.map(|(view, name)| (name, view)).collect())
}

fn find(reader: &Reader, kind: &'static str, name: &str) -> Result<Option<Image>, ReadError> {
    let case = |id: OrderId| Ok(reader.case(id)?.map(|case| Image::Case(id, Some(case))));
    match kind {
        "order" => name.parse().map_or(Ok(None), case),
        "payment" => name.parse::<PaymentId>().map_or(Ok(None), |id| case(id.order)),
        "customer" if name.parse::<CustomerId>().is_err() => Ok(None),
        _ => reader.entity(kind, name),
    }
}

fn view(call: &Call, kind: &str, image: &Image, name: &str) -> Option<Value> {
    Some(match image {
        Image::Case(_, Some(case)) if kind == "payment" => order_parts::payment(case, name.parse().ok()?)?,
        Image::Case(_, Some(case)) => order_view(case, &call.shop.vault),
        Image::Customer(_, Some(customer)) => customers::view(call, customer),
        Image::Item(_, Some(item)) => object(kind, item.as_ref()),
        Image::Location(_, Some(location)) => object(kind, location.as_ref()),
        Image::Channel(_, Some(channel)) => object(kind, channel.as_ref()),
        Image::Supplier(_, Some(supplier)) => purchasing::supplier_view(supplier),
        Image::PurchaseOrder(_, Some(order)) => purchasing::view(order),
        _ => return None,
    })
}
