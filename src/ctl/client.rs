//! Finds the service: its socket when it runs, its database when it does not.
//!
//! The socket is `--socket`, else the configuration's; the data folder is `--data`, else the
//! configuration's. Reading goes to the database in any case; orders go to the service and, when
//! none listens, to the database. Two processes cannot write: the data folder has a lock.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};

use super::args::PlaceArgs;
use super::environment;
use crate::config::{self, Config};
use crate::ops::orders::wire::{ANSWER_MAX_BYTES, Answer, Request};
use crate::ops::orders::{self, Order, OrderDone};
use crate::store::{Reader, Store, StoreError};

/// The service's configuration when none is named.
const CONFIG_PATH: &str = "/etc/autossos/autossos.toml";
/// The data folder when nothing names one.
const DATA_DIR: &str = "./autossos-data";
/// How long the service may take to answer: an order may wait for the database.
const ANSWER_TIME: Duration = Duration::from_secs(60);
/// How often and after which pauses a data folder in use is tried again.
const IN_USE_TRIES: usize = 10;
const IN_USE_PAUSE: Duration = Duration::from_millis(50);

/// The configuration and the data folder of a verb.
///
/// * `file`: as named; else the service's, when it is there; else the built-in values hold.
/// * `data`: as named; else as a configuration file says; else in the working folder.
pub(super) fn configured(
    file: Option<&Path>,
    data: Option<&Path>,
    set: &[String],
) -> anyhow::Result<(Config, PathBuf)> {
    let by_default = Path::new(CONFIG_PATH);
    let file = file.or_else(|| by_default.exists().then_some(by_default));
    let config = config::load(file, set, environment())?;
    // `--set` and the environment may name it as well.
    let is_named = file.is_some() || config.daemon.data != Config::default().daemon.data;
    let by_config = if is_named { config.daemon.data.clone() } else { PathBuf::from(DATA_DIR) };
    let data = data.map_or(by_config, Path::to_owned);
    Ok((config, data))
}

/// Where the service and its data are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The socket; none is configured when there is none.
    pub(super) socket: Option<PathBuf>,
    /// The data folder.
    pub(super) data: PathBuf,
}

/// Who did an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DoneBy {
    /// The service, which goes to work at once.
    Service,
    /// This program on the database: the service will find it when it starts.
    Database,
}

impl Place {
    /// Finds both from the command line and the configuration.
    pub(super) fn find(args: &PlaceArgs) -> anyhow::Result<Self> {
        let (config, data) = configured(args.config.as_deref(), args.data.as_deref(), &[])?;
        let daemon = config.daemon;
        // Another data folder than the service's is not the service's business.
        let is_of_service = args.data.is_none() || same_folder(&data, &daemon.data);
        let socket = args.socket.clone().or_else(|| daemon.socket.filter(|_| is_of_service));
        Ok(Self { socket, data })
    }

