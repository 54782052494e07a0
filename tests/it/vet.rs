//! `autossosctl vet` under a real pseudo-terminal (tmux): judged, quit, resumed, undone, killed.
//!
//! Without tmux these tests say "skipped"; in CI (`AUTOSSOS_E2E=1`) that is a failure. With
//! `AUTOSSOS_SLOW=1` the program is killed in 100 trials, else in 10.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use autossos::store::NightId;
use autossos::store::verdicts::{Act, Verdict, VerdictRow};
use rusqlite::{Connection, OpenFlags};
use rustix::process::{Pid, Signal, kill_process};

use crate::observatory::{Observatory, Running};
use crate::vet_night::{NIGHT, candidate_id, make_night};

/// A terminal of 80 x 24 with a program in it.
struct Terminal {
    folder: tempfile::TempDir,
}

impl Terminal {
    /// A terminal that runs a shell; `None`, with words, when there is no tmux.
    fn new() -> Option<Self> {
        if Command::new("tmux").arg("-V").output().is_err() {
            let is_needed = std::env::var("AUTOSSOS_E2E").is_ok_and(|v| v == "1");
            assert!(!is_needed, "AUTOSSOS_E2E=1 needs tmux");
            println!("skipped: no tmux");
            return None;
        }
        let terminal = Self { folder: tempfile::tempdir().expect("a folder") };
        let began = terminal.tmux(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            "80",
            "-y",
            "24",
            "PS1='$ ' exec sh",
        ]);
        assert_eq!(began, "", "tmux starts");
        terminal.tmux(&["set", "-g", "remain-on-exit", "on"]);
        terminal.tmux(&["set", "-g", "window-size", "manual"]);
        Some(terminal)
    }

    /// Gives an order to tmux and returns what it printed.
    fn tmux(&self, words: &[&str]) -> String {
        let output = Command::new("tmux")
            .arg("-S")
            .arg(self.folder.path().join("tmux"))
            .arg("-u")
            .args(words)
            .env("LC_ALL", "C.UTF-8")
            .env_remove("NO_COLOR")
            .env_remove("TMUX")
            .output()
            .expect("tmux runs");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        told + &String::from_utf8_lossy(&output.stderr)
    }

    /// Starts a program in the place of the one that is there.
    fn run(&self, program: &str) {
        self.tmux(&["respawn-pane", "-k", &format!("exec {program}")]);
    }

    fn keys(&self, keys: &[&str]) {
        let mut words = vec!["send-keys"];
        words.extend(keys);
        self.tmux(&words);
    }

    /// Types a line.
    fn line(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
        self.keys(&["Enter"]);
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until the screen shows a text.
    fn shows(&self, text: &str) -> String {
        self.shows_if(&|screen| screen.contains(text), text)
    }

    fn shows_if(&self, is_so: &dyn Fn(&str) -> bool, what: &str) -> String {
        let began = Instant::now();
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                return screen;
            }
            let is_late = began.elapsed() > Duration::from_secs(30);
            assert!(!is_late, "{what} is not on the screen:\n{screen}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What tmux says of the pane.
    fn of_pane(&self, what: &str) -> String {
        self.tmux(&["display-message", "-p", &format!("#{{{what}}}")]).trim().to_owned()
    }

    fn pid(&self) -> Pid {
        let pid = self.of_pane("pane_pid").parse().expect("a number");
        Pid::from_raw(pid).expect("a process")
    }

    fn is_dead(&self) -> bool {
        self.of_pane("pane_dead") == "1"
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// The command line of a sitting.
fn vet(observatory: &Observatory, words: &str) -> String {
    format!(
        "{} vet --who anna --config {} {words}",
        env!("CARGO_BIN_EXE_autossosctl"),
        observatory.path("autossos.toml").display()
    )
}

fn observatory(n_candidates: usize) -> Observatory {
    let lines = "rescan_s = 1.0\ndisk_free_min_mib = 0\nsocket = \"s\"\n";
    let observatory = Observatory::new(lines);
    make_night(&observatory.path("data"), n_candidates);
    observatory
}

/// Candidate, act and person of all rows, oldest first, as SQLite has them.
fn rows(observatory: &Observatory) -> Vec<(String, String, String)> {
    let path = observatory.path("data/autossos.sqlite");
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the database");
    let mut statement = connection
        .prepare("SELECT candidate_id, verdict, who FROM verdict ORDER BY id")
        .expect("a query");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

fn row(number: usize, verdict: &str) -> (String, String, String) {
    (candidate_id(number), verdict.to_owned(), "anna".to_owned())
}

#[test]
fn five_candidates_are_judged_in_two_sittings() {
    let Some(terminal) = Terminal::new() else { return };
    let observatory = observatory(5);
    let vet = vet(&observatory, "");
    terminal.line(&vet);
    terminal.shows("candidate 1, 0 of 5 judged, 5 open");
    assert_eq!(terminal.of_pane("alternate_on"), "1");
    terminal.keys(&["Right"]);
    terminal.shows("candidate 2, 1 of 5 judged");
    terminal.keys(&["d"]);
    terminal.shows("candidate 3, 2 of 5 judged");
    assert_eq!(rows(&observatory), [row(0, "real"), row(1, "false")]);
    terminal.keys(&["q"]);
    terminal.shows(&format!("Night {NIGHT}: 2 of 5 judged, 3 open."));
    assert_eq!(terminal.of_pane("alternate_on"), "0");

    terminal.line(&format!("clear; {vet}"));
    terminal.shows("candidate 3, 2 of 5 judged, 3 open");
    terminal.keys(&["Up"]);
    terminal.shows("candidate 4, 3 of 5 judged");
    terminal.keys(&["u"]);
    let screen = terminal.shows("candidate 3, 2 of 5 judged");
    assert!(screen.contains("C002: taken back, kept."), "{screen}");
    // What is typed into a note is no verdict.
    terminal.keys(&["n"]);
    terminal.shows("note (enter keeps");
    terminal.line("daub u");
    terminal.shows("anna: daub u");
    terminal.keys(&["Left"]);
    terminal.shows("candidate 4, 3 of 5");
    terminal.keys(&["s"]);
    terminal.shows("candidate 5, 3 of 5");
    terminal.keys(&["p"]);
    terminal.shows("candidate 4, 3 of 5");
    terminal.keys(&["a"]);
    terminal.shows("candidate 5, 4 of 5");
    terminal.keys(&["Right"]);
    terminal.shows("All 5 candidates of night");
    terminal.keys(&["q"]);
    terminal.shows(&format!("Night {NIGHT}: 5 of 5 judged, 0 open."));
    let expected = [
        row(0, "real"),
        row(1, "false"),
        row(2, "unsure"),
        row(2, "undo"),
        row(2, "note"),
        row(2, "false"),
        row(3, "real"),
        row(4, "real"),
    ];
    assert_eq!(rows(&observatory), expected);
    terminal.line(&format!("clear; {vet}"));
    terminal.shows("No closed night has candidates that nobody judged.");
    terminal.line("stty -a");
    let screen = terminal.shows("icanon");
    assert!(!screen.contains("-icanon") && !screen.contains("-echo "), "{screen}");
}

#[test]
fn the_terminal_is_given_back_and_small_ones_judge_nothing() {
    let Some(terminal) = Terminal::new() else { return };
    let observatory = observatory(3);
    let vet = vet(&observatory, "--plain");
    for (signal, told) in [(Signal::TERM, "ended 130"), (Signal::INT, "ended 130")] {
        terminal.line(&format!("clear; {vet}; echo ended $?"));
        terminal.shows("candidate 1");
        let shell = terminal.of_pane("pane_pid");
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
        let pid = children.expect("a shell").trim().parse().ok().and_then(Pid::from_raw);
        let pid = pid.expect("the program");
        kill_process(pid, signal).expect("it runs");
        terminal.shows(told);
        assert_eq!(terminal.of_pane("alternate_on"), "0");
        terminal.line("clear; stty -a");
        let screen = terminal.shows("icanon");
        assert!(!screen.contains("-icanon") && !screen.contains("-echo "), "{screen}");
    }
    terminal.line(&format!("clear; {vet}"));
    terminal.shows("candidate 1");
    terminal.tmux(&["resize-window", "-x", "50", "-y", "10"]);
    terminal.shows("Needs 60 x 16");
    terminal.keys(&["Right"]);
    std::thread::sleep(Duration::from_millis(300));
    terminal.tmux(&["resize-window", "-x", "120", "-y", "40"]);
    terminal.shows("candidate 1, 0 of 3");
    terminal.keys(&["?"]);
    terminal.shows("these keys");
    terminal.keys(&["Right"]);
    terminal.shows("C000  unknown object");
    assert_eq!(rows(&observatory), [], "what was not seen was not judged");
    // Pasted text is no typing: the terminal marks it when the program asks for that.
    terminal.tmux(&["set-buffer", "dddaaa"]);
    terminal.tmux(&["paste-buffer", "-p"]);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(rows(&observatory), [], "what was pasted was not judged");
    assert!(terminal.screen().is_ascii(), "{}", terminal.screen());
}

#[test]
fn a_service_that_goes_away_is_told_and_nothing_is_lost() {
    let Some(terminal) = Terminal::new() else { return };
    let observatory = observatory(3);
    let service = started(&observatory);
    terminal.run(&vet(&observatory, ""));
    terminal.shows("candidate 1");
    terminal.keys(&["Right"]);
    terminal.shows("candidate 2, 1 of 3");
    // Stopped, not ended: it takes the connection and never answers.
    service.signal(Signal::STOP);
    terminal.keys(&["Left"]);
    terminal.shows("Keeping C001: artefact");
    terminal.keys(&["Right"]);
    service.kill();
    let screen = terminal.shows("press the key again");
    assert!(screen.contains("candidate 2, 1 of 3"), "{screen}");
    terminal.keys(&["Left"]);
    terminal.shows("candidate 3, 2 of 3");
    assert_eq!(rows(&observatory), [row(0, "real"), row(1, "false")]);
}

fn started(observatory: &Observatory) -> Running {
    let told = |what: &str| observatory.told().matches(what).count();
    for _ in 0..10 {
        let (n_before, n_refused) = (told("Service started"), told("in use by another"));
        let service = observatory.start();
        let is_up = || {
            told("Service started") > n_before
                && std::os::unix::net::UnixStream::connect(observatory.path("s")).is_ok()
        };
        let is_refused = || told("in use by another") > n_refused;
        assert!(observatory.wait_until(20, || is_up() || is_refused()), "{}", observatory.told());
        if is_up() {
            return service;
        }
        // A child of another test holds the lock of this process until it is the other program.
        std::thread::sleep(Duration::from_millis(300));
    }
    panic!("{}", observatory.told());
}

/// Numbers without pattern, the same in each run (Marsaglia's xorshift64, 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// The night's rows as the program reads them.
fn history(data: &Path) -> Vec<VerdictRow> {
    let reader = autossos::store::Reader::open(data).expect("the database");
    reader.verdicts(&NightId::new(NIGHT).expect("a good name")).expect("rows")
}

#[test]
fn a_verdict_on_the_screen_survives_kill_9() {
    let Some(terminal) = Terminal::new() else { return };
    let is_slow = std::env::var("AUTOSSOS_SLOW").is_ok_and(|v| v == "1");
    let n_trials = if is_slow { 100 } else { 10 };
    let observatory = observatory(n_trials + 1);
    let data = observatory.path("data");
    let keys = [
        ("Right", Verdict::Real, "asteroid"),
        ("Left", Verdict::False, "artefact"),
        ("Up", Verdict::Unsure, "unknown"),
    ];
    let (mut n_early, mut n_early_kept) = (0, 0);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for trial in 0..n_trials {
        // Three of ten trials with the service, half of all without waiting for the screen.
        let service = (trial % 10 < 3).then(|| started(&observatory));
        let n_before = history(&data).len();
        terminal.run(&vet(&observatory, ""));
        terminal.shows("open");
        let screen = terminal.shows_if(&|s| s.contains("object"), "a candidate");
        let is_at = |n: usize| screen.contains(&candidate_id(n));
        let at = (0..=trial).find(|&n| is_at(n)).expect("a candidate of the night");
        let (key, verdict, word) = keys[trial % keys.len()];
        terminal.keys(&[key]);
        let told = format!("{}: {word}, kept.", candidate_id(at));
        let is_early = trial % 2 == 1;
        if is_early {
            std::thread::sleep(Duration::from_micros(random.below(60_000)));
        } else {
            terminal.shows(&told);
        }
        kill_process(terminal.pid(), Signal::KILL).expect("it runs");
        if let Some(service) = service {
            service.kill();
        }
        assert!(observatory.wait_until(10, || terminal.is_dead()), "killed");
        let screen = terminal.screen();
        let has_told =
            screen.contains(&told) || screen.contains(&format!("{}  ", candidate_id(at + 1)));
        assert!(is_early || has_told, "{screen}");
        let rows = history(&data);
        let is_there = rows.last().is_some_and(|r| {
            r.candidate_id == candidate_id(at) && r.act == Act::Judge(verdict) && r.who == "anna"
        });
        assert!(is_there || !has_told, "trial {trial}: lost\n{screen}\n{rows:?}");
        assert_eq!(rows.len(), n_before + usize::from(is_there), "trial {trial}: {rows:?}");
        n_early += usize::from(is_early);
        n_early_kept += usize::from(is_early && is_there);
    }
    println!(
        "{n_trials} trials, none lost; {n_early} killed at once, {n_early_kept} of them had kept it"
    );
}

#[test]
fn scripts_list_and_judge() {
    let observatory = observatory(3);
    let tell = |words: &[&str]| observatory.ctl(words);
    let set = |id: &str, word: &str| tell(&["vet", "--who", "berta", "--set", id, word]);
    assert_eq!(set("C000", "asteroid").0, Some(0));
    assert_eq!(
        set("C000", "real").1.trim(),
        format!("C000 of night {NIGHT}: this is already the verdict of berta.")
    );
    let (code, told) =
        tell(&["vet", "--set", "C000", "artefact", NIGHT, "--who", "anna", "--note", "x"]);
    assert_eq!((code, told.lines().next()), (Some(0), Some("C000 of night 2026-03-01: artefact")));
    let (code, text) = tell(&["vet", "--list"]);
    assert_eq!(code, Some(0));
    assert!(
        text.contains("artefact (disputed)") && text.contains("3 candidates, 2 open"),
        "{text}"
    );
    let (code, json) = tell(&["vet", "--list", "--json", NIGHT]);
    assert_eq!(code, Some(0), "{json}");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json[0]["candidate"], "C000");
    assert_eq!((&json[0]["verdict"], &json[0]["is_disputed"]), (&"artefact".into(), &true.into()));
    assert_eq!(json[0]["opinions"][0]["note"], "x");
    assert_eq!(json[0]["opinions"][1]["who"], "berta");
    assert!(json[1]["verdict"].is_null());
    assert_eq!(tell(&["vet", "--who", "anna", "--set", "C000", "undo"]).0, Some(0));
    let (code, told) = tell(&["vet", "--who", "anna", "--set", "C000", "undo"]);
    assert!(code == Some(1) && told.contains("no verdict on C000"), "{told}");
    let (code, told) = set("C000", "star");
    assert!(code == Some(2) && told.contains("star is no verdict"), "{told}");
    let (code, told) = set("C999", "undo");
    assert!(code == Some(1) && told.contains("no closed night has a candidate C999"), "{told}");
    let (code, told) = tell(&["vet", NIGHT]);
    assert!(code == Some(1) && told.contains("this is no terminal"), "{told}");
    assert_eq!(rows(&observatory).len(), 3);
}
