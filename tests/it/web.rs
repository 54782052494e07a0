//! The web page over real sockets: who gets in, what is refused, what is kept, and a service that
//! is killed right after its answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use autossos::config::Web;
use autossos::ops::clock::SystemClock;
use autossos::ops::users::Users;
use autossos::store::verdicts::{Act, Verdict};
use autossos::store::{NightId, Reader, Store};
use autossos::web::{Surroundings, WebPage, serve};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::observatory::Observatory;
use crate::vetting_night::{ADA, BOB, NIGHT, fill, hash, id, users};

/// A page that is served over a night to be judged.
pub struct Served {
    pub folder: TempDir,
    pub store: Arc<Store>,
    pub runtime: Runtime,
    page: WebPage,
}

impl Served {
    /// * `n`, `n_pictures`: as in [`fill`].
    pub fn new(n: usize, n_pictures: usize, change: impl FnOnce(&mut Web)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Arc::new(fill(&folder.path().join("data"), n, n_pictures));
        users(&folder.path().join("data/web-users"));
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut web = Web { listen: Some(any), ..Web::default() };
        change(&mut web);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let clock = Arc::new(SystemClock);
        let surroundings = Surroundings { store: Arc::clone(&store), clock, web, blink_ms: 400 };
        let page = runtime.block_on(serve(any, surroundings)).expect("a page");
        Self { folder, store, runtime, page }
    }

    /// Address of a path.
    pub fn address(&self, path: &str) -> String {
        format!("http://{}{path}", self.page.address())
    }

    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        ask(self.page.address(), (method, path), headers, body)
    }

    /// Logs in; the cookie's header line.
    fn cookie(&self, (name, password): (&str, &str)) -> String {
        let form = format!("name={name}&password={}", password.replace(' ', "+"));
        let answer = self.ask("POST", "/login", "", &form);
        assert_eq!(answer.status, 303, "{}", answer.body);
        let cookie = answer.header("set-cookie").expect("a cookie");
        format!("Cookie: {}\r\n", cookie.split(';').next().expect("a value"))
    }

    /// The verdicts and other acts of the night: candidate, word, person.
    pub fn acts(&self) -> Vec<(String, &'static str, String)> {
        acts(self.store.read())
    }
}

fn acts(reader: &Reader) -> Vec<(String, &'static str, String)> {
    let night = NightId::new(NIGHT).expect("a name");
    let rows = reader.verdicts(&night).expect("read");
    rows.into_iter().map(|row| (row.candidate_id, row.act.word(), row.who)).collect()
}

/// An answer of the page.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The token of the page's forms.
    fn csrf(&self) -> &str {
        let (_, rest) = self.body.split_once("data-csrf=\"").expect("a token");
        rest.split('"').next().expect("its end")
    }
}

