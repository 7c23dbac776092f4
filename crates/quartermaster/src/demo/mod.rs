//! `demo`: a shop that trades a real retailer's orders on a compressed clock.

mod furnish;
mod sample;
mod trade;

use crate::serve::stop;
use anyhow::{Context, Result, bail};
use clap::Args;
use domain::time::Timestamp;
use server::app::{self, Config};
use server::http::Limits;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

#[derive(Args)]
pub struct DemoArgs {
    /// Demo time per real time: a factor, or `max`; by default a day a minute
    #[arg(long, default_value = "1440")]
    speed: String,
    /// Days of orders to trade, 1 to 14
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=14))]
    days: u16,
    /// Trade, print a summary in JSON, and end
    #[arg(long)]
    headless: bool,
    /// Keep the shop in this folder, and go on with it the next time; by default it is gone afterwards
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:7700")]
    listen: SocketAddr,
}

/// How fast the clock of the demo runs.
#[derive(Clone, Copy, PartialEq)]
pub enum Speed {
    Times(u32),
    Max,
}

fn speed(text: &str) -> Result<Speed> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    match text.parse() {
        Ok(factor @ 1..=1_000_000) => Ok(Speed::Times(factor)),
        Ok(_) | Err(_) => bail!("--speed must be 1 to 1000000, or max"),
    }
}

pub fn demo(arguments: DemoArgs) -> Result<()> {
    let speed = speed(&arguments.speed)?;
    let (folder, kept) = match &arguments.data_dir {
        Some(folder) => (folder.clone(), true),
        None => (std::env::temp_dir().join(format!("quartermaster-demo-{}", std::process::id())), false),
    };
    tracing_subscriber::fmt().with_env_filter("warn").with_writer(std::io::stderr).init();
    let result = tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(&arguments, speed, folder.clone()));
    if !kept {
        // A folder that cannot be removed is the operating system's to clean.
        let _ = std::fs::remove_dir_all(&folder);
    }
    result
}

async fn run(arguments: &DemoArgs, speed: Speed, folder: PathBuf) -> Result<()> {
    let sample = sample::read(arguments.days)?;
    let opens = sample.opens().context("the sample has no orders")?;
    let kept = folder.join("log.db").exists();
    let stands = if kept { last_time(&folder)? } else { None };
    let time = Arc::new(AtomicI64::new(stands.unwrap_or(opens).max(opens).0));
    let ticks = time.clone();
    let clock: server::shop::Clock = Arc::new(move || Timestamp(ticks.load(Ordering::Relaxed)));
    let config = |listen| Config {
        data_dir: folder.clone(),
        listen,
        clock: Some(clock.clone()),
        limits: Limits::default(),
        allow_private_webhooks: false,
    };
    let running = match app::start(config(arguments.listen)).await {
        Err(app::Error::Listen(..)) => app::start(config(SocketAddr::new(arguments.listen.ip(), 0))).await?,
        other => other?,
    };
    let stop = stop();
    let shop = running.shop.clone();
    greet(&running, &folder);
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(running.until(async {
        // Whoever trades says when it is over, or is gone.
        let _ = ended.await;
    }));
    let there = shop.query(|state| state.catalog.locations.len()).await.context("the engine stopped")?;
    let ours = shop.query(furnish::is_furnished).await.context("the engine stopped")?;
    if there > 0 && !ours {
        bail!(
            "{} holds a shop that is not the demo's; serve it with `quartermaster serve --data-dir {0}`, or name a new folder",
            folder.display()
        );
    }
    let furnished = sample.products.len();
    if !ours {
        furnish::furnish(&shop, &sample).await?;
    }
    let mut trade = trade::Trade::new(shop, time, speed, sample);
    if ours {
        trade.resume().await?;
        println!("The shop in {} goes on where it was.", folder.display());
    }
    tokio::select! {
        traded = trade.run(arguments.headless) => traded?,
        () = stop => {}
    }
    let mut summary = trade.summary().await?;
    summary["items"] = serde_json::json!(furnished);
    // The server may have ended by itself; then its result says why.
    let _ = end.send(());
    server.await.context("the server panicked")??;
    let verified = engine::verify(&folder);
    summary["verified"] = serde_json::json!(verified.is_ok());
    if let Err(error) = verified {
        eprintln!("verify: {error}");
    }
    println!("{}{summary}", if arguments.headless { "" } else { "\n" });
    Ok(())
}

/// Where to look, and with which key.
fn greet(running: &app::Running, folder: &std::path::Path) {
    println!("Quartermaster's demo listens on http://{}, the API is described at http://{}/docs", running.address, running.address);
    println!("Orders: Online Retail, D. Chen, UCI Machine Learning Repository, CC BY 4.0");
    if let Some(link) = running.sign_in_link() {
        println!("Open the dashboard, signed in once and within 15 minutes: {link}");
    }
    if let Some(key) = &running.first_key {
        println!("Admin key, shown this once: {key}");
        println!("Try: curl -H 'Authorization: Bearer {key}' 'http://{}/v1/orders?limit=3'", running.address);
    }
    if running.first_key.is_none() {
        let shown = folder.display();
        println!("Use a key of before, or make one: quartermaster keys create --data-dir {shown} --name me --role admin");
    }
}

/// When the last transaction of a folder was.
fn last_time(folder: &std::path::Path) -> Result<Option<Timestamp>> {
    use engine::log::Log;
    let log = engine::log::sqlite::SqliteLog::open_read_only(&folder.join("log.db"))?;
    Ok(log.read(log.last().max(1), 1)?.last().map(|row| Timestamp(row.time)))
}
