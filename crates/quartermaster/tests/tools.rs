//! Export, reconcile, whatif, and the tools for a data folder, as a user runs them.

mod cli;

use cli::Cli;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

fn furnished() -> Cli {
    let cli = Cli::new();
    let items = cli.write("items.csv", "sku,name,unit_cost\nMUG,Mug,3.50\nPLATE,Plate,4\nPOT,Pot,9\n");
    cli.import("items", &items, &[]);
    let stock = cli.write("stock.csv", "sku,on_hand\nMUG,40\nPLATE,12\nPOT,5\n");
    cli.import("stock", &stock, &["--set", "location=AUS"]);
    cli
}

#[test]
fn a_count_is_held_against_ours_and_applied_once() {
    let cli = furnished();
    let count = cli.write("count.csv", "sku,on_hand\nMUG,30\nMUG,7\nPLATE,12\nCUP,4\nPOT,x\n");
    let set = ["--set", "location=AUS"];
    let file = count.to_str().unwrap();
    let report = cli.json(&[&["reconcile", file, "--format", "json", "--all"], &set[..]].concat());
    assert_eq!((&report["equal"], &report["fewer_there"], &report["units_fewer"]), (&1.into(), &1.into(), &3.into()), "{report}");
    assert_eq!((&report["unknown_here"], &report["not_in_the_file"]), (&1.into(), &1.into()));
    assert_eq!(report["rejected"][0]["line"], 6);
    let table = cli.ok(&[&["reconcile", file], &set[..]].concat());
    assert!(table.contains("MUG                     AUS                   40          37          -3  fewer there"), "{table}");
    let proposed = cli.ok(&[&["reconcile", file, "--propose", "-", "--missing-is-zero"], &set[..]].concat());
    let first: Value = serde_json::from_str(proposed.lines().next().unwrap()).unwrap();
    assert_eq!((&first["lines"][0]["delta"], &first["lines"][0]["if_quantity"]), (&(-3).into(), &40.into()));
    assert_eq!(proposed.lines().count(), 2, "POT is taken as none: {proposed}");
    let strict = cli.run(&[&["reconcile", file, "--strict"], &set[..]].concat());
    assert_eq!(strict.status.code(), Some(3));
    cli.ok(&[&["reconcile", file, "--alert"], &set[..]].concat());
    let told = cli.ok(&["export", "events", "--format", "ndjson"]);
    assert!(told.contains(r#""kind":"drift_found","subject":"stock@AUS""#) && told.contains("MUG has 40 here and 37 there"), "{told}");
    assert!(!told.contains("alert.cleared"), "{told}");
    cli.ok(&[&["reconcile", file, "--apply", "--alert", "--reason", "cycle count"], &set[..]].concat());
    assert!(cli.ok(&["export", "events", "--format", "ndjson"]).contains("alert.cleared"));
    assert!(cli.ok(&["export", "stock"]).contains("MUG,AUS,37,"));
    assert!(cli.ok(&["export", "ledger", "--format", "ndjson"]).contains("\"quantity\":-3"));
    // As of before, the same file differs again; it is not applied twice.
    let again = cli.refused(&[&["reconcile", file, "--apply", "--as-of", "12"], &set[..]].concat());
    assert!(again.contains("applied before"), "{again}");
}

#[test]
fn the_past_is_exported_as_it_was() {
    let cli = furnished();
    let now: u64 = cli.json(&["verify", "--json"])["events"].as_u64().unwrap();
    let more = cli.write("more.csv", "sku,on_hand\nMUG,1\n");
    cli.import("stock", &more, &["--set", "location=AUS", "--set", "stock=set"]);
    assert!(cli.ok(&["export", "stock"]).contains("MUG,AUS,1,"));
    assert!(cli.ok(&["export", "stock", "--as-of", &now.to_string()]).contains("MUG,AUS,40,"));
    assert!(cli.refused(&["export", "stock", "--as-of", "then"]).contains("name a sequence like 4821"));
    let ledger = cli.ok(&["export", "ledger"]);
    assert!(ledger.lines().count() == 5 && ledger.contains("MUG,AUS,adjusted,-39,"), "{ledger}");
    let events = cli.ok(&["export", "events", "--format", "ndjson"]);
    let first: Value = serde_json::from_str(events.lines().next().unwrap()).unwrap();
    assert_eq!(first["specversion"], "1.0");
    // The store may be gone: then everything comes from the log.
    let stock = cli.ok(&["export", "stock"]);
    std::fs::remove_file(cli.shop().join("store.db")).unwrap();
    assert_eq!(cli.ok(&["export", "stock"]), stock);
}

#[test]
fn a_folder_is_proven_copied_and_restored() {
    let cli = furnished();
    let report = cli.json(&["verify", "--json"]);
    assert_eq!(report["verified"], true);
    let told = cli.ok(&["backup", "copy"]);
    assert!(told.contains("holds everything up to"));
    assert!(cli.refused(&["backup", "copy"]).contains("is not empty"));
    let nowhere = cli.refused(&["backup", "items.csv/copy"]);
    assert!(nowhere.contains("the backup can't be made in items.csv/copy: "), "{nowhere}");
    let restored = cli.ok(&["restore", "--data-dir", "again", "copy"]);
    assert!(restored.contains("verified"), "{restored}");
    assert_eq!(cli.json(&["verify", "--json", "--data-dir", "again"])["state_hash"], report["state_hash"]);
    cli.ok(&["rebuild", "--data-dir", "again"]);
    assert!(cli.refused(&["verify", "--data-dir", "nowhere"]).contains("holds no shop"));
    // Somebody changes a fact behind our back.
    let log = rusqlite::Connection::open(cli.folder.path().join("again/log.db")).unwrap();
    log.execute("UPDATE transactions SET body = replace(body, '\"delta\":40', '\"delta\":41')", []).unwrap();
    drop(log);
    let junk = cli.folder.path().join("junk");
    std::fs::create_dir(&junk).unwrap();
    std::fs::write(junk.join("log.db"), "junk").unwrap();
    let told = cli.refused(&["verify", "--data-dir", "junk"]);
    assert_eq!(told.matches("file is not a database").count(), 1, "{told}");
    let broken = cli.refused(&["verify", "--data-dir", "again"]);
    assert!(broken.contains("the hash chain does not hold"), "{broken}");
}

#[test]
fn keys_are_made_listed_and_revoked() {
    let cli = Cli::new();
    assert!(cli.refused(&["keys", "list"]).contains("holds no shop"), "looking makes no shop");
    let folder = cli.shop();
    let behind = ["keys", "list", "--data-dir", folder.to_str().unwrap()];
    assert!(cli.refused(&behind).contains("holds no shop"), "the folder may stand behind the verb");
    let made = cli.json(&["keys", "create", "--name", "web shop", "--role", "storefront", "--json"]);
    assert!(made["secret"].as_str().unwrap().starts_with("qm_"));
    let rotated = cli.ok(&["keys", "rotate", "key_1"]);
    assert!(rotated.starts_with("qm_"));
    let listed = cli.ok(&["keys", "list"]);
    assert!(
        listed.contains("key_1\tstorefront\tweb shop\trevoked") && listed.contains("key_2\tstorefront\tweb shop\tactive\tnever"),
        "{listed}"
    );
    assert!(listed.starts_with("id\trole\tname\tstate\tlast used\n") && listed.lines().count() == 3, "{listed}");
    cli.ok(&["keys", "revoke", "key_2"]);
    assert!(cli.refused(&["keys", "revoke", "key_2"]).contains("there is no active key key_2"));
    assert!(cli.refused(&["keys", "create", "--name", "x", "--role", "boss"]).contains("is no role; use admin"));
}

#[test]
fn everything_reads_beside_a_live_server() {
    let cli = furnished();
    let mut server = cli.command(&["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.contains("listens on http://127.0.0.1:"), "{first}");
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        assert_eq!(cli.json(&["verify", "--json"])["verified"], true);
        assert!(cli.ok(&["export", "stock"]).contains("MUG,AUS,40,"));
        let events = cli.ok(&["events", "tail", "--once", "--type", "item.*", "--after", "0"]);
        assert_eq!(events.lines().count(), 3);
        let last = cli.ok(&["events", "tail", "--once", "--type", "item.*", "--last", "2"]);
        assert_eq!(last.lines().collect::<Vec<_>>(), events.lines().skip(1).collect::<Vec<_>>(), "the last two of those asked for");
        let one = cli.ok(&["events", "tail", "--once", "--subject", "item/POT"]);
        assert!(one.lines().count() == 1 && one.contains("quartermaster.item.created.v1"), "{one}");
        cli.ok(&["backup", "live"]);
        let locked = cli.refused(&["import", "--mapping", "items", "items.csv"]);
        assert!(locked.contains("/v1/items/bulk") && locked.contains("Stop it"), "{locked}");
        assert!(cli.refused(&["rebuild"]).contains("stop it first"));
    }));
    server.kill().unwrap();
    server.wait().unwrap();
    outcome.unwrap();
}

#[test]
fn a_server_that_is_told_to_stop_as_soon_as_it_listens_ends_well() {
    let cli = furnished();
    let mut server = cli.command(&["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let first = BufReader::new(server.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    assert!(first.contains("listens on"), "{first}");
    let told = std::process::Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap();
    assert!(told.success());
    assert_eq!(server.wait().unwrap().code(), Some(0));
}

/// Two weeks of a shop whose supplier needs five days: a mug a day too many for its policy.
fn traded() -> Cli {
    let cli = furnished();
    supplied(&cli);
    sold(&cli);
    cli
}

fn supplied(cli: &Cli) {
    let suppliers = cli.write("suppliers.csv", "code,name,lead_time_days,currency,auto\nACME,Acme,2,USD,send\n");
    cli.import("suppliers", &suppliers, &[]);
    let policies = cli.write("policies.csv", "sku,location,supplier,reorder_point,order_up_to\nMUG,AUS,ACME,5,40\n");
    cli.import("policies", &policies, &[]);
}

fn sold(cli: &Cli) {
    let mut orders = "order,sku,quantity,time,price\n".to_owned();
    for n in 0..20 {
        orders.push_str(&format!("W-{n},MUG,3,2026-11-{:02} 10:00:00,12.00\n", 1 + n));
    }
    let orders = cli.write("orders.csv", orders);
    let mapping = cli.write(
        "live.toml",
        "channel = \"web\"\nlocation = \"AUS\"\ncurrency = \"USD\"\n[columns]\norder = \"order\"\nsku = \"sku\"\nquantity = \"quantity\"\ntime = \"time\"\nprice = \"price\"\n",
    );
    let summary = cli.import(mapping.to_str().unwrap(), &orders, &["--live"]);
    assert_eq!(summary["accepted"], 20, "{summary}");
}

#[test]
fn policies_made_after_the_first_order_count_from_the_beginning() {
    let cli = furnished();
    sold(&cli);
    supplied(&cli);
    let pot = cli.write("pot.csv", "sku,location,supplier,reorder_point,order_up_to\nMUG,AUS,ACME,0,1\nPOT,AUS,ACME,1,9\n");
    let bought = |more: &[&str], world: &str| cli.json(&[&["whatif", "--json"], more].concat())[world]["purchase_orders"].as_u64().unwrap();
    // A policy that buys each unit by itself sends an order for each that is short, if it is there when they are.
    for tried in [
        &["--policy", "MUG@AUS reorder_point=0 order_up_to=1"][..],
        &["--policies", pot.to_str().unwrap()],
        &["--policy", "PLATE@AUS reorder_point=20 order_up_to=40 supplier=ACME"],
    ] {
        assert!(bought(tried, "what_if") > bought(tried, "baseline"), "{tried:?}");
    }
    let days = |more: &[&str]| cli.json(&[&["whatif", "--json", "--lead-time"], more].concat())["baseline"]["purchase_orders"].clone();
    assert_eq!(days(&["ACME=+5"]), days(&["*=+2"]), "both begin with the policy");
    let told = cli.refused(&["whatif", "--lead-time", "ACNE=+5"]);
    assert!(told.contains("no supplier ACNE") && told.contains("there are ACME. Check the spelling"), "{told}");
    let told = cli.refused(&["whatif", "--as-made", "--policy", "MUG@AUS reorder_point=100 order_up_to=200"]);
    assert!(told.contains("MUG@AUS has no policy when the replay begins") && told.contains("Without --as-made"), "{told}");
    let told = cli.refused(&["whatif", "--policy", "CUP@AUS reorder_point=1 order_up_to=2"]);
    assert!(told.contains("There is no item \"CUP\"") && told.contains("begin later with --from"), "{told}");
    cli.ok(&["verify"]);
}

#[test]
fn other_policies_are_tried_on_the_demand_of_the_log() {
    let cli = traded();
    let same = cli.json(&["whatif", "--json"]);
    // 60 asked for, 40 there: the baseline does what happened.
    for world in ["actual", "baseline", "what_if"] {
        assert_eq!((&same[world]["units"], &same[world]["units_at_once"]), (&60.into(), &40.into()), "{world}: {same}");
        assert_eq!(same[world]["fill_rate_percent"], "66.7");
    }
    let more = cli.json(&["whatif", "--json", "--demand-percent", "150"]);
    assert_eq!((&more["what_if"]["units"], &more["baseline"]["units"]), (&90.into(), &60.into()));
    assert!(more["skus"]["MUG"]["what_if"]["units_short"].as_u64() > more["skus"]["MUG"]["baseline"]["units_short"].as_u64());
    assert_eq!(cli.ok(&["whatif", "--json", "--demand-percent", "150"]), cli.ok(&["whatif", "--json", "--demand-percent", "150"]));
    let table = cli.ok(&["whatif", "--policy", "MUG@AUS reorder_point=100 order_up_to=200", "--lead-time", "ACME=+3"]);
    assert!(table.contains("fill rate, %") && table.contains("purchase orders"), "{table}");
    assert!(cli.refused(&["whatif", "--policy", "MUG reorder_point=1"]).contains("write it like 'MUG@AUS"));
    assert!(cli.refused(&["whatif", "--policy", "POT@AUS reorder_point=5 order_up_to=2"]).contains("must be above the reorder point"));
    assert!(furnished().refused(&["whatif"]).contains("no live order"));
    // Nothing was written.
    cli.ok(&["verify"]);
}
