//! An observatory on disk with the real service: started, killed, asked, and its state compared.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use autossos::pipeline::artifact::report::NightReport;
use autossos::store::{NightId, Reader};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::simulated::NightOnDisk;

/// Columns that hold times, surrogate keys, counts of tries or what depends on a file's times.
const UNSTEADY_COLUMNS: [&str; 14] = [
    "id",
    "opened_mjd_utc",
    "closed_mjd_utc",
    "first_seen_mjd_utc",
    "created_mjd_utc",
    "sent_mjd_utc",
    "next_try_mjd_utc",
    "at_mjd_utc",
    "attempts",
    "last_error",
    "listing",
    "stamp",
    "body",
    "folder",
];

/// An observatory: incoming folder, configuration, data folder.
pub struct Observatory {
    pub folder: TempDir,
}

impl Observatory {
    /// With an empty incoming folder and further lines below `[daemon]`.
    pub fn new(lines: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("incoming")).expect("a folder");
        let observatory = Self { folder };
        observatory.configure(lines);
        observatory
    }

    /// Writes the configuration anew.
    pub fn configure(&self, lines: &str) {
        let config = format!("[daemon]\nincoming = \"incoming\"\ndata = \"data\"\n{lines}");
        std::fs::write(self.path("autossos.toml"), config).expect("a configuration");
    }

    /// A path in the observatory's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Brings all frames of a simulated night in at once.
    pub fn receive(&self, night: &NightOnDisk, name: &str) {
        let to = self.path("incoming").join(name);
        std::fs::create_dir_all(&to).expect("a folder");
        for from in raw_files(night) {
            self.receive_file(&from, name);
        }
    }

    /// Brings one file in, as a copy that is renamed into place.
    pub fn receive_file(&self, from: &Path, night: &str) {
        let to = self.path("incoming").join(night);
        std::fs::create_dir_all(&to).expect("a folder");
        let name = from.file_name().expect("a file").to_string_lossy().into_owned();
        let partial = to.join(format!("{name}.part"));
        std::fs::copy(from, &partial).expect("a copy");
        std::fs::rename(&partial, to.join(name)).expect("a name");
    }

    /// Puts the marker that closes a night.
    pub fn mark_done(&self, night: &str) {
        std::fs::write(self.path("incoming").join(night).join("night.done"), "").expect("a file");
    }

    /// The service with these words.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autossosd"));
        command.current_dir(self.folder.path()).env_remove("JOURNAL_STREAM");
        command.env_remove("NOTIFY_SOCKET");
        command.arg("--config").arg(self.path("autossos.toml")).args(words);
        command
    }

    /// The command line program on this observatory.
    pub fn ctl(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autossosctl"));
        command.current_dir(self.folder.path()).args(words);
        command.arg("--config").arg(self.path("autossos.toml"));
        output(command)
    }

    /// Starts the service; what it tells goes to the file `log`.
    pub fn start(&self) -> Running {
        self.start_with(|_| {})
    }

    /// Starts the service with a change to its environment.
    pub fn start_with(&self, change: impl FnOnce(&mut Command)) -> Running {
        let log = File::options().create(true).append(true).open(self.path("log")).expect("a log");
        let mut command = self.command(&[]);
        command.stdout(Stdio::null()).stderr(log);
        change(&mut command);
        Running { child: command.spawn().expect("the service starts") }
    }

    /// What the service told so far.
    pub fn told(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// A night's report, when it is closed.
    pub fn report(&self, night: &str) -> Option<NightReport> {
        let reader = Reader::open(&self.path("data")).ok()?;
        let rows = reader.nights().ok()?;
        rows.iter().find(|row| row.id == night && row.is_closed)?;
        reader.report(&NightId::new(night).ok()?).ok()?
    }

    /// Number of usable frames of a night, when it is closed.
    pub fn n_frames_ok(&self, night: &str) -> Option<usize> {
        let report = self.report(night)?;
        Some(report.frames.iter().filter(|f| f.zero_point_mag.is_some()).count())
    }

    /// Waits until something holds; tells whether it came to that.
    pub fn wait_until(&self, limit_s: u64, mut is_so: impl FnMut() -> bool) -> bool {
        let began = Instant::now();
        while !is_so() {
            if began.elapsed() > Duration::from_secs(limit_s) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        true
    }

    /// All tables by natural keys, without times and surrogate keys, as lines.
    pub fn dump(&self) -> Vec<String> {
        dump(&self.path("data").join("autossos.sqlite"))
    }

    /// How often the program died over one frame alone, at most; one in work alone now counts.
    pub fn deaths(&self) -> u32 {
        let path = self.path("data").join("autossos.sqlite");
        let most = "SELECT COALESCE(MAX(n_deaths + (is_running AND is_alone)), 0) FROM attempt";
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .and_then(|connection| connection.query_row(most, [], |row| row.get(0)))
            .unwrap_or(0)
    }

    /// All products by relative path.
    pub fn products(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        crate::simulated::contents(&self.path("data").join("products"))
    }
}

/// The raw files of a simulated night in order of names.
pub fn raw_files(night: &NightOnDisk) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(&night.files.raw).expect("the frames");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a frame").path()).collect();
    files.sort();
    files
}

