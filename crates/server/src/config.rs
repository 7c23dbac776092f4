//! `quartermaster.toml` in the data folder, and the variables that override it. Secrets come from variables or files of their own.

use crate::audit::Daily;
use crate::connectors::smtp::{Options, Security, parse_address};
use crate::outbound::Target;
use crate::traces;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What an operator decides outside of the shop's own settings.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Where customers reach this server, for links in mails; no links without it.
    pub public_url: Option<String>,
    /// How mail goes out; none does without it.
    pub mail: Option<Mail>,
    /// When the server proves its own numbers; never without it.
    pub verify: Option<Daily>,
    /// Where traces go; there are none without it.
    pub traces: Option<traces::Options>,
    /// What the secrets of webhooks and vendors are sealed under; without it, under a key of the vault's own.
    pub secrets_key: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Mail {
    pub smtp: Options,
    /// Sender of mails to staff and suppliers.
    pub from: String,
    /// Unreachable for so long, the server is worth an alert.
    pub alert_after: Duration,
}

/// Shorter keys would be guessed.
const SECRETS_KEY_BYTES_MIN: usize = 32;
/// Unless the file says otherwise.
pub const ALERT_AFTER: Duration = Duration::from_secs(300);

#[derive(Debug, thiserror::Error)]
#[error("{path}: {problem}", path = .path.display())]
pub struct Error {
    path: PathBuf,
    problem: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    server: Server,
    smtp: Smtp,
    traces: Traces,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Server {
    public_url: Option<String>,
    /// Like `03:30`.
    verify_at: Option<String>,
    /// An IANA name; UTC without it.
    time_zone: Option<String>,
    secrets_key_file: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Smtp {
    /// `smtp://host:587` (STARTTLS) or `smtps://host:465` (TLS).
    url: Option<String>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    from: Option<String>,
    /// Instead of the scheme's: `starttls`, `tls` or `none`.
    security: Option<String>,
    ca_file: Option<PathBuf>,
    hello: Option<String>,
    connections: Option<usize>,
    connect_timeout_s: Option<u64>,
    command_timeout_s: Option<u64>,
    alert_after_s: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Traces {
    /// Without its `/v1/traces`.
    endpoint: Option<String>,
    service_name: Option<String>,
    sample_ratio: Option<f64>,
    timeout_s: Option<u64>,
}

/// Longest wait for a collector, unless told otherwise, as OpenTelemetry has it.
const TRACES_TIMEOUT: Duration = Duration::from_secs(10);

/// Most connections to a mail server at once.
const CONNECTIONS_MAX: usize = 16;

impl Config {
    /// Reads the folder's file, which need not exist, and the process's variables.
    ///
    /// # Errors
    /// With the file and what is wrong in it.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        Self::read(folder, &|name: &str| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn read(folder: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let path = folder.join("quartermaster.toml");
        let wrong = |problem: String| Error { path: path.clone(), problem };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let file: File = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let public_url = variable("QUARTERMASTER_PUBLIC_URL").or(file.server.public_url);
        if public_url.as_ref().is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://")) {
            return Err(wrong("server.public_url must begin with https:// or http://".to_owned()));
        }
        let public_url = public_url.map(|url| url.trim_end_matches('/').to_owned());
        let verify = daily(file.server.verify_at, file.server.time_zone).map_err(wrong)?;
        let traces = traces(file.traces, variable).map_err(wrong)?;
        let secrets_key = secrets_key(folder, file.server.secrets_key_file, variable).map_err(wrong)?;
        Ok(Self { public_url, mail: mail(folder, file.smtp, variable).map_err(wrong)?, verify, traces, secrets_key })
    }
}

fn secrets_key(folder: &Path, file: Option<PathBuf>, variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<String>, String> {
    let text = match (variable("QUARTERMASTER_SECRETS_KEY"), file) {
        (Some(text), _) => text,
        (None, Some(path)) => {
            let path = folder.join(path);
            std::fs::read_to_string(&path).map_err(|error| format!("server.secrets_key_file: {}: {error}", path.display()))?
        }
        (None, None) => return Ok(None),
    };
    let text = text.trim();
    if text.len() < SECRETS_KEY_BYTES_MIN {
        let make = "make one with `openssl rand -base64 32`";
        return Err(format!("the secrets key has {} characters; it takes at least {SECRETS_KEY_BYTES_MIN}: {make}", text.len()));
    }
    Ok(Some(text.to_owned()))
}

fn daily(at: Option<String>, zone: Option<String>) -> Result<Option<Daily>, String> {
    let zone = match zone {
        None => TimeZone::UTC,
        Some(name) => TimeZone::get(&name)
            .map_err(|_| format!("server.time_zone can't be \"{name}\"; use a name like \"Europe/Berlin\" or \"America/Chicago\""))?,
    };
    let Some(text) = at else { return Ok(None) };
    let time = text
        .split_once(':')
        .and_then(|(hours, minutes)| Some((hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?)))
        .filter(|(hours, minutes)| *hours < 24 && *minutes < 60);
    let (hours, minutes) = time.ok_or_else(|| format!("server.verify_at can't be \"{text}\"; use a time of day like \"03:30\""))?;
    Ok(Some(Daily { minute: hours * 60 + minutes, zone }))
}

/// The variables are those of OpenTelemetry's specification. Headers stay out of the file: they are secrets, and the exporter reads them.
fn traces(file: Traces, variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<traces::Options>, String> {
    let base = variable("OTEL_EXPORTER_OTLP_ENDPOINT").or(file.endpoint);
    let whole = base.map(|base| format!("{}/v1/traces", base.trim_end_matches('/')));
    let Some(endpoint) = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or(whole) else { return Ok(None) };
    if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    if Target::parse(&endpoint).is_none() {
        return Err(format!("traces.endpoint leads to \"{endpoint}\", which can't be called; use an address like http://localhost:4318"));
    }
    let ratio = match variable("OTEL_TRACES_SAMPLER_ARG") {
        Some(text) => text.parse().map_err(|_| format!("OTEL_TRACES_SAMPLER_ARG can't be \"{text}\"; use a number from 0 to 1"))?,
        None => file.sample_ratio.unwrap_or(1.0),
    };
    if !(0.0..=1.0).contains(&ratio) {
        return Err(format!("traces.sample_ratio can't be {ratio}; use a number from 0, none, to 1, all"));
    }
    let timeout = variable("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT").or_else(|| variable("OTEL_EXPORTER_OTLP_TIMEOUT"));
    let timeout = match timeout {
        Some(text) => text.parse().map(Duration::from_millis).map_err(|_| format!("OTEL_EXPORTER_OTLP_TIMEOUT can't be \"{text}\" ms"))?,
        None => file.timeout_s.map_or(TRACES_TIMEOUT, Duration::from_secs),
    };
    let service_name = variable("OTEL_SERVICE_NAME").or(file.service_name).unwrap_or_else(|| "quartermaster".to_owned());
    Ok(Some(traces::Options { endpoint, service_name, sample_ratio: ratio, timeout }))
}

fn mail(folder: &Path, file: Smtp, variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Mail>, String> {
    let Some(url) = variable("QUARTERMASTER_SMTP_URL").or(file.url) else { return Ok(None) };
    let (scheme, rest) = url.split_once("://").ok_or("smtp.url must be like smtp://mail.example.com:587")?;
    let (security, port) = match scheme {
        "smtp" => (Security::StartTls, 587),
        "smtps" => (Security::Tls, 465),
        _ => return Err("smtp.url must begin with smtp:// or smtps://".to_owned()),
    };
    let security = match file.security.as_deref() {
        None => security,
        Some("starttls") => Security::StartTls,
        Some("tls") => Security::Tls,
        Some("none") => Security::None,
        Some(other) => return Err(format!("smtp.security can't be \"{other}\"; use starttls, tls or none")),
    };
    if rest.contains('@') {
        return Err(
            "smtp.url must not hold user or password; use smtp.user and smtp.password_file or QUARTERMASTER_SMTP_PASSWORD".to_owned()
        );
    }
    let rest = rest.trim_end_matches('/');
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| format!("smtp.url has no port \"{port}\""))?),
        None => (rest, port),
    };
    let from =
        variable("QUARTERMASTER_SMTP_FROM").or(file.from).ok_or("smtp.from is needed: the sender of mails to staff and suppliers")?;
    let (_, address) = parse_address(&from).map_err(|error| format!("smtp.from: {error}"))?;
    let read = |name: &str, path: PathBuf| {
        let path = folder.join(path);
        std::fs::read(&path).map_err(|error| format!("{name}: {}: {error}", path.display()))
    };
    let password = match (variable("QUARTERMASTER_SMTP_PASSWORD"), file.password_file) {
        (Some(password), _) => Some(password),
        (None, Some(path)) => {
            let text = String::from_utf8(read("smtp.password_file", path)?).map_err(|_| "smtp.password_file is no text")?;
            Some(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        (None, None) => None,
    };
    let user = variable("QUARTERMASTER_SMTP_USER").or(file.user);
    if user.is_some() != password.is_some() {
        return Err("smtp.user and a password (smtp.password_file or QUARTERMASTER_SMTP_PASSWORD) belong together".to_owned());
    }
    let nearby = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    if security == Security::None && password.is_some() && !nearby {
        return Err("smtp.security \"none\" would send the password in the clear; use starttls or tls".to_owned());
    }
    let domain = address.rsplit_once('@').map_or("localhost", |(_, domain)| domain).to_owned();
    let smtp = Options {
        host: host.trim_matches(['[', ']']).to_owned(),
        port,
        security,
        user,
        password,
        authority: file.ca_file.map(|path| read("smtp.ca_file", path)).transpose()?,
        hello: file.hello.unwrap_or(domain),
        connections: file.connections.unwrap_or(2).clamp(1, CONNECTIONS_MAX),
        connect_timeout: Duration::from_secs(file.connect_timeout_s.unwrap_or(15).clamp(1, 300)),
        command_timeout: Duration::from_secs(file.command_timeout_s.unwrap_or(60).clamp(1, 600)),
    };
    let alert_after = file.alert_after_s.map_or(ALERT_AFTER, |seconds| Duration::from_secs(seconds.clamp(1, 86_400)));
    Ok(Some(Mail { smtp, from, alert_after }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, password: Option<&str>) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("quartermaster.toml"), text).unwrap();
        let variable = |name: &str| password.filter(|_| name == "QUARTERMASTER_SMTP_PASSWORD").map(str::to_owned);
        Config::read(folder.path(), &variable).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_says_how_mail_goes_out() {
        let text = "[server]\npublic_url = \"https://s.example/\"\n[smtp]\nurl = \"smtp://mail.example\"\nuser = \"u\"\nfrom = \"A <a@b.example>\"\n";
        let config = read(text, Some("secret")).unwrap();
        assert_eq!(config.public_url.as_deref(), Some("https://s.example"));
        let mail = config.mail.unwrap();
        assert_eq!((mail.smtp.host.as_str(), mail.smtp.port, mail.smtp.security), ("mail.example", 587, Security::StartTls));
        assert_eq!((mail.smtp.hello.as_str(), mail.smtp.password.as_deref()), ("b.example", Some("secret")));
        assert!(read("", None).unwrap().mail.is_none());
    }

    #[test]
    fn the_key_of_secrets_comes_from_a_variable_or_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = |text: &str| std::fs::write(folder.path().join("secrets.key"), text).unwrap();
        std::fs::write(folder.path().join("quartermaster.toml"), "[server]\nsecrets_key_file = \"secrets.key\"").unwrap();
        let read = |key: Option<&str>| {
            let variable = |name: &str| key.filter(|_| name == "QUARTERMASTER_SECRETS_KEY").map(str::to_owned);
            Config::read(folder.path(), &variable).map(|config| config.secrets_key).map_err(|error| error.to_string())
        };
        assert!(read(None).unwrap_err().contains("secrets.key"), "a file that is not there is no reason to go without");
        file("0123456789abcdef0123456789abcdef\n");
        assert_eq!(read(None).unwrap().as_deref(), Some("0123456789abcdef0123456789abcdef"));
        assert_eq!(read(Some("ABCDEF0123456789ABCDEF0123456789")).unwrap().as_deref(), Some("ABCDEF0123456789ABCDEF0123456789"));
        file("short");
        assert!(read(None).unwrap_err().contains("at least 32"));
    }

    #[test]
    fn a_file_says_when_the_numbers_are_verified() {
        let config = read("[server]\nverify_at = \"03:30\"\ntime_zone = \"Europe/Berlin\"", None).unwrap();
        assert_eq!(config.verify, Some(Daily { minute: 210, zone: TimeZone::get("Europe/Berlin").unwrap() }));
        assert_eq!(read("", None).unwrap().verify, None);
    }

    fn traces_of(text: &str, variables: &[(&str, &str)]) -> Option<traces::Options> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("quartermaster.toml"), text).unwrap();
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Config::read(folder.path(), &variable).unwrap().traces
    }

