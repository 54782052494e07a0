//! Real folders, real events.

#![expect(clippy::disallowed_methods, reason = "tests write files of their own")]

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::symlink;

use notify::event::{DataChange, Flag};

use super::*;

/// How long an event may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long nothing must happen to count as silence.
const SILENCE: Duration = Duration::from_millis(600);

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn watch_over(folder: &Path) -> FolderWatch {
    let watch = FolderWatch::over_all(&[folder.to_owned()], &Daemon::default());
    assert!(!watch.is_polling(), "events of {}", folder.display());
    watch
}

async fn wakes(watch: &FolderWatch, within: Duration) -> bool {
    tokio::time::timeout(within, watch.ear().changed()).await.is_ok()
}

/// Lets the wakes pass that are under way.
async fn calm(watch: &FolderWatch) {
    while wakes(watch, SILENCE).await {}
}

/// Collects closed files until there are `n`.
async fn closed(watch: &FolderWatch, n: usize) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let end = Instant::now() + 3 * PATIENCE;
    while found.len() < n && Instant::now() < end {
        found.extend(watch.take_closed());
        wakes(watch, Duration::from_millis(300)).await;
    }
    found.extend(watch.take_closed());
    found
}

#[test]
fn only_new_and_finished_frames_have_a_meaning() {
    let ear = Ear {
        real: PathBuf::from("/in"),
        given: PathBuf::from("/in"),
        rules: NameRules::new(&[], "night.done"),
        shared: Arc::default(),
    };
    let of = |kind, path: &str| ear.meaning(&Event::new(kind).add_path(PathBuf::from(path)));
    let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
    let renamed = EventKind::Modify(ModifyKind::Name(RenameMode::To));
    assert_eq!(of(written, "/in/n/a.fits"), Meaning::Closed);
    assert_eq!(of(renamed, "/in/n/a.fits"), Meaning::Closed);
    assert_eq!(of(written, "/in/n/night.done"), Meaning::Look);
    assert_eq!(of(EventKind::Create(CreateKind::File), "/in/n/a.fits"), Meaning::Look);
    assert_eq!(of(EventKind::Create(CreateKind::Folder), "/in/n"), Meaning::NewFolder);
    assert_eq!(of(EventKind::Create(CreateKind::Folder), "/in/.tmp"), Meaning::Nothing);
    for path in ["/in/n/.a.fits.X1", "/in/n/log.txt", "/in/n/a.fits.part"] {
        assert_eq!(of(written, path), Meaning::Nothing, "{path}");
    }
    let data = EventKind::Modify(ModifyKind::Data(DataChange::Any));
    let open = EventKind::Access(AccessKind::Open(AccessMode::Any));
    let read = EventKind::Access(AccessKind::Close(AccessMode::Read));
    for kind in [data, open, read] {
        assert_eq!(of(kind, "/in/n/a.fits"), Meaning::Nothing, "{kind:?}");
    }
    let lost = Event::new(EventKind::Other).set_flag(Flag::Rescan);
    assert_eq!(ear.meaning(&lost), Meaning::Look);
}

#[test]
fn a_file_wakes_when_it_is_closed_and_not_when_it_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.fits");
    runtime().block_on(async {
        let watch = watch_over(folder.path());
        calm(&watch).await;
        let mut file = std::fs::File::create(&path).expect("a file");
        assert!(wakes(&watch, PATIENCE).await, "it is there");
        for _ in 0..3 {
            file.write_all(&[0; 5000]).expect("bytes");
            file.sync_all().expect("on the disk");
        }
        assert!(!wakes(&watch, SILENCE).await, "writing does not wake");
        assert!(watch.take_closed().is_empty(), "it is still open");
        drop(file);
        assert!(wakes(&watch, PATIENCE).await, "closed");
        assert_eq!(watch.take_closed(), std::slice::from_ref(&path));
        std::fs::read(&path).expect("the file");
        std::fs::read_dir(folder.path()).expect("the folder").for_each(drop);
        std::fs::write(folder.path().join("log.txt"), "junk").expect("a file");
        std::fs::write(folder.path().join(".b.fits.Xa12"), "half").expect("a file");
        assert!(!wakes(&watch, SILENCE).await, "reading and junk do not wake");
        std::fs::rename(folder.path().join(".b.fits.Xa12"), folder.path().join("b.fits"))
            .expect("put in place");
        assert!(wakes(&watch, PATIENCE).await);
        assert_eq!(watch.take_closed(), [folder.path().join("b.fits")]);
    });
}

