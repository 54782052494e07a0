//! Who may log in on the web page: a file of names and argon2id hashes, one line each.
//!
//! The file is 0600 and belongs to whom its folder belongs, so that the service can read what root
//! has written. `autossosctl user` writes it; the page reads it anew at each login and each visit,
//! so that a change counts at once.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};

use crate::store::ProductFile;
use crate::store::files::FilesError;

/// Largest file that is read [bytes].
const SIZE_MAX_BYTES: u64 = 1 << 20;
/// Rights that the file must not give: to anybody but its owner.
const MODE_OTHERS: u32 = 0o077;
/// Rights that it is written with.
const MODE: u32 = 0o600;
/// Longest name [characters].
const NAME_LENGTH_MAX: usize = 32;
/// Length of a password [bytes].
const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 8..=256;

/// A hash that no password fits: an unknown name costs as much time as a known one.
static NOBODY: LazyLock<String> = LazyLock::new(|| hashed("nobody").unwrap_or_default());

/// Why users could not be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UsersError {
    /// The file could not be read.
    #[error("the users' file {path} cannot be read: may this user read it? (`web.users_file`)")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others may read or change it.
    #[error("the users' file {path} is open to others (mode {mode:03o}): `chmod 600 {path}`")]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A line is not a name and a hash.
    #[error("line {line} of the users' file {path} is not NAME:HASH: remove it and add that user")]
    Line {
        /// The file.
        path: PathBuf,
        /// Its number, from 1.
        line: usize,
    },
    /// A name that is not allowed.
    #[error("{name:?} cannot be a user's name: 1 to 32 letters, digits, `-`, `_` or `.`")]
    Name {
        /// As given.
        name: String,
    },
    /// A password that is too short or too long.
    #[error("the password has {found} bytes: 8 to 256 are allowed")]
    Length {
        /// Its length.
        found: usize,
    },
    /// The password could not be hashed.
    #[error("the password could not be hashed: {reason}")]
    Hash {
        /// What the library said.
        reason: String,
    },
    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] FilesError),
}

/// The users of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users {
    hashes: BTreeMap<String, String>,
}

impl Users {
    /// Reads the file; nobody when there is none.
    pub fn load(path: &Path) -> Result<Self, UsersError> {
        let refuse = |source| UsersError::Read { path: path.to_owned(), source };
        let file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(refuse(error)),
        };
        let mode = file.metadata().map_err(refuse)?.permissions().mode() & 0o777;
        if mode & MODE_OTHERS != 0 {
            return Err(UsersError::Open { path: path.to_owned(), mode });
        }
        let mut text = String::new();
        file.take(SIZE_MAX_BYTES).read_to_string(&mut text).map_err(refuse)?;
        let mut users = Self::default();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            let (name, hash) = line
                .split_once(':')
                .filter(|(name, hash)| is_name(name) && PasswordHash::new(hash).is_ok())
                .ok_or_else(|| UsersError::Line { path: path.to_owned(), line: number + 1 })?;
            users.hashes.insert(name.to_owned(), hash.to_owned());
        }
        Ok(users)
    }

    /// Writes the file: whole or not at all, for its owner only.
    pub fn save(&self, path: &Path) -> Result<(), UsersError> {
        let text: String =
            self.hashes.iter().map(|(name, hash)| format!("{name}:{hash}\n")).collect();
        let owner = owner_of(path);
        ProductFile::write(path, |temporary| {
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(MODE).open(temporary)?;
            file.write_all(text.as_bytes())?;
            if let Some((user, group)) = owner {
                std::os::unix::fs::fchown(&file, Some(user), Some(group))?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.hashes.keys().map(String::as_str)
    }

    /// A user's hash.
    pub fn hash_of(&self, name: &str) -> Option<&str> {
        self.hashes.get(name).map(String::as_str)
    }

    /// Adds a user or changes the password of one; tells whether the name is new.
    pub fn set(&mut self, name: &str, password: &str) -> Result<bool, UsersError> {
        if !is_name(name) {
            return Err(UsersError::Name { name: name.to_owned() });
        }
        if !PASSWORD_LENGTH.contains(&password.len()) {
            return Err(UsersError::Length { found: password.len() });
        }
        Ok(self.hashes.insert(name.to_owned(), hashed(password)?).is_none())
    }

    /// Removes a user; tells whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        self.hashes.remove(name).is_some()
    }

    /// Whether the password is the user's; takes as long for names that nobody has.
    pub fn is_right(&self, name: &str, password: &str) -> bool {
        let hash = self.hash_of(name);
        let text = hash.unwrap_or(NOBODY.as_str());
        let is_right = password.len() <= *PASSWORD_LENGTH.end()
            && PasswordHash::new(text).is_ok_and(|parsed| {
                Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok()
            });
        is_right && hash.is_some()
    }
}

/// Makes what the first wrong name would have to wait for.
pub fn warm_up() {
    LazyLock::force(&NOBODY);
}

fn hashed(password: &str) -> Result<String, UsersError> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash: PasswordHash| hash.to_string())
        .map_err(|error| UsersError::Hash { reason: error.to_string() })
}

/// Whether a name is harmless in the file, in a cookie and in a log.
pub fn is_name(name: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=NAME_LENGTH_MAX).contains(&name.len()) && name.chars().all(is_allowed)
}

/// Whom a new file must be given to: only root can, and only root needs to.
fn owner_of(path: &Path) -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let place = std::fs::metadata(path)
        .or_else(|_| std::fs::metadata(folder.unwrap_or(Path::new("."))))
        .ok()?;
    Some((place.uid(), place.gid()))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests write files of their own")]
mod tests {
    use super::*;

    #[test]
    fn users_are_kept_changed_and_removed_for_the_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("web-users");
        assert_eq!(Users::load(&path).expect("nobody").names().count(), 0);
        let mut users = Users::default();
        assert!(users.set("ada", "correct horse").expect("added"));
        assert!(users.set("bob", "battery staple").expect("added"));
        users.save(&path).expect("written");
        let mode = path.metadata().expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let text = std::fs::read_to_string(&path).expect("read");
        assert!(text.starts_with("ada:$argon2id$") && !text.contains("horse"), "{text}");
        let mut users = Users::load(&path).expect("read");
        assert!(users.is_right("ada", "correct horse"));
        assert!(!users.is_right("ada", "battery staple"));
        assert!(!users.is_right("bob", "correct horse") && !users.is_right("eve", "nobody"));
        assert!(!users.set("ada", "another one").expect("changed"));
        assert!(users.is_right("ada", "another one") && !users.is_right("ada", "correct horse"));
        assert!(users.remove("bob") && !users.remove("bob"));
        assert_eq!(users.names().collect::<Vec<_>>(), ["ada"]);
    }

    #[test]
    fn what_is_wrong_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("web-users");
        for name in ["", "a b", "a:b", "a/b", "ä", &"x".repeat(33)] {
            let refused = Users::default().set(name, "correct horse");
            assert!(matches!(refused, Err(UsersError::Name { .. })), "{name}");
        }
        assert!(matches!(Users::default().set("ada", "short"), Err(UsersError::Length { .. })));
        std::fs::write(&path, "ada:plain\n").expect("written");
        let with_mode = |mode| {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&path, permissions).expect("set");
            Users::load(&path)
        };
        assert!(matches!(with_mode(0o640), Err(UsersError::Open { .. })));
        assert!(matches!(with_mode(0o600), Err(UsersError::Line { line: 1, .. })));
    }
}
