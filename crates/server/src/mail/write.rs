//! From a delivery to the mail about it: what stands in it is read at the last moment, and opened only here.

use super::contents::{Links, Opened, address_rows, gather};
use super::locale::Locale;
use super::{failure, purchase};
use crate::connectors::smtp::{Mail, Recipient, parse_address};
use crate::shop::Shop;
use crate::suppliers::Parcel;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Image;
use domain::catalog::{Channel, ChannelMail};
use domain::command::notification::Posted;
use domain::id::{DeliveryId, NotificationId, PurchaseOrderId};
use domain::order::Case;
use domain::purchasing::PurchaseOrder;
use engine::Reader;
use serde_json::Value;
use std::sync::Arc;

/// Writes mails of a shop.
#[derive(Clone)]
pub struct Letters {
    shop: Arc<Shop>,
    /// Sender of mails to suppliers and staff.
    from: Option<String>,
}

impl Letters {
    pub fn new(shop: Arc<Shop>, from: Option<String>) -> Self {
        Self { shop, from }
    }

    /// The mail as it stands now.
    ///
    /// # Errors
    /// What is recorded instead, when there is nobody to write to.
    pub async fn write(&self, of: DeliveryId) -> Result<Mail, Posted> {
        let this = self.clone();
        let written = self.shop.read(move |reader| Ok(this.compose(reader, of))).await;
        written.unwrap_or_else(|error| Err(Posted::Later(failure("store", error.to_string()))))
    }

    fn compose(&self, reader: &Reader, of: DeliveryId) -> Result<Mail, Posted> {
        match of {
            DeliveryId::Notification(id) => self.notification(reader, id),
            DeliveryId::PurchaseOrder(id) => self.purchase_order(reader, id),
        }
    }

    fn notification(&self, reader: &Reader, id: NotificationId) -> Result<Mail, Posted> {
        let case = found(reader.case(id.order), "order")?;
        let notification = case.notifications.iter().find(|notification| notification.id == id);
        let topics = notification.ok_or_else(|| nobody("order", "the order has no such notification"))?.topics.clone();
        let channel = channel(reader, &case)?;
        let style = channel.mail.as_ref().ok_or_else(|| nobody("no_mail", "the channel does not write to customers any more"))?;
        let (address, opened, locale) = self.open(&case, style)?;
        let links = self.links(&case, style);
        let texts = self.shop.templates.texts(&locale);
        let contents = gather(&case, &topics, &channel.name, &opened, &links, &texts, &locale);
        let rendered = self.shop.templates.render(&contents, &texts, &locale);
        if let Some(problem) = &rendered.problem {
            tracing::warn!("a template does not work, ours is used instead: {problem}");
        }
        Ok(Mail {
            from: style.sender.to_string(),
            reply_to: style.reply_to.as_ref().map(ToString::to_string),
            to: vec![Recipient { name: opened.name, address }],
            subject: rendered.subject,
            text: rendered.text,
            html: Some(rendered.html),
            message_id: self.message_id(DeliveryId::Notification(id), &style.sender),
            attachments: Vec::new(),
        })
    }

    /// Who bought, as the vault opens it; an erased customer cannot be opened any more.
    fn open(&self, case: &Case, style: &ChannelMail) -> Result<(String, Opened, Locale), Posted> {
        let vault = &self.shop.vault;
        let sealed = case.order.customer.as_ref().and_then(|buyer| buyer.details.as_ref());
        let sealed = sealed.ok_or_else(|| nobody("no_address", "the order has no mail address"))?;
        let details: Value = vault.open_sealed(sealed).ok_or_else(|| nobody("erased", "the customer was erased"))?;
        let text = |name: &str| details[name].as_str().map(str::to_owned);
        let address = text("email").ok_or_else(|| nobody("no_address", "the order has no mail address"))?;
        let ship_to = case.order.ship_to.as_ref();
        let rows = ship_to.and_then(|to| Some(address_rows(&vault.open_sealed(to.details.as_ref()?)?, &to.country)));
        let opened = Opened { name: text("name"), ship_to: rows.unwrap_or_default() };
        Ok((address, opened, Locale::parse(&text("locale").unwrap_or_else(|| style.locale.to_string()))))
    }

    fn links(&self, case: &Case, style: &ChannelMail) -> Links {
        let own = || {
            let token = self.shop.status_links.token(case.order.id, self.shop.now());
            self.shop.config.public_url.as_ref().map(|base| format!("{base}/status/{token}"))
        };
        Links {
            payment: style.payment_url.as_ref().map(|url| fill(url, case)),
            status: style.status_url.as_ref().map(|url| fill(url, case)).or_else(own),
        }
    }