#[test]
fn a_new_folder_wakes_again_after_it_is_watched() {
    let folder = tempfile::tempdir().expect("a folder");
    runtime().block_on(async {
        let watch = watch_over(folder.path());
        calm(&watch).await;
        let made = Instant::now();
        let night = folder.path().join("2026-03-01").join("raw");
        std::fs::create_dir_all(&night).expect("folders");
        assert!(wakes(&watch, PATIENCE).await);
        // However the events fell: one wake comes a second after the folder.
        let mut last = Instant::now();
        while wakes(&watch, 2 * NEW_FOLDER_WAIT).await {
            last = Instant::now();
        }
        assert!(last.duration_since(made) >= NEW_FOLDER_WAIT, "{:?}", last - made);
        let path = night.join("a.fits");
        std::fs::write(&path, "x").expect("a file");
        assert_eq!(closed(&watch, 1).await, BTreeSet::from([path]), "the new folder is watched");
    });
}

#[test]
fn a_folder_put_in_place_counts_as_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let incoming = folder.path().join("incoming");
    let elsewhere = folder.path().join("2026-03-01");
    for path in [&incoming, &elsewhere] {
        std::fs::create_dir(path).expect("a folder");
    }
    std::fs::write(elsewhere.join("a.fits"), "x").expect("a file");
    runtime().block_on(async {
        let watch = watch_over(&incoming);
        calm(&watch).await;
        let night = incoming.join("2026-03-01");
        std::fs::rename(&elsewhere, &night).expect("put in place");
        assert_eq!(closed(&watch, 1).await, BTreeSet::from([night]));
    });
}

#[test]
fn links_are_not_watched_but_the_folder_itself_may_be_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let (real, outside) = (folder.path().join("real"), folder.path().join("outside"));
    for path in [&real, &outside] {
        std::fs::create_dir(path).expect("a folder");
    }
    symlink(&outside, real.join("out")).expect("a link");
    let link = folder.path().join("incoming");
    symlink(&real, &link).expect("a link");
    runtime().block_on(async {
        let watch = watch_over(&link);
        calm(&watch).await;
        std::fs::write(outside.join("a.fits"), "x").expect("a file");
        assert!(!wakes(&watch, SILENCE).await, "outside");
        std::fs::write(real.join("b.fits"), "x").expect("a file");
        assert!(wakes(&watch, PATIENCE).await);
        assert_eq!(closed(&watch, 1).await, BTreeSet::from([link.join("b.fits")]));
    });
}

#[test]
fn ten_thousand_files_at_once_are_all_heard_in_few_wakes() {
    const N: usize = 10_000;
    let folder = tempfile::tempdir().expect("a folder");
    let night = folder.path().join("2026-03-01");
    std::fs::create_dir(&night).expect("a folder");
    runtime().block_on(async {
        let watch = watch_over(folder.path());
        calm(&watch).await;
        let start = Instant::now();
        let writer = tokio::task::spawn_blocking({
            let night = night.clone();
            move || {
                for i in 0..N {
                    std::fs::write(night.join(format!("{i:05}.fits")), "x").expect("a file");
                }
            }
        });
        let (mut found, mut n_wakes) = (BTreeSet::new(), 0_u32);
        while wakes(&watch, 2 * SILENCE).await {
            n_wakes += 1;
            found.extend(watch.take_closed());
        }
        writer.await.expect("written");
        let took = start.elapsed();
        println!("{} of {N} closings heard in {n_wakes} wakes, {took:?}", found.len());
        // The queue may overflow; then a wake comes, and looks find the rest.
        assert!(found.len() <= N && n_wakes > 0);
        let most = took.as_secs_f64() / GAP.as_secs_f64() + 2.0;
        assert!(f64::from(n_wakes) <= most, "{n_wakes} wakes in {took:?}");
    });
}