/// Sends a request over a connection of its own; a host is named unless the headers do.
fn ask(to: SocketAddr, (method, path): (&str, &str), headers: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(to).expect("somebody listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a limit");
    let host = if headers.contains("Host:") { "" } else { "Host: localhost\r\n" };
    let request = format!(
        "{method} {path} HTTP/1.1\r\n{host}{headers}Connection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    // A page that refuses may hang up before it has read all.
    stream.write_all(request.as_bytes()).ok();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

fn candidate_path(number: usize) -> String {
    format!("/night/{NIGHT}/candidate/{}", id(number))
}

#[test]
fn only_right_passwords_come_in_and_guessing_becomes_slow() {
    let served = Served::new(2, 0, |_| {});
    for path in ["/", &candidate_path(0), &format!("/night/{NIGHT}"), "/night/x/queue"] {
        let answer = served.ask("GET", path, "", "");
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.header("location").is_some_and(|to| to.starts_with("/login?")), "{path}");
    }
    for form in ["name=ada&password=wrong+horse", "name=eve&password=correct+horse+1", "", "name="]
    {
        let answer = served.ask("POST", "/login", "", form);
        assert_eq!(answer.status, 403, "{form}");
        assert!(answer.body.contains("Name or password is wrong."), "{form}");
        assert_eq!(answer.header("set-cookie"), None);
    }
    let form = "name=ada&password=correct+horse+1&to=//evil.example/";
    let answer = served.ask("POST", "/login", "", form);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "no other host");
    let cookie = answer.header("set-cookie").expect("a cookie");
    for word in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"] {
        assert!(cookie.contains(word), "{word}: {cookie}");
    }
    assert!(!cookie.contains("Secure"), "this one is not encrypted: {cookie}");
    // Five wrong ones are free, then each waits longer, the right password too.
    for _ in 0..5 {
        let answer = served.ask("POST", "/login", "", "name=ada&password=wrong+horse");
        assert_eq!(answer.status, 403);
    }
    let answer = served.ask("POST", "/login", "", "name=ada&password=correct+horse+1");
    assert_eq!(answer.status, 429, "{}", answer.body);
    assert!(answer.header("retry-after").is_some());
    let database = std::fs::read(served.folder.path().join("data/autossos.sqlite-wal"));
    let secret = cookie.split(['=', '.']).nth(1).expect("a secret");
    let database = String::from_utf8_lossy(&database.expect("a log")).into_owned();
    assert!(!database.contains(secret), "the secret itself is nowhere kept");
}

#[test]
fn forms_without_the_token_of_their_login_are_refused() {
    let served = Served::new(2, 0, |_| {});
    let ada = served.cookie(ADA);
    let bob = served.cookie(BOB);
    let path = candidate_path(0);
    let csrf = served.ask("GET", &path, &ada, "").csrf().to_owned();
    let to = format!("{path}/verdict");
    let bobs = served.ask("GET", &path, &bob, "").csrf().to_owned();
    for form in
        ["act=real&token=1", "act=real&token=1&csrf=", &format!("act=real&token=1&csrf={bobs}")]
    {
        assert_eq!(served.ask("POST", &to, &ada, form).status, 403, "{form}");
    }
    let form = format!("act=real&token=1&csrf={csrf}");
    for origin in ["http://evil.example", "null"] {
        let headers = format!("{ada}Origin: {origin}\r\n");
        assert_eq!(served.ask("POST", &to, &headers, &form).status, 403, "{origin}");
    }
    assert_eq!(served.ask("POST", &to, "", &form).status, 303, "without a login");
    assert_eq!(served.ask("POST", "/logout", &ada, "").status, 403);
    assert!(served.acts().is_empty(), "{:?}", served.acts());

    // The same with the token: stored once, however often it is sent.
    for _ in 0..2 {
        assert_eq!(served.ask("POST", &to, &ada, &form).status, 303);
    }
    let header = format!("{bob}X-CSRF-Token: {bobs}\r\nAccept: application/json\r\n");
    let answer = served.ask("POST", &to, &header, "act=false&token=2&note=a+hot+pixel");
    let told: Value = serde_json::from_str(&answer.body).expect("JSON");
    let text = told["text"].as_str().expect("a text");
    assert!(told["is_stored"] == true && text.contains("ada: asteroid"), "{told}");
    assert!(told["next"].as_str().is_some_and(|next| next.contains(&id(1))), "{told}");
    let expected = [(id(0), "real", "ada".to_owned()), (id(0), "false", "bob".to_owned())];
    assert_eq!(served.acts(), expected);
    for (form, told) in [
        ("act=erase&token=3", "what to do"),
        ("act=real", "token"),
        ("act=note&token=4", "note"),
        ("act=real&token=5&note=%00", "note"),
    ] {
        let answer = served.ask("POST", &to, &header, form);
        assert_eq!(answer.status, 400, "{form}");
        assert!(answer.body.contains(told) && answer.body.contains("false"), "{}", answer.body);
    }
    assert_eq!(served.acts().len(), 2);
    let long = format!("act=note&token=6&csrf={csrf}&note={}", "x".repeat(40_000));
    assert_eq!(served.ask("POST", &to, &ada, &long).status, 413);
}

