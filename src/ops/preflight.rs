//! What must be there before a night can be worked on: the folders and files that the
//! configuration names. The service begins only when nothing is told here, and
//! `autossosctl config check` asks the same.
//!
//! Nothing is made or changed. Folders are compared as the system resolves them, links and all.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::config::{Config, Telescope};
use crate::store::filesystem::is_network;

/// Longest path of a socket [bytes]: `sun_path` of unix(7) without its closing zero.
const SOCKET_PATH_MAX_BYTES: usize = 107;

/// What a person must mend before the service can begin; exit code 78.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PreflightError {
    /// No incoming folder is named.
    #[error(
        "`daemon.incoming` is not set: name the folder that receives the raw frames, in the \
         configuration file below [daemon] or as AUTOSSOS_DAEMON__INCOMING in the environment; \
         of several telescopes each has its own, below [[telescope]]"
    )]
    NoIncoming,
    /// An incoming folder is not there.
    #[error("{key}: {} is no folder that can be read: make it, or mend the path", path.display())]
    Incoming {
        /// Which setting names it.
        key: String,
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Two telescopes would take each other's frames.
    #[error(
        "{key}: {} and {} of {other_key} are one folder or lie in each other: give each telescope \
         a folder of its own", path.display(), other.display()
    )]
    SharedIncoming {
        /// Which setting names the folder.
        key: String,
        /// The folder.
        path: PathBuf,
        /// Which setting names the other one.
        other_key: String,
        /// The other one.
        other: PathBuf,
    },
    /// What is written would be taken for raw frames.
    #[error(
        "`{key}`: {} lies in the incoming folder {}, which is only read: move it elsewhere",
        path.display(), incoming.display()
    )]
    InIncoming {
        /// Which setting names it.
        key: &'static str,
        /// The folder that is written.
        path: PathBuf,
        /// The incoming folder.
        incoming: PathBuf,
    },
    /// Raw frames would lie among the products.
    #[error(
        "{key}: {} lies in the data folder {} (`daemon.data`): raw frames need a folder outside",
        path.display(), data.display()
    )]
    IncomingInData {
        /// Which setting names it.
        key: String,
        /// The incoming folder.
        path: PathBuf,
        /// The data folder.
        data: PathBuf,
    },
    /// A folder that is written, or the folder that will hold it, is not there.
    #[error("`{key}`: {} can be no folder: mend the path, or what stands there", path.display())]
    Folder {
        /// Which setting names it.
        key: &'static str,
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The database would lie where locks cannot be trusted.
    #[error(
        "`daemon.data`: {} lies on a network file system, where the database would be damaged: \
         use a disk of this machine", path.display()
    )]
    Network {
        /// The data folder.
        path: PathBuf,
    },
    /// A star catalogue is not there.
    #[error(
        "`reference.files`: {} cannot be read: fetch it, or take it off the list", path.display()
    )]
    Reference {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The folder of the control socket is not there and cannot be made.
    #[error(
        "`daemon.socket`: the folder of {} is not there, nor the one above: make it, or mend the \
         path", path.display()
    )]
    SocketFolder {
        /// The socket.
        path: PathBuf,
    },
    /// The system cannot open so long a path as a socket.
    #[error("`daemon.socket`: {} is longer than {max} bytes", path.display())]
    SocketLength {
        /// The socket.
        path: PathBuf,
        /// Most that are allowed [bytes].
        max: usize,
    },
    /// A path cannot be made absolute.
    #[error("the path {} cannot be used", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Checks what the configuration names; gives the telescopes, their folders absolute.
///
/// Errors: at least one mistake, all that were found.
pub fn preflight(config: &Config) -> Result<Vec<Telescope>, Vec<PreflightError>> {
    let mut told = Vec::new();
    let mut telescopes = config.telescopes();
    if telescopes.is_empty() {
        told.push(PreflightError::NoIncoming);
    }
    for telescope in &mut telescopes {
        if let Some(path) = kept(absolute(&telescope.incoming), &mut told) {
            telescope.incoming = path;
        }
    }
    let incoming = incoming_folders(&telescopes, &mut told);
    written_folders(config, &incoming, &mut told);
    for path in &config.reference.files {
        let opened = std::fs::File::open(path);
        told.extend(
            opened.err().map(|source| PreflightError::Reference { path: path.clone(), source }),
        );
    }
    if let Some(socket) = &config.daemon.socket {
        told.extend(socket_mistake(socket));
    }
    if told.is_empty() { Ok(telescopes) } else { Err(told) }
}

