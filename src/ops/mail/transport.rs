//! The ways a message can go out: a mail server, or a folder of files.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::config::secret::{SecretError, mail_password};
use crate::config::{self, Mail};
use crate::remote::smtp::{self, Encryption, Login, Patience, Refusal, Server, SmtpError};
use crate::store::ProductFile;
use crate::store::files::FilesError;
use crate::store::outbox::OutboxMessage;

/// Largest file of certificates that is read [bytes].
const CA_SIZE_MAX_BYTES: u64 = 1 << 20;
/// Longest name of a file in the spool without its ending [bytes].
const NAME_LENGTH_MAX: usize = 190;

/// A message that went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// What the other side said.
    pub said: String,
    /// Receivers it did not reach, with the reason.
    pub refused: Vec<Refusal>,
}

/// A way out.
pub trait Transport {
    /// Sends one message; when it returns, the other side has it or has not.
    fn send(&self, message: &OutboxMessage, patience: Patience) -> Result<Delivered, SendError>;
}

/// A message that did not go out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The password cannot be had.
    #[error("there is no password for the mail server")]
    Password(#[from] SecretError),
    /// The file of certificates cannot be read.
    #[error("`mail.ca_file`: {path} cannot be read")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The mail server did not take it.
    #[error(transparent)]
    Smtp(#[from] SmtpError),
    /// The spool folder did not take it.
    #[error("the mail could not be put into the folder `mail.spool`")]
    Spool(#[from] FilesError),
}

/// What a failure says about the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// The other side is not there: soon, and no other message is tried before.
    Away,
    /// A human must mend something: each hour, and no other message is tried before.
    Misconfigured,
    /// This message is to come back later.
    Later,
    /// This message is not wanted: each hour.
    Refused,
}

impl SendError {
    /// Tells what it says about the next try.
    pub fn outlook(&self) -> Outlook {
        match self {
            Self::Password(_) | Self::CaFile { .. } => Outlook::Misconfigured,
            Self::Spool(_) => Outlook::Away,
            Self::Smtp(error) => match error {
                SmtpError::Unreachable { .. } => Outlook::Away,
                SmtpError::CaFile { .. }
                | SmtpError::Tls { .. }
                | SmtpError::NoStartTls { .. }
                | SmtpError::NoLogin { .. }
                | SmtpError::LoginRefused { .. } => Outlook::Misconfigured,
                SmtpError::Refused { .. }
                | SmtpError::ReceiversRefused { .. }
                | SmtpError::NotAMessage => Outlook::Refused,
                _ => Outlook::Later,
            },
        }
    }
}

/// The way out that the configuration names; `None` when it names none.
pub fn transport(mail: &Mail) -> Option<Box<dyn Transport + Send>> {
    if let Some(folder) = &mail.spool {
        return Some(Box::new(Spool { folder: folder.clone() }));
    }
    let host = mail.smtp_host.clone()?;
    Some(Box::new(Smtp { host, mail: mail.clone() }))
}

/// A mail server.
struct Smtp {
    host: String,
    mail: Mail,
}

impl Transport for Smtp {
    fn send(&self, message: &OutboxMessage, patience: Patience) -> Result<Delivered, SendError> {
        let delivery = smtp::send(&self.server()?, &message.body, patience)?;
        Ok(Delivered { said: delivery.said.to_string(), refused: delivery.refused })
    }
}

impl Smtp {
    /// Reads password and certificates each time: a human may have mended them.
    fn server(&self) -> Result<Server, SendError> {
        let mail = &self.mail;
        let (encryption, port) = match mail.encryption {
            config::Encryption::Tls => (Encryption::Tls, 465),
            config::Encryption::StartTls => (Encryption::StartTls, 587),
            config::Encryption::None => (Encryption::None, 25),
        };
        let login = match (&mail.user, mail_password(mail)?) {
            (Some(user), Some(password)) => Some(Login::new(user, password.reveal())),
            _ => None,
        };
        Ok(Server {
            host: self.host.clone(),
            port: mail.smtp_port.unwrap_or(port),
            encryption,
            login,
            ca_pem: mail.ca_file.as_deref().map(read_ca).transpose()?,
        })
    }
}

fn read_ca(path: &Path) -> Result<Vec<u8>, SendError> {
    let refuse = |source| SendError::CaFile { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(refuse)?;
    file.take(CA_SIZE_MAX_BYTES).read_to_end(&mut bytes).map_err(refuse)?;
    Ok(bytes)
}

/// A folder that gets the messages as files.
struct Spool {
    folder: PathBuf,
}

impl Transport for Spool {
    fn send(&self, message: &OutboxMessage, _: Patience) -> Result<Delivered, SendError> {
        // The same message has the same name: sent twice, it is one file.
        let path = self.folder.join(file_name(message));
        ProductFile::write_bytes(&path, &message.body)?;
        Ok(Delivered { said: format!("written to {}", path.display()), refused: Vec::new() })
    }
}

/// `<message-id>.eml` in harmless characters.
fn file_name(message: &OutboxMessage) -> String {
    let id = message.message_id.trim_matches(['<', '>']);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
    let mut name: String =
        id.chars().take(NAME_LENGTH_MAX).map(|c| if is_plain(c) { c } else { '_' }).collect();
    if name.is_empty() || name.starts_with('.') || id.len() > NAME_LENGTH_MAX {
        name = blake3::hash(&message.body).to_hex().to_string();
    }
    format!("{name}.eml")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str) -> OutboxMessage {
        OutboxMessage {
            key: "k".to_owned(),
            kind: "mail".to_owned(),
            nights: Vec::new(),
            message_id: id.to_owned(),
            subject: "s".to_owned(),
            body: b"From: a@b.c\r\n\r\nx".to_vec(),
        }
    }

    #[test]
    fn the_spool_has_one_whole_file_per_message() {
        let folder = tempfile::tempdir().expect("folder");
        let spool = folder.path().join("new/spool");
        let mail = Mail { spool: Some(spool.clone()), ..Mail::default() };
        let transport = transport(&mail).expect("a way out");
        for _ in 0..2 {
            transport.send(&message("<n.1@x.org>"), Patience::Wait).expect("written");
        }
        let names: Vec<_> = std::fs::read_dir(&spool)
            .expect("readable")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(names, ["n.1@x.org.eml"]);
        let bytes = std::fs::read(spool.join("n.1@x.org.eml")).expect("readable");
        assert_eq!(bytes, message("").body);
    }

    #[test]
    fn no_identifier_leads_out_of_the_spool() {
        assert_eq!(file_name(&message("<../../etc/x@y>")).len(), 64 + 4, "a hash");
        assert_eq!(file_name(&message("<a/../b@y>")), "a_.._b@y.eml");
        assert_eq!(file_name(&message("")).len(), 64 + 4);
        assert_eq!(file_name(&message(&"n".repeat(300))).len(), 64 + 4);
    }

    #[test]
    fn a_spool_that_cannot_be_written_is_told_and_no_server_is_no_way_out() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mail = Mail { spool: Some(file.path().join("below")), ..Mail::default() };
        let error = transport(&mail)
            .expect("a way out")
            .send(&message("<a@b>"), Patience::Wait)
            .expect_err("no folder below a file");
        assert_eq!(error.outlook(), Outlook::Away);
        assert!(transport(&Mail::default()).is_none());
    }
}