#[test]
fn the_list_of_closed_files_is_bounded() {
    let ear = Ear {
        real: PathBuf::from("/real"),
        given: PathBuf::from("/given"),
        rules: NameRules::new(&[], "night.done"),
        shared: Arc::default(),
    };
    let kind = EventKind::Access(AccessKind::Close(AccessMode::Write));
    for i in 0..CLOSED_MAX + 10 {
        ear.hear(Ok(Event::new(kind).add_path(PathBuf::from(format!("/real/{i}.fits")))));
    }
    let heard = ear.shared.heard();
    assert_eq!(heard.closed.len(), CLOSED_MAX);
    assert_eq!(heard.closed[0], PathBuf::from("/given/0.fits"));
}

#[test]
fn polling_has_a_quicker_timer_and_no_events() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut daemon = Daemon { watch: WatchMode::Poll, ..Daemon::default() };
    let watch = FolderWatch::over_all(&[folder.path().to_owned()], &daemon);
    assert!(watch.is_polling());
    assert!((watch.timer_s(&daemon) - 10.0).abs() < 1e-9, "the settle time");
    daemon.settle_s = 0.5;
    assert!((watch.timer_s(&daemon) - POLL_MIN_S).abs() < 1e-9);
    daemon.rescan_s = 2.0;
    assert!((watch.timer_s(&daemon) - 2.0).abs() < 1e-9);
    runtime().block_on(async {
        std::fs::write(folder.path().join("a.fits"), "x").expect("a file");
        assert!(!wakes(&watch, SILENCE).await);
    });
    daemon.watch = WatchMode::Auto;
    daemon.rescan_s = 300.0;
    let watch = FolderWatch::over_all(&[folder.path().to_owned()], &daemon);
    assert!((watch.timer_s(&daemon) - 300.0).abs() < 1e-9, "events are believed");
}

#[test]
fn a_deaf_watch_falls_back_to_polling() {
    let folder = tempfile::tempdir().expect("a folder");
    let watch = watch_over(folder.path());
    let ear = Ear {
        real: folder.path().to_owned(),
        given: folder.path().to_owned(),
        rules: NameRules::new(&[], "night.done"),
        shared: Arc::clone(&watch.shared),
    };
    ear.hear(Err(notify::Error::new(ErrorKind::MaxFilesWatch)));
    assert!(watch.is_polling());
}

#[test]
fn a_folder_that_comes_later_or_anew_is_watched_then() {
    let folder = tempfile::tempdir().expect("a folder");
    let incoming = folder.path().join("incoming");
    runtime().block_on(async {
        let daemon = Daemon::default();
        let mut watch = FolderWatch::over_all(std::slice::from_ref(&incoming), &daemon);
        assert!(watch.is_polling(), "nothing to watch yet");
        for name in ["a.fits", "b.fits"] {
            std::fs::create_dir(&incoming).expect("a folder");
            watch.refresh();
            assert!(!watch.is_polling());
            assert!(wakes(&watch, PATIENCE).await, "a look after the watch stands");
            calm(&watch).await;
            std::fs::write(incoming.join(name), "x").expect("a file");
            assert_eq!(closed(&watch, 1).await, BTreeSet::from([incoming.join(name)]));
            // Moved away, not removed, so that its inode cannot come again.
            std::fs::rename(&incoming, folder.path().join(format!("old_{name}"))).expect("moved");
            assert!(wakes(&watch, PATIENCE).await, "its going wakes");
        }
    });
}
