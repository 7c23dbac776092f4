//! From what a file says to what the rules are asked. Personal data is sealed on the way.

use super::mapping::Mapping;
use super::unit::{Bought, Given, Level, Person, Safety, Sale, SaleLine, Unit, What};
use anyhow::{Context, Result, bail};
use domain::Command;
use domain::catalog::{Address, Item, Location};
use domain::command::{catalog, order, purchasing, returns, stock};
use domain::event::stock::Bucket;
use domain::id::{ChannelCode, LocationCode, PurchaseOrderId, Sku, SupplierCode};
use domain::money::Amount;
use domain::order::{Buyer, ClaimedPayment, Origin, ShipTo};
use domain::payment::MANUAL_GATEWAY;
use domain::purchasing::Supplier;
use domain::quantity::Quantity;
use domain::returns::Disposition;
use domain::stock::OPENING_BALANCE;
use domain::text::Metadata;
use serde_json::json;
use server::vault::Vault;
use std::collections::BTreeMap;

/// What the folder had before, as far as it decides what a row means.
#[derive(Default)]
pub struct Known {
    pub items: BTreeMap<Sku, Item>,
    pub locations: BTreeMap<LocationCode, Location>,
    pub suppliers: BTreeMap<SupplierCode, Supplier>,
    /// On hand (or in a bucket) of the levels that a file of stock names.
    pub levels: BTreeMap<(Sku, LocationCode, &'static str), u32>,
    /// Open purchase orders by supplier and number, as an export calls them.
    pub bought: BTreeMap<(SupplierCode, String), PurchaseOrderId>,
}

pub struct Commands<'a> {
    pub mapping: &'a Mapping,
    pub live: bool,
    pub vault: &'a Vault,
    pub known: Known,
    /// Of this file, as reference of what it adjusts.
    pub import: &'a str,
}

