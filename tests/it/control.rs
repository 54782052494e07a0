//! The service's socket and its pages, with the real programs and clients that misbehave.
//!
//! A thread plays the service: it listens on a real socket over a real database.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use autossos::config::Config;
use autossos::daemon::control::{Control, ControlError, ControlSocket};
use autossos::daemon::health;
use autossos::daemon::log_tail::LogTail;
use autossos::daemon::state::ServiceState;
use autossos::ops::clock::{SetClock, SystemClock};
use autossos::ops::orders::{PAUSED_KEY, wire};
use autossos::ops::status::{Phase, Problem};
use autossos::pipeline::artifact::frame_record::FrameStatus;
use autossos::science::time::Epoch;
use autossos::store::nights::{FoundFile, NightSource};
use autossos::store::stages::{NIGHT_SUBJECT, StageOutcome, StageRow};
use autossos::store::{NightId, Reader, Store};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::{Notify, mpsc, watch};

const AT: Epoch = Epoch::from_mjd_utc(61_100.0);

/// A data folder with two nights of two reduced frames each.
fn fill(data: &Path) -> Store {
    let store = Store::open(data).expect("opened");
    for name in ["2026-03-01", "2026-03-02"] {
        let night = NightId::new(name).expect("a good name");
        store.begin_night(&night, &NightSource::only("/"), AT).expect("begun");
        for (number, hash) in ["0123456789aa", "0123456789bb"].into_iter().enumerate() {
            let (name, content_hash) = (format!("f{number}.fits"), hash.to_owned());
            let file = FoundFile { name, content_hash, size_bytes: 1, stamp: None };
            store.record_files(&night, vec![file], AT).expect("recorded");
            keep(&store, &night, hash);
        }
        keep(&store, &night, NIGHT_SUBJECT);
    }
    store
}

fn keep(store: &Store, night: &NightId, subject: &str) {
    let row = StageRow {
        subject: subject.to_owned(),
        stage: if subject == NIGHT_SUBJECT { "night" } else { "frame" }.to_owned(),
        version: 1,
        key: "k".to_owned(),
        outcome: StageOutcome::Done,
        product: None,
        payload: "{}".to_owned(),
    };
    store.record_stage(night, row).expect("kept");
}

/// All that orders may change, as a text.
fn dump(data: &Path) -> String {
    let reader = Reader::open(data).expect("a database");
    let mut text = format!("{:?}\n", reader.requests().expect("read"));
    for row in reader.nights().expect("read") {
        let night = NightId::new(&row.id).expect("a good name");
        let results = reader.frame_results(&night, None).expect("read");
        let report = reader.stage_done(&night, NIGHT_SUBJECT, "night", "k").expect("read");
        text.push_str(&format!("{row:?} {results:?} {}\n", report.is_some()));
    }
    let paused = reader.service_value(PAUSED_KEY).expect("read");
    text + &format!("{:?} {paused:?}\n", reader.night_marks().expect("read"))
}

/// A service that does nothing but listen.
struct Played {
    folder: TempDir,
    state: ServiceState,
    log: LogTail,
    n_wakes: Arc<AtomicUsize>,
    reloads: mpsc::Receiver<()>,
    runtime: Runtime,
}

