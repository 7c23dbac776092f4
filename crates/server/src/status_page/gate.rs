//! How often the page may be asked for: per order, and for links that are no links.

use domain::id::OrderId;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(10);
/// Of one order within a window.
const PER_ORDER_MAX: u32 = 30;
/// Links that lead nowhere, within a window, from all over.
const DEAD_MAX: u32 = 200;
/// Orders within a window: what is remembered stays small.
const ORDERS_MAX: usize = 5_000;

#[derive(Default)]
pub struct Gate {
    window: Mutex<Option<Window>>,
}

struct Window {
    since: Instant,
    asked: BTreeMap<OrderId, u32>,
    dead: u32,
}

impl Gate {
    /// `None` for a link that leads nowhere.
    pub fn lets(&self, order: Option<OrderId>) -> bool {
        let mut window = self.window.lock().expect("no thread panics with the lock");
        if window.as_ref().is_none_or(|window| window.since.elapsed() > WINDOW) {
            *window = Some(Window { since: Instant::now(), asked: BTreeMap::new(), dead: 0 });
        }
        let window = window.as_mut().expect("made above");
        let Some(order) = order else {
            window.dead += 1;
            return window.dead <= DEAD_MAX;
        };
        if window.asked.len() >= ORDERS_MAX && !window.asked.contains_key(&order) {
            return false;
        }
        let asked = window.asked.entry(order).or_default();
        *asked += 1;
        *asked <= PER_ORDER_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_order_asked_for_too_often_does_not_stop_the_others() {
        let gate = Gate::default();
        let lets = (0..100).filter(|_| gate.lets(Some(OrderId(1)))).count();
        assert_eq!(lets, PER_ORDER_MAX as usize);
        assert!(gate.lets(Some(OrderId(2))));
        assert_eq!((0..1000).filter(|_| gate.lets(None)).count(), DEAD_MAX as usize);
    }
}
