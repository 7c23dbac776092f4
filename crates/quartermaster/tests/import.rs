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

/// A shop with something of each kind that a round trip has lost before.
fn peopled() -> Cli {
    let cli = Cli::new();
    let files = [
        (
            "locations",
            "code,name,country,region,city,postal_code,line1,time_zone,cutoff,working_days,handling_days,priority,kind,active,latitude,longitude\n\
             AUS,\"Austin, east\",US,TX,Austin,78701,1 Main St,America/Chicago,14:30,mon|tue|sat,2,3,warehouse,true,30.267153,-97.743061\n\
             BER,Laden,DE,,Berlin,10115,,Europe/Berlin,,,,,store,,,\nOLD,Old,US,,,,,,,,,,,false,,\n",
        ),
        (
            "suppliers",
            "code,name,email,lead_time_days,currency,order_minimum,auto,active\nACME,Acme,a@acme.example,5,USD,100.00,draft,\nTOKYO,Tokyo,,9,JPY,1200,alert,false\n",
        ),
        (
            "items",
            "sku,name,kind,components,unit_cost,currency,status,split_kit\nA-SET,Set,kit,MUG:2|PLATE,,,,true\nMUG,Mug,,,350,JPY,,\nPLATE,Plate,,,4,EUR,,\nGONE,Gone,,,,,retired,\n",
        ),
        (
            "stock",
            "sku,location,on_hand,damaged,quarantine,safety_stock\nMUG,AUS,40,3,1,5\nMUG,BER,0,,,\nPLATE,AUS,2,,,\nPLATE,BER,0,0,0,0\nGONE,AUS,7,7,,0\n",
        ),
        (
            "purchase_orders",
            "po_number,supplier,location,sku,ordered,received,unit_cost,currency,expected_on,ordered_at,status\n\
             PO-7,ACME,AUS,MUG,24,4,3.50,USD,2030-01-05,2026-01-02T03:04:05.678Z,partially_received\nPO-9,TOKYO,AUS,MUG,24,,350,JPY,,2026-01-02T03:04:05+01:00,sent\n\
             PO-1,ACME,AUS,MUG,24,24,3.50,USD,,,received\n",
        ),
        (
            "policies",
            "sku,location,supplier,source_location,auto,reorder_point,order_up_to,reorder_quantity,unit_cost,active\nMUG,BER,,AUS,alert,4,9,,,\n\
             PLATE,AUS,ACME,,,10,,30,1.25,\nGONE,AUS,TOKYO,,,1,9,,,false\n",
        ),
    ];
    for (kind, text) in files {
        let file = cli.write(&format!("{kind}.csv"), text);
        let summary = cli.import(kind, &file, &[]);
        assert_eq!(
            (&summary["rejected"], &summary["left"]),
            (&0.into(), &u64::from(kind == "purchase_orders").into()),
            "{kind}: {summary}"
        );
    }
    cli
}

#[test]
fn a_shop_moves_into_a_fresh_folder_by_its_exports_alone() {
    let (cli, again) = (peopled(), Cli::new());
    let kinds = ["locations", "suppliers", "items", "stock", "purchase-orders", "policies"];
    for kind in kinds {
        let file = again.write(&format!("{kind}.csv"), cli.ok(&["export", kind]));
        let summary = again.import(&kind.replace('-', "_"), &file, &[]);
        assert_eq!((&summary["accepted"], &summary["rejected"]), (&summary["rows"], &0.into()), "{kind}: {summary}");
    }
    for kind in kinds {
        assert_eq!(again.ok(&["export", kind]), cli.ok(&["export", kind]), "{kind}");
    }
    let stock = again.ok(&["export", "stock"]);
    assert!(stock.contains("MUG,AUS,40,0,0,0,3,0,1,5,31,0,44,80") && stock.contains("PLATE,BER,0,"), "{stock}");
    let orders = again.ok(&["export", "purchase-orders"]);
    assert!(orders.contains(",2026-01-02T03:04:05.678Z") && orders.contains(",ACME,AUS,draft,PLATE,30,"), "{orders}");
    assert!(again.ok(&["export", "items"]).contains("GONE,Gone,stocked,,,,,,,unlimited,,retired,"));
    let places = again.ok(&["export", "locations"]);
    assert!(places.contains("14:30,mon|tue|sat,2,3,warehouse,true,30.267153,-97.743061") && places.contains("UTC,15:00,"), "{places}");
    // What is on its way is not doubled by the shop's own export, and a second import changes nothing.
    let own = cli.write("own.csv", cli.ok(&["export", "purchase-orders"]));
    assert_eq!(cli.import("purchase_orders", &own, &[])["accepted"], 0);
    for kind in kinds {
        let file = again.folder.path().join(format!("{kind}.csv"));
        assert_eq!(again.import(&kind.replace('-', "_"), &file, &[])["accepted"], 0, "{kind} again");
    }
    again.ok(&["verify"]);
}

