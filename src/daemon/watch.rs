//! Wakes the loop when something changes in the incoming folders, and remembers which files were
//! closed after writing.
//!
//! Only an accelerator: looks at the folders find everything, on file systems without events too.
//! inotify also tells of files that are opened for reading, so our own reads would wake us; only
//! what can be a new or finished frame counts. A new folder is watched a moment after it was
//! made: files that came in between are found by one more wake a second later.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind, RenameMode};
use notify::{Config, ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

use super::intake::{NameKind, NameRules};
use crate::config::{Daemon, WatchMode};
use crate::store::filesystem;

/// Most closed files that are remembered between two looks; the settle time decides of others.
const CLOSED_MAX: usize = 20_000;
/// Time between two wakes at least: files come in flocks.
const GAP: Duration = Duration::from_millis(200);
/// Time after which the files of a new folder are looked for once more.
const NEW_FOLDER_WAIT: Duration = Duration::from_secs(1);
/// Shortest time between two looks where there are no events [s].
const POLL_MIN_S: f64 = 5.0;

/// A watch over folders; ends when dropped.
#[derive(Debug)]
pub(super) struct FolderWatch {
    shared: Arc<Shared>,
    folders: Vec<Watched>,
    rules: NameRules,
    mode: WatchMode,
}

/// One folder with all below.
#[derive(Debug)]
struct Watched {
    folder: PathBuf,
    /// Device and inode of the folder that is watched; a remounted disk has others.
    identity: Option<(u64, u64)>,
    watcher: Option<RecommendedWatcher>,
}

#[derive(Debug, Default)]
struct Shared {
    changed: Notify,
    heard: Mutex<Heard>,
}

/// What the events told since the last look.
#[derive(Debug, Default)]
struct Heard {
    closed: Vec<PathBuf>,
    again_at: Option<Instant>,
    woken_at: Option<Instant>,
    is_deaf: bool,
}

impl Shared {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FolderWatch {
    /// Watches folders with all below; those without events are told and need timed looks.
    pub(super) fn over_all(folders: &[PathBuf], daemon: &Daemon) -> Self {
        let watched =
            |folder: &PathBuf| Watched { folder: folder.clone(), identity: None, watcher: None };
        let mut watch = Self {
            shared: Arc::new(Shared::default()),
            folders: folders.iter().map(watched).collect(),
            rules: NameRules::new(&daemon.ignore, &daemon.close_marker),
            mode: daemon.watch,
        };
        watch.refresh();
        watch
    }

    /// Watches anew what is not the same folder any more (a disk mounted again); for each look.
    pub(super) fn refresh(&mut self) {
        for watched in &mut self.folders {
            let identity = identity_of(&watched.folder).ok();
            if identity.is_none() || identity == watched.identity {
                continue;
            }
            watched.identity = identity;
            watched.watcher = None;
            if !is_told_by_events(&watched.folder, self.mode) {
                continue;
            }
            match watcher(&watched.folder, &self.rules, &self.shared) {
                Ok(watcher) => {
                    watched.watcher = Some(watcher);
                    // What came before the watch stood is found by a look after it.
                    self.shared.changed.notify_one();
                }
                Err(error) => tell_deaf(&watched.folder, &error),
            }
        }
    }

    /// What can wait for changes, elsewhere than where the looks are.
    pub(super) fn ear(&self) -> ChangeEar {
        ChangeEar(Arc::clone(&self.shared))
    }

    /// Takes the files (and folders) that were closed after writing or put in place since the
    /// last call, by their paths below the folders as they were given. To be called before the
    /// look that uses them.
    pub(super) fn take_closed(&self) -> Vec<PathBuf> {
        std::mem::take(&mut self.shared.heard().closed)
    }

    /// Tells whether events of a folder are missing, so that only looks find what comes.
    pub(super) fn is_polling(&self) -> bool {
        self.shared.heard().is_deaf || self.folders.iter().any(|f| f.watcher.is_none())
    }

    /// Time between two looks that nothing else asks for [s].
    pub(super) fn timer_s(&self, daemon: &Daemon) -> f64 {
        if self.is_polling() {
            daemon.rescan_s.min(daemon.settle_s.max(POLL_MIN_S))
        } else {
            daemon.rescan_s
        }
    }
}

/// Waits for changes of watched folders.
#[derive(Debug)]
pub(super) struct ChangeEar(Arc<Shared>);

impl ChangeEar {
    /// Waits for a change; those since the last call count once. Nothing is lost when the wait
    /// is given up.
    pub(super) async fn changed(&self) {
        let (woken_at, again_at) = {
            let heard = self.0.heard();
            (heard.woken_at, heard.again_at)
        };
        if let Some(woken_at) = woken_at {
            tokio::time::sleep_until((woken_at + GAP).into()).await;
        }
        let again = async {
            match again_at {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.0.changed.notified() => {}
            () = again => {}
        }
        let now = Instant::now();
        let mut heard = self.0.heard();
        heard.woken_at = Some(now);
        heard.again_at = heard.again_at.filter(|at| *at > now);
    }
}

/// Tells whether the events of a folder are to be believed.
fn is_told_by_events(folder: &Path, mode: WatchMode) -> bool {
    match mode {
        WatchMode::Events => true,
        WatchMode::Poll => false,
        WatchMode::Auto => {
            let is_network = filesystem::is_network(folder).unwrap_or(false);
            if is_network {
                tracing::info!(
                    folder = %folder.display(),
                    "The folder lies on a network file system: timed looks instead of events."
                );
            }
            !is_network
        }
    }
}

fn identity_of(folder: &Path) -> io::Result<(u64, u64)> {
    let data = std::fs::metadata(folder)?;
    Ok((data.dev(), data.ino()))
}

fn tell_deaf(folder: &Path, error: &notify::Error) {
    let advice = match error.kind {
        ErrorKind::MaxFilesWatch => " Raise fs.inotify.max_user_watches for quicker answers.",
        _ => "",
    };
    tracing::warn!(
        folder = %folder.display(),
        %error,
        "No events of the incoming folder; timed looks instead.{advice}"
    );
}

fn watcher(
    folder: &Path,
    rules: &NameRules,
    shared: &Arc<Shared>,
) -> notify::Result<RecommendedWatcher> {
    // The folder itself may be a link; none below is followed.
    let real = std::fs::canonicalize(folder).map_err(notify::Error::io)?;
    let ear = Ear {
        real: real.clone(),
        given: folder.to_owned(),
        rules: rules.clone(),
        shared: Arc::clone(shared),
    };
    let config = Config::default().with_follow_symlinks(false);
    let mut watcher = RecommendedWatcher::new(move |result| ear.hear(result), config)?;
    watcher.watch(&real, RecursiveMode::Recursive)?;
    Ok(watcher)
}

/// What an event means for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Nothing,
    /// Something may have come or events were lost.
    Look,
    /// A frame is finished.
    Closed,
    /// A folder is new, perhaps with files in it already.
    NewFolder,
    /// A folder was put in place with all that is in it.
    MovedFolder,
}

/// Hears the events of one folder.
struct Ear {
    real: PathBuf,
    given: PathBuf,
    rules: NameRules,
    shared: Arc<Shared>,
}

impl Ear {
    fn hear(&self, result: notify::Result<Event>) {
        let event = match result {
            Ok(event) => event,
            Err(error) => {
                let mut heard = self.shared.heard();
                if !heard.is_deaf {
                    tell_deaf(&self.given, &error);
                }
                heard.is_deaf |= matches!(error.kind, ErrorKind::MaxFilesWatch);
                self.shared.changed.notify_one();
                return;
            }
        };
        let meaning = self.meaning(&event);
        if meaning == Meaning::Nothing {
            return;
        }
        let mut heard = self.shared.heard();
        let is_closed = matches!(meaning, Meaning::Closed | Meaning::MovedFolder);
        if let Some(path) = event.paths.last().filter(|_| is_closed)
            && heard.closed.len() < CLOSED_MAX
        {
            let below = path.strip_prefix(&self.real).map(|below| self.given.join(below));
            heard.closed.push(below.unwrap_or_else(|_| path.clone()));
        }
        if matches!(meaning, Meaning::NewFolder | Meaning::MovedFolder) || event.need_rescan() {
            heard.again_at = Some(Instant::now() + NEW_FOLDER_WAIT);
        }
        drop(heard);
        self.shared.changed.notify_one();
    }

    fn meaning(&self, event: &Event) -> Meaning {
        if event.need_rescan() {
            return Meaning::Look;
        }
        let Some(path) = event.paths.last() else { return Meaning::Nothing };
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let kind = self.rules.kind_of(name);
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => of_file(kind),
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) => match of_file(kind) {
                Meaning::Nothing if self.is_folder(path, name) => Meaning::MovedFolder,
                meaning => meaning,
            },
            EventKind::Create(CreateKind::Folder) if self.rules.is_open_folder(name) => {
                Meaning::NewFolder
            }
            // A hard link is never closed; the look that this wakes sees it.
            EventKind::Create(CreateKind::File) if of_file(kind) != Meaning::Nothing => {
                Meaning::Look
            }
            // The folder itself went: the next look finds out.
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) if *path == self.real => {
                Meaning::Look
            }
            _ => Meaning::Nothing,
        }
    }

    fn is_folder(&self, path: &Path, name: &str) -> bool {
        let is_folder = std::fs::symlink_metadata(path).is_ok_and(|data| data.is_dir());
        is_folder && self.rules.is_open_folder(name)
    }
}

fn of_file(kind: NameKind) -> Meaning {
    match kind {
        NameKind::Frame => Meaning::Closed,
        NameKind::Marker => Meaning::Look,
        NameKind::Temporary | NameKind::Other => Meaning::Nothing,
    }
}

#[cfg(test)]
mod tests;
