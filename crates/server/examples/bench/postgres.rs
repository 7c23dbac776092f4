//! The same orders against Postgres as one would tune it by hand, on the same machine, in turns: its own load generator, its own protocol over a
//! Unix socket, prepared statements and one round trip an order on its side; HTTP, JSON and a key check on ours. Both sync before they answer.

use crate::http;
use crate::load::{self, Target};
use crate::report::Report;
use server::keys::Role;
use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Clients of each round: too few wait for syncs, too many for each other, and which is best differs from machine to machine.
const CLIENTS: [&str; 3] = ["8", "16", "64"];
const SCHEMA: &str = include_str!("postgres.sql");
/// One order, as [`http::order`] writes it.
const SCRIPT: &str = r"
\set a random(0, 199)
\set b (:a + 1 + random(0, 197)) % 200
SELECT place('B-' || nextval('numbers'), 'SKU-' || :a, 1, 1200, 'SKU-' || :b, 2, 800);
";
/// Memory for all that is touched, no checkpoint while it is measured, commits that wait a moment for others to share their sync.
const TUNED: &str = "
listen_addresses = ''
max_connections = 200
shared_buffers = 1GB
wal_buffers = 64MB
max_wal_size = 16GB
checkpoint_timeout = 30min
commit_delay = 100
jit = off
";
const START: Duration = Duration::from_secs(30);

pub fn measure(runtime: &tokio::runtime::Runtime, report: &mut Report, folder: &Path, time: Duration) {
    let postgres = Postgres::start(&folder.join("postgres"));
    let shop = http::furnished(runtime, &folder.join("shop"));
    let (_, key) = shop.keys.create("bench", Role::Admin).expect("a key");
    let api = runtime.block_on(http::listen(http::api(&shop, None)));
    let orders = Target { address: api, key, body: http::order, numbers: Arc::default() };
    let round = time / CLIENTS.len() as u32;
    load::closed_loop(&orders, round / 2);
    postgres.orders_per_s(CLIENTS[1], round / 2);
    let (mut ours, mut theirs) = (0f64, 0f64);
    for clients in CLIENTS {
        theirs = theirs.max(postgres.orders_per_s(clients, round));
        ours = ours.max(load::closed_loop(&orders, round).1);
    }
    shop.engine.stop();
    report.set("postgres_orders_per_s", theirs.round());
    report.set("beside_postgres_orders_per_s", ours.round());
    report.set("http_over_postgres", (ours / theirs * 100.0).round() / 100.0);
}

/// A server of its own in a folder, reached through a socket there.
struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    /// It refuses to run as root.
    user: Option<(u32, u32)>,
    server: Child,
}

impl Postgres {
    fn start(folder: &Path) -> Self {
        fs::create_dir_all(folder).expect("a folder");
        let (programs, user) = (programs(), ordinary_user());
        if let Some((uid, gid)) = user {
            // The folder above is the temporary one, which only its maker may enter.
            let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
            fs::set_permissions(folder.parent().expect("a folder above"), mode).expect("our folder");
            chown(folder, Some(uid), Some(gid)).expect("our folder");
        }
        let data = folder.join("data");
        let made =
            run_as(user, &programs.join("initdb")).args(["-A", "trust", "-U", "bench", "-D"]).arg(&data).output().expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let config = data.join("postgresql.conf");
        let text = fs::read_to_string(&config).expect("what initdb wrote");
        fs::write(&config, format!("{text}{TUNED}unix_socket_directories = '{}'\n", folder.display())).expect("our folder");
        let mut server = run_as(user, &programs.join("postgres"));
        let server = server.arg("-D").arg(&data).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("postgres runs");
        let postgres = Self { programs, folder: folder.to_owned(), user, server };
        let started = Instant::now();
        while !postgres.client("psql").args(["-c", "SELECT 1"]).output().expect("psql runs").status.success() {
            assert!(started.elapsed() < START, "Postgres does not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        let made = postgres.client("psql").args(["-v", "ON_ERROR_STOP=1", "-c", SCHEMA]).output().expect("psql runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        fs::write(folder.join("order.pgbench"), SCRIPT).expect("our folder");
        postgres
    }

    fn client(&self, program: &str) -> Command {
        let mut client = Command::new(self.programs.join(program));
        client.arg("-h").arg(&self.folder).args(["-U", "bench"]).env("PGDATABASE", "postgres");
        client
    }

    fn orders_per_s(&self, clients: &str, time: Duration) -> f64 {
        let seconds = time.as_secs().max(1).to_string();
        let script = self.folder.join("order.pgbench");
        let mut load = self.client("pgbench");
        load.args(["-n", "-M", "prepared", "-j", "1", "-c", clients, "-T", &seconds, "-f"]).arg(script);
        let done = load.output().expect("pgbench runs");
        let text = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{text}{}", String::from_utf8_lossy(&done.stderr));
        let told = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
        told.and_then(|text| text.parse().ok()).expect("pgbench tells transactions a second")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut stop = run_as(self.user, &self.programs.join("pg_ctl"));
        let stopped = stop.arg("-D").arg(self.folder.join("data")).args(["-m", "immediate", "stop"]).output();
        if !stopped.is_ok_and(|stopped| stopped.status.success()) {
            // What it wrote goes with its folder.
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
    }
}

/// Where its programs are: `POSTGRES_BIN`, or the newest version that Debian installed.
fn programs() -> PathBuf {
    if let Some(named) = std::env::var_os("POSTGRES_BIN") {
        return named.into();
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|version| version.path().join("bin"));
    let newest = versions.filter(|bin| bin.join("pgbench").exists()).max();
    newest.expect("Postgres with pgbench is not installed: apt-get install postgresql, or name its programs' folder with POSTGRES_BIN")
}

/// When we are root: who the package made for it.
fn ordinary_user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| {
        let told = Command::new("id").args(arguments).output().expect("id runs");
        String::from_utf8_lossy(&told.stdout).trim().parse::<u32>().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    Some((id(&["-u", "postgres"]).expect("the user postgres"), id(&["-g", "postgres"]).expect("the group postgres")))
}

fn run_as(user: Option<(u32, u32)>, program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = user {
        command.gid(gid).uid(uid);
    }
    command.current_dir("/");
    command
}
