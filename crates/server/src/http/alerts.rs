//! Alerts: what a person should look at.

use super::call::{Answer, Call, list, object};
use super::problem::Problem;
use domain::Image;
use domain::alert::AlertStatus;
use domain::command::alert::Command;

/// Alerts that are not cleared, newest first; with `status=all` also those that are.
pub async fn alert_list(call: Call) -> Result<Answer, Problem> {
    let (limit, all) = (call.limit()?, call.query::<String>("status")?.as_deref() == Some("all"));
    let found = call.shop.query(move |state| {
        let mut alerts: Vec<_> = state.alerts.sorted().into_iter().map(|(_, alert)| alert.clone()).collect();
        alerts.retain(|alert| all || alert.status != AlertStatus::Cleared);
        alerts.reverse();
        alerts.truncate(limit + 1);
        alerts
    });
    let mut alerts = found.await.ok_or_else(Problem::outcome_unknown)?;
    let has_more = alerts.len() > limit;
    alerts.truncate(limit);
    let data = alerts.iter().map(|alert| object("alert", alert.as_ref())).collect();
    Ok(Answer::ok(list(data, has_more, None)))
}

pub async fn alert_acknowledge(call: Call) -> Result<Answer, Problem> {
    let done = call.submit(Command::Acknowledge { alert: call.segment("id")? }).await?;
    let found = done.images.iter().find_map(|image| match image {
        Image::Alert(_, Some(alert)) => Some(object("alert", alert.as_ref())),
        _ => None,
    });
    Ok(Answer::ok(found.ok_or_else(|| Problem::internal("an alert left no image"))?).replayed(done.repeated))
}
