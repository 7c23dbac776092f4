//! Placing an order: personal data is sealed before anything else sees it.

use super::super::call::{Answer, Call};
use super::super::meters::PerChannel;
use super::super::order_view::OrderView;
use super::super::problem::Problem;
use super::super::routes::Handled;
use super::{preview_view, refusal};
use crate::vault::{Buyer, Vault};
use axum::http::StatusCode;
use domain::catalog::{Coordinates, Shortage};
use domain::command::order::{Command, PlaceCharge, PlaceLine, PlaceOrder};
use domain::id::{ChannelCode, CustomerId, Sku};
use domain::money::{Amount, Currency};
use domain::order::{ClaimedPayment, Origin, ShipTo};
use domain::quantity::Quantity;
use domain::text::{Metadata, Sealed};
use domain::time::Timestamp;
use domain::{Context, Rejection};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderBody {
    channel: ChannelCode,
    external_id: Option<String>,
    currency: Currency,
    #[serde(default)]
    prices_include_tax: bool,
    on_shortage: Option<Shortage>,
    hold_owner: Option<String>,
    #[serde(default)]
    priority: i16,
    customer: Option<CustomerBody>,
    ship_to: Option<ShipToBody>,
    lines: Vec<LineBody>,
    #[serde(default)]
    charges: Vec<ChargeBody>,
    total: Option<Amount>,
    payment_token: Option<String>,
    #[serde(default)]
    payments: Vec<PaymentBody>,
    note: Option<String>,
    #[serde(default = "yes")]
    notify: bool,
    #[serde(default)]
    metadata: Metadata,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CustomerBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

impl CustomerBody {
    /// What a customer is found by, hashed. An outside id belongs to the channel that gave it.
    pub fn buyer(&self, vault: &Vault, channel: &str) -> Buyer {
        let mail = self.email.as_ref().map(|mail| vault.fingerprint("email", mail));
        let outside = self.external_id.as_ref().map(|id| vault.fingerprint("external_id", &format!("{channel}\n{id}")));
        let words = self.name.as_deref().map(|name| vault.words(name)).unwrap_or_default();
        Buyer { names: mail.into_iter().chain(outside).collect(), words }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShipToBody {
    name: Option<String>,
    company: Option<String>,
    line1: Option<String>,
    line2: Option<String>,
    city: Option<String>,
    region: Option<String>,
    postal_code: Option<String>,
    phone: Option<String>,
    country: String,
    coordinates: Option<CoordinatesBody>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
pub struct CoordinatesBody {
    latitude: i32,
    longitude: i32,
}

impl From<CoordinatesBody> for Coordinates {
    fn from(sent: CoordinatesBody) -> Self {
        Self { latitude: sent.latitude, longitude: sent.longitude }
    }
}

/// What of an address only the vault can open.
#[derive(Serialize)]
struct Whereabouts<'a> {
    name: &'a Option<String>,
    company: &'a Option<String>,
    line1: &'a Option<String>,
    line2: &'a Option<String>,
    city: &'a Option<String>,
    postal_code: &'a Option<String>,
    phone: &'a Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineBody {
    external_id: Option<String>,
    sku: Sku,
    quantity: Quantity,
    unit_price: Amount,
    #[serde(default)]
    discount: Amount,
    #[serde(default)]
    tax: Amount,
    total: Option<Amount>,
}

impl LineBody {
    pub fn into_line(self) -> PlaceLine {
        PlaceLine {
            external_id: self.external_id.map(Into::into),
            sku: self.sku,
            quantity: self.quantity,
            unit_price: self.unit_price,
            discount: self.discount,
            tax: self.tax,
            total: self.total,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargeBody {
    kind: String,
    amount: Amount,
    #[serde(default)]
    tax: Amount,
    total: Option<Amount>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentBody {
    gateway: String,
    reference: Option<String>,
    status: PaymentClaim,
    amount: Amount,
    expires_at: Option<Timestamp>,
}

impl ChargeBody {
    fn into_charge(self) -> PlaceCharge {
        PlaceCharge { kind: self.kind.into(), amount: self.amount, tax: self.tax, total: self.total }
    }
}

impl PaymentBody {
    fn into_claim(self) -> ClaimedPayment {
        ClaimedPayment {
            gateway: self.gateway.into(),
            reference: self.reference.map(Into::into),
            captured: self.status == PaymentClaim::Captured,
            amount: self.amount,
            expires_at: self.expires_at,
        }
    }
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum PaymentClaim {
    Authorized,
    Captured,
}

impl OrderBody {
    /// Seals what is personal and gives the rules the rest.
    fn into_command(self, call: &Call, buyer: Option<CustomerId>) -> Result<PlaceOrder, Problem> {
        if !self.currency.is_current() {
            return Err(Problem::bad_field("currency", format!("{} is no currency that ISO 4217 has in use, like \"USD\"", self.currency)));
        }
        let vault = &call.shop.vault;
        let seal =
            |id: CustomerId, value: &dyn erased::Sealable| -> Result<Sealed, Problem> { value.seal(vault, id).map_err(Problem::internal) };
        if let Some(to) = &self.ship_to
            && !domain::text::is_country(&to.country)
        {
            return Err(Problem::bad_field("ship_to.country", "must be the ISO 3166 code of a country: two capital letters like \"US\""));
        }
        let customer = match (buyer, &self.customer) {
            (Some(id), Some(details)) => {
                let email_fingerprint = details.email.as_ref().map(|mail| vault.fingerprint("email", mail));
                Some(domain::order::Buyer { id, details: Some(seal(id, details)?), email_fingerprint })
            }
            (Some(id), None) => Some(domain::order::Buyer { id, details: None, email_fingerprint: None }),
            (None, _) => None,
        };
        let ship_to = match (buyer, &self.ship_to) {
            (Some(id), Some(to)) => Some(ShipTo {
                country: to.country.as_str().into(),
                region: to.region.as_deref().map(Into::into),
                coordinates: to.coordinates.map(Into::into),
                details: Some(seal(id, &whereabouts(to))?),
            }),
            (None, Some(to)) => Some(ShipTo {
                country: to.country.as_str().into(),
                region: to.region.as_deref().map(Into::into),
                coordinates: to.coordinates.map(Into::into),
                details: None,
            }),
            (_, None) => None,
        };
        let note = match (buyer, &self.note) {
            (Some(id), Some(note)) => Some(seal(id, note)?),
            (None, _) | (_, None) => None,
        };
        Ok(PlaceOrder {
            channel: self.channel,
            external_id: self.external_id.map(Into::into),
            content: Some(blake3::hash(&call.body).to_hex()[..32].into()),
            origin: Origin::Live,
            placed_at: None,
            currency: self.currency,
            prices_include_tax: self.prices_include_tax,
            on_shortage: self.on_shortage,
            hold_owner: self.hold_owner.map(Into::into),
            priority: self.priority,
            customer,
            ship_to,
            lines: self.lines.into_iter().map(LineBody::into_line).collect(),
            charges: self.charges.into_iter().map(ChargeBody::into_charge).collect(),
            total: self.total,
            payment_token: self.payment_token.map(Into::into),
            payments: self.payments.into_iter().map(PaymentBody::into_claim).collect(),
            note,
            notify: self.notify,
            metadata: self.metadata,
        })
    }

    fn check(&self) -> Result<(), Problem> {
        if let Some(mail) = self.customer.as_ref().and_then(|customer| customer.email.as_ref())
            && (!mail.contains('@') || mail.len() > 254)
        {
            return Err(Problem::bad_field("customer.email", "must be a mail address"));
        }
        for (name, text) in [("external_id", &self.external_id), ("hold_owner", &self.hold_owner), ("payment_token", &self.payment_token)] {
            if text.as_ref().is_some_and(|text| text.is_empty() || text.len() > 500) {
                return Err(Problem::bad_field(name, "must have 1 to 500 bytes"));
            }
        }
        if self.note.as_ref().is_some_and(|note| note.len() > 4000) {
            return Err(Problem::bad_field("note", "must have at most 4000 bytes"));
        }
        Ok(())
    }

    /// Everyone who leaves personal data gets a key of their own to seal it with.
    async fn buyer(&self, call: &Call) -> Result<Option<CustomerId>, Problem> {
        let personal = self.customer.is_some() || self.ship_to.is_some() || self.note.is_some();
        if !personal {
            return Ok(None);
        }
        let vault = &call.shop.vault;
        let mut buyer = self.customer.as_ref().map(|customer| customer.buyer(vault, self.channel.as_str())).unwrap_or_default();
        let to = self.ship_to.as_ref().and_then(|to| to.name.as_deref());
        if to != self.customer.as_ref().and_then(|customer| customer.name.as_deref()) {
            buyer.words.extend(to.map(|name| vault.words(name)).unwrap_or_default());
        }
        vault.customer_soon(buyer).await.map(Some).map_err(Problem::internal)
    }
}

fn whereabouts(to: &ShipToBody) -> Whereabouts<'_> {
    Whereabouts {
        name: &to.name,
        company: &to.company,
        line1: &to.line1,
        line2: &to.line2,
        city: &to.city,
        postal_code: &to.postal_code,
        phone: &to.phone,
    }
}

/// Sealing without knowing what.
mod erased {
    use crate::vault::{Error, Vault};
    use domain::id::CustomerId;
    use domain::text::Sealed;

    pub trait Sealable {
        fn seal(&self, vault: &Vault, id: CustomerId) -> Result<Sealed, Error>;
    }

    impl<T: serde::Serialize> Sealable for T {
        fn seal(&self, vault: &Vault, id: CustomerId) -> Result<Sealed, Error> {
            vault.seal(id, self)
        }
    }
}

pub async fn order_place(call: Call) -> Result<Answer, Problem> {
    order_prepared(call).await?.await
}

/// All that may wait before the order is submitted; what it gives submits at its first poll.
///
/// # Errors
/// When the order can't be placed whatever the stock is.
pub async fn order_prepared(call: Call) -> Result<Handled, Problem> {
    let body: OrderBody = call.json()?;
    body.check()?;
    let (buyer, channel) = (body.buyer(&call).await?, body.channel.clone());
    let command = Command::PlaceOrder(Box::new(body.into_command(&call, buyer)?));
    Ok(Box::pin(submitted(call, command, channel)))
}

async fn submitted(call: Call, command: Command, channel: ChannelCode) -> Result<Answer, Problem> {
    let idempotency = call.idempotency()?;
    let reply = call.reply(command.into(), idempotency).await?;
    let done = match reply {
        Ok(done) => done,
        Err(Rejection::OrderRepeated { order }) => {
            let case = call.case(order).await?;
            let view = OrderView::new(&case, &call.shop.vault);
            return Ok(Answer::rendered(StatusCode::OK, &view).at(case.order.version).replayed(true));
        }
        Err(rejection) => return Err(rejection.into()),
    };
    PLACED.increment("quartermaster_orders_placed", &channel);
    if let Some(problem) = refusal(&done) {
        return Err(problem);
    }
    let case = done.case().ok_or_else(|| Problem::internal("a placement left no order"))?;
    let view = OrderView::new(case, &call.shop.vault);
    Ok(Answer::rendered(StatusCode::CREATED, &view).at(case.order.version).replayed(done.repeated))
}

/// The recorder is the process's own, so are its counters.
static PLACED: LazyLock<PerChannel> = LazyLock::new(PerChannel::default);

pub async fn order_preview(call: Call) -> Result<Answer, Problem> {
    let body: OrderBody = call.json()?;
    body.check()?;
    let command = body.into_command(&call, None)?;
    let actor = call.key.name.clone();
    let now = call.shop.now();
    let asked = call.shop.query(move |state| domain::order::preview(state, &Context { now, actor: actor.into() }, command));
    match asked.await.ok_or_else(Problem::outcome_unknown)? {
        Ok(events) => {
            let view = preview_view(&events, now, &call).ok_or_else(|| Problem::internal("a placement without an order"))?;
            Ok(Answer::ok(view))
        }
        Err(rejection) => Err(rejection.into()),
    }
}
