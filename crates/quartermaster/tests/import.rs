//! Bringing a shop in: vendors' exports, our own columns, bad files, and being stopped in the middle.

mod cli;

use cli::{Cli, counts, sample};
use std::time::{Duration, Instant};

#[test]
fn a_shopify_export_is_history_and_live_demand() {
    let cli = Cli::new();
    let file = sample("shopify.csv");
    let summary = cli.import("shopify_orders", &file, &[]);
    // One shipped order of two lines; open, canceled, partial and unreadable ones are told with their reason.
    assert_eq!((counts(&summary), &summary["left"]), ([2, 0, 4], &1.into()), "{summary}");
    let rejects = cli.read("rejects.csv");
    for reason in ["was canceled", "a part of the order has shipped", "quantity: \"\"one\"\" is no"] {
        assert!(rejects.contains(reason), "{reason}: {rejects}");
    }
    let orders = cli.ok(&["export", "orders"]);
    assert!(orders.contains(",shopify,#1003,import,completed,") && orders.contains(",USD,66.68,"), "{orders}");
    assert!(!orders.contains("ada@example.com"));
    let opened = cli.ok(&["export", "orders", "--with-personal-data", "--format", "ndjson"]);
    assert!(opened.contains("\"email\":\"ada@example.com\"") && opened.contains("12 Square St, Apt 4"), "{opened}");
    assert!(opened.contains("Please leave\\nwith the \\\"porter\\\""), "{opened}");
    // The open order goes to the warehouse once it has stock, paid as it is.
    let stock = cli.write("stock.csv", "sku,on_hand\nMUG-RED,10\n");
    cli.import("stock", &stock, &["--set", "location=MAIN"]);
    let live = cli.import("shopify_orders", &file, &["--live"]);
    assert_eq!((counts(&live), &live["left"]), ([1, 0, 4], &2.into()), "what has shipped is no reject: {live}");
    let orders = cli.ok(&["export", "orders"]);
    assert!(orders.contains(",shopify,#1004,live,open,,captured,full,unfulfilled,USD,31.39,"), "{orders}");
    // Both again: nothing is doubled.
    assert_eq!(counts(&cli.import("shopify_orders", &file, &[])), [0, 2, 4]);
    assert_eq!(counts(&cli.import("shopify_orders", &file, &["--live"])), [0, 1, 4]);
    cli.ok(&["verify"]);
}

#[test]
fn live_orders_find_the_stock_that_was_brought_in_before() {
    let cli = Cli::new();
    let file = sample("shopify.csv");
    let stock = cli.write("stock.csv", "sku,on_hand\nMUG-RED,10\n");
    let items = cli.write("items.csv", "sku,name\nMUG-RED,Red mug\n");
    let places = cli.write("other.csv", "sku,on_hand\nMUG-RED,5\n");
    cli.import("items", &items, &[]);
    cli.import("stock", &stock, &["--set", "location=AUS"]);
    cli.import("stock", &places, &["--set", "location=BER"]);
    cli.import("shopify_orders", &file, &[]);
    cli.import("shopify_orders", &file, &["--live"]);
    let orders = cli.ok(&["export", "orders"]);
    assert!(orders.contains(",shopify,#1004,live,open,,captured,full,unfulfilled,"), "{orders}");
    let stock = cli.ok(&["export", "stock"]);
    let allocated = stock.lines().find(|line| line.starts_with("MUG-RED,AUS,")).unwrap();
    assert!(!allocated.contains(",10,0,0,"), "it is not allocated at AUS: {stock}");
    cli.ok(&["verify"]);
}

#[test]
fn a_dry_run_tells_what_the_rules_would_refuse() {
    let cli = Cli::new();
    let file = cli.write("items.csv", "sku,name,kind,components\nMUG,Mug,,\nSET,Set,kit,MUG:2|NOWHERE\n");
    let dry = cli.import("items", &file, &["--dry-run"]);
    assert_eq!(counts(&dry), [1, 0, 1], "{dry}");
    assert!(!cli.shop().join("log.db").exists(), "a dry run leaves nothing");
    assert_eq!(counts(&cli.import("items", &file, &[])), [1, 0, 1]);
    assert_eq!(counts(&cli.import("items", &file, &["--dry-run"])), [0, 1, 1]);
    let beside = std::fs::read_dir(cli.shop().parent().unwrap()).unwrap();
    assert!(beside.flatten().all(|file| !file.file_name().to_string_lossy().starts_with(".dry-run")), "the copy is left");
}

