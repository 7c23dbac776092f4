//! What was measured, beside its budget.

use serde_json::{Map, Value, json};

pub enum Budget {
    AtLeast(f64),
    AtMost(f64),
}

/// Key, what it means, and the budget where there is one.
const LINES: &[(&str, &str, Option<Budget>)] = &[
    ("http_over_echo", "orders over HTTP ÷ echo through the same middleware", Some(Budget::AtLeast(0.5))),
    ("http_orders_per_s", "durable orders a second over HTTP, two lines, one a request", None),
    ("http_echo_per_s", "echoes a second", None),
    ("http_customer_orders_per_s", "orders with a new customer and an address, sealed", None),
    ("http_over_echo_by_cpu", "processor time of an echo ÷ that of an order, load included", Some(Budget::AtLeast(0.5))),
    ("http_cpu_us_per_order", "processor time of HTTP for an order, µs", Some(Budget::AtMost(14.0))),
    ("http_cpu_us_per_echo", "processor time of HTTP for an echo, µs", None),
    ("store_lag_events_max", "events that the store was behind at most, over HTTP", Some(Budget::AtMost(STORE_LAG_MAX))),
    ("http_over_postgres", "orders over HTTP ÷ orders of a hand-tuned Postgres through its own protocol", Some(Budget::AtLeast(1.0))),
    ("beside_postgres_orders_per_s", "orders a second over HTTP, in turns with it", None),
    ("postgres_orders_per_s", "its orders a second: one function call with stock, lines, ledger and outbox", None),
    ("in_process_orders_per_s", "orders a second in process, durable and stored", Some(Budget::AtLeast(100_000.0))),
    ("in_process_lag_events_max", "events that the store was behind at most, in process", Some(Budget::AtMost(STORE_LAG_MAX))),
    ("cpu_us_per_order_sequencer", "processor time of the sequencer for an order, µs", Some(Budget::AtMost(3.0))),
    ("cpu_us_per_order_log", "processor time of the log for an order, µs", Some(Budget::AtMost(6.0))),
    ("cpu_us_per_order_store", "processor time of the store for an order, µs", Some(Budget::AtMost(5.0))),
    ("hot_sku_over_many", "one hot SKU ÷ 10,000 SKUs", Some(Budget::AtLeast(0.9))),
    ("hot_sku_over_many_by_cpu", "the same by processor time", Some(Budget::AtLeast(0.9))),
    ("million_closed_over_none", "with closed orders in the store ÷ without", Some(Budget::AtLeast(0.9))),
    ("million_closed_over_none_by_cpu", "the same by processor time", Some(Budget::AtLeast(0.9))),
    ("closed_orders", "closed orders in the store", None),
    ("memory_growth_bytes_per_order", "memory that a closed order leaves behind, bytes", Some(Budget::AtMost(16.0))),
    ("open_loop_per_s", "orders a second while latency is measured: half of the peak", None),
    ("open_loop_p50_ms", "open loop, from when a request was due to its answer", None),
    ("open_loop_p99_ms", "", Some(Budget::AtMost(10.0))),
    ("sse_p50_ms", "from when a request was due to its event on a stream", None),
    ("sse_p99_ms", "", Some(Budget::AtMost(50.0))),
    ("restart_orders", "orders of history at the restart", None),
    ("restart_ms", "from the process's start to ready", Some(Budget::AtMost(2000.0))),
    ("page_first_byte_ms_max", "slowest page of the dashboard, 100,000 open orders and 10,000 SKUs", Some(Budget::AtMost(100.0))),
    ("page_bytes_max", "its largest page", Some(Budget::AtMost(100.0 * 1024.0))),
    ("idle_rss_mib", "resident when idle, MiB", Some(Budget::AtMost(40.0))),
    ("idle_cpu_ms_per_s", "processor time a second when idle, ms", Some(Budget::AtMost(0.5))),
];

/// As the engine bounds it: transactions behind, times the events of the largest that the benchmark makes.
const STORE_LAG_MAX: f64 = 65_536.0;

#[derive(Default)]
pub struct Report(Map<String, Value>);

impl Report {
    pub fn set(&mut self, key: &str, value: f64) {
        assert!(LINES.iter().any(|(known, ..)| *known == key), "{key} has no line");
        self.0.insert(key.to_owned(), if value.fract() == 0.0 { json!(value as i64) } else { json!(value) });
        eprintln!("{key}: {value}");
    }

    pub fn json(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    pub fn table(&self) -> String {
        let mut text = format!("{:<34} {:>12} {:>14}  what\n", "key", "measured", "budget");
        for (key, about, budget) in LINES {
            let Some(value) = self.0.get(*key).and_then(Value::as_f64) else { continue };
            let (budget, kept) = match budget {
                None => (String::new(), true),
                Some(Budget::AtLeast(least)) => (format!("≥ {least}"), value >= *least),
                Some(Budget::AtMost(most)) => (format!("≤ {most}"), value <= *most),
            };
            let missed = if kept { "" } else { "  ← missed" };
            text.push_str(&format!("{key:<34} {value:>12} {budget:>14}  {about}{missed}\n"));
        }
        text
    }
}