#[test]
fn without_scripts_forms_lead_through_the_queue_and_back() {
    let served = Served::new(2, 1, |_| {});
    let ada = served.cookie(ADA);
    let queue = format!("/night/{NIGHT}/queue");
    let first = served.ask("GET", &queue, &ada, "");
    let first = first.header("location").expect("a candidate").to_owned();
    assert_eq!(first, format!("{}?queue=1", candidate_path(0)));
    let page = served.ask("GET", &first, &ada, "");
    let still = format!("<noscript><img src=\"{}/sky.png", candidate_path(0));
    assert!(page.body.contains(&still) && page.body.contains("<svg class=\"chart\""));
    let csrf = page.csrf().to_owned();
    let send = |number: usize, act: &str, token: &str| {
        let form = format!("act={act}&token={token}&queue=1&csrf={csrf}");
        let path = format!("{}/verdict", candidate_path(number));
        let answer = served.ask("POST", &path, &ada, &form);
        answer.header("location").expect("a place to go").to_owned()
    };
    let second = send(0, "real", "1");
    assert_eq!(second, format!("{}?queue=1&after={}", candidate_path(1), id(0)));
    let page = served.ask("GET", &second, &ada, "");
    assert!(page.body.contains(&format!("Stored: {}: asteroid", id(0))), "{}", page.body);
    assert!(page.body.contains(&format!("Take back the verdict on {}", id(0))));
    let back = send(0, "undo", "2");
    assert!(back.starts_with(&candidate_path(0)), "{back}");
    assert!(served.ask("GET", &back, &ada, "").body.contains("verdict taken back"));
    assert_eq!(send(0, "false", "3"), second);
    let end = send(1, "unsure", "4");
    assert_eq!(end, format!("{queue}?after={}", id(1)));
    assert!(served.ask("GET", &end, &ada, "").body.contains("All judged"));
}

#[test]
fn a_login_ends_when_its_owner_leaves_or_may_no_longer_come() {
    let served = Served::new(1, 0, |_| {});
    let (ada, again, bob) = (served.cookie(ADA), served.cookie(ADA), served.cookie(BOB));
    let path = candidate_path(0);
    let page = served.ask("GET", &path, &ada, "");
    assert_eq!(page.status, 200);
    let form = format!("csrf={}", page.csrf());
    let left = served.ask("POST", "/logout", &ada, &form);
    assert!(
        left.status == 303 && left.header("set-cookie").is_some_and(|c| c.contains("Max-Age=0"))
    );
    assert_eq!(served.ask("GET", &path, &ada, "").status, 303);
    assert_eq!(served.ask("GET", &path, &again, "").status, 200, "another login of hers");
    let file = served.folder.path().join("data/web-users");
    let mut users = Users::load(&file).expect("read");
    users.set("ada", "a new password").expect("changed");
    users.remove("bob");
    users.save(&file).expect("written");
    assert_eq!(served.ask("GET", &path, &again, "").status, 303, "her password is another one");
    assert_eq!(served.ask("GET", &path, &bob, "").status, 303, "he was removed");
}