#[test]
fn a_german_woocommerce_export_is_read() {
    let cli = Cli::new();
    let set = ["--set", "decimal=,", "--set", "time_zone=Europe/Berlin"];
    let summary = cli.import("woocommerce_orders", &sample("woocommerce.csv"), &set);
    assert_eq!((counts(&summary), &summary["left"]), ([2, 0, 1], &1.into()), "{summary}");
    let lines = cli.ok(&["export", "order-lines"]);
    // 10.00 for three is 3.34 each, the rest and the coupon are discount; the item without a SKU goes by its product.
    assert!(lines.contains("TASSE,Tasse,3,0,0,3,0,0,EUR,3.34,1.02,1.71,10.71"), "{lines}");
    assert!(lines.contains("56,\"Teller, groß\",1,0,0,1,0,0,EUR,40.10,1.67,7.31,45.74"), "{lines}");
    let orders = cli.ok(&["export", "orders", "--with-personal-data"]);
    assert!(orders.contains(",812,import,completed,") && orders.contains(",EUR,62.28,") && orders.contains("Jörg Groß"), "{orders}");
    assert!(orders.contains("2026-11-12T13:03:00.000Z"), "{orders}");
}

#[test]
fn what_a_shop_has_comes_in_and_goes_out_again() {
    let cli = Cli::new();
    let files = [
        (
            "items",
            "sku,name,kind,components,unit_cost,backorder_cap\nMUG,Mug,,,3.50,5\nPLATE,Plate,stocked,,4,\nSET,Set,kit,MUG:2|PLATE,,\nWRAP,Wrap,service,,,\n",
        ),
        ("suppliers", "code,name,email,lead_time_days,currency,order_minimum,auto\nACME,Acme,a@acme.example,5,USD,100.00,draft\n"),
        ("stock", "sku,location,on_hand\nMUG,AUS,40\nPLATE,AUS,\"1,200\"\nSET,AUS,1\nMUG,AUS,-3\n"),
        ("policies", "sku,location,supplier,reorder_point,order_up_to,moq\nMUG,AUS,ACME,10,60,12\nNONE,AUS,ACME,10,60,12\n"),
        (
            "purchase_orders",
            "po_number,supplier,location,sku,ordered,received,unit_cost,expected_on\nPO-7,ACME,AUS,MUG,24,4,3.50,2030-01-05\nPO-7,ACME,AUS,PLATE,12,,4,2030-01-06\nPO-8,ACME,AUS,MUG,5,5,3.50,\n",
        ),
    ];
    let wanted = [[4, 0, 0], [1, 0, 0], [2, 0, 2], [1, 0, 1], [2, 0, 1]];
    for ((kind, text), wanted) in files.iter().zip(wanted) {
        let file = cli.write(&format!("{kind}.csv"), text);
        assert_eq!(counts(&cli.import(kind, &file, &["--set", "location=AUS"])), wanted, "{kind}: {}", cli.read("rejects.csv"));
    }
    let stock = cli.ok(&["export", "stock"]);
    // 20 + 12 on order; on hand as the file says.
    assert!(stock.contains("MUG,AUS,40,0,0,0,0,0,0,0,40,0,20,60") && stock.contains("PLATE,AUS,1200,"), "{stock}");
    let orders = cli.ok(&["export", "purchase-orders"]);
    assert!(orders.contains("PO-7,ACME,AUS,partially_received,MUG,24,4,0,20,3.50,USD,2030-01-05"), "{orders}");
    for (kind, _) in &files {
        let file = cli.folder.path().join(format!("{kind}.csv"));
        assert_eq!(cli.import(kind, &file, &["--set", "location=AUS"])["accepted"], 0, "{kind} again");
    }
    // A changed row changes what it names, and keeps the rest.
    let changed = cli.write("changed.csv", "sku,name\nMUG,Large mug\n");
    assert_eq!(counts(&cli.import("items", &changed, &[])), [1, 0, 0]);
    assert!(cli.ok(&["export", "items"]).contains("MUG,Large mug,stocked,,,3.50,USD,,,5,,active"));
    // What goes out comes in elsewhere.
    let again = Cli::new();
    for (kind, export) in [("items", "items"), ("suppliers", "suppliers"), ("stock", "stock"), ("policies", "policies")] {
        let file = again.write(&format!("{kind}.csv"), cli.ok(&["export", export]));
        assert_eq!(again.import(kind, &file, &["--set", "location=AUS"])["rejected"], 0, "{kind}");
    }
    assert_eq!(again.ok(&["export", "items"]), cli.ok(&["export", "items"]));
    cli.ok(&["verify"]);
}

