//! What rows can be, and which fields a mapping of each kind has.

use super::mapping::Kind;

/// Fields that a mapping must say where to find, and those that it may.
type Fields = (&'static [&'static str], &'static [&'static str]);

impl Kind {
    /// What rows become.
    pub fn things(self) -> &'static str {
        match self {
            Self::Orders => "orders, returns and corrections",
            Self::Items => "items",
            Self::Locations => "locations",
            Self::Stock => "levels",
            Self::Suppliers => "suppliers",
            Self::Policies => "policies",
            Self::PurchaseOrders => "purchase orders",
        }
    }

    pub fn fields(self) -> Fields {
        match self {
            Self::Orders => ORDERS,
            Self::Items => ITEMS,
            Self::Locations => LOCATIONS,
            Self::Stock => STOCK,
            Self::Suppliers => SUPPLIERS,
            Self::Policies => POLICIES,
            Self::PurchaseOrders => PURCHASE_ORDERS,
        }
    }
}

const ORDERS: Fields = (
    &["order", "sku", "quantity", "time", "channel", "currency", "location"],
    &[
        "name",
        "line_id",
        "price",
        "line_subtotal",
        "line_discount",
        "line_total",
        "line_tax",
        "customer",
        "email",
        "customer_name",
        "phone",
        "ship_name",
        "ship_company",
        "ship_line1",
        "ship_line2",
        "ship_city",
        "ship_region",
        "ship_postal_code",
        "country",
        "shipping",
        "shipping_tax",
        "fees",
        "tax",
        "discount",
        "total",
        "refunded",
        "paid_amount",
        "payment_reference",
        "note",
        "status",
        "payment_status",
    ],
);
const ITEMS: Fields = (
    &["sku"],
    &[
        "name",
        "barcode",
        "kind",
        "components",
        "unit_cost",
        "currency",
        "weight_grams",
        "on_shortage",
        "backorder_cap",
        "available_from",
        "status",
        "split_kit",
    ],
);
const LOCATIONS: Fields = (
    &["code"],
    &[
        "name",
        "country",
        "region",
        "city",
        "postal_code",
        "line1",
        "time_zone",
        "cutoff",
        "working_days",
        "handling_days",
        "priority",
        "kind",
        "active",
        "latitude",
        "longitude",
    ],
);
const STOCK: Fields = (&["sku", "location", "quantity"], &["bucket", "time", "damaged", "quality_control", "quarantine", "safety_stock"]);
const SUPPLIERS: Fields = (&["supplier", "currency"], &["name", "email", "lead_time_days", "order_minimum", "auto", "active"]);
const POLICIES: Fields = (
    &["sku", "location", "reorder_point"],
    &[
        "supplier",
        "source_location",
        "auto",
        "order_up_to",
        "reorder_quantity",
        "moq",
        "multiple",
        "lead_time_days",
        "unit_cost",
        "currency",
        "active",
    ],
);
const PURCHASE_ORDERS: Fields =
    (&["order", "supplier", "location", "sku", "quantity"], &["received", "unit_cost", "currency", "expected_on", "time", "status"]);
