//! Everything that can be asked of the rules. Commands are imperatives; they are never logged, only their events are.

pub mod access;
pub mod alert;
pub mod catalog;
pub mod count;
pub mod customer;
pub mod fulfillment;
pub mod notification;
pub mod order;
pub mod payment;
pub mod purchasing;
pub mod returns;
pub mod stock;
pub mod subscription;
pub mod transfer;

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Catalog(catalog::Command),
    Stock(stock::Command),
    Order(order::Command),
    Payment(payment::Command),
    Fulfillment(fulfillment::Command),
    Purchasing(purchasing::Command),
    Transfer(transfer::Command),
    Count(count::Command),
    Returns(returns::Command),
    Customer(customer::Command),
    Alert(alert::Command),
    Notification(notification::Command),
    Access(access::Command),
    Subscription(subscription::Command),
}

macro_rules! rooms {
    ($($variant:ident = $room:ident),*) => {
        $(impl From<$room::Command> for Command {
            fn from(command: $room::Command) -> Self { Self::$variant(command) }
        })*
    };
}
rooms!(
    Catalog = catalog,
    Stock = stock,
    Order = order,
    Payment = payment,
    Fulfillment = fulfillment,
    Purchasing = purchasing,
    Transfer = transfer,
    Count = count,
    Returns = returns,
    Customer = customer,
    Alert = alert,
    Notification = notification,
    Access = access,
    Subscription = subscription
);