#[test]
fn a_count_brings_levels_to_what_it_says_once_a_file() {
    let cli = Cli::new();
    let items = cli.write("items.csv", "sku,name\nMUG,Mug\n");
    cli.import("items", &items, &[]);
    let set = ["--set", "location=AUS", "--set", "stock=set"];
    for (on_hand, accepted, standing) in [(40, 1, 40), (25, 1, 25), (25, 0, 25)] {
        let file = cli.write("stock.csv", format!("sku,on_hand\nMUG,{on_hand}\n"));
        assert_eq!(cli.import("stock", &file, &set)["accepted"], accepted);
        assert!(cli.ok(&["export", "stock"]).contains(&format!("MUG,AUS,{standing},")));
    }
}

#[test]
fn each_bad_file_says_what_to_do() {
    let cli = Cli::new();
    let good =
        "Name,Lineitem sku,Lineitem name,Lineitem quantity,Lineitem price,Created at,Cancelled at,Fulfillment Status,Financial Status";
    for (name, content, says) in [
        ("empty.csv", b"".to_vec(), "is empty; its first line must name the columns"),
        ("utf16.csv", vec![0xff, 0xfe, b'N', 0], "save it as \"CSV UTF-8\""),
        ("book.xlsx", b"PK\x03\x04".to_vec(), "save its sheet as CSV"),
        ("other.csv", b"a,b\n1,2\n".to_vec(), "the file has no column \"Name\". Correct the mapping; the file has \"a\", \"b\""),
        ("cut.csv.gz", vec![0x1f, 0x8b, 8, 0], "gzip"),
    ] {
        let file = cli.write(name, content);
        let told = cli.refused(&["import", "--mapping", "shopify_orders", file.to_str().unwrap()]);
        assert!(told.contains(says), "{name}: {told}");
    }
    let mut old = format!("{good}\n#1,SKU,Caf").into_bytes();
    old.extend(b"\xe9,1,2.00,2026-01-02 10:00:00 +0000,,fulfilled,paid\n#2,SKU,a,b,c,1,2.00,2026-01-02 10:00:00 +0000,,fulfilled,paid\n");
    let file = cli.write("old.csv", old);
    assert_eq!(counts(&cli.import("shopify_orders", &file, &[])), [0, 0, 2]);
    let rejects = cli.read("rejects.csv");
    assert!(
        rejects.contains("is not UTF-8; set encoding = \"\"windows-1252\"\"") && rejects.contains("a delimiter or a quote"),
        "{rejects}"
    );
    assert_eq!(counts(&cli.import("shopify_orders", &file, &["--set", "encoding=windows-1252"])), [1, 0, 1]);
    assert!(cli.ok(&["export", "items"]).contains("SKU,Café,"));
    assert!(cli.refused(&["import", "--mapping", "nothing", file.to_str().unwrap()]).contains("there is no mapping \"nothing\""));
    let strict = cli.run(&["import", "--mapping", "shopify_orders", "--strict", "--rejects", "r.csv", file.to_str().unwrap()]);
    assert_eq!(strict.status.code(), Some(3));
}

