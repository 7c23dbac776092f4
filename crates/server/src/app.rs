//! The wiring: the only file that names every part.

use crate::bus::webhook;
use crate::connectors::test_gateway::TestGateway;
use crate::connectors::{self, Gateway};
use crate::http::{Limits, router};
use crate::keys::Role;
use crate::mail::{self, Post};
use crate::shop::{Clock, Shop};
use crate::traces::around;
use crate::web::{self, Desk};
use axum::middleware;
use axum::serve::{Listener, ListenerExt};
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How long requests under way get when the server stops.
const DRAIN: Duration = Duration::from_secs(10);

/// How a server is run.
pub struct Config {
    pub data_dir: PathBuf,
    /// Loopback unless told otherwise; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Replaces the wall clock.
    pub clock: Option<Clock>,
    pub limits: Limits,
    /// Webhooks may call private, loopback and link-local addresses.
    pub allow_private_webhooks: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Shop(#[from] crate::shop::Error),
    #[error("{0} can't be listened on: {1}. Choose another address with --listen")]
    Listen(SocketAddr, std::io::Error),
    #[error("mail can't be set up: {0}")]
    Mail(#[from] crate::connectors::smtp::Unreachable),
    #[error("the server failed: {0}")]
    Serve(std::io::Error),
    #[error("the engine stopped: {0}")]
    Engine(String),
}

/// A server that answers.
pub struct Running {
    pub shop: Arc<Shop>,
    pub desk: Arc<Desk>,
    pub address: SocketAddr,
    /// Secret of an admin key that was made because there was none.
    pub first_key: Option<String>,
    listener: TcpListener,
    limits: Limits,
    post: Post,
}

/// Opens the shop and takes the address; [`Running::until`] serves.
///
/// # Errors
/// When the folder or the address can't be used.
pub async fn start(config: Config) -> Result<Running, Error> {
    let shop = Shop::open(&config.data_dir, config.clock)?;
    let post = Post::new(&shop)?;
    let desk = Desk::open(shop.clone(), &config.data_dir).map_err(crate::shop::Error::from)?;
    if config.allow_private_webhooks {
        shop.bus.allow_private();
    }
    let listener = TcpListener::bind(config.listen).await.map_err(|error| Error::Listen(config.listen, error))?;
    let address = listener.local_addr().map_err(|error| Error::Listen(config.listen, error))?;
    let none = shop.keys.list().iter().all(|key| key.revoked_at.is_some());
    let first_key = none.then(|| shop.keys.create("admin", Role::Admin)).transpose().map_err(crate::shop::Error::from)?;
    Ok(Running { shop, desk, address, first_key: first_key.map(|(_, secret)| secret), listener, limits: config.limits, post })
}

impl Running {
    /// The address of a page that signs in as the first admin key: once, and within minutes.
    pub fn sign_in_link(&self) -> Option<String> {
        match self.desk.sign_in_link() {
            Ok(path) => path.map(|path| format!("http://{}{path}", self.address)),
            Err(error) => {
                tracing::warn!("no sign-in link: {error}");
                None
            }
        }
    }

    /// Serves until `stop` resolves or the engine fails, then drains: what was acknowledged is durable and stored.
    ///
    /// # Errors
    /// When the socket or the engine failed.
    pub async fn until(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
        let clock = self.shop.clock();
        let gateways: Vec<Arc<dyn Gateway>> = vec![Arc::new(TestGateway::new(clock))];
        let connectors = tokio::spawn(connectors::run(self.shop.clone(), gateways));
        let bus = tokio::spawn(crate::bus::run(self.shop.clone()));
        let (stop_mail, mail_stops) = watch::channel(false);
        let mail = tokio::spawn(mail::run(self.shop.clone(), self.post.clone(), mail_stops));
        let alerting = tokio::spawn(crate::alerting::run(self.shop.clone(), self.post, stop_mail.subscribe()));
        let suppliers = tokio::spawn(crate::suppliers::run(self.shop.clone(), stop_mail.subscribe()));
        let audit = tokio::spawn(crate::audit::run(self.shop.clone()));
        let deliveries = webhook::start(self.shop.clone()).map_err(Error::Serve)?;
        let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder().ok();
        let app = router(self.shop.clone(), self.limits, metrics).merge(web::router(self.desk.clone())).fallback(web::nowhere);
        let app = match &self.shop.traces {
            Some(traces) => app.layer(middleware::from_fn_with_state(traces.clone(), around)),
            None => app,
        };
        let (drain, draining) = tokio::sync::oneshot::channel::<()>();
        let (shop, desk) = (self.shop.clone(), self.desk.clone());
        let signal = async move {
            tokio::select! {
                () = stop => {}
                () = shop.failed() => {}
            }
            desk.closing.send_replace(true);
            // The timeout below starts when draining does.
            let _ = drain.send(());
        };
        let serve = axum::serve(without_delay(self.listener), app).with_graceful_shutdown(signal).into_future();
        tokio::select! {
            served = serve => served.map_err(Error::Serve)?,
            () = async { let _ = draining.await; tokio::time::sleep(DRAIN).await } => tracing::warn!("requests were cut off"),
        }
        connectors.abort();
        audit.abort();
        deliveries.stop().await;
        bus.abort();
        crate::bus::settle(&self.shop).await;
        // Mails under way are recorded before the engine stops: cut off, they would be in doubt.
        stop_mail.send_replace(true);
        if let Err(error) = mail.await {
            tracing::error!("mail ended: {error}");
        }
        suppliers.abort();
        alerting.abort();
        let shop = self.shop.clone();
        tokio::task::spawn_blocking(move || shop.engine.stop()).await.map_err(|error| Error::Engine(error.to_string()))?;
        // Last, so that what stopped is told, too.
        if let Some(traces) = &self.shop.traces {
            traces.stop().await;
        }
        match self.shop.engine.failure() {
            Some(why) => Err(Error::Engine(why)),
            None => Ok(()),
        }
    }
}

/// What is written goes out at once: an event of a stream does not wait until the last one is confirmed.
pub fn without_delay(listener: TcpListener) -> impl Listener<Io = TcpStream, Addr = SocketAddr> {
    listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("a connection waits for confirmations: {error}");
        }
    })
}
