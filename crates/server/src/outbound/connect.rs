//! Connections to endpoints: names are resolved here, each address is checked, and exactly the checked address is connected to.

use axum::body::Bytes;
use axum::http::Uri;
use http_body_util::Full;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 3;
/// Longest wait for one address.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that was idle for longer is not used again.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// Where an endpoint is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    secure: bool,
    host: String,
    port: u16,
    pub authority: String,
    pub path: String,
}

impl Target {
    /// `None` when it is no URL that can be called: `http` or `https`, a host, and neither user nor password.
    pub fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let secure = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Some(Self { secure, host: authority.host().to_owned(), port, authority: authority.to_string(), path })
    }

    /// Without port and user.
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// Why there is no connection. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreached {
    /// This address is not called, however often it is tried.
    #[error("{0}")]
    Forbidden(String),
    #[error("{0}")]
    Failed(String),
}

/// Connects to endpoints.
pub struct Dialer {
    allow_private: bool,
    tls: TlsConnector,
}

/// An open connection; dropping it hangs up.
pub struct Connection {
    pub sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
    used: Instant,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    pub fn is_fresh(&self) -> bool {
        !self.sender.is_closed() && self.used.elapsed() < IDLE_MAX
    }

    pub fn touch(&mut self) {
        self.used = Instant::now();
    }
}

impl Dialer {
    /// `allow_private` lets endpoints lie in private, loopback and link-local networks.
    pub fn new(allow_private: bool) -> Self {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring knows the versions of TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { allow_private, tls: TlsConnector::from(Arc::new(config)) }
    }

    /// # Errors
    /// With why not, as it is shown to those who look at attempts.
    pub async fn connect(&self, target: &Target) -> Result<Connection, Unreached> {
        let stream = self.reach(target).await?;
        stream.set_nodelay(true).map_err(failed)?;
        if !target.secure {
            return converse(stream).await;
        }
        let host = target.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|_| Unreached::Forbidden(format!("{} is no host name", target.host)))?;
        let stream = self.tls.connect(name, stream).await.map_err(|error| Unreached::Failed(format!("TLS: {error}")))?;
        converse(stream).await
    }

    async fn reach(&self, target: &Target) -> Result<TcpStream, Unreached> {
        let addresses = self.resolve(target).await?;
        let mut why = String::new();
        for address in addresses.into_iter().take(ADDRESSES_MAX) {
            match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => why = format!("{address}: {error}"),
                Err(_) => why = format!("{address}: no connection within {} s", CONNECT_TIMEOUT.as_secs()),
            }
        }
        Err(Unreached::Failed(why))
    }

    /// The addresses of the host that may be called.
    async fn resolve(&self, target: &Target) -> Result<Vec<SocketAddr>, Unreached> {
        let host = target.host.trim_start_matches('[').trim_end_matches(']');
        let found: Vec<SocketAddr> = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, target.port)],
            Err(_) => {
                let found = tokio::net::lookup_host((host, target.port)).await;
                found.map_err(|error| Unreached::Failed(format!("{host} can't be resolved: {error}")))?.collect()
            }
        };
        let allowed: Vec<SocketAddr> = found.iter().copied().filter(|address| self.allow_private || is_public(address.ip())).collect();
        match (allowed.is_empty(), found.first()) {
            (false, _) => Ok(allowed),
            (true, None) => Err(Unreached::Failed(format!("{host} has no address"))),
            (true, Some(address)) => {
                let why = format!("{} is not a public address; start with --allow-private-webhooks to call it", address.ip());
                Err(Unreached::Forbidden(why))
            }
        }
    }
}

fn failed(error: impl std::fmt::Display) -> Unreached {
    Unreached::Failed(error.to_string())
}

async fn converse<S>(stream: S) -> Result<Connection, Unreached>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let driver = tokio::spawn(async move {
        // What breaks is seen by whoever waits for an answer.
        let _ = connection.await;
    });
    Ok(Connection { sender, driver, used: Instant::now() })
}

/// Whether anybody on the internet could have this address; what embeds an IPv4 address is judged by that.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_unspecified()
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_multicast()
        || address.is_documentation();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmarking = a == 198 && (18..20).contains(&b);
    let protocols = (a, b, c) == (192, 0, 0);
    !(special || shared || benchmarking || protocols || a == 0 || a >= 240)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        // Mapped (::ffff:0:0/96) and compatible (::/96); the latter includes :: and ::1.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => embedded(high, low),
        // Translated: 64:ff9b::/96.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x64, 0xff9b, 1, ..] => false,
        // 6to4.
        [0x2002, high, low, ..] => embedded(high, low),
        // Protocol assignments with Teredo (2001::/23), documentation (2001:db8::/32, 3fff::/20).
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x3fff, second, ..] if second < 0x1000 => false,
        // Global unicast is 2000::/3; unique local, link-local, site-local and multicast are not in it.
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_called() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "192.0.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "fec0::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "64:ff9b:1::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2a00:1450:4001::200e"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn a_url_is_taken_apart() {
        let target = Target::parse("https://erp.example:8443/in?x=1").unwrap();
        assert_eq!((target.host.as_str(), target.port, target.path.as_str(), target.secure), ("erp.example", 8443, "/in?x=1", true));
        assert_eq!(Target::parse("http://[::1]").unwrap().port, 80);
        for wrong in ["ftp://a", "/in", "https://u:p@erp.example", ""] {
            assert_eq!(Target::parse(wrong), None, "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_home_is_not_called() {
        for url in ["http://localhost:9", "http://127.0.0.1:9", "http://[::ffff:127.0.0.1]:9"] {
            let refused = Dialer::new(false).connect(&Target::parse(url).unwrap()).await.err().unwrap();
            assert!(matches!(&refused, Unreached::Forbidden(why) if why.contains("not a public address")), "{url}: {refused}");
        }
    }
}
