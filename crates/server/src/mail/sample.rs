//! An order that never was, so that a template can be looked at before a customer sees it.

use super::contents::{self, Contents, Links, Opened};
use super::locale::Locale;
use super::templates::Texts;
use domain::id::{FulfillmentId, OrderId, RefundId, ReturnId};
use domain::notification::{Topic, TopicKind};
use domain::order::Case;

const SAMPLE: &str = include_str!("text/sample.json");

fn case() -> Case {
    serde_json::from_str(SAMPLE).expect("the sample is read by a test")
}

/// What a mail about a topic would say of the sample order.
pub fn contents(topic: TopicKind, shop: &str, texts: &Texts, locale: &Locale) -> Contents {
    let order = OrderId(1);
    let topic = match topic {
        TopicKind::OrderConfirmed => Topic::OrderConfirmed,
        TopicKind::OrderCanceled => Topic::OrderCanceled,
        TopicKind::PaymentFailed => Topic::PaymentFailed,
        TopicKind::Shipped => Topic::Shipped { fulfillment: FulfillmentId { order, n: 1 } },
        TopicKind::OrderBackordered => Topic::OrderBackordered,
        TopicKind::PromiseChanged => Topic::PromiseChanged,
        TopicKind::Delivered => Topic::Delivered { fulfillment: FulfillmentId { order, n: 1 } },
        TopicKind::Refunded => Topic::Refunded { refund: RefundId { order, n: 1 } },
        TopicKind::ReturnApproved => Topic::ReturnApproved { r#return: ReturnId { order: Some(order), n: 1 } },
    };
    let ship_to = ["<Ada> Lovelace", "12 Square Street", "78701 Austin", "US"].map(str::to_owned).to_vec();
    let opened = Opened { name: Some("<Ada> Lovelace".to_owned()), ship_to };
    let links = Links {
        payment: Some("https://shop.example.com/pay/1001".to_owned()),
        status: Some("https://shop.example.com/status/sample".to_owned()),
    };
    contents::gather(&case(), &[topic], shop, &opened, &links, texts, locale)
}