/// Exit code and all that a program told.
pub fn output(mut command: Command) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    let mut text = String::from_utf8_lossy(&stdout).into_owned();
    write!(text, "{}", String::from_utf8_lossy(&stderr)).expect("a text grows");
    (status.code(), text)
}

/// The service at work; killed when it is dropped.
pub struct Running {
    pub child: Child,
}

impl Running {
    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the service runs");
    }

    /// Kills it at once, as the system does when memory runs out.
    pub fn kill(mut self) {
        self.child.kill().expect("the service runs");
        self.child.wait().expect("the service ends");
    }

    /// Asks it to end and waits for that.
    pub fn stop(mut self) -> (ExitStatus, Duration) {
        let asked = Instant::now();
        self.signal(Signal::TERM);
        let status = self.child.wait().expect("the service ends");
        (status, asked.elapsed())
    }

    /// Resident memory [KiB] and processor time [s] so far.
    pub fn usage(&self) -> (u64, f64) {
        let folder = PathBuf::from(format!("/proc/{}", self.child.id()));
        let status = std::fs::read_to_string(folder.join("status")).expect("the service runs");
        let line = status.lines().find(|l| l.starts_with("VmRSS")).expect("a size");
        let resident = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("KiB");
        let stat = std::fs::read_to_string(folder.join("stat")).expect("the service runs");
        let rest = stat.rsplit(')').next().expect("fields after the name");
        let ticks: f64 = rest
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|n| n.parse::<f64>().expect("ticks"))
            .sum();
        (resident, ticks / 100.0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// All rows of a database by their steady columns, a line each, tables in order.
fn dump(path: &Path) -> Vec<String> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the database");
    let names = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).expect("a query");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.map(|name| name.expect("a name")).collect()
    };
    let mut lines = Vec::new();
    for table in names("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
        if table.starts_with("sqlite_") || table == "service" {
            continue;
        }
        let is_key = |column: &str| table == "night" || table == "candidate" || column != "id";
        let columns = names(&format!("SELECT name FROM pragma_table_info('{table}')"));
        let columns: Vec<String> = columns
            .into_iter()
            .filter(|c| !UNSTEADY_COLUMNS.contains(&c.as_str()) || (c == "id" && is_key(c)))
            .collect();
        let mut statement = connection
            .prepare(&format!("SELECT {} FROM {table}", columns.join(", ")))
            .expect("a query");
        let mut rows = statement.query([]).expect("rows");
        let mut found = Vec::new();
        while let Some(row) = rows.next().expect("a row") {
            let mut line = format!("{table}:");
            for (index, column) in columns.iter().enumerate() {
                let value = match row.get_ref(index).expect("a value") {
                    ValueRef::Null => "-".to_owned(),
                    ValueRef::Integer(number) => number.to_string(),
                    ValueRef::Real(number) => number.to_string(),
                    ValueRef::Text(text) | ValueRef::Blob(text) => {
                        String::from_utf8_lossy(text).into_owned()
                    }
                };
                write!(line, " {column}={value}").expect("a text grows");
            }
            found.push(line);
        }
        found.sort();
        lines.extend(found);
    }
    lines
}
