//! Files that are written, stopped, cut and closed, with real files and a clock by hand.

#![expect(clippy::disallowed_methods, reason = "tests write files of their own")]

use std::io::Write;
use std::time::Duration;

use super::super::listing::{Reach, list};
use super::super::names::NameRules;
use super::*;

const SETTLE_S: f64 = 10.0;
const PARTIAL_S: f64 = 600.0;

/// One block of header and `data` bytes of the 6000 that it announces.
fn picture(data: usize) -> Vec<u8> {
    let lines = [
        "SIMPLE  =                    T",
        "BITPIX  =                   16",
        "NAXIS   =                    2",
        "NAXIS1  =                  100",
        "NAXIS2  =                   30",
        "END",
    ];
    let mut bytes: Vec<u8> =
        lines.iter().flat_map(|line| format!("{line:80}").into_bytes()).collect();
    bytes.resize(2880, b' ');
    bytes.resize(2880 + data, 7);
    bytes
}

/// A folder with one file, the memory of it, and the clocks.
struct Scene {
    folder: tempfile::TempDir,
    readiness: Readiness,
    start: Instant,
    passed_s: f64,
    /// How far our clock is from that of the file system [s].
    clock_error_s: f64,
    closed: HashSet<PathBuf>,
}

impl Scene {
    fn new() -> Self {
        Self::at(Place::Local, PARTIAL_S)
    }

    fn at(place: Place, partial_s: f64) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            readiness: Readiness::new(SETTLE_S, partial_s, place, Limits::default()),
            start: Instant::now(),
            passed_s: 0.0,
            clock_error_s: 0.0,
            closed: HashSet::new(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("a.fits")
    }

    fn put(&self, bytes: &[u8]) {
        std::fs::write(self.path(), bytes).expect("a file");
    }

    fn pass(&mut self, wait_s: f64) {
        self.passed_s += wait_s;
    }

    /// One look; the file is as old as the time that was let pass since it was put there.
    fn look(&mut self) -> (Option<FileState>, Option<f64>) {
        self.look_with_age(None)
    }

    /// One look at a file whose age by the file system's clock is chosen [s].
    fn look_with_age(&mut self, age_s: Option<f64>) -> (Option<FileState>, Option<f64>) {
        let reach = Reach { depth_max: 3, files_max: 10 };
        let rules = NameRules::new(&[], "night.done");
        let listing = list(self.folder.path(), reach, &rules).expect("a listing");
        let file = listing.files.into_iter().next().expect("the file");
        // The real clock stands as good as still; ours is moved by hand.
        let age_s = age_s.unwrap_or(0.0);
        let now = epoch_of_ns(file.changed_ns).plus_seconds(age_s + self.clock_error_s);
        let closed = std::mem::take(&mut self.closed);
        let instant = self.start + Duration::from_millis((self.passed_s * 1000.0) as u64);
        self.readiness.begin();
        let state = self.readiness.state(&file, Moment { now, instant, closed: &closed });
        (state, self.readiness.end())
    }
}

fn partial(found_bytes: u64) -> Option<FileState> {
    Some(FileState::Partial { expected_bytes: Some(8880), found_bytes })
}

#[test]
fn a_quiet_file_is_complete_after_the_settle_time() {
    let mut scene = Scene::new();
    scene.put(&picture(6000));
    let (state, next_s) = scene.look();
    assert_eq!(state, Some(FileState::Waiting));
    assert!(next_s.is_some_and(|next_s| (next_s - SETTLE_S).abs() < 0.01), "{next_s:?}");
    scene.pass(9.9);
    assert_eq!(scene.look().0, Some(FileState::Waiting));
    scene.pass(0.2);
    assert_eq!(scene.look(), (Some(FileState::Complete), None));
    // Rewritten: it waits again.
    let mut longer = picture(6000);
    longer.push(0);
    scene.put(&longer);
    assert_eq!(scene.look().0, Some(FileState::Waiting));
}

#[test]
fn closing_makes_a_file_complete_at_once() {
    let mut scene = Scene::new();
    scene.put(&picture(6000));
    scene.closed.insert(scene.path());
    assert_eq!(scene.look(), (Some(FileState::Complete), None));
    // A folder put in place brings complete files.
    let mut scene = Scene::new();
    scene.put(&picture(6000));
    scene.closed.insert(scene.folder.path().to_owned());
    assert_eq!(scene.look().0, Some(FileState::Complete));
    // The closing of another file does not count, nor that of an older state.
    let mut scene = Scene::new();
    scene.put(&picture(100));
    scene.closed.insert(scene.path());
    assert_eq!(scene.look().0, partial(2980));
    scene.put(&picture(6000));
    scene.closed.insert(scene.path().with_file_name("b.fits"));
    assert_eq!(scene.look().0, Some(FileState::Waiting));
}

