//! Secrets: read from a file or a systemd credential when they are needed, never shown.
//!
//! A secret is no part of the configuration: it is named there, and read here each time, so that
//! a mended password counts at the next try.

use std::fmt;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::Mail;

/// Largest secret that is read [bytes].
const SIZE_MAX_BYTES: u64 = 4096;
/// Rights of people who are neither owner nor group.
const MODE_OTHERS: u32 = 0o007;
/// Variable in which systemd names the folder of the service's credentials.
const CREDENTIALS_VARIABLE: &str = "CREDENTIALS_DIRECTORY";

/// A text that must not be seen; printing it shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one who needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a secret cannot be had. Never shows any of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The file cannot be read.
    #[error(
        "the password file {path} cannot be read: does it exist, and may the user of the service \
         read it?"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Everybody may read or change the file.
    #[error(
        "the password file {path} is open to everybody (mode {mode:03o}): it was not read; \
         `chmod 640 {path}` closes it, and change the password if others use this machine"
    )]
    OpenToAll {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The content is no single line of text.
    #[error(
        "the password file {path} is empty or has several lines: it must hold the password alone"
    )]
    NotOneLine {
        /// The file.
        path: PathBuf,
    },
    /// The credential's name is no file name.
    #[error("`mail.password_credential` is {name:?}: allowed is a name without `/`")]
    Name {
        /// As written.
        name: String,
    },
    /// Credentials exist inside the service only.
    #[error(
        "the password is the credential {name:?}, which systemd gives to the service only: \
         set mail.password_file (also with --set) to try it here"
    )]
    OutsideService {
        /// The credential.
        name: String,
    },
}

/// The password of the mail server; `None` when there is no login.
///
/// The credential is taken where systemd gives one, else the file.
pub fn mail_password(mail: &Mail) -> Result<Option<Secret>, SecretError> {
    let folder = std::env::var_os(CREDENTIALS_VARIABLE).map(PathBuf::from);
    password_from(mail, folder.as_deref())
}

fn password_from(mail: &Mail, credentials: Option<&Path>) -> Result<Option<Secret>, SecretError> {
    if mail.user.is_none() {
        return Ok(None);
    }
    if let Some(name) = &mail.password_credential {
        if name.is_empty() || name.contains('/') || name.starts_with('.') {
            return Err(SecretError::Name { name: name.clone() });
        }
        match (credentials, &mail.password_file) {
            // systemd keeps credentials from everybody else, whatever their mode says.
            (Some(folder), _) => return read(&folder.join(name)).map(Some),
            (None, None) => return Err(SecretError::OutsideService { name: name.clone() }),
            (None, Some(_)) => {}
        }
    }
    let Some(path) = &mail.password_file else {
        return Ok(None);
    };
    let refuse = |source| SecretError::Read { path: path.clone(), source };
    let mode = std::fs::metadata(path).map_err(refuse)?.permissions().mode() & 0o777;
    if mode & MODE_OTHERS != 0 {
        return Err(SecretError::OpenToAll { path: path.clone(), mode });
    }
    read(path).map(Some)
}

/// Reads one line; the line feed at its end does not count.
fn read(path: &Path) -> Result<Secret, SecretError> {
    let refuse = |source| SecretError::Read { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(refuse)?;
    let mut bytes = Vec::new();
    file.take(SIZE_MAX_BYTES + 1).read_to_end(&mut bytes).map_err(refuse)?;
    let strange = || SecretError::NotOneLine { path: path.to_owned() };
    if bytes.len() as u64 > SIZE_MAX_BYTES {
        return Err(strange());
    }
    let text = String::from_utf8(bytes).map_err(|_| strange())?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.contains(['\n', '\r', '\0']) {
        return Err(strange());
    }
    Ok(Secret(line.to_owned()))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write files of their own")]
mod tests {
    use super::*;

    fn file(folder: &Path, content: &[u8], mode: u32) -> PathBuf {
        let path = folder.join("password");
        std::fs::write(&path, content).expect("written");
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&path, permissions).expect("set");
        path
    }

    fn with_file(path: PathBuf) -> Mail {
        Mail { user: Some("dome".to_owned()), password_file: Some(path), ..Mail::default() }
    }

    #[test]
    fn a_line_is_read_and_never_printed() {
        let folder = tempfile::tempdir().expect("folder");
        for (content, expected) in
            [(" s3 cret \n", " s3 cret "), ("s3cret\r\n", "s3cret"), ("s3cret", "s3cret")]
        {
            let mail = with_file(file(folder.path(), content.as_bytes(), 0o640));
            let secret = password_from(&mail, None).expect("read").expect("there");
            assert_eq!(secret.reveal(), expected);
            assert_eq!(format!("{secret:?}"), "Secret(..)");
        }
        let mail = Mail { user: None, ..with_file(folder.path().join("none")) };
        assert_eq!(password_from(&mail, None).expect("no login"), None);
    }

    #[test]
    fn files_that_are_open_missing_or_strange_are_refused_without_showing_them() {
        let folder = tempfile::tempdir().expect("folder");
        for mode in [0o644, 0o604, 0o602] {
            let open = with_file(file(folder.path(), b"s3cret\n", mode));
            let told = password_from(&open, None).expect_err("open to all").to_string();
            assert!(told.contains("chmod 640") && !told.contains("s3cret"), "{told}");
        }
        let long = vec![b'x'; 5000];
        for content in [b"".as_slice(), b"\n", b"s3cret\ntwo\n", b"s3cret\xff", &long] {
            let strange = with_file(file(folder.path(), content, 0o600));
            let error = password_from(&strange, None).expect_err("refused");
            assert!(matches!(error, SecretError::NotOneLine { .. }), "{error}");
            assert!(!format!("{error:?}").contains("s3cret"));
        }
        let missing = with_file(folder.path().join("none"));
        assert!(matches!(password_from(&missing, None), Err(SecretError::Read { .. })));
    }

    #[test]
    fn a_credential_goes_before_the_file_where_there_are_credentials() {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("smtp"), b"from systemd").expect("written");
        let mut mail = with_file(file(folder.path(), b"from a file", 0o600));
        mail.password_credential = Some("smtp".to_owned());
        let of = |mail: &Mail, credentials| {
            password_from(mail, credentials).map(|s| s.map(|s| s.reveal().to_owned()))
        };
        assert_eq!(of(&mail, Some(folder.path())).expect("read").as_deref(), Some("from systemd"));
        assert_eq!(of(&mail, None).expect("read").as_deref(), Some("from a file"));
        mail.password_file = None;
        assert!(matches!(of(&mail, None), Err(SecretError::OutsideService { .. })));
        mail.password_credential = Some("../smtp".to_owned());
        assert!(matches!(of(&mail, Some(folder.path())), Err(SecretError::Name { .. })));
    }
}