    /// A purchase order as it is posted.
    ///
    /// # Errors
    /// What is recorded instead, when there is nobody to post to.
    pub async fn parcel(&self, of: DeliveryId) -> Result<Parcel, Posted> {
        let this = self.clone();
        let packed = self.shop.read(move |reader| Ok(this.pack(reader, of))).await;
        packed.unwrap_or_else(|error| Err(Posted::Later(failure("store", error.to_string()))))
    }

    fn pack(&self, reader: &Reader, of: DeliveryId) -> Result<Parcel, Posted> {
        let paper = match of {
            DeliveryId::PurchaseOrder(id) => purchase::paper(reader, &open_order(reader, id)?)?,
            DeliveryId::Notification(_) => return Err(nobody("via", "customers are written to by mail")),
        };
        let webhook = paper.supplier.webhook.as_ref().ok_or_else(|| nobody("no_webhook", "the supplier has no webhook"))?;
        let secret = self.shop.vault.open_secret(&webhook.secret);
        let secret = secret.ok_or_else(|| nobody("secret", "this vault did not seal the webhook's secret; set it again"))?;
        Ok(Parcel { url: webhook.url.to_string(), secret: key_of(&secret), body: paper.json().to_string() })
    }

    fn purchase_order(&self, reader: &Reader, id: PurchaseOrderId) -> Result<Mail, Posted> {
        let order = open_order(reader, id)?;
        let paper = purchase::paper(reader, &order)?;
        let address = paper.supplier.email.as_ref().ok_or_else(|| nobody("no_address", "the supplier has no mail address"))?;
        let from = self.from.clone().ok_or_else(|| nobody("no_sender", "no sender is configured; set smtp.from"))?;
        let (name, address) = parse_address(address).map_err(|error| Posted::Refused(failure("address", error.to_string())))?;
        Ok(Mail {
            message_id: self.message_id(DeliveryId::PurchaseOrder(id), &from),
            from,
            reply_to: None,
            to: vec![Recipient { name: name.or_else(|| Some(paper.supplier.name.to_string())), address }],
            subject: paper.subject(),
            text: paper.text(),
            html: None,
            attachments: vec![paper.csv()],
        })
    }

    /// The same for each attempt, and never used for another mail: not even after a restore.
    fn message_id(&self, of: DeliveryId, sender: &str) -> String {
        let domain = parse_address(sender).ok().and_then(|(_, address)| address.rsplit_once('@').map(|(_, domain)| domain.to_owned()));
        let incarnation = self.shop.engine.incarnation();
        format!("{of}.{incarnation}.{}@{}", self.shop.status_links.mark(), domain.as_deref().unwrap_or("localhost"))
    }
}

fn found(case: Result<Option<Arc<Case>>, engine::ReadError>, what: &str) -> Result<Arc<Case>, Posted> {
    match case {
        Ok(Some(case)) => Ok(case),
        Ok(None) => Err(nobody(what, "there is no such order")),
        Err(error) => Err(Posted::Later(failure("store", error.to_string()))),
    }
}

/// A purchase order that a supplier still needs to hear of.
fn open_order(reader: &Reader, id: PurchaseOrderId) -> Result<Arc<PurchaseOrder>, Posted> {
    let order = match reader.entity("purchase_order", &id.text()) {
        Ok(Some(Image::PurchaseOrder(_, Some(order)))) => order,
        Ok(_) => return Err(nobody("purchase_order", "there is no such purchase order")),
        Err(error) => return Err(Posted::Later(failure("store", error.to_string()))),
    };
    if order.status.is_over() { Err(nobody("over", "the purchase order is over")) } else { Ok(order) }
}

/// `whsec_` and base64, as Standard Webhooks writes secrets; any other text is its own bytes.
fn key_of(secret: &str) -> Vec<u8> {
    let bytes = secret.strip_prefix("whsec_").and_then(|rest| STANDARD.decode(rest).ok());
    bytes.unwrap_or_else(|| secret.as_bytes().to_vec())
}

fn channel(reader: &Reader, case: &Case) -> Result<Arc<Channel>, Posted> {
    match reader.entity("channel", case.order.channel.as_str()) {
        Ok(Some(Image::Channel(_, Some(channel)))) => Ok(channel),
        Ok(_) => Err(nobody("channel", "there is no such channel")),
        Err(error) => Err(Posted::Later(failure("store", error.to_string()))),
    }
}

pub fn nobody(code: &str, message: &str) -> Posted {
    Posted::Suppressed(failure(code, message.to_owned()))
}

/// An address of the shop with the order's names in it.
fn fill(url: &str, case: &Case) -> String {
    let order = &case.order;
    let external_id = order.external_id.as_deref().unwrap_or_default();
    url.replace("{order}", &encode(&order.id.text()))
        .replace("{number}", &encode(&order.number))
        .replace("{external_id}", &encode(external_id))
}

/// Percent-encoding of all that is not plain (RFC 3986, unreserved).
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
