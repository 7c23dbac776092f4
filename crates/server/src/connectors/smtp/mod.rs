//! Mail over SMTP (RFC 5321), with STARTTLS or TLS, authentication, and connections that are kept for the next mail.
//!
//! SMTP knows no idempotency key. What this connector can tell, and does, is how far it came: refused before the text was handed
//! over (nothing was sent, try again), refused for good, taken, or left without an answer after the text was handed over (in doubt).

mod translate;

pub use translate::parse_address;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands;
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longest that a connection is kept for the next mail.
const IDLE_MAX: Duration = Duration::from_secs(20);

/// How the server is reached.
#[derive(Debug, Clone)]
pub struct Options {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub user: Option<String>,
    pub password: Option<String>,
    /// PEM of the authority that signed the server's certificate, instead of the public ones.
    pub authority: Option<Vec<u8>>,
    /// Name by which we greet: the domain of the shop's mail.
    pub hello: String,
    /// Connections at once.
    pub connections: usize,
    pub connect_timeout: Duration,
    /// For each command and each answer.
    pub command_timeout: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Nothing is encrypted.
    None,
    /// Encrypted after STARTTLS; a server without it is not used.
    StartTls,
    /// Encrypted from the first byte.
    Tls,
}

/// A mail as it is to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Mail {
    /// As RFC 5322 writes it.
    pub from: String,
    pub reply_to: Option<String>,
    pub to: Vec<Recipient>,
    pub subject: String,
    pub text: String,
    pub html: Option<String>,
    /// Without its angle brackets.
    pub message_id: String,
    pub attachments: Vec<Attachment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    pub name: Option<String>,
    pub address: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

/// What became of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    Taken,
    /// Not for now; nothing was sent.
    Later {
        code: String,
        message: String,
    },
    /// Never.
    Refused {
        code: String,
        message: String,
    },
    /// Handed over without an answer.
    InDoubt {
        code: String,
        message: String,
    },
}

/// The server could not be reached, or does not let us in. Nothing was sent.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreachable(pub String);

/// A mail that cannot be written as one: a sender or recipient that is no address.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unwritable(pub String);

pub struct Smtp {
    options: Options,
    tls: Option<TlsParameters>,
    idle: Mutex<Vec<(Instant, AsyncSmtpConnection)>>,
}

/// A connection that was let in, for one mail at a time.
pub struct Session {
    smtp: Arc<Smtp>,
    connection: AsyncSmtpConnection,
}