#[test]
fn a_location_that_changes_keeps_what_its_row_leaves_empty() {
    let cli = peopled();
    let file = cli.write("more.csv", "code,priority,cutoff,country\nAUS,9,,\nNEW,1,noon,US\nNEXT,1,,Texas\n");
    assert_eq!(counts(&cli.import("locations", &file, &[])), [1, 0, 2]);
    assert!(
        cli.ok(&["export", "locations"]).contains("Austin,78701,1 Main St,America/Chicago,14:30,mon|tue|sat,2,9,warehouse,true,30.267153")
    );
    let rejects = cli.read("rejects.csv");
    assert!(
        rejects.contains("cutoff: \"\"noon\"\" is no time of day like 15:00") && rejects.contains("country: \"\"Texas\"\" is no ISO"),
        "{rejects}"
    );
}

#[test]
fn levels_are_set_with_what_stands_beside() {
    let cli = peopled();
    let set = ["--set", "stock=set"];
    for (row, standing) in [("MUG,AUS,30,1,6,0,2", "MUG,AUS,30,0,0,0,1,6,0,2,"), ("MUG,AUS,50,9,0,0,0", "MUG,AUS,50,0,0,0,9,0,0,0,")] {
        let file = cli.write("set.csv", format!("sku,location,on_hand,damaged,quality_control,quarantine,safety_stock\n{row}\n"));
        assert_eq!(counts(&cli.import("stock", &file, &set)), [1, 0, 0]);
        let stock = cli.ok(&["export", "stock"]);
        assert!(stock.contains(standing), "{stock}");
    }
    let wrong = cli.write("wrong.csv", "sku,location,on_hand,damaged,safety_stock\nPLATE,AUS,1,2,9\nPLATE,NOWHERE,1,1,9\n");
    assert_eq!(counts(&cli.import("stock", &wrong, &set)), [0, 0, 2]);
    assert!(cli.ok(&["export", "stock"]).contains("PLATE,AUS,2,0,0,0,0,0,0,0,"), "a row that is refused leaves nothing behind");
}

#[test]
fn reasons_name_the_column_and_stand_in_the_order_of_the_file() {
    let cli = peopled();
    let cases = [
        ("stock", "sku,location,on_hand\nMUG,NOWHERE,1\nMUG,OLD,x\nNONE,AUS,2\n,AUS,2\nPLATE,,2\nPLATE,OLD,-2\nPLATE,OLD,\n"),
        (
            "items",
            "sku,name,kind,components,unit_cost,weight_grams,status\nX,X,kit,MUG:2|NONE,,,\nY,Y,box,,,,\nZ,Z,,,x,,\nW,W,kit,,,,\nV,V,,,,x,\nU,U,,,,,old\n",
        ),
        (
            "policies",
            "sku,location,supplier,source_location,reorder_point,order_up_to,moq\nMUG,AUS,NOBODY,,1,2,\nMUG,AUS,ACME,BER,1,2,\nMUG,AUS,ACME,,9,2,\nMUG,AUS,ACME,,,2,\n\
             MUG,AUS,,FAR,1,2,\nMUG,AUS,ACME,,1,,\nMUG,AUS,ACME,,1,2,x\n",
        ),
        (
            "purchase_orders",
            "po_number,supplier,location,sku,ordered,received,expected_on,ordered_at,status\nA,ACME,AUS,NONE,1,,,,\nB,ACME,AUS,MUG,x,,,,\n,ACME,AUS,MUG,1,,,,\nC,ACME,AUS,MUG,1,,soon,,\n\
             D,ACME,AUS,MUG,1,,,,lost\nE,NOBODY,AUS,MUG,1,,,,\n",
        ),
    ];
    for (kind, text) in cases {
        let file = cli.write("wrong.csv", text);
        let told = cli.ok(&["import", "--mapping", kind, "--rejects", "rejects.csv", file.to_str().unwrap()]);
        assert!(!told.contains(".,") && !told.contains(". (") && !told.contains("..\n"), "{told}");
        let rejects = cli.read("rejects.csv");
        let mut reader = csv_rows(&rejects);
        let header: Vec<String> = reader.remove(0);
        let lines: Vec<u64> = reader.iter().map(|row| row[0].parse().unwrap()).collect();
        assert_eq!(lines, (2..2 + reader.len() as u64).collect::<Vec<_>>(), "{kind}: {rejects}");
        assert_eq!(reader.len(), text.lines().count() - 1, "{kind}: {rejects}");
        for row in &reader {
            let reason = row[1].strip_prefix(&format!("line {}: ", row[0])).unwrap_or(&row[1]);
            let column = reason.split(':').next().unwrap();
            assert!(header[2..].iter().any(|name| name == column), "{kind}: {reason}");
        }
    }
}

/// Records with quoted fields that hold no line ends.
fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let fields = |line: &str| {
        let (mut fields, mut quoted) = (vec![String::new()], false);
        let mut letters = line.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '"' if quoted && letters.peek() == Some(&'"') => fields.last_mut().unwrap().extend(letters.next()),
                '"' => quoted = !quoted,
                ',' if !quoted => fields.push(String::new()),
                other => fields.last_mut().unwrap().push(other),
            }
        }
        fields
    };
    text.lines().map(fields).collect()
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
