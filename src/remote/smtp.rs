//! A message to a mail server: one connection, one message, several receivers.
//!
//! The commands are given one by one rather than by lettre's own `send`, because that gives up
//! when one receiver of several is refused: who left the observatory would cut off all others.

mod error;

use std::time::Duration;

use lettre::Address;
use lettre::message::Mailboxes;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;

pub use error::{Said, SmtpError, Stage};

/// Time limit of the connection and of each answer [s].
const TIMEOUT_S: u64 = 30;
/// Time limit of the goodbye, after which nothing depends on the server [s].
const QUIT_TIMEOUT_S: u64 = 2;

/// How the connection is kept secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// TLS from the first byte.
    Tls,
    /// TLS after STARTTLS; without it nothing is sent.
    StartTls,
    /// None.
    None,
}

/// Name and password; printing shows no password.
#[derive(Clone)]
pub struct Login(Credentials);

impl Login {
    /// From name and password.
    pub fn new(user: &str, password: &str) -> Self {
        Self(Credentials::new(user.to_owned(), password.to_owned()))
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login(..)")
    }
}

/// A mail server and how it is spoken to.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its name, which its certificate must have.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept secret.
    pub encryption: Encryption,
    /// Name and password; without them no login.
    pub login: Option<Login>,
    /// Certificates (PEM) to trust besides the system's.
    pub ca_pem: Option<Vec<u8>>,
}

/// What is done when the server asks to come back later for some of the receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Nothing is sent yet, so that all get it at once.
    Wait,
    /// The others get it now.
    SendToOthers,
}

/// A receiver that a message did not reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The receiver's address.
    pub address: String,
    /// What the server said.
    pub said: Said,
}

/// A message that the server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What the server said.
    pub said: Said,
    /// For whom it did not take it.
    pub refused: Vec<Refusal>,
}

/// Gives a message to the server; sender and receivers are those of its header.
pub fn send(server: &Server, message: &[u8], patience: Patience) -> Result<Delivery, SmtpError> {
    let from = addresses(message, "From").and_then(|from| from.into_iter().next());
    let to = addresses(message, "To").filter(|to| !to.is_empty());
    let (Some(from), Some(to)) = (from, to) else {
        return Err(SmtpError::NotAMessage);
    };
    let mut connection = connect(server)?;
    let sent = converse(&mut connection, (from, to), message, patience);
    // The server has the message or it has not; no answer to the goodbye changes that.
    connection.set_timeout(Some(Duration::from_secs(QUIT_TIMEOUT_S))).ok();
    connection.quit().ok();
    sent
}

/// Connects, encrypts and logs in.
fn connect(server: &Server) -> Result<SmtpConnection, SmtpError> {
    let tls = match server.encryption {
        Encryption::None => None,
        Encryption::Tls | Encryption::StartTls => Some(tls(server)?),
    };
    let name = ClientId::default();
    let at_once = tls.as_ref().filter(|_| server.encryption == Encryption::Tls);
    let place = (server.host.as_str(), server.port);
    let limit = Some(Duration::from_secs(TIMEOUT_S));
    let failed = |stage: Stage| {
        let (host, port) = (server.host.clone(), server.port);
        move |source| SmtpError::from_lettre(stage, &host, port, &source)
    };
    let mut connection = SmtpConnection::connect(place, limit, &name, at_once, None)
        .map_err(failed(Stage::Connect))?;
    if let Some(tls) = tls.as_ref().filter(|_| server.encryption == Encryption::StartTls) {
        if !connection.can_starttls() {
            connection.abort();
            return Err(SmtpError::NoStartTls { host: server.host.clone(), port: server.port });
        }
        connection.starttls(tls, &name).map_err(failed(Stage::Encrypt))?;
    }
    if let Some(Login(credentials)) = &server.login {
        if connection.server_info().get_auth_mechanism(DEFAULT_MECHANISMS).is_none() {
            connection.abort();
            return Err(SmtpError::NoLogin { host: server.host.clone(), port: server.port });
        }
        if let Err(error) = connection.auth(DEFAULT_MECHANISMS, credentials) {
            connection.abort();
            return Err(failed(Stage::Login)(error));
        }
    }
    Ok(connection)
}

/// What is trusted, and the name that the certificate must have.
fn tls(server: &Server) -> Result<TlsParameters, SmtpError> {
    let mut builder = TlsParameters::builder(server.host.clone());
    if let Some(pem) = &server.ca_pem {
        let certificate =
            Certificate::from_pem(pem).map_err(|e| SmtpError::CaFile { source: Said::new(&e) })?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|e| SmtpError::CaFile { source: Said::new(&e) })
}

/// Sender, receivers, message.
fn converse(
    connection: &mut SmtpConnection,
    (from, to): (Address, Vec<Address>),
    message: &[u8],
    patience: Patience,
) -> Result<Delivery, SmtpError> {
    let failed = |source| SmtpError::from_lettre(Stage::Message, "", 0, &source);
    connection.command(Mail::new(Some(from), Vec::new())).map_err(failed)?;
    let (mut n_taken, mut refused, mut is_later) = (0_usize, Vec::new(), false);
    for address in to {
        match connection.command(Rcpt::new(address.clone(), Vec::new())) {
            Ok(_) => n_taken += 1,
            Err(error) if error.is_permanent() || error.is_transient() => {
                is_later |= error.is_transient();
                refused.push(Refusal { address: address.to_string(), said: Said::new(&error) });
            }
            Err(error) => return Err(failed(error)),
        }
    }
    if is_later && (n_taken == 0 || patience == Patience::Wait) {
        return Err(SmtpError::ReceiversLater { refused });
    }
    if n_taken == 0 {
        return Err(SmtpError::ReceiversRefused { refused });
    }
    connection.command(Data).map_err(failed)?;
    let response = connection.message(message).map_err(failed)?;
    Ok(Delivery { said: words(&response), refused })
}

/// What the server said when it took the message.
fn words(response: &Response) -> Said {
    let text: Vec<&str> = response.message().collect();
    Said::from_text(&format!("{} {}", response.code(), text.join(" ")))
}

/// The addresses of a header of the message.
fn addresses(message: &[u8], name: &str) -> Option<Vec<Address>> {
    let mailboxes: Mailboxes = header(message, name)?.parse().ok()?;
    Some(mailboxes.into_iter().map(|mailbox| mailbox.email).collect())
}

/// A header's value on one line.
fn header(message: &[u8], name: &str) -> Option<String> {
    let mut value: Option<String> = None;
    for line in message.split(|&byte| byte == b'\n') {
        let line = std::str::from_utf8(line).ok()?.trim_end_matches('\r');
        let is_folded = line.starts_with([' ', '\t']);
        match &mut value {
            Some(value) if is_folded => value.push_str(line),
            Some(_) => break,
            None if line.is_empty() => break,
            None => {
                let found = line.split_once(':').filter(|_| !is_folded);
                let found = found.filter(|(key, _)| key.eq_ignore_ascii_case(name));
                value = found.map(|(_, rest)| rest.trim().to_owned());
            }
        }
    }
    value
}

#[cfg(test)]
mod tests;
