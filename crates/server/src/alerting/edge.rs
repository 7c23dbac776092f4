//! Conditions that only the edge sees: raised and cleared by command.

use crate::shop::Shop;
use domain::alert::Condition;
use domain::command::alert::Command;
use domain::limits::TEXT_BYTES_MAX;
use engine::Reply;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Raises what is not raised yet. `note` is cut to what an alert may hold. Returns whether it is durable.
pub async fn raise(shop: &Shop, actor: &str, condition: Condition, numbers: &[(&str, i64)], note: Option<&str>) -> bool {
    let numbers: BTreeMap<SmolStr, i64> = numbers.iter().map(|(name, number)| (SmolStr::new(name), *number)).collect();
    let note = note.map(|note| SmolStr::new(beginning(note)));
    submit(shop, actor, Command::RaiseAlert { condition, numbers, note }).await
}

/// Clears what is raised. Returns whether it is durable.
pub async fn clear(shop: &Shop, actor: &str, condition: Condition) -> bool {
    submit(shop, actor, Command::ClearAlert { condition }).await
}

fn beginning(note: &str) -> &str {
    let end = (0..=note.len().min(TEXT_BYTES_MAX)).rev().find(|at| note.is_char_boundary(*at));
    &note[..end.unwrap_or(0)]
}

async fn submit(shop: &Shop, actor: &str, command: Command) -> bool {
    match shop.submit(command.into(), actor.to_owned(), None).await {
        Ok(Reply::Done { .. }) => true,
        Ok(reply) => {
            tracing::warn!(?reply, "an alert could not be recorded; it is tried again");
            false
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_cut_between_letters() {
        assert_eq!(beginning("short"), "short");
        assert_eq!(beginning(&"ü".repeat(TEXT_BYTES_MAX)), "ü".repeat(TEXT_BYTES_MAX / 2));
        assert_eq!(beginning(&format!("a{}", "ü".repeat(TEXT_BYTES_MAX))).len(), TEXT_BYTES_MAX - 1);
    }
}
