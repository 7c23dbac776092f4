//! `serve`: the API until somebody says stop.

use anyhow::Result;
use server::app::{self, Config};
use server::http::{Limits, Rate};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// `requests_per_second` bounds each key; 0 leaves them free.
pub fn serve(data_dir: PathBuf, listen: SocketAddr, requests_per_second: u32, allow_private_webhooks: bool) -> Result<()> {
    let filter = EnvFilter::try_from_env("QUARTERMASTER_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        // Heard from here on: who starts us may stop us before we listen.
        let stop = stop();
        let rate = Rate { per_second: requests_per_second, burst: requests_per_second.saturating_mul(2) };
        let limits = Limits { rate: Some(rate).filter(|rate| rate.per_second > 0), ..Limits::default() };
        if data_dir.join("log.db").exists() && !data_dir.join("vault.db").exists() {
            tracing::error!(
                "vault.db is missing and is made anew: names and addresses from before can't be read. If you have the old one, in a backup \
                 for instance, stop now, put it back and start again"
            );
        }
        let running = app::start(Config { data_dir, listen, clock: None, limits, allow_private_webhooks }).await?;
        let mut lines = vec![format!("Quartermaster listens on http://{0}, the API is described at http://{0}/docs", running.address)];
        lines.extend(running.sign_in_link().map(|link| format!("Open the dashboard, signed in once and within 15 minutes: {link}")));
        lines.extend(running.first_key.as_ref().map(|key| format!("Admin key, shown this once: {key}")));
        // Whoever read the first line may have gone: that is no reason not to serve.
        let _ = writeln!(std::io::stdout(), "{}", lines.join("\n"));
        running.until(stop).await?;
        Ok(())
    })
}

/// Ctrl-C, or the service manager; what comes after the call is not missed.
pub fn stop() -> impl Future<Output = ()> + Send + 'static {
    let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    async move {
        let [Ok(mut interrupt), Ok(mut terminate)] = signals else {
            tracing::warn!("no signals can be heard; end the process to stop");
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