/// Rows as Online Retail has them: sales, returns, corrections, and some that can't be read.
fn history(invoices: u32) -> String {
    let mut text = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n".to_owned();
    for n in 0..invoices {
        let (name, sign) = if n % 9 == 8 { (format!("C{n}"), "-") } else { (n.to_string(), "") };
        for line in 0..1 + n % 5 {
            let (sku, units) = ((n + line) % 50, 1 + n % 7);
            let price = if n % 31 == 0 { "0.001" } else { "2.55" };
            text.push_str(&format!(
                "{name},S{sku},Thing {sku},{sign}{units},2011-01-{:02} 10:00:00,{price},{}.0,France\n",
                1 + n % 28,
                n % 300
            ));
        }
        if n % 13 == 0 {
            text.push_str(&format!("{n},S{},damaged,-1,2011-01-05 10:00:00,0,,France\n", n % 50));
        }
    }
    text
}

#[test]
fn killed_in_the_middle_nothing_is_doubled_and_nothing_missing() {
    let cli = Cli::new();
    let file = cli.write("history.csv", history(3_000));
    let arguments = ["import", "--mapping", "online_retail", "--json", "--rejects", "r.csv", file.to_str().unwrap()];
    let mut kills = 0;
    let until = Instant::now() + Duration::from_secs(120);
    let wal = cli.shop().join("log.db-wal");
    while kills < 3 && Instant::now() < until {
        let before = std::fs::metadata(&wal).map_or(0, |file| file.len());
        let mut child = cli.command(&arguments).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        while std::fs::metadata(&wal).map_or(0, |file| file.len()).abs_diff(before) < 200_000 && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(20 * kills));
        if child.kill().is_ok() {
            kills += 1;
        }
        child.wait().unwrap();
    }
    assert_eq!(kills, 3);
    let summary = cli.json(&arguments);
    let [accepted, before, rejected] = counts(&summary);
    assert_eq!(accepted + before + rejected, summary["rows"].as_u64().unwrap(), "{summary}");
    assert_eq!(summary["skus_proven"], 50, "the ledger was compared with the file: {summary}");
    let again = cli.json(&arguments);
    assert_eq!(counts(&again), [0, accepted + before, rejected]);
    // Undisturbed, the same file comes to the same.
    let other = Cli::new();
    let whole = other.import("online_retail", &file, &[]);
    assert_eq!(counts(&whole), [accepted + before, 0, rejected]);
    let stock = |cli: &Cli| cli.ok(&["export", "stock"]);
    assert_eq!(stock(&cli), stock(&other));
    assert!(cli.ok(&["verify"]).contains("the hash chain holds"));
}

#[test]
fn a_longer_export_brings_in_what_is_new() {
    let cli = Cli::new();
    let (short, long) = (cli.write("short.csv", history(300)), cli.write("long.csv", history(400)));
    let first = counts(&cli.import("online_retail", &short, &[]));
    let second = counts(&cli.import("online_retail", &long, &[]));
    assert_eq!(second[1], first[0], "what the first had is not imported again");
    assert!(second[0] > 0);
    assert_eq!(counts(&cli.import("online_retail", &short, &[])), [0, first[0], first[2]]);
    let dry = cli.import("online_retail", &long, &["--dry-run"]);
    assert_eq!(counts(&dry), [0, first[0] + second[0], second[2]]);
}

#[test]
fn a_corrected_file_of_rejects_comes_in() {
    let cli = Cli::new();
    let head = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";
    let file = cli.write("h.csv", format!("{head}\n1,A,Mug,5,2011-01-01 10:00:00,2.55,7.0,France\n1,B,Cup,x,2011-01-01 10:00:00,2.55,7.0,France\n2,B,Cup,y,2011-01-01 10:00:00,2.55,7.0,France\n"));
    assert_eq!(counts(&cli.import("online_retail", &file, &[])), [1, 0, 2]);
    let corrected = cli.write("corrected.csv", cli.read("rejects.csv").replace(",y,", ",4,"));
    let summary = cli.import("online_retail", &corrected, &["--rejects", "again.csv"]);
    assert_eq!(counts(&summary), [1, 0, 1]);
    assert!(cli.read("again.csv").starts_with(&format!("line,reason,{head}\n")));
}