#[test]
fn tricks_with_paths_and_hosts_are_refused() {
    let served = Served::new(1, 1, |_| {});
    let cookie = served.cookie(ADA);
    let path = candidate_path(0);
    for trick in [
        "/night/..".to_owned(),
        "/night/%2e%2e%2fdata".to_owned(),
        "/night/2026-03-01%00".to_owned(),
        "/night/.hidden".to_owned(),
        "/night/%2Fetc".to_owned(),
        format!("/night/{}", "x".repeat(300)),
        format!("/night/{NIGHT}/candidate/..%2f..%2fcalibrated%2ff0"),
        format!("/night/{NIGHT}/candidate/..%2fcutouts%2f{}/stamps.bin", id(0)),
        format!("{path}/..%2f..%2fautossos.sqlite"),
        format!("{path}/sky.png%00.png"),
        format!("{path}/../../../assets/style.css"),
        format!("/night/{NIGHT}/frame/..%2f..%2fetc/large.png"),
        format!("/night/{NIGHT}/frame/{}/..%2fsmall.png", hash(0)),
        format!("/night/{NIGHT}/frame/%00/large.png"),
        "/assets/..%2f..%2fmod.rs".to_owned(),
        "/assets/%2e%2e/%2e%2e/etc/passwd".to_owned(),
        "//etc/passwd".to_owned(),
    ] {
        let answer = served.ask("GET", &trick, &cookie, "");
        assert!(matches!(answer.status, 400 | 404), "{trick}: {}", answer.status);
        assert!(!answer.body.contains("SQLite") && !answer.body.contains("root:"), "{trick}");
    }
    let long = format!("/night/{}", "x".repeat(3000));
    assert_eq!(served.ask("GET", &long, &cookie, "").status, 400);
    for host in ["evil.example", "evil.example:8480", "127.0.0.1.evil.example", ""] {
        let headers = format!("{cookie}Host: {host}\r\n");
        assert_eq!(served.ask("GET", "/", &headers, "").status, 400, "{host:?}");
    }
    for fine in ["localhost:1", "127.0.0.1", "[::1]:8480"] {
        let headers = format!("{cookie}Host: {fine}\r\n");
        assert_eq!(served.ask("GET", "/", &headers, "").status, 200, "{fine}");
    }
    assert_eq!(served.ask("DELETE", &path, &cookie, "").status, 405);
    let page = served.ask("GET", &format!("/night/{NIGHT}"), &cookie, "");
    assert!(page.body.contains("&#60;b&#62;cloud") || page.body.contains("&lt;b&gt;cloud"));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("cache-control"), Some("private, no-store"));
    for inline in ["<script>", "<style", " style=", " onclick=", "http://", "https://"] {
        for body in [&page.body, &served.ask("GET", &path, &cookie, "").body] {
            assert!(!body.contains(inline), "{inline}");
        }
    }
}

#[test]
fn pictures_come_from_products_and_stay_in_the_browser() {
    let served = Served::new(2, 1, |web| web.base_path = "/sky".to_owned());
    assert_eq!(served.ask("GET", "/", "", "").status, 404, "all begins with the base path");
    let answer = served.ask("POST", "/sky/login", "", "name=ada&password=correct+horse+1");
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.contains("Path=/sky;"), "{cookie}");
    let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().expect("a value"));
    let page = served.ask("GET", &format!("/sky{}", candidate_path(0)), &cookie, "");
    let (_, rest) = page.body.split_once("data-stamps=\"").expect("stamps");
    let stamps = rest.split('"').next().expect("its end");
    assert!(stamps.starts_with("/sky/night/"), "{stamps}");
    let about = served.ask("GET", stamps, &cookie, "");
    assert!(about.header("cache-control").is_some_and(|c| c.contains("immutable")));
    let about: Value = serde_json::from_str(&about.body).expect("JSON");
    assert_eq!(about["views"].as_array().map(Vec::len), Some(4));
    let pixels = served.ask("GET", &stamps.replace("stamps.json", "stamps.bin"), &cookie, "");
    // Four views of eight frames of 63 x 63 pixels of two bytes.
    assert_eq!(pixels.header("content-length"), Some((4 * 8 * 63 * 63 * 2).to_string().as_str()));
    let of_frame = |name: &str| format!("/sky/night/{NIGHT}/frame/{}/{name}", hash(0));
    for path in [
        of_frame("large.png"),
        of_frame("small.png"),
        format!("/sky{}/sky.png", candidate_path(0)),
        format!("/sky{}/object-subtracted.png", candidate_path(0)),
        format!("/sky{}/thumb.png", candidate_path(0)),
    ] {
        let picture = served.ask("GET", &path, &cookie, "");
        assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/png")));
        assert_eq!(picture.header("cache-control"), Some("no-cache"), "no version was named");
        assert!(picture.body.get(..8).is_some_and(|start| start.contains("PNG")), "{path}");
    }
    let without = format!("/sky{}/sky.png", candidate_path(1));
    assert_eq!(served.ask("GET", &without, &cookie, "").status, 404);
    let page = served.ask("GET", &format!("/sky{}", candidate_path(1)), &cookie, "");
    assert!(page.status == 200 && page.body.contains("There are no cut-outs"));
}