impl Commands<'_> {
    /// The command of a unit. What it will have changed is known for the next.
    pub fn of(&mut self, unit: &Unit) -> Result<Command> {
        Ok(match &unit.what {
            What::Order(sale) => self.order(unit, sale)?,
            What::Return { name, at, lines } => {
                let location = LocationCode::new(self.mapping.location.as_deref().unwrap_or_default())?;
                let lines = lines.iter().map(|(sku, units)| (sku.clone(), Quantity::new(*units), Disposition::Restock));
                let (external_id, reason) = (Some(name.as_str().into()), Some("canceled invoice".into()));
                let blind = returns::BlindReturn { location, external_id, reason, occurred_at: Some(*at), lines: lines.collect() };
                returns::Command::ReceiveBlind(blind).into()
            }
            What::Adjustment { at, sku, delta, reason, reference } => {
                let location = LocationCode::new(self.mapping.location.as_deref().unwrap_or_default())?;
                let change = stock::Change::Delta(*delta);
                let lines = vec![stock::AdjustLine { sku: sku.clone(), bucket: Bucket::OnHand, change, if_quantity: None }];
                let (reason, reference) = (reason.as_str().into(), Some(reference.as_str().into()));
                stock::Command::AdjustStock(stock::AdjustStock { location, reason, reference, count: None, occurred_at: Some(*at), lines })
                    .into()
            }
            What::Item(item, given) => {
                let item = self.known.items.get(&item.sku).map_or_else(|| (**item).clone(), |known| update_item(known, item, given));
                let command = match self.known.items.insert(item.sku.clone(), item.clone()) {
                    None => catalog::Command::CreateItem(item),
                    Some(_) => catalog::Command::UpdateItem { item, expected_version: None },
                };
                command.into()
            }
            What::Retired(sku) => catalog::Command::RetireItem { sku: sku.clone(), expected_version: None }.into(),
            What::Location(location, given) => {
                let known = self.known.locations.get(&location.code);
                let location = known.map_or_else(|| (**location).clone(), |known| update_location(known, location, given));
                let command = match self.known.locations.insert(location.code.clone(), location.clone()) {
                    None => catalog::Command::CreateLocation(location),
                    Some(_) => catalog::Command::UpdateLocation { location, expected_version: None },
                };
                command.into()
            }
            What::Stock(level) => self.level(level),
            What::Safety(Safety { sku, location, quantity }) => {
                stock::Command::SetSafetyStock { sku: sku.clone(), location: location.clone(), safety_stock: *quantity }.into()
            }
            What::Supplier(supplier, given) => {
                let known = self.known.suppliers.get(&supplier.code);
                let supplier = known.map_or_else(|| (**supplier).clone(), |known| update_supplier(known, supplier, given));
                let command = match self.known.suppliers.insert(supplier.code.clone(), supplier.clone()) {
                    None => purchasing::Command::CreateSupplier(supplier),
                    Some(_) => purchasing::Command::UpdateSupplier { supplier, expected_version: None },
                };
                command.into()
            }
            What::Policy(policy) => purchasing::Command::SetPolicy { policy: (**policy).clone(), expected_version: None }.into(),
            What::PurchaseOrder(bought) => {
                // Another export of the same shop must not double what is on its way.
                if let Some(id) = self.known.bought.get(&(bought.supplier.clone(), bought.name.clone())) {
                    bail!("the shop has a purchase order \"{}\" of {} already ({id})", bought.name, bought.supplier);
                }
                bought_order(bought)
            }
        })
    }

    fn level(&mut self, level: &Level) -> Command {
        let key = |bucket| (level.sku.clone(), level.location.clone(), bucket_name(bucket));
        let there = |known: &Known, bucket| known.levels.get(&key(bucket)).copied().unwrap_or(0);
        let (change, reason, if_quantity) = if level.set {
            let believed = there(&self.known, level.bucket);
            // What stands beside is set by itself, and takes on hand along.
            let beside: u32 = level.parts.iter().map(|bucket| there(&self.known, *bucket)).sum();
            let target = level.quantity.saturating_add(beside);
            self.known.levels.insert(key(level.bucket), target);
            if level.bucket != Bucket::OnHand {
                let on_hand = self.known.levels.entry(key(Bucket::OnHand)).or_default();
                *on_hand = on_hand.saturating_add(target).saturating_sub(believed);
            }
            (stock::Change::SetTo(Quantity::new(target)), "import", Some(Quantity::new(believed)))
        } else {
            (stock::Change::Delta(i64::from(level.quantity)), OPENING_BALANCE, None)
        };
        let line = stock::AdjustLine { sku: level.sku.clone(), bucket: level.bucket, change, if_quantity };
        stock::Command::AdjustStock(stock::AdjustStock {
            location: level.location.clone(),
            reason: reason.into(),
            reference: Some(self.import.into()),
            count: None,
            occurred_at: level.at,
            lines: vec![line],
        })
        .into()
    }

    fn order(&self, unit: &Unit, sale: &Sale) -> Result<Command> {
        let (customer, ship_to) = self.person(sale)?;
        let note = match (&customer, sale.note.is_empty()) {
            (Some(buyer), false) => Some(self.vault.seal(buyer.id, &sale.note)?),
            (Some(_) | None, _) => None,
        };
        let mut metadata = Metadata::new();
        metadata.extend(sale.metadata.iter().map(|(name, text)| ((*name).into(), text.as_str().into())));
        let paid = sale.paid.iter().filter(|_| self.live).map(|(amount, reference)| ClaimedPayment {
            gateway: MANUAL_GATEWAY.into(),
            reference: Some(reference.as_str().into()).filter(|_| !reference.is_empty()),
            captured: true,
            amount: Amount::new(*amount),
            expires_at: None,
        });
        let place = order::PlaceOrder {
            channel: ChannelCode::new(&sale.channel)?,
            external_id: Some(sale.name.as_str().into()),
            content: Some(unit.digest.as_str().into()),
            origin: if self.live { Origin::Live } else { Origin::Import },
            placed_at: Some(sale.at).filter(|_| !self.live),
            currency: sale.currency,
            prices_include_tax: sale.prices_include_tax,
            on_shortage: None,
            hold_owner: None,
            priority: 0,
            customer,
            ship_to,
            lines: sale.lines.iter().map(place_line).collect(),
            charges: sale.charges.iter().map(|charge| place_charge(*charge)).collect(),
            total: sale.total.map(Amount::new),
            payment_token: None,
            payments: paid.collect(),
            note,
            notify: self.live,
            metadata,
        };
        Ok(if self.live {
            order::Command::PlaceOrder(Box::new(place)).into()
        } else {
            order::Command::ImportOrder { order: Box::new(place), location: LocationCode::new(&sale.location)? }.into()
        })
    }

    /// Whoever can be found by a mail or an outside id, or left an address, has a key that seals the rest.
    fn person(&self, sale: &Sale) -> Result<(Option<Buyer>, Option<ShipTo>)> {
        let Person { customer, email, name, phone, .. } = &sale.person;
        let whereabouts = whereabouts(&sale.person);
        let mail = (email.contains('@')).then(|| self.vault.fingerprint("email", email));
        let outside = (!customer.is_empty()).then(|| self.vault.fingerprint("external_id", &format!("{}\n{customer}", sale.channel)));
        let names: Vec<_> = mail.iter().cloned().chain(outside).collect();
        let personal = !name.is_empty() || !phone.is_empty() || whereabouts.is_some() || !sale.note.is_empty();
        let buyer = if names.is_empty() && !personal {
            None
        } else {
            let found_by = server::vault::Buyer { names, words: self.vault.words(name) };
            let id = self.vault.customer(&found_by).context("the vault can't be written")?;
            let told = [("email", email), ("name", name), ("phone", phone)]
                .map(|(field, text)| (field, Some(text).filter(|text| !text.is_empty())));
            let details = if told.iter().any(|(_, text)| text.is_some()) {
                let id_text = Some(customer).filter(|text| !text.is_empty());
                let mut body = json!({});
                for (field, text) in told.into_iter().chain([("external_id", id_text)]) {
                    if let Some(text) = text {
                        body[field] = json!(text);
                    }
                }
                Some(self.vault.seal(id, &body)?)
            } else {
                None
            };
            Some(Buyer { id, details, email_fingerprint: mail })
        };
        let ship_to = match (sale.person.country.is_empty(), &buyer) {
            (true, _) => None,
            (false, buyer) => {
                let details = match (buyer, whereabouts) {
                    (Some(buyer), Some(body)) => Some(self.vault.seal(buyer.id, &body)?),
                    (Some(_) | None, _) => None,
                };
                let region = Some(sale.person.region.as_str()).filter(|text| !text.is_empty()).map(Into::into);
                Some(ShipTo { country: sale.person.country.as_str().into(), region, coordinates: None, details })
            }
        };
        Ok((buyer, ship_to))
    }
}

