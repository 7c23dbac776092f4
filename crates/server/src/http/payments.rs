//! Money of an order: paying again, recording what was paid elsewhere, refunds.

use super::call::{Answer, Call, Done};
use super::order_view::order_view;
use super::problem::Problem;
use super::text::Text;
use domain::command::payment::{Command, RefundOrder, RefundWanted};
use domain::id::{LineId, OrderId, PaymentId};
use domain::money::Amount;
use domain::payment::{RefundPreview, preview_refund};
use domain::quantity::Quantity;
use serde::Deserialize;
use serde_json::{Value, json};

fn answer(call: &Call, done: &Done) -> Result<Answer, Problem> {
    let case = done.case().ok_or_else(|| Problem::internal("a command left no order"))?;
    Ok(Answer::ok(order_view(case, &call.shop.vault)).at(case.order.version).replayed(done.repeated))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PayBody {
    token: Option<Text>,
}

pub async fn pay(call: Call) -> Result<Answer, Problem> {
    let token = call.json::<PayBody>()?.token.map(Into::into);
    answer(&call, &call.submit(Command::RetryPayment { order: call.segment("id")?, token }).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MarkPaidBody {
    amount: Option<Amount>,
    reference: Option<Text>,
}

pub async fn mark_paid(call: Call) -> Result<Answer, Problem> {
    let body: MarkPaidBody = call.json()?;
    let reference = body.reference.map(Into::into);
    answer(&call, &call.submit(Command::MarkPaid { order: call.segment("id")?, amount: body.amount, reference }).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundBody {
    #[serde(default)]
    lines: Vec<RefundLineBody>,
    #[serde(default)]
    charges: Amount,
    amount: Option<Amount>,
    payment: Option<PaymentId>,
    reason: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundLineBody {
    id: LineId,
    quantity: Quantity,
}

fn command(call: &Call) -> Result<RefundOrder, Problem> {
    let body: RefundBody = call.json()?;
    let lines = body.lines.into_iter().map(|line| RefundWanted { line: line.id, quantity: line.quantity }).collect();
    let (order, reason) = (call.segment("id")?, body.reason.map(Into::into));
    Ok(RefundOrder { order, lines, charges: body.charges, amount: body.amount, payment: body.payment, reason })
}

pub async fn refund_create(call: Call) -> Result<Answer, Problem> {
    answer(&call, &call.submit(Command::RefundOrder(command(&call)?)).await?)
}

pub async fn refund_preview(call: Call) -> Result<Answer, Problem> {
    let order: OrderId = call.segment("id")?;
    let case = call.case(order).await?;
    let preview = preview_refund(&case, &command(&call)?)?;
    Ok(Answer::ok(view(&preview)))
}

fn view(preview: &RefundPreview) -> Value {
    let payments: Vec<Value> = preview.payments.iter().map(|(id, amount)| json!({"payment": id, "amount": amount})).collect();
    let tax: Amount = preview.lines.iter().map(|line| line.tax).sum();
    json!({
        "object": "refund_preview", "lines": preview.lines, "tax": tax, "charges": preview.charges, "amount": preview.amount,
        "payments": payments, "refundable": preview.refundable,
    })
}