    /// Asks the service; `None` when none listens.
    pub(super) fn ask(&self, request: &Request) -> anyhow::Result<Option<Answer>> {
        let Some(socket) = &self.socket else {
            return Ok(None);
        };
        let stream = match UnixStream::connect(socket) {
            Ok(stream) => stream,
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => return Ok(None),
                io::ErrorKind::PermissionDenied => bail!(
                    "this user may not talk to the service at {}: become a member of the \
                     socket's group, usually autossos, or use sudo",
                    socket.display()
                ),
                _ => return Err(error).context(format!("cannot reach {}", socket.display())),
            },
        };
        let answer = exchange(&stream, request)
            .with_context(|| format!("the service at {} did not answer", socket.display()))?;
        match answer {
            Answer::Refused { text } => Err(anyhow!(text)),
            answer => Ok(Some(answer)),
        }
    }

    /// The database, for reading.
    pub(super) fn reader(&self) -> anyhow::Result<Reader> {
        Ok(Reader::open(&self.data)?)
    }

    /// Gives an order to the service, or carries it into the database when the service is down.
    pub(super) fn order(&self, what: Order) -> anyhow::Result<(OrderDone, DoneBy)> {
        match self.ask(&Request::Do { what: what.clone() })? {
            Some(Answer::Done(done)) => return Ok((done, DoneBy::Service)),
            Some(other) => bail!("the service answered something else: {other:?}"),
            None => {}
        }
        let store = self.store()?;
        let done = orders::apply(&store, &what);
        store.close_cleanly()?;
        Ok((done?, DoneBy::Database))
    }

    /// The database, for writing, while no service has it.
    pub(super) fn store(&self) -> anyhow::Result<Store> {
        // Opening for writing would make a database; there must be one to give orders to.
        drop(self.reader()?);
        let mut opened = Store::open(&self.data);
        for _ in 0..IN_USE_TRIES {
            if !matches!(opened, Err(StoreError::InUse { .. })) {
                break;
            }
            // Another person's order has it for some hundredths of a second.
            std::thread::sleep(IN_USE_PAUSE);
            opened = Store::open(&self.data);
        }
        match opened {
            Err(StoreError::InUse { path }) => bail!(self.in_use(&path)),
            opened => Ok(opened?),
        }
    }

    /// Why an order can go neither way, and what to do.
    fn in_use(&self, data: &Path) -> String {
        let why = match &self.socket {
            Some(socket) => format!(
                "no service listens at {}: if autossosd runs, `daemon.socket` of its \
                 configuration must name this socket (or give --socket); if another autossosctl \
                 works there, wait for its end",
                socket.display()
            ),
            None => "no socket is known to reach the service: set `daemon.socket` in the \
                     configuration and name that with --config, or stop the service first"
                .to_owned(),
        };
        format!("the data folder {} is in use, but {why}", data.display())
    }
}

/// Compares two folders as the system sees them, or as they are written.
fn same_folder(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    real(a) == real(b)
}

/// Sends a line, reads a line.
fn exchange(mut stream: &UnixStream, request: &Request) -> anyhow::Result<Answer> {
    stream.set_read_timeout(Some(ANSWER_TIME))?;
    stream.set_write_timeout(Some(ANSWER_TIME))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut text = Vec::new();
    let limit = ANSWER_MAX_BYTES as u64 + 1;
    BufReader::new(stream.take(limit)).read_until(b'\n', &mut text)?;
    if text.pop() != Some(b'\n') {
        bail!("it ended the connection in the middle of its answer");
    }
    serde_json::from_slice(&text).context("it is of another version: restart it after an update")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(folder: &Path) -> PlaceArgs {
        PlaceArgs { socket: None, config: Some(folder.join("a.toml")), data: None }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test writes its configuration")]
    fn the_configuration_names_both_and_the_command_line_wins() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "[daemon]\nsocket = \"run/sock\"\ndata = \"data\"\n";
        std::fs::write(folder.path().join("a.toml"), text).expect("a file");
        let (socket, data) = (folder.path().join("run/sock"), folder.path().join("data"));
        std::fs::create_dir(&data).expect("a folder");
        let mut given = args(folder.path());
        let found = Place::find(&given).expect("found");
        assert_eq!(found, Place { socket: Some(socket.clone()), data: data.clone() });
        // The same folder by another way is still the service's.
        given.data = Some(data.join("../data"));
        assert_eq!(Place::find(&given).expect("found").socket, Some(socket));
        // Another folder is not: the service must not get an order meant for that.
        given.data = Some(folder.path().to_owned());
        assert_eq!(Place::find(&given).expect("found").socket, None);
        given.socket = Some("other".into());
        assert_eq!(Place::find(&given).expect("found").socket, Some("other".into()));
        given.config = Some(folder.path().join("none.toml"));
        let error = Place::find(&given).expect_err("no such file");
        assert!(error.is::<config::ConfigError>(), "{error}");
    }

    #[test]
    fn without_a_socket_nobody_is_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut place = Place { socket: None, data: folder.path().to_owned() };
        assert_eq!(place.ask(&Request::Status).expect("nobody"), None);
        place.socket = Some(folder.path().join("sock"));
        assert_eq!(place.ask(&Request::Status).expect("nobody"), None);
        let error = place.order(Order::Resume).expect_err("no database");
        assert!(error.to_string().contains("no database"), "{error}");
        assert!(folder.path().read_dir().expect("a list").next().is_none(), "nothing was made");
    }
}
