//! Each kind of row: its columns for people, its object for programs.

use super::{Kind, object};
use crate::import::{day_names, decimal, time_of_day};
use domain::Image;
use domain::catalog::{BackorderCap, Item, ItemKind, Location};
use domain::customer::Customer;
use domain::money::{Amount, Currency};
use domain::order::{Case, Line};
use domain::payment::{authorized, balance_due, captured, refunded};
use domain::purchasing::{OrderAmount, Policy, PurchaseOrder, Source, Supplier};
use domain::stock::Level;
use domain::time::Timestamp;
use engine::{EventRow, Moved};
use serde_json::{Value, json};
use server::bus::Outgoing;
use server::vault::Vault;

pub struct Row {
    pub fields: Vec<String>,
    pub json: String,
}

pub struct Rows<'a> {
    /// Set when personal data is to be opened.
    pub vault: Option<&'a Vault>,
}

const PERSONAL: [&str; 3] = ["email", "name", "phone"];
const ADDRESS: [&str; 6] = ["name", "company", "line1", "line2", "city", "postal_code"];

/// The name of a unit variant, as JSON and lists show it.
fn name(value: &impl serde::Serialize) -> String {
    text(&serde_json::to_value(value).unwrap_or_default())
}

/// A JSON value as a field.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn option(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Millionths of a degree as degrees.
fn degrees(millionths: i32) -> String {
    let (sign, rest) = (if millionths < 0 { "-" } else { "" }, millionths.unsigned_abs());
    format!("{sign}{}.{:06}", rest / 1_000_000, rest % 1_000_000)
}