    #[test]
    fn traces_are_off_until_somebody_says_where_to() {
        assert_eq!(traces_of("", &[]), None);
        assert_eq!(traces_of("[traces]\nservice_name = \"shop\"\nsample_ratio = 0.5", &[("OTEL_SERVICE_NAME", "x")]), None);
        let on = "[traces]\nendpoint = \"http://localhost:4318\"";
        assert_eq!(traces_of(on, &[("OTEL_SDK_DISABLED", "true")]), None);
        let options = traces_of(on, &[]).unwrap();
        assert_eq!((options.endpoint.as_str(), options.service_name.as_str()), ("http://localhost:4318/v1/traces", "quartermaster"));
        assert_eq!((options.sample_ratio, options.timeout), (1.0, Duration::from_secs(10)));
    }

    #[test]
    fn the_variables_of_opentelemetry_go_before_the_file() {
        let file = "[traces]\nendpoint = \"http://file:1\"\nservice_name = \"file\"\nsample_ratio = 0.5\ntimeout_s = 2";
        let options = traces_of(file, &[]).unwrap();
        assert_eq!((options.service_name.as_str(), options.sample_ratio, options.timeout), ("file", 0.5, Duration::from_secs(2)));
        let all = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:2/"), ("OTEL_SERVICE_NAME", "named"), ("OTEL_TRACES_SAMPLER_ARG", "0.25")];
        let options = traces_of(file, &[&all[..], &[("OTEL_EXPORTER_OTLP_TIMEOUT", "1500")]].concat()).unwrap();
        assert_eq!((options.endpoint.as_str(), options.service_name.as_str()), ("http://all:2/v1/traces", "named"));
        assert_eq!((options.sample_ratio, options.timeout), (0.25, Duration::from_millis(1500)));
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://own:3/spans");
        assert_eq!(traces_of(file, &[&all[..], &[own]].concat()).unwrap().endpoint, "https://own:3/spans");
    }