fn whereabouts(person: &Person) -> Option<serde_json::Value> {
    let fields = [
        ("name", &person.ship_name),
        ("company", &person.company),
        ("line1", &person.line1),
        ("line2", &person.line2),
        ("city", &person.city),
        ("postal_code", &person.postal_code),
    ];
    let mut body = json!({});
    for (field, text) in fields.into_iter().filter(|(_, text)| !text.is_empty()) {
        body[field] = json!(text);
    }
    body.as_object().is_some_and(|members| !members.is_empty()).then_some(body)
}

fn place_line(line: &SaleLine) -> order::PlaceLine {
    order::PlaceLine {
        external_id: Some(line.line_id.as_str().into()).filter(|_| !line.line_id.is_empty()),
        sku: line.sku.clone(),
        quantity: Quantity::new(line.quantity),
        unit_price: Amount::new(line.unit_price),
        discount: Amount::new(line.discount),
        tax: Amount::new(line.tax),
        total: None,
    }
}

fn place_charge((kind, amount, tax): (&'static str, i64, i64)) -> order::PlaceCharge {
    order::PlaceCharge { kind: kind.into(), amount: Amount::new(amount), tax: Amount::new(tax), total: None }
}

fn bought_order(bought: &Bought) -> Command {
    let (supplier, location, reference) = (bought.supplier.clone(), bought.location.clone(), Some(bought.name.as_str().into()));
    if bought.draft {
        let lines = bought.lines.iter().map(|line| purchasing::WantedLine {
            sku: line.sku.clone(),
            quantity: Quantity::new(line.ordered),
            unit_cost: line.unit_cost.map(Amount::new),
        });
        return purchasing::Command::CreatePurchaseOrder { supplier, location, reference, lines: lines.collect() }.into();
    }
    let lines = bought.lines.iter().map(|line| purchasing::OpenLine {
        sku: line.sku.clone(),
        ordered: Quantity::new(line.ordered),
        received: Quantity::new(line.received),
        unit_cost: line.unit_cost.map(Amount::new),
        expected_on: line.expected_on,
    });
    let ordered_at = bought.ordered_at;
    purchasing::Command::ImportPurchaseOrder { supplier, location, reference, ordered_at, lines: lines.collect() }.into()
}

/// What the row says, and for the rest what the shop has.
fn update_item(known: &Item, item: &Item, given: &Given) -> Item {
    let (has, new) = (|field: &str| given.contains(field), item.clone());
    Item {
        name: if has("name") { new.name } else { known.name.clone() },
        kind: if has("kind") || has("components") || has("split_kit") { new.kind } else { known.kind.clone() },
        barcode: new.barcode.or_else(|| known.barcode.clone()),
        unit_cost: new.unit_cost.or(known.unit_cost),
        weight_grams: new.weight_grams.or(known.weight_grams),
        backorder_cap: if has("backorder_cap") { new.backorder_cap } else { known.backorder_cap },
        on_shortage: new.on_shortage.or(known.on_shortage),
        available_from: new.available_from.or(known.available_from),
        ..known.clone()
    }
}

fn update_supplier(known: &Supplier, supplier: &Supplier, given: &Given) -> Supplier {
    let (has, new) = (|field: &str| given.contains(field), supplier.clone());
    Supplier {
        name: if has("name") { new.name } else { known.name.clone() },
        email: new.email.or_else(|| known.email.clone()),
        lead_time_days: if has("lead_time_days") { new.lead_time_days } else { known.lead_time_days },
        currency: new.currency,
        order_minimum: if has("order_minimum") { new.order_minimum } else { known.order_minimum },
        auto: if has("auto") { new.auto } else { known.auto },
        active: if has("active") { new.active } else { known.active },
        ..known.clone()
    }
}

fn update_location(known: &Location, location: &Location, given: &Given) -> Location {
    let (has, new) = (|field: &str| given.contains(field), location.clone());
    let (address, old) = (new.address, known.address.clone());
    Location {
        name: if has("name") { new.name } else { known.name.clone() },
        address: Address {
            line1: address.line1.or(old.line1),
            city: address.city.or(old.city),
            region: address.region.or(old.region),
            postal_code: address.postal_code.or(old.postal_code),
            country: if has("country") { address.country } else { old.country },
        },
        coordinates: new.coordinates.or(known.coordinates),
        time_zone: if has("time_zone") { new.time_zone } else { known.time_zone.clone() },
        cutoff_minute: if has("cutoff") { new.cutoff_minute } else { known.cutoff_minute },
        working_days: if has("working_days") { new.working_days } else { known.working_days.clone() },
        handling_days: if has("handling_days") { new.handling_days } else { known.handling_days },
        priority: if has("priority") { new.priority } else { known.priority },
        kind: if has("kind") { new.kind } else { known.kind },
        active: if has("active") { new.active } else { known.active },
        ..known.clone()
    }
}

pub fn bucket_name(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::OnHand => "on_hand",
        Bucket::Damaged => "damaged",
        Bucket::QualityControl => "quality_control",
        Bucket::Quarantine => "quarantine",
    }
}