#[test]
fn an_old_file_needs_no_watching() {
    let mut scene = Scene::new();
    scene.put(&picture(6000));
    assert_eq!(scene.look_with_age(Some(9.0)).0, Some(FileState::Waiting));
    assert_eq!(scene.look_with_age(Some(10.1)).0, Some(FileState::Complete));
    // The clock of a server may be an hour off.
    let mut scene = Scene::at(Place::Network, PARTIAL_S);
    scene.put(&picture(6000));
    assert_eq!(scene.look_with_age(Some(3000.0)).0, Some(FileState::Waiting));
    assert_eq!(scene.look_with_age(Some(3611.0)).0, Some(FileState::Complete));
}

#[test]
fn a_clock_set_back_only_costs_the_settle_time() {
    let mut scene = Scene::new();
    scene.put(&picture(6000));
    // The file is from one hour in our future.
    scene.clock_error_s = -3600.0;
    assert_eq!(scene.look().0, Some(FileState::Waiting));
    scene.pass(10.1);
    assert_eq!(scene.look().0, Some(FileState::Complete));
}

#[test]
fn a_growing_file_waits_until_it_is_whole() {
    let mut scene = Scene::new();
    for length in [0, 1000, 3000, 5999] {
        scene.put(&picture(length));
        assert_eq!(scene.look().0, Some(FileState::Waiting), "{length}");
        scene.pass(5.0);
    }
    // The writer pauses.
    scene.pass(5.1);
    let (state, next_s) = scene.look();
    assert_eq!(state, partial(8879));
    // 10.1 s of the 600 s are over.
    assert!(next_s.is_some_and(|next_s| (next_s - 589.9).abs() < 0.1), "{next_s:?}");
    let mut file = std::fs::File::options().append(true).open(scene.path()).expect("the file");
    file.write_all(&[1]).expect("a byte");
    drop(file);
    assert_eq!(scene.look().0, Some(FileState::Waiting), "a change");
    scene.pass(10.1);
    assert_eq!(scene.look().0, Some(FileState::Complete));
}

#[test]
fn a_file_cut_short_is_told_and_not_lost() {
    let mut scene = Scene::new();
    scene.put(&picture(100));
    scene.pass(0.1);
    scene.look();
    scene.pass(599.0);
    assert_eq!(scene.look().0, partial(2980));
    scene.pass(1.1);
    let (state, next_s) = scene.look();
    let Some(FileState::Overdue { reason }) = state else { panic!("{state:?}") };
    assert_eq!(reason, "has 2980 of the 8880 bytes that its header announces: copy it again");
    assert_eq!(next_s, None, "nothing comes by waiting");
    // Copied again, it is taken.
    scene.put(&picture(6000));
    scene.closed.insert(scene.path());
    assert_eq!(scene.look().0, Some(FileState::Complete));
    // One that was cut short before the service began is known by its age.
    let mut scene = Scene::new();
    scene.put(&[]);
    let (state, _) = scene.look_with_age(Some(601.0));
    assert_eq!(state, Some(FileState::Overdue { reason: "is empty: copy it again".to_owned() }));
}

#[test]
fn what_is_no_fits_file_is_taken_for_the_pipeline_to_tell() {
    let mut scene = Scene::new();
    scene.put(b"a text");
    scene.closed.insert(scene.path());
    assert_eq!(scene.look().0, Some(FileState::Complete));
}

#[test]
fn a_file_that_vanishes_is_left_out_and_forgotten() {
    let mut scene = Scene::new();
    scene.put(&picture(6000));
    let reach = Reach { depth_max: 3, files_max: 10 };
    let rules = NameRules::new(&[], "night.done");
    let listing = list(scene.folder.path(), reach, &rules).expect("a listing");
    std::fs::remove_file(scene.path()).expect("the file");
    let closed = HashSet::from([scene.path()]);
    let now = epoch_of_ns(listing.files[0].changed_ns);
    scene.readiness.begin();
    let moment = Moment { now, instant: scene.start, closed: &closed };
    assert_eq!(scene.readiness.state(&listing.files[0], moment), None);
    scene.readiness.end();
    assert!(scene.readiness.files.is_empty());
}

#[test]
fn headers_are_read_once_per_stamp() {
    let mut scene = Scene::new();
    scene.put(&picture(6000));
    scene.closed.insert(scene.path());
    assert_eq!(scene.look().0, Some(FileState::Complete));
    // The same stamp with another content, which a second reading would see.
    let modified =
        std::fs::metadata(scene.path()).and_then(|data| data.modified()).expect("a time");
    let mut other = picture(6000);
    other[..2880].copy_from_slice(&[b' '; 2880]);
    other[..10].copy_from_slice(b"SIMPLE  = ");
    let mut file = std::fs::File::options().write(true).open(scene.path()).expect("the file");
    file.write_all(&other).expect("written");
    file.set_modified(modified).expect("a time");
    drop(file);
    assert_eq!(scene.look().0, Some(FileState::Complete));
}