    #[test]
    fn what_would_not_work_or_leak_is_refused_with_words() {
        let from = "from = \"a@b.example\"";
        for (text, password, word) in [
            ("[smtp]\nurl = \"http://x\"".to_owned(), None, "smtps://"),
            ("[smtp]\nurl = \"smtp://u:p@x\"".to_owned(), None, "must not hold"),
            ("[smtp]\nurl = \"smtp://x\"".to_owned(), None, "smtp.from"),
            (format!("[smtp]\nurl = \"smtp://x\"\nuser = \"u\"\n{from}"), None, "belong together"),
            (format!("[smtp]\nurl = \"smtp://x\"\nuser = \"u\"\nsecurity = \"none\"\n{from}"), Some("p"), "in the clear"),
            (format!("[smtp]\nurl = \"smtp://x:99999\"\n{from}"), None, "no port"),
            ("[smpt]".to_owned(), None, "smpt"),
            ("[server]\npublic_url = \"shop\"".to_owned(), None, "public_url"),
            ("[server]\nverify_at = \"24:00\"".to_owned(), None, "like \"03:30\""),
            ("[server]\nverify_at = \"3\"".to_owned(), None, "like \"03:30\""),
            ("[server]\ntime_zone = \"Berlin\"".to_owned(), None, "Europe/Berlin"),
            ("[traces]\nendpoint = \"localhost:4318\"".to_owned(), None, "http://localhost:4318"),
            ("[traces]\nendpoint = \"http://a\"\nsample_ratio = 2.0".to_owned(), None, "from 0, none, to 1"),
            ("[traces]\nheaders = \"a=b\"".to_owned(), None, "headers"),
        ] {
            let problem = read(&text, password).expect_err(&text);
            assert!(problem.contains(word), "{text}: {problem}");
        }
    }
}