impl Played {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Arc::new(fill(&folder.path().join("data")));
        let state = ServiceState::new(Arc::new(SystemClock), 300.0);
        state.set_phase(Phase::Idle);
        let (log, wake) = (LogTail::default(), Arc::new(Notify::new()));
        let (reload, reloads) = mpsc::channel(1);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let n_wakes = Arc::new(AtomicUsize::new(0));
        let (state_of, log_of) = (state.clone(), log.clone());
        let (_, config) = watch::channel(Arc::new(Config::default()));
        let wake_of = Arc::clone(&wake);
        let control =
            Control { state: state_of, log: log_of, store, wake: wake_of, reload, config };
        let path = folder.path().join("sock");
        runtime.block_on(async {
            let socket = ControlSocket::bind(&path).expect("the socket is free");
            tokio::spawn(socket.serve(control));
        });
        let count = Arc::clone(&n_wakes);
        runtime.spawn(async move {
            loop {
                wake.notified().await;
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { folder, state, log, n_wakes, reloads, runtime }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("sock")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Runs `autossosctl` against this service.
    fn ctl(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autossosctl"));
        command.args(words).arg("--socket").arg(self.socket());
        command.arg("--data").arg(self.data()).output().expect("the program starts")
    }

    /// Sends bytes and reads all that comes back.
    fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = UnixStream::connect(self.socket()).expect("somebody listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
        // The service may hang up before it has read all.
        stream.write_all(bytes).ok();
        stream.shutdown(std::net::Shutdown::Write).ok();
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        text
    }

    fn n_wakes(&self) -> usize {
        self.n_wakes.load(Ordering::SeqCst)
    }
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn wait_until(is_there: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while !is_there() && began.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(10));
    }
    is_there()
}

#[test]
fn orders_do_the_same_through_the_socket_and_without_it() {
    let orders: [&[&str]; 5] = [
        &["night", "close", "2026-03-01"],
        &["night", "reopen", "2026-03-02"],
        &["reprocess", "2026-03-01", "--frame", "f1.fits"],
        &["reprocess", "2026-03-02", "--from", "link"],
        &["pause", "--reason", "a new camera"],
    ];
    let played = Played::new();
    let down = tempfile::tempdir().expect("a folder");
    let data = down.path().join("data");
    drop(fill(&data));
    let before = dump(&data);
    assert_eq!(dump(&played.data()), before);
    for words in orders {
        let by_service = played.ctl(words);
        assert!(by_service.status.success(), "{words:?}: {}", err(&by_service));
        let direct = Command::new(env!("CARGO_BIN_EXE_autossosctl"))
            .args(words)
            .arg("--data")
            .arg(&data)
            .output()
            .expect("the program starts");
        assert!(direct.status.success(), "{words:?}: {}", err(&direct));
        let (told, told_direct) = (out(&by_service), out(&direct));
        assert!(told_direct.starts_with(told.trim_end()), "{told}\n{told_direct}");
        assert!(told_direct.contains("not running") && !told.contains("not running"), "{told}");
        assert_eq!(dump(&played.data()), dump(&data), "{words:?}");
    }
    let after = dump(&data);
    assert_ne!(after, before);
    assert!(after.contains("Close") && after.contains("Reopen") && after.contains("a new camera"));
    assert!(wait_until(|| played.n_wakes() >= 1), "the reconciler was woken");
    let refused = played.ctl(&["night", "close", "2026-03-09"]);
    assert_eq!(refused.status.code(), Some(1), "{}", out(&refused));
    assert!(err(&refused).contains("did you mean"), "{}", err(&refused));
    assert_eq!(dump(&data), after);
}

#[test]
fn the_status_tells_what_the_service_does_and_how_it_is() {
    let mut played = Played::new();
    let (telescope, night) = (String::new(), "2026-03-01".to_owned());
    let what = "f1.fits".to_owned();
    played.state.set_phase(Phase::Working { telescope, night, what });
    played.state.frame_done(FrameStatus::Ok, 1.0);
    played.state.set_problem("disk", Some(Problem::bad("less than 2048 MiB are free")));
    let status = played.ctl(&["status"]);
    assert!(status.status.success(), "{}", err(&status));
    for words in ["working on night 2026-03-01: f1.fits", "bad", "2048 MiB", "1 ok", "2026-03-02"] {
        assert!(out(&status).contains(words), "{words} is not in:\n{}", out(&status));
    }
    let json: Value =
        serde_json::from_slice(&played.ctl(&["status", "--json"]).stdout).expect("JSON");
    assert_eq!(json["is_running"], true);
    assert_eq!(json["service"]["phase"], "working");
    assert_eq!(json["health"]["health"], "bad");
    assert_eq!(json["data"]["n_nights_open"], 2);

    played.log.push("first");
    played.log.push("second");
    let log = played.ctl(&["log", "-n", "1"]);
    assert_eq!(out(&log), "second\n");
    for _ in 0..2 {
        let reload = played.ctl(&["reload"]);
        assert!(reload.status.success(), "{}", err(&reload));
    }
    assert!(played.reloads.try_recv().is_ok(), "asked for");
    assert!(played.reloads.try_recv().is_err(), "twice is once");
    assert_eq!(played.n_wakes(), 0, "looking wakes nobody");
}

#[test]
fn nonsense_is_refused_and_nothing_else_happens() {
    let played = Played::new();
    let before = dump(&played.data());
    let mut long = br#"{"request":"log","lines":1"#.to_vec();
    long.resize(wire::REQUEST_MAX_BYTES + 2, b' ');
    long.extend_from_slice(b"}\n");
    let mut longest_allowed = br#"{"request":"log","lines":1"#.to_vec();
    longest_allowed.resize(wire::REQUEST_MAX_BYTES - 2, b' ');
    longest_allowed.extend_from_slice(b"}\n");
    let cases: [(&[u8], &str); 8] = [
        (b"\n", "not understood"),
        (b"GET / HTTP/1.1\r\n\r\n", "not understood"),
        (b"\xff\xfe\x00\n", "not understood"),
        (b"{\"request\":\"status\"}", "line break"),
        (b"", "line break"),
        (br#"{"request":"do","what":{"order":"erase"}}"#, "line break"),
        (b"{\"request\":\"do\",\"what\":{\"order\":\"erase\"}}\n", "not understood"),
        (&long, "longer than"),
    ];
    for (bytes, expected) in cases {
        let answer = played.raw(bytes);
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        assert_eq!(answer.lines().count(), 1, "{start}: {answer}");
        assert!(answer.contains(r#""answer":"refused""#), "{start}: {answer}");
        assert!(answer.contains(expected), "{start}: {answer}");
    }
    assert!(played.raw(&longest_allowed).contains(r#""answer":"log""#));
    // One connection, one request: a second line is not read.
    let two =
        b"{\"request\":\"log\",\"lines\":1}\n{\"request\":\"do\",\"what\":{\"order\":\"pause\",\
                \"reason\":\"x\"}}\n";
    assert_eq!(played.raw(two).lines().count(), 1);
    assert_eq!(dump(&played.data()), before);
    assert_eq!(played.n_wakes(), 0);
}

#[test]
fn clients_that_hang_do_not_keep_others_out_for_ever() {
    let played = Played::new();
    let silent: Vec<UnixStream> =
        (0..16).map(|_| UnixStream::connect(played.socket()).expect("heard")).collect();
    // All places are taken: the next one waits until their time is over, and is heard then.
    let began = Instant::now();
    let answer = played.raw(b"{\"request\":\"log\",\"lines\":1}\n");
    assert!(answer.contains(r#""answer":"log""#), "{answer}");
    assert!(began.elapsed() >= Duration::from_secs(9), "{:?}", began.elapsed());
    // Those who said nothing were told why they are not heard any more.
    let mut line = String::new();
    BufReader::new(&silent[0]).read_line(&mut line).expect("an answer");
    assert!(line.contains("within 10 s"), "{line}");
}

#[test]
fn only_owner_and_group_reach_the_socket_and_only_dead_ones_are_replaced() {
    let played = Played::new();
    let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&played.socket()), 0o660);
    let bind = |path: &Path| played.runtime.block_on(async { ControlSocket::bind(path) });
    assert!(matches!(bind(&played.socket()), Err(ControlError::InUse { .. })));
    assert!(played.ctl(&["log"]).status.success(), "the living one was left alone");

    let dead = played.folder.path().join("dead");
    drop(UnixListener::bind(&dead).expect("bound"));
    assert!(dead.exists(), "a socket outlives its listener");
    let socket = bind(&dead).expect("replaced");
    assert_eq!(mode(&dead), 0o660);
    // A successor's socket at the same path is not taken away with the first one.
    std::fs::remove_file(&dead).expect("removed");
    let successor = UnixListener::bind(&dead).expect("bound");
    played.runtime.block_on(async { drop(socket) });
    assert!(dead.exists());
    drop(successor);
    let socket = bind(&dead).expect("replaced");
    played.runtime.block_on(async { drop(socket) });
    assert!(!dead.exists(), "the end takes the socket away");

    let file = played.folder.path().join("file");
    std::fs::write(&file, "precious").expect("written");
    assert!(matches!(bind(&file), Err(ControlError::NoSocket { .. })));
    assert_eq!(std::fs::read_to_string(&file).expect("read"), "precious");
    let nowhere = played.folder.path().join("no/such/folder/sock");
    assert!(matches!(bind(&nowhere), Err(ControlError::Bind { .. })));
    let names: Vec<_> = std::fs::read_dir(played.folder.path()).expect("a list").collect();
    assert_eq!(names.len(), 3, "data, sock, file and no leftovers: {names:?}");
}

#[test]
fn a_service_that_cannot_be_reached_is_told_with_what_to_do() {
    let played = Played::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_autossosctl"));
    command.args(["resume", "--data"]).arg(played.data());
    let by_lock = command.output().expect("the program starts");
    assert_eq!(by_lock.status.code(), Some(1));
    let text = err(&by_lock);
    assert!(text.contains("in use") && text.contains("daemon.socket"), "{text}");
    command.arg("--socket").arg(played.folder.path().join("other"));
    let text = err(&command.output().expect("the program starts"));
    assert!(text.contains("in use") && text.contains("other"), "{text}");
    // Reading needs neither socket nor lock.
    let mut command = Command::new(env!("CARGO_BIN_EXE_autossosctl"));
    command.args(["night", "list", "--data"]).arg(played.data());
    assert!(command.output().expect("the program starts").status.success());
    for verb in ["reload", "log"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autossosctl"));
        let output = command.arg(verb).current_dir(played.folder.path()).output().expect("starts");
        assert_eq!(output.status.code(), Some(1));
        assert!(err(&output).contains("no service listens"), "{}", err(&output));
    }
}

/// One HTTP exchange: the head and the body.
fn http(address: std::net::SocketAddr, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).expect("the port is open");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("head and body");
    (head.to_owned(), body.to_owned())
}

#[test]
fn health_and_metrics_are_there_for_whoever_asks_with_get() {
    let runtime = Runtime::new().expect("a runtime");
    let clock = Arc::new(SetClock::at(AT));
    let state = ServiceState::new(clock.clone(), 300.0);
    let any = "127.0.0.1:0".parse().expect("an address");
    let pages = runtime.block_on(health::serve(any, state.clone())).expect("a free port");
    let ask = |verb: &str, page: &str| {
        let head = format!("{verb} {page} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        http(pages.address(), &head)
    };
    let (head, body) = ask("GET", "/healthz");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert_eq!(body, "ok\n");
    state.set_problem("mail", Some(Problem::warning("the server refuses")));
    let (head, body) = ask("GET", "/healthz");
    assert!(head.starts_with("HTTP/1.1 200 ") && body.contains("refuses"), "{head} {body}");
    // 16 minutes without a look when one is due every 5.
    clock.pass(960.0);
    let (head, body) = ask("GET", "/healthz");
    assert!(head.starts_with("HTTP/1.1 503 ") && body.contains("16 min"), "{head} {body}");

    state.frame_done(FrameStatus::Ok, 0.5);
    state.set_disk_free(Some(1 << 30));
    let (head, body) = ask("GET", "/metrics");
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    for line in [
        "autossos_frames_total{status=\"ok\"} 1",
        "autossos_frame_seconds_sum 0.5",
        "autossos_disk_free_bytes 1073741824",
        "autossos_health 2",
        concat!("autossos_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
    ] {
        assert!(body.lines().any(|l| l == line), "{line} is not in:\n{body}");
    }
    assert!(body.lines().any(|l| l.starts_with("autossos_resident_bytes ")), "{body}");
    assert!(ask("POST", "/metrics").0.starts_with("HTTP/1.1 405 "));
    assert!(ask("GET", "/").0.starts_with("HTTP/1.1 404 "));

    let other = ServiceState::new(Arc::new(SystemClock), 300.0);
    let taken = runtime.block_on(health::serve(pages.address(), other.clone()));
    assert!(taken.is_none());
    assert_eq!(other.snapshot().health().word(), "warning", "the service goes on");
    let address = pages.address();
    runtime.block_on(async { drop(pages) });
    assert!(wait_until(|| TcpStream::connect(address).is_err()), "the port is closed");
}

#[test]
fn a_connection_that_hangs_is_closed() {
    let runtime = Runtime::new().expect("a runtime");
    let state = ServiceState::new(Arc::new(SystemClock), 300.0);
    let any = "127.0.0.1:0".parse().expect("an address");
    let pages = runtime.block_on(health::serve(any, state)).expect("a free port");
    let mut hanging: Vec<TcpStream> =
        (0..16).map(|_| TcpStream::connect(pages.address()).expect("open")).collect();
    for stream in &mut hanging {
        stream.write_all(b"GET /healthz HT").expect("sent");
    }
    let began = Instant::now();
    let (head, _) =
        http(pages.address(), "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(began.elapsed() < Duration::from_secs(18), "{:?}", began.elapsed());
    let mut rest = Vec::new();
    assert_eq!(hanging[0].read_to_end(&mut rest).unwrap_or(0), 0, "closed unanswered: {rest:?}");
}
