//! Steps about settings of the shop, transfers and alerts, and steps that look instead of acting.

use super::{World, channel, item, sku};
use domain::alert::Condition;
use domain::catalog::{BackorderPayment, Buffer, ChannelKind, Component, ItemKind, OnExpiry, PaymentTiming, SingleCapture};
use domain::command::{Command, alert, catalog, count, order, purchasing, transfer};
use domain::id::{ChannelCode, CountId, LocationCode, Sku, SupplierCode, TransferId};
use domain::money::Amount;
use domain::purchasing::{Auto, Cutoff, OrderAmount, Policy, Source};
use domain::quantity::Quantity;
use domain::stock::{Sellable, sellable};
use domain::time::Date;
use domain::{Rejection, Transaction};
use std::collections::BTreeMap;

fn quantity(text: &str) -> Quantity {
    Quantity::new(text.parse().unwrap_or_else(|_| panic!("no quantity: {text}")))
}

fn place(code: &str) -> LocationCode {
    LocationCode::new(code).unwrap()
}

fn pairs<'a>(words: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
    words.iter().map(|word| word.split_once('=').unwrap_or_else(|| panic!("{word} is no name=value")))
}

impl World {
    pub(super) fn act_further(&mut self, words: &[&str]) -> Result<Vec<Transaction>, Rejection> {
        let one: Command = match words {
            ["channel", code, rest @ ..] => self.channel(code, rest),
            ["location", code, rest @ ..] => {
                let mut location = self.state.catalog.locations.get(&place(code)).unwrap().clone();
                for (name, value) in pairs(rest) {
                    match name {
                        "active" => location.active = value == "yes",
                        other => panic!("no such field: {other}"),
                    }
                }
                catalog::Command::UpdateLocation { location, expected_version: None }.into()
            }
            ["item", name, rest @ ..] => {
                let mut item = self.state.catalog.items.get(&sku(name)).unwrap().clone();
                for (name, value) in pairs(rest) {
                    match name {
                        "retired" => {
                            let command = catalog::Command::RetireItem { sku: item.sku.clone(), expected_version: None };
                            return Ok(vec![self.run(command)?]);
                        }
                        "from" => item.available_from = (value != "none").then(|| Date::parse(value).unwrap()),
                        other => panic!("no such field: {other}"),
                    }
                }
                catalog::Command::UpdateItem { item, expected_version: None }.into()
            }
            ["transfer", from, to, rest @ ..] => {
                let (expected_on, rest) = match rest {
                    [rest @ .., "by", day] => (Some(Date::parse(day).unwrap()), rest),
                    rest => (None, rest),
                };
                let (from, to, lines) = (place(from), place(to), units(rest));
                transfer::Command::CreateTransfer { from, to, reference: None, expected_on, lines }.into()
            }
            [verb @ ("redraft" | "dispatch" | "land" | "lose" | "undraft"), n, rest @ ..] => on_transfer(verb, n, rest),
            ["refill", at, from, point, target, auto] => {
                let (name, to) = at.split_once('@').unwrap();
                let auto = match *auto {
                    "send" => Auto::Send,
                    "draft" => Auto::Draft,
                    _ => Auto::Alert,
                };
                let policy = Policy {
                    sku: sku(name),
                    location: place(to),
                    source: Source::SourceLocation(place(from)),
                    auto: Some(auto),
                    reorder_point: quantity(point),
                    amount: OrderAmount::OrderUpTo(quantity(target)),
                    moq: Quantity::ONE,
                    multiple: Quantity::ONE,
                    lead_time_days: Some(2),
                    unit_cost: Amount::ZERO,
                    active: true,
                    version: 0,
                };
                purchasing::Command::SetPolicy { policy, expected_version: None }.into()
            }
            ["supply", rest @ ..] => self.supply(rest),
            ["promise", po, name, day] => {
                let lines = vec![purchasing::ExpectedLine { sku: sku(name), expected_on: Date::parse(day).unwrap() }];
                let order = domain::id::PurchaseOrderId(po.parse().unwrap());
                purchasing::Command::Acknowledge { order, reference: None, lines }.into()
            }
            ["elsewhere", name] => order::Command::ResourceOrder { order: self.orders[*name], from: None, expected_version: None }.into(),
            ["kit", name, rest @ ..] => {
                let part = |pair: &[&str]| Component { sku: sku(pair[0]), quantity: quantity(pair[1]) };
                let kind = ItemKind::Kit { components: rest.chunks(2).map(part).collect(), split_kit: true };
                catalog::Command::CreateItem(item(name, kind)).into()
            }
            ["tally", at, rest @ ..] => {
                let skus = [at].into_iter().chain(rest).map(|name| sku(name)).collect();
                count::Command::OpenCount { location: place("AUS"), skus, reference: None }.into()
            }
            ["counted", n, name, units, rest @ ..] => {
                let ago = rest.first().map_or(0, |seconds| seconds.parse::<i64>().unwrap() * 1000);
                let counted_at = Some(self.now.plus_ms(-ago));
                let lines = vec![count::CountedLine { sku: sku(name), counted: quantity(units), counted_at }];
                count::Command::RecordCount { count: CountId(n.parse().unwrap()), lines, expected_version: None }.into()
            }
            ["post", n, rest @ ..] => {
                let (count, approve) = (CountId(n.parse().unwrap()), rest.first() == Some(&"approved"));
                count::Command::PostCount { count, approve, expected_version: None }.into()
            }
            ["untally", n] => count::Command::CancelCount { count: CountId(n.parse().unwrap()), expected_version: None }.into(),
            ["settings", rest @ ..] => {
                let mut settings = self.state.catalog.settings();
                for (name, value) in pairs(rest) {
                    match name {
                        "approval" => settings.count_approval_units = Some(quantity(value)),
                        "over_receipt" => settings.over_receipt_percent = value.parse().unwrap(),
                        other => panic!("no such field: {other}"),
                    }
                }
                catalog::Command::UpdateSettings { settings, expected_version: None }.into()
            }
            ["promised", name, line, day] => {
                let order = &self.state.case(self.orders[*name])?.order;
                let promise = order.lines[line.parse::<usize>().unwrap() - 1].promise.as_ref();
                assert_eq!(promise.map_or("none".to_owned(), |promise| promise.ship_by.to_string()), *day);
                return Ok(Vec::new());
            }
            ["unpolicy", name] => {
                let (sku, location) = (sku(name), place("AUS"));
                purchasing::Command::DeletePolicy { sku, location }.into()
            }
            ["alarm", name] => {
                let condition = Condition::SubscriptionStalled { subscription: (*name).into() };
                alert::Command::RaiseAlert { condition, numbers: BTreeMap::new(), note: None }.into()
            }
            ["calm", name] => {
                alert::Command::ClearAlert { condition: Condition::SubscriptionStalled { subscription: (*name).into() } }.into()
            }
            ["forge", name] => {
                let condition = Condition::LateOrder { order: self.orders[*name] };
                alert::Command::RaiseAlert { condition, numbers: BTreeMap::new(), note: None }.into()
            }
            ["sells", name, kits] => {
                let channel = self.state.catalog.channels.get(&ChannelCode::new("web").unwrap()).unwrap();
                assert_eq!(sellable(&self.state, channel, &sku(name)), Some(Sellable::Units(quantity(kits))), "{name}");
                return Ok(Vec::new());
            }
            ["level", at, rest @ ..] => {
                self.look(at, rest);
                return Ok(Vec::new());
            }
            ["open", rest @ ..] => {
                let open: Vec<String> = self.open_alerts();
                assert_eq!(open, rest.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), "open alerts");
                return Ok(Vec::new());
            }
            other => panic!("no such step: {other:?}"),
        };
        Ok(vec![self.run(one)?])
    }

    fn supply(&self, rest: &[&str]) -> Command {
        let mut supplier = self.state.purchasing.suppliers.get(&SupplierCode::new("ACME").unwrap()).unwrap().clone();
        for (name, value) in pairs(rest) {
            match (name, value) {
                ("auto", "send") => supplier.auto = Auto::Send,
                ("auto", "draft") => supplier.auto = Auto::Draft,
                ("auto", "alert") => supplier.auto = Auto::Alert,
                ("active", value) => supplier.active = value == "yes",
                ("cutoff", "none") => supplier.cutoff = None,
                ("cutoff", "noon") => {
                    supplier.cutoff = Some(Cutoff { minute: 12 * 60, weekdays: vec![0, 1, 2, 3, 4], time_zone: "UTC".into() });
                }
                other => panic!("no such field: {other:?}"),
            }
        }
        purchasing::Command::UpdateSupplier { supplier, expected_version: None }.into()
    }

    fn channel(&self, code: &str, rest: &[&str]) -> Command {
        let known = self.state.catalog.channels.get(&ChannelCode::new(code).unwrap()).cloned();
        let mut value = known.clone().unwrap_or_else(|| channel(code));
        for (name, wanted) in pairs(rest) {
            match (name, wanted) {
                ("at", places) => value.locations = places.split('+').map(place).collect(),
                ("buffer", units) => value.buffer = Buffer::Units(quantity(units)),
                ("kind", _) => value.kind = ChannelKind::Marketplace,
                ("expiry", "hold") => value.payment.on_expiry = OnExpiry::Hold,
                ("timing", "placement") => value.payment.timing = PaymentTiming::CaptureAtPlacement,
                ("overcapture", percent) => value.payment.overcapture_percent = percent.parse().unwrap(),
                ("backorder", "on_allocation") => value.payment.backorder = BackorderPayment::OnAllocation,
                ("timing", "invoice") => value.payment.timing = PaymentTiming::Invoice,
                ("multicapture", "no") => value.payment.multicapture = false,
                ("single", "last") => value.payment.single_capture = SingleCapture::LastShipment,
                other => panic!("no such field: {other:?}"),
            }
        }
        match known {
            Some(_) => catalog::Command::UpdateChannel { channel: value, expected_version: None }.into(),
            None => catalog::Command::CreateChannel(value).into(),
        }
    }

    fn look(&self, at: &str, rest: &[&str]) {
        let (name, code) = at.split_once('@').unwrap();
        let level = self.state.stock.level(&Sku::new(name).unwrap(), &place(code)).unwrap();
        for (field, wanted) in pairs(rest) {
            let got = match field {
                "on_hand" => level.on_hand.signed(),
                "available" => level.available().signed(),
                "allocated" => level.allocated.signed(),
                "backordered" => level.backordered.signed(),
                "held" => level.held.signed(),
                "damaged" => level.unavailable.damaged.signed(),
                "incoming" => level.incoming().signed(),
                "position" => level.inventory_position(),
                other => panic!("no such field: {other}"),
            };
            assert_eq!(got.to_string(), wanted, "{field} of {at}");
        }
    }

    fn open_alerts(&self) -> Vec<String> {
        let alerts = self.state.alerts.sorted().into_iter().filter(|(_, alert)| alert.cleared_at.is_none());
        alerts.map(|(_, alert)| alert.condition.text().split(' ').next().unwrap().to_owned()).collect()
    }
}

