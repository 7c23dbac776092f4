//! Suppliers, purchase orders and replenishment policies.
use crate::id::{LocationCode, PurchaseOrderId, Sku, SupplierCode};
use crate::table::Table;
use serde::{Deserialize, Serialize};

pub type PolicyKey = (Sku, LocationCode);

#[derive(Debug, Default, Clone)]
pub struct Purchasing {
    pub suppliers: Table<SupplierCode, Supplier>,
    pub policies: Table<PolicyKey, Policy>,
    pub orders: Table<PurchaseOrderId, PurchaseOrder>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Supplier {
    pub code: SupplierCode,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    pub sku: Sku,
    pub location: LocationCode,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PurchaseOrder {
    pub id: PurchaseOrderId,
}