impl Smtp {
    /// # Errors
    /// When the authority's certificate cannot be read.
    pub fn new(options: Options) -> Result<Self, Unreachable> {
        let tls = match options.security {
            Security::None => None,
            Security::StartTls | Security::Tls => {
                let mut tls = TlsParameters::builder(options.host.clone());
                if let Some(pem) = &options.authority {
                    let authority = Certificate::from_pem(pem).map_err(|error| Unreachable(format!("smtp.ca_file: {error}")))?;
                    tls = tls.certificate_store(CertificateStore::None).add_root_certificate(authority);
                }
                Some(tls.build().map_err(|error| Unreachable(error.to_string()))?)
            }
        };
        Ok(Self { options, tls, idle: Mutex::new(Vec::new()) })
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    /// A kept connection that still answers, or a new one.
    ///
    /// # Errors
    /// When the server cannot be reached in time, offers no encryption that was asked for, or refuses user and password.
    pub async fn session(self: &Arc<Self>) -> Result<Session, Unreachable> {
        while let Some(mut connection) = self.kept() {
            let answers = tokio::time::timeout(self.options.command_timeout, connection.command(commands::Rset)).await;
            if matches!(answers, Ok(Ok(_))) {
                return Ok(Session { smtp: self.clone(), connection });
            }
        }
        let within = self.options.connect_timeout + self.options.command_timeout;
        match tokio::time::timeout(within, self.connect()).await {
            Ok(connected) => Ok(Session { smtp: self.clone(), connection: connected? }),
            Err(_) => Err(Unreachable(format!("{}:{} does not answer in time", self.options.host, self.options.port))),
        }
    }

    fn kept(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle.lock().expect("no thread panics with the lock");
        idle.retain(|(since, _)| since.elapsed() < IDLE_MAX);
        idle.pop().map(|(_, connection)| connection)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Unreachable> {
        let options = &self.options;
        let failed = |error: lettre::transport::smtp::Error| {
            Unreachable(format!("{}:{}: {}", options.host, options.port, translate::with_causes(&error)))
        };
        let hello = ClientId::Domain(options.hello.clone());
        let wrapped = self.tls.clone().filter(|_| options.security == Security::Tls);
        let address = (options.host.as_str(), options.port);
        let connected = AsyncSmtpConnection::connect_tokio1(address, Some(options.connect_timeout), &hello, wrapped, None).await;
        let mut connection = connected.map_err(failed)?;
        if let (Security::StartTls, Some(tls)) = (options.security, &self.tls) {
            connection.starttls(tls.clone(), &hello).await.map_err(failed)?;
        }
        if let (Some(user), Some(password)) = (&options.user, &options.password) {
            let credentials = Credentials::new(user.clone(), password.clone());
            connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await.map_err(failed)?;
        }
        Ok(connection)
    }
}

impl Session {
    /// For the next mail.
    pub fn keep(self) {
        let mut idle = self.smtp.idle.lock().expect("no thread panics with the lock");
        if idle.len() < self.smtp.options.connections {
            idle.push((Instant::now(), self.connection));
        }
    }

    /// Sends one mail. To all its recipients or to none: a mail with a refused recipient is not handed over.
    pub async fn send(mut self, mail: &Written) -> Sent {
        if mail.needs_utf8_addresses() && !self.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            let message = "the address has letters beyond ASCII, and the mail server does not support them (SMTPUTF8)".to_owned();
            return Sent::Refused { code: "smtputf8".to_owned(), message };
        }
        let outcome = self.say(mail).await;
        let usable = match &outcome {
            Sent::Taken | Sent::Refused { .. } => true,
            Sent::Later { code, .. } => code.starts_with('4') && code != "421",
            Sent::InDoubt { .. } => false,
        };
        if usable {
            let mut idle = self.smtp.idle.lock().expect("no thread panics with the lock");
            if idle.len() < self.smtp.options.connections {
                idle.push((Instant::now(), self.connection));
            }
        }
        outcome
    }

    async fn say(&mut self, mail: &Written) -> Sent {
        let parameters = if mail.needs_utf8_addresses() { vec![MailParameter::SmtpUtfEight] } else { Vec::new() };
        let envelope = &mail.envelope;
        let mut lines = vec![commands::Mail::new(envelope.from().cloned(), parameters).to_string()];
        lines.extend(envelope.to().iter().map(|address| commands::Rcpt::new(address.clone(), Vec::new()).to_string()));
        lines.push(commands::Data.to_string());
        let within = self.smtp.options.command_timeout;
        for line in lines {
            match tokio::time::timeout(within, self.connection.command(line)).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return translate::before_handing_over(&error),
                Err(_) => return Sent::Later { code: "timeout".to_owned(), message: "the mail server did not answer in time".to_owned() },
            }
        }
        // From here on the server may have taken the mail, whatever we hear.
        match tokio::time::timeout(within, self.connection.message(&mail.bytes)).await {
            Ok(Ok(_)) => Sent::Taken,
            Ok(Err(error)) => translate::after_handing_over(&error),
            Err(_) => Sent::InDoubt { code: "timeout".to_owned(), message: "the mail server did not answer in time".to_owned() },
        }
    }
}

/// A mail in its last form.
pub struct Written {
    envelope: lettre::address::Envelope,
    bytes: Vec<u8>,
}

impl Written {
    /// # Errors
    /// When a sender or recipient is no mail address.
    pub fn new(mail: &Mail) -> Result<Self, Unwritable> {
        translate::write(mail)
    }

    fn needs_utf8_addresses(&self) -> bool {
        self.envelope.from().into_iter().chain(self.envelope.to()).any(|address| !AsRef::<str>::as_ref(address).is_ascii())
    }
}