impl Rows<'_> {
    pub fn columns(&self, kind: Kind) -> Vec<&'static str> {
        let mut columns: Vec<&str> = match kind {
            Kind::Orders => "id,number,channel,external_id,origin,status,status_reason,payment_status,allocation_status,fulfillment_status,currency,total,\
                             authorized,captured,refunded,balance_due,customer,ship_to_country,created_at,closed_at",
            Kind::OrderLines => "order,number,channel,external_id,line,sku,name,ordered,allocated,backordered,shipped,canceled,returned,currency,\
                                 unit_price,discount,tax,total,promised_ship_by,created_at",
            Kind::Items => "sku,name,kind,components,barcode,unit_cost,currency,weight_grams,on_shortage,backorder_cap,available_from,status,split_kit",
            Kind::Locations => "code,name,country,region,city,postal_code,line1,time_zone,cutoff,working_days,handling_days,priority,kind,active,\
                                latitude,longitude",
            Kind::Stock => "sku,location,on_hand,allocated,picked,held,damaged,quality_control,quarantine,safety_stock,available,backordered,incoming,\
                            inventory_position",
            Kind::Ledger => "sequence,time,sku,location,kind,quantity,subject,event,actor,on_hand,allocated,held,unavailable,available,backordered",
            Kind::PurchaseOrders => "id,po_number,supplier,location,status,sku,ordered,received,canceled,open,unit_cost,currency,expected_on,ordered_at",
            Kind::Suppliers => "code,name,email,lead_time_days,currency,order_minimum,auto,active",
            Kind::Policies => "sku,location,supplier,reorder_point,order_up_to,reorder_quantity,moq,multiple,lead_time_days,unit_cost,active,source_location,auto",
            Kind::Customers => "id,orders,merged_into,erased_at,created_at",
            Kind::Events => "sequence,time,type,subject,actor,data",
        }
        .split(',')
        .collect();
        if self.vault.is_some() {
            match kind {
                Kind::Orders => columns.extend([
                    "email",
                    "customer_name",
                    "phone",
                    "ship_to_name",
                    "ship_to_company",
                    "ship_to_line1",
                    "ship_to_line2",
                    "ship_to_city",
                    "ship_to_postal_code",
                ]),
                Kind::Customers => columns.extend(PERSONAL),
                Kind::OrderLines
                | Kind::Items
                | Kind::Locations
                | Kind::Stock
                | Kind::Ledger
                | Kind::PurchaseOrders
                | Kind::Suppliers
                | Kind::Policies
                | Kind::Events => {}
            }
        }
        columns
    }

    pub fn order(&self, case: &Case) -> Row {
        let order = &case.order;
        let money = |amount: Amount| decimal(amount.get(), order.currency);
        let country = order.ship_to.as_ref().map(|to| to.country.as_str());
        let mut fields = vec![
            order.id.to_string(),
            order.number.to_string(),
            order.channel.to_string(),
            option(order.external_id.as_ref()),
            name(&order.origin),
            name(&order.status),
            option(order.status_reason.as_ref()),
            name(&order.payment_status),
            name(&order.allocation_status),
            name(&order.fulfillment_status),
            order.currency.to_string(),
            money(order.total),
            money(authorized(case)),
            money(captured(case)),
            money(refunded(case)),
            money(balance_due(case)),
            option(order.customer.as_ref().map(|buyer| buyer.id)),
            option(country),
            order.created_at.to_string(),
            option(order.closed_at),
        ];
        let mut json = match self.vault {
            Some(vault) => {
                let json = server::http::order_view(case, vault);
                fields.extend(PERSONAL.map(|field| text(&json["customer"][field])));
                fields.extend(ADDRESS.map(|field| text(&json["ship_to"][field])));
                json
            }
            None => server::http::order_view_sealed(case),
        };
        json["object"] = json!("order");
        Row { fields, json: json.to_string() }
    }

    pub fn order_line(&self, case: &Case, line: &Line) -> Row {
        let order = &case.order;
        let money = |amount: Amount| decimal(amount.get(), order.currency);
        let promised = line.promise.as_ref().map(|promise| promise.ship_by);
        let fields = vec![
            order.id.to_string(),
            order.number.to_string(),
            order.channel.to_string(),
            option(order.external_id.as_ref()),
            line.id.to_string(),
            line.sku.to_string(),
            line.name.to_string(),
            line.ordered.to_string(),
            line.allocated().to_string(),
            line.backordered().to_string(),
            line.shipped().to_string(),
            line.canceled.to_string(),
            line.returned().to_string(),
            order.currency.to_string(),
            money(line.unit_price),
            money(line.discount),
            money(line.tax),
            money(line.total),
            option(promised),
            order.created_at.to_string(),
        ];
        let json = json!({
            "object": "order_line", "order": order.id, "number": order.number, "channel": order.channel, "external_id": order.external_id,
            "line": line.id, "sku": line.sku, "name": line.name, "ordered": line.ordered, "allocated": line.allocated(),
            "backordered": line.backordered(), "shipped": line.shipped(), "canceled": line.canceled, "returned": line.returned(),
            "currency": order.currency, "unit_price": line.unit_price, "discount": line.discount, "tax": line.tax, "total": line.total,
            "promised_ship_by": promised, "created_at": order.created_at,
        });
        Row { fields, json: json.to_string() }
    }

    pub fn movement(&self, moved: &Moved) -> Row {
        let movement = &moved.movement;
        let level = &movement.level;
        let time = Timestamp(moved.time);
        let mut fields = vec![
            moved.seq.to_string(),
            time.to_string(),
            movement.sku.to_string(),
            movement.location.to_string(),
            movement.kind.as_str().to_owned(),
            movement.quantity.to_string(),
            moved.subject.clone(),
            moved.event.to_owned(),
            moved.actor.clone(),
        ];
        let after = [level.on_hand, level.allocated, level.held, level.unavailable, level.available, level.backordered];
        fields.extend(after.map(|units| units.to_string()));
        let json = json!({
            "object": "movement", "sequence": moved.seq.to_string(), "time": time, "sku": movement.sku, "location": movement.location,
            "kind": movement.kind, "quantity": movement.quantity, "subject": moved.subject, "event": moved.event, "actor": moved.actor,
            "level": level,
        });
        Row { fields, json: json.to_string() }
    }

    pub fn event(&self, event: EventRow, incarnation: u64) -> Row {
        let fields = vec![
            event.seq.to_string(),
            Timestamp(event.time).to_string(),
            event.kind.clone(),
            event.subject.clone(),
            event.actor.clone(),
            event.data.clone(),
        ];
        let body = Outgoing::new(event, incarnation).body(self.vault);
        Row { fields, json: String::from_utf8_lossy(&body).into_owned() }
    }

    /// A row of an entity; purchase orders have one for each line.
    pub fn entity(&self, image: &Image) -> Vec<Row> {
        match image {
            Image::Item(_, Some(item)) => vec![self.item(item)],
            Image::Location(_, Some(location)) => vec![self.location(location)],
            Image::Level(_, Some(level)) => vec![self.level(level)],
            Image::Supplier(_, Some(supplier)) => vec![self.supplier(supplier)],
            Image::Policy(_, Some(policy)) => vec![self.policy(policy)],
            Image::PurchaseOrder(_, Some(order)) => self.purchase_order(order),
            Image::Customer(_, Some(customer)) => vec![self.customer(customer)],
            _ => Vec::new(),
        }
    }

    fn item(&self, item: &Item) -> Row {
        let (kind, components, split_kit) = match &item.kind {
            ItemKind::Stocked => ("stocked", String::new(), String::new()),
            ItemKind::Service => ("service", String::new(), String::new()),
            ItemKind::Kit { components, split_kit } => {
                let parts = components.iter().map(|part| format!("{}:{}", part.sku, part.quantity));
                ("kit", parts.collect::<Vec<_>>().join("|"), split_kit.to_string())
            }
        };
        let cap = match item.backorder_cap {
            BackorderCap::Limit(units) => units.to_string(),
            BackorderCap::None | BackorderCap::UpToIncoming | BackorderCap::Unlimited => name(&item.backorder_cap),
        };
        let cost = item.unit_cost.map(|cost| decimal(cost.amount.get(), cost.currency));
        let fields = vec![
            item.sku.to_string(),
            item.name.to_string(),
            kind.to_owned(),
            components,
            option(item.barcode.as_ref()),
            cost.unwrap_or_default(),
            option(item.unit_cost.map(|cost| cost.currency)),
            option(item.weight_grams),
            item.on_shortage.map(|policy| name(&policy)).unwrap_or_default(),
            cap,
            option(item.available_from),
            name(&item.status),
            split_kit,
        ];
        Row { fields, json: object("item", item).to_string() }
    }

    fn location(&self, location: &Location) -> Row {
        let Location { address, coordinates, .. } = location;
        let fields = vec![
            location.code.to_string(),
            location.name.to_string(),
            address.country.to_string(),
            option(address.region.as_ref()),
            option(address.city.as_ref()),
            option(address.postal_code.as_ref()),
            option(address.line1.as_ref()),
            location.time_zone.to_string(),
            time_of_day(location.cutoff_minute),
            day_names(&location.working_days),
            location.handling_days.to_string(),
            location.priority.to_string(),
            name(&location.kind),
            location.active.to_string(),
            coordinates.map(|at| degrees(at.latitude)).unwrap_or_default(),
            coordinates.map(|at| degrees(at.longitude)).unwrap_or_default(),
        ];
        Row { fields, json: object("location", location).to_string() }
    }

    fn level(&self, level: &Level) -> Row {
        let units = [
            level.on_hand,
            level.allocated,
            level.picked,
            level.held,
            level.unavailable.damaged,
            level.unavailable.quality_control,
            level.unavailable.quarantine,
            level.safety_stock,
            level.available(),
            level.backordered,
            level.incoming(),
        ];
        let mut fields = vec![level.sku.to_string(), level.location.to_string()];
        fields.extend(units.map(|units| units.to_string()));
        fields.push(level.inventory_position().to_string());
        let json = json!({
            "object": "level", "sku": level.sku, "location": level.location, "version": level.version, "on_hand": level.on_hand,
            "allocated": level.allocated, "picked": level.picked, "held": level.held, "unavailable": level.unavailable,
            "safety_stock": level.safety_stock, "available": level.available(), "backordered": level.backordered,
            "incoming": level.incoming(), "inventory_position": level.inventory_position(),
        });
        Row { fields, json: json.to_string() }
    }

    fn supplier(&self, supplier: &Supplier) -> Row {
        let fields = vec![
            supplier.code.to_string(),
            supplier.name.to_string(),
            option(supplier.email.as_ref()),
            supplier.lead_time_days.to_string(),
            supplier.currency.to_string(),
            decimal(supplier.order_minimum.get(), supplier.currency),
            name(&supplier.auto),
            supplier.active.to_string(),
        ];
        Row { fields, json: object("supplier", supplier).to_string() }
    }

    fn policy(&self, policy: &Policy) -> Row {
        let (level, quantity) = match policy.amount {
            OrderAmount::OrderUpTo(level) => (level.to_string(), String::new()),
            OrderAmount::ReorderQuantity(quantity) => (String::new(), quantity.to_string()),
        };
        let (supplier, location) = match &policy.source {
            Source::Supplier(code) => (code.to_string(), String::new()),
            Source::SourceLocation(code) => (String::new(), code.to_string()),
        };
        let fields = vec![
            policy.sku.to_string(),
            policy.location.to_string(),
            supplier,
            policy.reorder_point.to_string(),
            level,
            quantity,
            policy.moq.to_string(),
            policy.multiple.to_string(),
            option(policy.lead_time_days),
            // A policy has no currency of its own: hundredths, as most are.
            decimal(policy.unit_cost.get(), Currency::USD),
            policy.active.to_string(),
            location,
            policy.auto.as_ref().map_or_else(String::new, name),
        ];
        Row { fields, json: object("policy", policy).to_string() }
    }

    fn purchase_order(&self, order: &PurchaseOrder) -> Vec<Row> {
        let lines = order.lines.iter().map(|line| {
            let fields = vec![
                order.id.to_string(),
                order.reference.as_ref().map_or_else(|| order.id.to_string(), ToString::to_string),
                order.supplier.to_string(),
                order.location.to_string(),
                name(&order.status),
                line.sku.to_string(),
                line.ordered.to_string(),
                line.received.to_string(),
                line.canceled.to_string(),
                line.open().to_string(),
                decimal(line.unit_cost.get(), order.currency),
                order.currency.to_string(),
                option(line.expected_on),
                option(order.sent_at),
            ];
            let mut json = object("purchase_order_line", line);
            for (member, value) in [
                ("purchase_order", json!(order.id)),
                ("reference", json!(order.reference)),
                ("supplier", json!(order.supplier)),
                ("location", json!(order.location)),
                ("status", json!(order.status)),
                ("currency", json!(order.currency)),
                ("open", json!(line.open())),
                ("sent_at", json!(order.sent_at)),
            ] {
                json[member] = value;
            }
            Row { fields, json: json.to_string() }
        });
        lines.collect()
    }

    fn customer(&self, customer: &Customer) -> Row {
        let mut fields = vec![
            customer.id.to_string(),
            customer.orders.to_string(),
            option(customer.merged_into),
            option(customer.erased_at),
            customer.created_at.to_string(),
        ];
        let mut json = json!({});
        if let Some(vault) = self.vault {
            let details = customer.details.as_ref().and_then(|sealed| vault.open_sealed::<Value>(sealed));
            json = details.filter(Value::is_object).unwrap_or_else(|| json!({}));
            fields.extend(PERSONAL.map(|field| text(&json[field])));
        }
        for (member, value) in [
            ("object", json!("customer")),
            ("id", json!(customer.id)),
            ("orders", json!(customer.orders)),
            ("merged_into", json!(customer.merged_into)),
            ("erased_at", json!(customer.erased_at)),
            ("created_at", json!(customer.created_at)),
        ] {
            json[member] = value;
        }
        Row { fields, json: json.to_string() }
    }
}
