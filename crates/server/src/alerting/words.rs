//! Alerts in words.

use domain::alert::{Alert, AlertStatus};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most lines of one message; the rest is counted.
const LINES_MAX: usize = 20;

/// What an alert says: `low stock MUG@AUS (available 3, reorder point 5)`.
fn sentence(alert: &Alert) -> String {
    let text = alert.condition.text();
    let (kind, subject) = text.split_once(' ').unwrap_or((text.as_str(), ""));
    let numbers: Vec<String> = alert.numbers.iter().map(|(name, number)| format!("{} {number}", name.replace('_', " "))).collect();
    let numbers = if numbers.is_empty() { String::new() } else { format!(" ({})", numbers.join(", ")) };
    format!("{} {subject}{numbers}", kind.replace('_', " "))
}

fn told(alert: &Alert) -> String {
    match (alert.status, &alert.acknowledged_by) {
        (AlertStatus::Open, _) => sentence(alert),
        (AlertStatus::Acknowledged, Some(by)) => format!("acknowledged by {by}: {}", sentence(alert)),
        (AlertStatus::Acknowledged, None) => format!("acknowledged: {}", sentence(alert)),
        (AlertStatus::Cleared, _) => format!("over: {}", sentence(alert)),
    }
}

/// With what the outside said, on one line.
fn told_whole(alert: &Alert) -> String {
    match &alert.note {
        Some(note) => format!("{}: {}", told(alert), note.replace(char::is_control, " ")),
        None => told(alert),
    }
}

fn bounded(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > LINES_MAX {
        let more = lines.len() - LINES_MAX;
        lines.truncate(LINES_MAX);
        lines.push(format!("and {more} more"));
    }
    lines
}

/// One message about all that waits.
pub fn group(alerts: &[&Alert]) -> (String, Vec<String>) {
    let lines: Vec<String> = alerts.iter().map(|alert| told_whole(alert)).collect();
    let title = match alerts {
        [alert] => format!("Alert: {}", told(alert)),
        _ => format!("{} alerts: {}", alerts.len(), kinds(alerts.iter().copied())),
    };
    (title, bounded(lines))
}

/// `2 low stock, 1 payment failed`
fn kinds<'a>(alerts: impl Iterator<Item = &'a Alert>) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for alert in alerts {
        let text = alert.condition.text();
        let kind = text.split(' ').next().unwrap_or_default().replace('_', " ");
        let kind = if alert.status == AlertStatus::Cleared { format!("{kind} over") } else { kind };
        *counts.entry(kind).or_default() += 1;
    }
    counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ")
}

/// What is open, for the day.
pub fn digest(open: &[Arc<Alert>], day: &str) -> (String, Vec<String>) {
    if open.is_empty() {
        return (format!("{day}: no open alerts"), vec!["All is quiet.".to_owned()]);
    }
    let title = format!("{day}: {} open alerts: {}", open.len(), kinds(open.iter().map(|alert| &**alert)));
    (title, bounded(open.iter().map(|alert| told_whole(alert)).collect()))
}
