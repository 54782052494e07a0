//! Wakes the loop when something changes in the incoming folder.
//!
//! Only an accelerator: the timed looks find everything, on file systems without events too.
//! inotify also tells of files that are opened for reading, so our own reads would wake us; only
//! what can be a new or finished file counts.

use std::path::Path;
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

/// A watch over a folder; ends when dropped.
#[derive(Debug)]
pub(super) struct FolderWatch {
    changed: Arc<Notify>,
    _watcher: Option<RecommendedWatcher>,
}

impl FolderWatch {
    /// Watches a folder with all below; without events when the system refuses.
    pub(super) fn over(folder: &Path) -> Self {
        let changed = Arc::new(Notify::new());
        let watcher = watcher(folder, Arc::clone(&changed))
            .inspect_err(|error| {
                tracing::warn!(%error, "No events of the incoming folder; only timed looks.");
            })
            .ok();
        Self { changed, _watcher: watcher }
    }

    /// Waits for a change; those since the last call count once.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}

fn watcher(folder: &Path, changed: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut watcher =
        notify::recommended_watcher(move |result: notify::Result<Event>| match result {
            Ok(event) if wakes(&event) => changed.notify_one(),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "Events of the incoming folder may be lost.");
                changed.notify_one();
            }
        })?;
    watcher.watch(folder, RecursiveMode::Recursive)?;
    Ok(watcher)
}

/// Tells whether an event can mean a new or finished file, or that events were lost.
fn wakes(event: &Event) -> bool {
    event.need_rescan()
        || matches!(
            event.kind,
            EventKind::Access(AccessKind::Close(AccessMode::Write))
                | EventKind::Modify(ModifyKind::Name(_))
                | EventKind::Create(_)
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{CreateKind, DataChange, Flag, RenameMode};

    #[test]
    fn reading_does_not_wake() {
        let wakes = |kind| wakes(&Event::new(kind));
        assert!(wakes(EventKind::Access(AccessKind::Close(AccessMode::Write))));
        assert!(wakes(EventKind::Modify(ModifyKind::Name(RenameMode::To))));
        assert!(wakes(EventKind::Create(CreateKind::File)));
        assert!(!wakes(EventKind::Access(AccessKind::Open(AccessMode::Any))));
        assert!(!wakes(EventKind::Access(AccessKind::Close(AccessMode::Read))));
        assert!(!wakes(EventKind::Modify(ModifyKind::Data(DataChange::Any))));
        let lost = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert!(super::wakes(&lost));
    }
}