/// A path from the root on, links not followed.
pub fn absolute(path: &Path) -> Result<PathBuf, PreflightError> {
    std::path::absolute(path)
        .map_err(|source| PreflightError::Path { path: path.to_owned(), source })
}

/// An incoming folder as the system resolves it.
struct Incoming {
    key: String,
    path: PathBuf,
}

/// The setting that names a telescope's incoming folder.
fn key_of(telescope: &Telescope) -> String {
    if telescope.name.is_empty() {
        return "`daemon.incoming`".to_owned();
    }
    format!("`incoming` of the telescope \"{}\"", telescope.name)
}

/// The incoming folders that can be read; the others, and shared ones, are told.
fn incoming_folders(telescopes: &[Telescope], told: &mut Vec<PreflightError>) -> Vec<Incoming> {
    let mut folders: Vec<Incoming> = Vec::new();
    for telescope in telescopes {
        let (key, path) = (key_of(telescope), telescope.incoming.clone());
        let real = std::fs::read_dir(&path).and_then(|_| path.canonicalize());
        let real = match real {
            Ok(real) => real,
            Err(source) => {
                told.push(PreflightError::Incoming { key, path, source });
                continue;
            }
        };
        let shared = folders.iter().find(|other| overlap(&real, &other.path));
        told.extend(shared.map(|other| PreflightError::SharedIncoming {
            key: key.clone(),
            path: real.clone(),
            other_key: other.key.clone(),
            other: other.path.clone(),
        }));
        folders.push(Incoming { key, path: real });
    }
    folders
}

fn overlap(a: &Path, b: &Path) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

/// Tells of folders that are written where they must not be.
fn written_folders(config: &Config, incoming: &[Incoming], told: &mut Vec<PreflightError>) {
    let data_key = "daemon.data";
    let written = [
        (data_key, Some(&config.daemon.data)),
        ("keep.backup_folder", config.keep.backup_folder.as_ref()),
        ("mail.spool", config.mail.spool.as_ref()),
    ];
    for (key, path) in written {
        let Some(path) = path else { continue };
        let (parent, real) = match resolved(path) {
            Ok(resolved) => resolved,
            Err(source) => {
                told.push(PreflightError::Folder { key, path: path.clone(), source });
                continue;
            }
        };
        for folder in incoming {
            if real.starts_with(&folder.path) {
                let (path, incoming) = (real.clone(), folder.path.clone());
                told.push(PreflightError::InIncoming { key, path, incoming });
            } else if key == data_key && folder.path.starts_with(&real) {
                let (key, path) = (folder.key.clone(), folder.path.clone());
                told.push(PreflightError::IncomingInData { key, path, data: real.clone() });
            }
        }
        if key == data_key && is_network(&parent).unwrap_or(false) {
            told.push(PreflightError::Network { path: real });
        }
    }
}

/// The deepest folder of a path that is there, and the whole path, both as the system resolves
/// them.
fn resolved(path: &Path) -> io::Result<(PathBuf, PathBuf)> {
    let path = std::path::absolute(path)?;
    for there in path.ancestors() {
        let real = match there.canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if !real.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let rest = path.strip_prefix(there).unwrap_or(Path::new(""));
        let whole = if rest.as_os_str().is_empty() { real.clone() } else { real.join(rest) };
        return Ok((real, whole));
    }
    Err(io::ErrorKind::NotFound.into())
}

/// The folder of a socket is made by the service or by systemd, but not more than one.
fn socket_mistake(path: &Path) -> Option<PreflightError> {
    let path = path.to_owned();
    if path.as_os_str().len() > SOCKET_PATH_MAX_BYTES {
        return Some(PreflightError::SocketLength { path, max: SOCKET_PATH_MAX_BYTES });
    }
    let whole = std::path::absolute(&path).ok();
    let folder = whole.as_deref().and_then(Path::parent);
    let above = folder.and_then(Path::parent);
    let is_there = [folder, above].into_iter().flatten().any(Path::is_dir);
    let is_file = folder.is_some_and(Path::is_file);
    (!is_there || is_file).then_some(PreflightError::SocketFolder { path })
}