fn units(words: &[&str]) -> Vec<transfer::TransferUnits> {
    let pairs = words.chunks(2);
    pairs.map(|pair| transfer::TransferUnits { sku: sku(pair[0]), quantity: quantity(pair[1]) }).collect()
}

fn on_transfer(verb: &str, n: &str, rest: &[&str]) -> Command {
    let (transfer, expected_version, expected_on) = (TransferId(n.parse().unwrap()), None, None);
    match verb {
        "redraft" => transfer::Command::AmendTransfer { transfer, lines: units(rest), expected_on, expected_version },
        "dispatch" => {
            let (lines, carrier, tracking_number) = (units(rest), None, None);
            transfer::Command::ShipTransfer { transfer, lines, expected_on, carrier, tracking_number, expected_version }
        }
        "land" => {
            let of =
                |words: &[&str]| transfer::ArrivedUnits { sku: sku(words[0]), accepted: quantity(words[1]), damaged: quantity(words[2]) };
            transfer::Command::ReceiveTransfer { transfer, lines: rest.chunks(3).map(of).collect(), expected_version }
        }
        "lose" => transfer::Command::CloseLost { transfer, reason: None, expected_version },
        _ => transfer::Command::CancelTransfer { transfer, reason: "no need".into(), expected_version },
    }
    .into()
}
