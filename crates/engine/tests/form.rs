//! What stands on disk: anyone can read it, it is the same made again, and what is not understood is not passed over.

mod shop;

use engine::log::sqlite::SqliteLog;
use engine::log::{Appended, Log, Row};
use engine::{Engine, Options};
use rusqlite::Connection;
use rusqlite::types::Value;
use shop::{Shop, place};
use std::path::Path;

fn rows(path: &Path, sql: &str) -> Vec<Vec<String>> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let read = |row: &rusqlite::Row| (0..columns).map(|at| row.get::<_, Value>(at).map(|value| format!("{value:?}"))).collect();
    statement.query_map([], read).unwrap().collect::<Result<_, _>>().unwrap()
}

fn trade(folder: &Path) {
    let shop = Shop::open(folder);
    shop.furnish(10);
    for n in 0..5 {
        shop.run(place(&n.to_string(), 3), Some((&format!("k{n}"), "b")));
    }
}

#[test]
fn the_log_is_read_with_sql_alone() {
    let folder = tempfile::tempdir().unwrap();
    trade(folder.path());
    let log = folder.path().join("log.db");
    let placed = rows(&log, "SELECT seq, subject, json_extract(data, '$.order.number') FROM events WHERE type = 'order.placed.v1' LIMIT 1");
    assert_eq!(placed, [[r#"Integer(7)"#, r#"Text("order/ord_1")"#, r#"Text("1001")"#].map(str::to_owned)]);
    let gaps = "SELECT count(*) FROM transactions a LEFT JOIN transactions b ON b.first_seq = a.last_seq + 1 WHERE b.first_seq IS NULL";
    assert_eq!(rows(&log, gaps), [["Integer(1)".to_owned()]], "a row per transaction, without gaps");
}

#[test]
fn each_start_opens_an_epoch() {
    let folder = tempfile::tempdir().unwrap();
    (0..3).for_each(|_| drop(Shop::open(folder.path())));
    let sql = "SELECT json_extract(data, '$.epoch'), json_extract(data, '$.incarnation') FROM events WHERE type = 'engine.started.v1'";
    let epochs = rows(&folder.path().join("log.db"), sql);
    assert_eq!(epochs, [1, 2, 3].map(|epoch| [format!("Integer({epoch})"), "Integer(1)".to_owned()]));
}

#[test]
fn a_store_made_again_is_the_same_in_every_row() {
    let folder = tempfile::tempdir().unwrap();
    trade(folder.path());
    let store = folder.path().join("store.db");
    let dump = || {
        let tables = rows(&store, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
        let names = tables.iter().map(|table| table[0].trim_start_matches("Text(\"").trim_end_matches("\")").to_owned());
        names.map(|name| (rows(&store, &format!("SELECT * FROM {name}")), name)).collect::<Vec<_>>()
    };
    let before = dump();
    engine::rebuild(folder.path()).unwrap();
    for ((was, name), (is, _)) in before.iter().zip(dump()) {
        assert_eq!(was, &is, "{name}");
    }
    assert!(before.iter().map(|(rows, _)| rows.len()).sum::<usize>() > 30);
}

/// Appends a transaction that this version did not write.
fn append(folder: &Path, events: &str) -> u64 {
    let mut log = SqliteLog::open(&folder.join("log.db")).unwrap();
    let (seq, epoch) = (log.last() + 1, log.epoch().unwrap());
    let body = format!("[{}]", events.replace("SEQ", &seq.to_string()));
    let row = Row { first_seq: seq, last_seq: seq, time: 1_795_424_400_000, actor: "future".into(), body };
    assert_eq!(log.append(seq - 1, epoch, &[row]), Appended::Durable);
    seq
}

#[test]
fn fields_of_a_later_version_survive() {
    let folder = tempfile::tempdir().unwrap();
    Shop::open(folder.path()).furnish(1);
    let level = r#"{"version":2,"on_hand":1,"allocated":0,"available":0}"#;
    let event = format!(
        r#"{{"seq":SEQ,"subject":"stock/MUG@AUS","subject_seq":1,"type":"stock.safety_stock_set.v1","data":{{"sku":"MUG","location":"AUS","safety_stock":1,"level":{level},"set_by":"a later version"}}}}"#
    );
    let seq = append(folder.path(), &event);
    let shop = Shop::open(folder.path());
    let (events, _) = shop.engine.reader().unwrap().events(seq - 1, 1).unwrap();
    assert!(events[0].data.contains(r#""set_by":"a later version""#), "{}", events[0].data);
}

#[test]
fn an_event_that_this_version_does_not_know_halts() {
    let folder = tempfile::tempdir().unwrap();
    Shop::open(folder.path()).furnish(1);
    let seq = append(folder.path(), r#"{"seq":SEQ,"subject":"stock/MUG@AUS","subject_seq":1,"type":"stock.vanished.v1","data":{}}"#);
    let Err(error) = Engine::open(Options::new(folder.path())) else { panic!("it was passed over") };
    let text = error.to_string();
    assert!(text.contains(&format!("sequence {seq}")) && text.contains("stock.vanished.v1"), "{text}");
}

#[test]
fn verify_names_where_the_log_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    trade(folder.path());
    let log = Connection::open(folder.path().join("log.db")).unwrap();
    let seq: u64 =
        log.query_row("SELECT first_seq FROM transactions WHERE body LIKE '%order.placed%' LIMIT 1", [], |row| row.get(0)).unwrap();
    log.execute("UPDATE transactions SET body = replace(body, '1000', '1001') WHERE first_seq = ?1", [seq]).unwrap();
    drop(log);
    let error = engine::verify(folder.path()).unwrap_err().to_string();
    assert!(error.contains(&format!("broken at sequence {seq}")), "{error}");
}