fn kept<T>(value: Result<T, PreflightError>, told: &mut Vec<PreflightError>) -> Option<T> {
    value.map_err(|mistake| told.push(mistake)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(folder: &Path, names: &[&str]) {
        for name in names {
            std::fs::create_dir_all(folder.join(name)).expect("a folder");
        }
    }

    fn config_with(incoming: &Path, data: &Path) -> Config {
        let mut config = Config::default();
        config.daemon.incoming = Some(incoming.to_owned());
        config.daemon.data = data.to_owned();
        config
    }

    fn with_telescopes(folder: &Path, names: &[(&str, &str)]) -> Config {
        let mut config = config_with(folder, &folder.join("data"));
        let only = config.telescopes().pop().expect("one telescope");
        config.daemon.incoming = None;
        config.telescopes = names
            .iter()
            .map(|(name, incoming)| Telescope {
                name: (*name).to_owned(),
                incoming: folder.join(incoming),
                ..only.clone()
            })
            .collect();
        config
    }

    /// The mistakes' texts.
    fn told(config: &Config) -> Vec<String> {
        let mistakes = preflight(config).err().unwrap_or_default();
        mistakes.iter().map(ToString::to_string).collect()
    }

    #[track_caller]
    fn assert_told(config: &Config, words: &[&str]) {
        let told = told(config);
        let is_fine = words.len() == told.len()
            && told.iter().zip(words).all(|(told, word)| told.contains(word));
        assert!(is_fine, "{told:#?} is not {words:?}");
    }

    #[test]
    fn what_is_missing_is_told_all_at_once() {
        assert_told(&Config::default(), &["`daemon.incoming` is not set"]);
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = config_with(&folder.path().join("in"), &folder.path().join("data"));
        config.reference.files = vec![folder.path().join("gaia.csv")];
        assert_told(&config, &["`daemon.incoming`: ", "gaia.csv cannot be read"]);

        make(folder.path(), &["in"]);
        config.reference.files.clear();
        let telescopes = preflight(&config).expect("all is there");
        assert_eq!(telescopes[0].incoming, folder.path().join("in"));
        assert!(!folder.path().join("data").exists(), "a check makes nothing");
    }

    #[test]
    fn every_telescope_needs_its_own_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        make(folder.path(), &["north/deep", "south"]);
        let config = with_telescopes(folder.path(), &[("north", "north"), ("south", "south")]);
        assert_eq!(told(&config), Vec::<String>::new());
        let missing = with_telescopes(folder.path(), &[("north", "north"), ("west", "west")]);
        assert_told(&missing, &["`incoming` of the telescope \"west\": "]);

        // The text of the paths does not show that they meet.
        std::os::unix::fs::symlink("north/deep", folder.path().join("link")).expect("a link");
        let shared = with_telescopes(folder.path(), &[("north", "north"), ("east", "link")]);
        assert_told(&shared, &["lie in each other"]);
    }

    #[test]
    fn raw_frames_and_products_lie_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        make(folder.path(), &["in", "data/in", "both"]);
        let at = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink("in", at("link")).expect("a link");

        assert_told(&config_with(&at("in"), &at("link/new/data")), &["`daemon.data`: "]);
        assert_told(&config_with(&at("both"), &at("both")), &["`daemon.data`: "]);
        assert_told(&config_with(&at("data/in"), &at("data")), &["raw frames need a folder"]);
        let mut config = config_with(&at("in"), &at("data"));
        config.keep.backup_folder = Some(at("in/backups"));
        config.mail.spool = Some(at("link/spool"));
        assert_told(&config, &["`keep.backup_folder`: ", "`mail.spool`: "]);
        // A folder whose name only begins alike is another one.
        assert_eq!(told(&config_with(&at("in"), &at("in2"))), Vec::<String>::new());
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a file of a test")]
    fn a_file_is_no_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        make(folder.path(), &["in"]);
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("a file");
        let incoming = folder.path().join("in");
        assert_told(&config_with(&incoming, &file), &["`daemon.data`: "]);
        assert_told(&config_with(&incoming, &file.join("data")), &["`daemon.data`: "]);
        assert_told(&config_with(&file, &folder.path().join("data")), &["`daemon.incoming`: "]);
    }

    #[test]
    fn one_folder_above_the_socket_is_enough() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| socket_mistake(&folder.path().join(name)).map(|e| e.to_string());
        assert_eq!(at("control.sock"), None);
        assert_eq!(at("run/control.sock"), None);
        assert!(at("run/autossos/control.sock").is_some_and(|text| text.contains("make it")));
        assert!(at(&"x".repeat(108)).is_some_and(|text| text.contains("107 bytes")));
    }
}