/// A port that is free now.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

#[test]
fn no_verdict_is_lost_when_the_service_is_killed_right_after_its_answer() {
    let n_trials = if std::env::var_os("AUTOSSOS_SLOW").is_some() { 100 } else { 10 };
    let port = free_port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let observatory = Observatory::new(&format!("[web]\nlisten = \"{address}\"\n"));
    drop(fill(&observatory.path("data"), n_trials, 0));
    users(&observatory.path("data/web-users"));
    let mut login = None;
    for trial in 0..n_trials {
        let service = observatory.start();
        let is_open = || TcpStream::connect(address).is_ok();
        assert!(observatory.wait_until(20, is_open), "{}", observatory.told());
        let (cookie, csrf) = login.get_or_insert_with(|| {
            let form = "name=ada&password=correct+horse+1";
            let answer = ask(address, ("POST", "/login"), "", form);
            let cookie = answer.header("set-cookie").expect("a cookie").split(';').next();
            let cookie = format!("Cookie: {}\r\n", cookie.expect("a value"));
            let page = ask(address, ("GET", &candidate_path(0)), &cookie, "");
            let csrf = page.csrf().to_owned();
            (cookie, csrf)
        });
        let headers = format!("{cookie}Accept: application/json\r\nX-CSRF-Token: {csrf}\r\n");
        let path = format!("{}/verdict", candidate_path(trial));
        let form = format!("act=real&token=trial-{trial}");
        let answer = ask(address, ("POST", &path), &headers, &form);
        service.kill();
        assert!(answer.body.contains("\"is_stored\":true"), "{trial}: {}", answer.body);
        let reader = Reader::open(&observatory.path("data")).expect("a database");
        assert_eq!(acts(&reader).len(), trial + 1, "lost after trial {trial}");
    }
    let reader = Reader::open(&observatory.path("data")).expect("a database");
    let rows = reader.verdicts(&NightId::new(NIGHT).expect("a name")).expect("read");
    let is_right = |row: &autossos::store::verdicts::VerdictRow| {
        row.act == Act::Judge(Verdict::Real) && row.who == "ada"
    };
    assert!(rows.len() == n_trials && rows.iter().all(is_right));
    println!("{n_trials} kills, no verdict lost");
}

#[test]
fn a_port_that_is_taken_is_told_and_the_service_goes_on() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = taken.local_addr().expect("an address");
    let lines = format!("socket = \"sock\"\n[web]\nlisten = \"{address}\"\n");
    let observatory = Observatory::new(&lines);
    let service = observatory.start();
    let is_told = || observatory.told().contains("Service started");
    assert!(observatory.wait_until(20, is_told), "{}", observatory.told());
    assert!(observatory.told().contains(&format!("cannot be served at {address}")));
    let (_, status) = observatory.ctl(&["status"]);
    assert!(status.contains("web.listen") && status.contains("warning"), "{status}");
    drop(service);
    drop(taken);
    let _service = observatory.start();
    let is_open = || observatory.ctl(&["status"]).1.contains(&format!("http://{address}/"));
    assert!(observatory.wait_until(20, is_open), "{}", observatory.told());
}
