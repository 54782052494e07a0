//! Why a mail server did not take a message, in words that tell what to do.

use std::error::Error;
use std::fmt;

use super::Refusal;

/// Longest answer of a server that is kept [characters].
const SAID_LENGTH_MAX: usize = 300;

/// What a server or the system said, as one line that is safe to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said(String);

impl Said {
    /// From the mail library's error, whose text has its causes.
    pub(super) fn new(error: &lettre::transport::smtp::Error) -> Self {
        Self::from_text(&error.to_string())
    }

    /// From a text.
    pub(super) fn from_text(text: &str) -> Self {
        let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
        let line: String = plain.take(SAID_LENGTH_MAX).collect();
        Self(line.trim().to_owned())
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Said {}

/// Where in the conversation something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Before the server's first answers.
    Connect,
    /// While TLS began.
    Encrypt,
    /// Name and password.
    Login,
    /// Sender and message.
    Message,
}

/// A message that the server did not take.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpError {
    /// The bytes have no sender or receiver.
    #[error("the stored message has no sender or no receiver in its header")]
    NotAMessage,
    /// The extra certificates cannot be used.
    #[error("the file `mail.ca_file` holds no certificate in PEM form")]
    CaFile {
        /// Why.
        source: Said,
    },
    /// Nobody answered.
    #[error(
        "the mail server {host}:{port} cannot be reached: is the network up, are mail.smtp_host, \
         mail.smtp_port and mail.encryption right?"
    )]
    Unreachable {
        /// The server.
        host: String,
        /// Its port.
        port: u16,
        /// What the system said.
        source: Said,
    },
    /// The server's certificate is not trusted, or TLS failed otherwise.
    #[error(
        "the encrypted connection to {host}:{port} failed: is mail.smtp_host the name in the \
         server's certificate, and is its authority known (mail.ca_file)?"
    )]
    Tls {
        /// The server.
        host: String,
        /// Its port.
        port: u16,
        /// Why.
        source: Said,
    },
    /// The server has no STARTTLS.
    #[error(
        "the mail server {host}:{port} offers no STARTTLS, so nothing was sent: set \
         mail.encryption to \"tls\" (port 465), or \"none\" for a server on this machine"
    )]
    NoStartTls {
        /// The server.
        host: String,
        /// Its port.
        port: u16,
    },
    /// The server has no login that we know.
    #[error(
        "the mail server {host}:{port} offers no login with a password (PLAIN or LOGIN): leave \
         mail.user away, or encrypt the connection first (mail.encryption)"
    )]
    NoLogin {
        /// The server.
        host: String,
        /// Its port.
        port: u16,
    },
    /// The server does not know the user or the password.
    #[error("the mail server refuses the login: check mail.user and the password")]
    LoginRefused {
        /// What the server said.
        source: Said,
    },
    /// The server asks to come back later.
    #[error("the mail server asks to come back later")]
    Later {
        /// What the server said.
        source: Said,
    },
    /// The server does not want the message.
    #[error("the mail server refuses the message: may mail.from send there?")]
    Refused {
        /// What the server said.
        source: Said,
    },
    /// The server asks to come back later for some receivers.
    #[error("the mail server asks to come back later for {}", List(refused))]
    ReceiversLater {
        /// Those receivers, and those it refuses.
        refused: Vec<Refusal>,
    },
    /// The server takes the message for nobody.
    #[error("the mail server refuses all receivers, check mail.to: {}", List(refused))]
    ReceiversRefused {
        /// All receivers.
        refused: Vec<Refusal>,
    },
    /// The connection ended in the middle.
    #[error("the connection to the mail server was lost")]
    Lost {
        /// What the system said.
        source: Said,
    },
}

impl SmtpError {
    /// Tells what a failure means at its stage.
    pub(super) fn from_lettre(
        stage: Stage,
        host: &str,
        port: u16,
        error: &lettre::transport::smtp::Error,
    ) -> Self {
        let source = Said::new(error);
        let host = host.to_owned();
        match stage {
            _ if is_of_tls(error) => Self::Tls { host, port, source },
            Stage::Login if error.is_permanent() => Self::LoginRefused { source },
            _ if error.is_transient() => Self::Later { source },
            _ if error.is_permanent() => Self::Refused { source },
            Stage::Connect => Self::Unreachable { host, port, source },
            Stage::Encrypt => Self::Tls { host, port, source },
            Stage::Login | Stage::Message => Self::Lost { source },
        }
    }
}

/// Whether TLS itself failed; the mail library calls most of that a network error.
fn is_of_tls(error: &lettre::transport::smtp::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(inner) = cause {
        let io = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if inner.is::<rustls::Error>() || io.is_some_and(|io| io.is::<rustls::Error>()) {
            return true;
        }
        cause = inner.source();
    }
    error.is_tls()
}

/// Receivers with the server's words.
struct List<'a>(&'a [Refusal]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self
            .0
            .iter()
            .map(|refusal| format!("{} ({})", refusal.address, refusal.said))
            .collect();
        f.write_str(&all.join(", "))
    }
}
