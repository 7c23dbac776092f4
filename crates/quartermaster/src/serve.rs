//! `serve`: the API until somebody says stop.

use anyhow::Result;
use server::app::{self, Config};
use server::http::{Limits, Rate};
use std::net::SocketAddr;
use std::path::PathBuf;
use tracing_subscriber::EnvFilter;

/// `requests_per_second` bounds each key; 0 leaves them free.
pub fn serve(data_dir: PathBuf, listen: SocketAddr, requests_per_second: u32, allow_private_webhooks: bool) -> Result<()> {
    let filter = EnvFilter::try_from_env("QUARTERMASTER_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let rate = Rate { per_second: requests_per_second, burst: requests_per_second.saturating_mul(2) };
        let limits = Limits { rate: Some(rate).filter(|rate| rate.per_second > 0), ..Limits::default() };
        let running = app::start(Config { data_dir, listen, clock: None, limits, allow_private_webhooks }).await?;
        println!("Quartermaster listens on http://{}, the API is described at http://{}/docs", running.address, running.address);
        if let Some(link) = running.sign_in_link() {
            println!("Open the dashboard, signed in once and within 15 minutes: {link}");
        }
        if let Some(key) = &running.first_key {
            println!("Admin key, shown this once: {key}");
        }
        running.until(stop()).await?;
        Ok(())
    })
}

/// Ctrl-C, or the service manager.
pub async fn stop() {
    let mut term = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(term) => term,
        Err(error) => {
            tracing::warn!("no signals: {error}");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = term.recv() => {}
    }
}
