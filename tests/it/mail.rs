//! Mails to a real server on loopback: aiosmtpd with encryption and login.
//!
//! Needs a Python with aiosmtpd (`AUTOSSOS_SMTP_PYTHON`, else `python3`) and `openssl`; without
//! them the tests print "skipped", or fail when `AUTOSSOS_E2E=1` asks for them.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use autossos::config::{self, Config};
use autossos::ops::clock::SetClock;
use autossos::ops::mail::alerts::{raise, report_failed};
use autossos::ops::mail::{CourierReport, deliver_due, transport};
use autossos::science::time::Epoch;
use autossos::store::Store;
use autossos::store::outbox::OutboxState;
use serde_json::Value;
use tempfile::TempDir;

const USER: &str = "dome";
const PASSWORD: &str = "s3cret of the dome";

/// A Python that has aiosmtpd, when `openssl` is there as well. The one first in the path may be
/// another than the one Debian's package belongs to.
fn python() -> Option<String> {
    let works = |program: &str, words: &[&str]| {
        let output = Command::new(program).args(words).output();
        output.is_ok_and(|output| output.status.success())
    };
    let named = std::env::var("AUTOSSOS_SMTP_PYTHON").ok();
    let candidates = named
        .map_or_else(|| vec!["python3".to_owned(), "/usr/bin/python3".to_owned()], |n| vec![n]);
    let python = candidates.into_iter().find(|python| works(python, &["-c", "import aiosmtpd"]));
    if python.is_some() && works("openssl", &["version"]) {
        return python;
    }
    let reason = "no Python here has aiosmtpd, or there is no openssl";
    assert!(std::env::var("AUTOSSOS_E2E").as_deref() != Ok("1"), "{reason}");
    println!("skipped: {reason}");
    None
}

/// A folder with certificates, password, kept mails and a data folder.
struct House {
    folder: TempDir,
    python: String,
    mode: &'static str,
    port: u16,
}

/// The server's process; it is killed with this value.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl House {
    fn new(python: String, mode: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        let house = Self { folder, python, mode, port };
        std::fs::create_dir(house.path("kept")).expect("a folder");
        house.make_certificates();
        house.write_password(PASSWORD);
        house
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write_password(&self, password: &str) {
        let path = self.path("password");
        std::fs::write(&path, format!("{password}\n")).expect("written");
        let permissions = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&path, permissions).expect("set");
    }

    /// An authority and a server's certificate that it signed.
    fn make_certificates(&self) {
        let extensions = "basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1\n";
        std::fs::write(self.path("extensions"), extensions).expect("written");
        let openssl = |words: &str| {
            let output = Command::new("openssl")
                .args(words.split(' '))
                .current_dir(self.folder.path())
                .output()
                .expect("openssl starts");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        openssl(&format!("req -x509 {key} -subj /CN=authority -days 2 -keyout ca.key -out ca.pem"));
        openssl(&format!("req {key} -subj /CN=server -keyout server.key -out server.csr"));
        openssl(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
             -extfile extensions -out server.pem",
        );
    }

    fn start(&self) -> Server {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/smtp_server.py");
        let mut child = Command::new(&self.python)
            .args(["-W", "ignore"])
            .arg(script)
            .args([self.mode, &self.port.to_string()])
            .args(["kept", "server.pem", "server.key"].map(|name| self.path(name)))
            .args([USER, PASSWORD])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let server = Server(child);
        assert_eq!(line.trim(), "ready");
        server
    }

    /// The configuration file, with further lines of `[mail]`.
    fn configure(&self, lines: &str) -> Config {
        let text = format!(
            "[daemon]\ndata = \"data\"\n[mail]\nfrom = \"dome@example.org\"\n\
             to = [\"a@example.org\", \"gone@example.org\", \"b@example.org\"]\n\
             smtp_host = \"127.0.0.1\"\nsmtp_port = {}\nencryption = \"{}\"\nuser = \"{USER}\"\n\
             password_file = \"password\"\n{lines}",
            self.port, self.mode
        );
        let path = self.path("autossos.toml");
        std::fs::write(&path, text).expect("written");
        config::load(Some(&path), &[], std::iter::empty()).expect("a right configuration")
    }

    fn ctl(&self, words: &[&str]) -> (Option<i32>, String) {
        let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_autossosctl"))
            .args(words)
            .args(["--config", "autossos.toml"])
            .current_dir(self.folder.path())
            .output()
            .expect("the program starts");
        let text = [stdout, stderr].concat();
        (status.code(), String::from_utf8_lossy(&text).into_owned())
    }

    /// What the server kept: facts and bytes.
    fn kept(&self) -> Vec<(Value, Vec<u8>)> {
        (0..)
            .map_while(|n| {
                let bytes = std::fs::read(self.path(&format!("kept/{n}.eml"))).ok()?;
                let facts = std::fs::read(self.path(&format!("kept/{n}.json"))).ok()?;
                Some((serde_json::from_slice(&facts).expect("JSON"), bytes))
            })
            .collect()
    }
}

/// An outbox with one message, its clock and way out.
struct Outbox {
    store: Store,
    config: Config,
    clock: SetClock,
}

impl Outbox {
    fn new(house: &House, config: Config) -> Self {
        let store = Store::open(&house.path("data")).expect("opened");
        Self { store, config, clock: SetClock::at(Epoch::from_mjd_utc(61_100.25)) }
    }

    fn queue(&self, night: &str) {
        let alert = report_failed(night, "a reason");
        assert!(raise(&self.store, &self.config, &alert, &self.clock).expect("queued"));
    }

    fn step(&self) -> CourierReport {
        let transport = transport(&self.config.mail).expect("a way out");
        deliver_due(&self.store, &self.config.mail, &self.clock, transport.as_ref()).expect("noted")
    }

    fn pending_error(&self) -> String {
        let pending = self.store.read().outbox(OutboxState::Pending).expect("read");
        pending.first().and_then(|row| row.last_error.clone()).unwrap_or_default()
    }
}

#[test]
fn a_real_server_takes_the_mail_once_encrypted_and_with_login() {
    let Some(python) = python() else { return };
    let house = House::new(python, "starttls");
    let outbox = Outbox::new(&house, house.configure("ca_file = \"ca.pem\"\n"));
    let server = house.start();

    // A wrong password is told, then mended: the file is read anew at each try.
    house.write_password("wrong");
    outbox.queue("2026-03-01");
    assert_eq!(outbox.step().n_failed, 1);
    let told = outbox.pending_error();
    assert!(told.contains("refuses the login") && told.contains("535"), "{told}");
    house.write_password(PASSWORD);
    assert_eq!(outbox.step().n_sent, 0, "not before the hour is over");
    outbox.clock.pass(3600.5);
    assert_eq!(outbox.step().n_sent, 1);
    let kept = house.kept();
    assert_eq!(kept.len(), 1);
    let (facts, bytes) = &kept[0];
    assert_eq!(facts["is_encrypted"], true);
    assert_eq!(facts["is_logged_in"], true);
    assert_eq!(facts["from"], "dome@example.org");
    assert_eq!(facts["to"], serde_json::json!(["a@example.org", "b@example.org"]));
    let row = outbox.store.read().outbox(OutboxState::Sent).expect("read").remove(0);
    // The line feed before the dot that ends the message counts as the message's.
    let expected = [row.message.body.as_slice(), b"\r\n"].concat();
    assert_eq!(String::from_utf8_lossy(bytes), String::from_utf8_lossy(&expected));
    let remark = row.last_error.expect("one receiver is gone");
    assert!(remark.contains("gone@example.org") && remark.contains("no such user"), "{remark}");

    // The server dies while it takes the next one, before it kept or answered it.
    std::fs::write(house.path("kept/die"), "").expect("written");
    outbox.queue("2026-03-02");
    assert_eq!(outbox.step().n_failed, 1);
    drop(server);
    outbox.clock.pass(60.5);
    assert_eq!(outbox.step().n_failed, 1, "nobody listens");
    let told = outbox.pending_error();
    assert!(told.contains("cannot be reached"), "{told}");
    let _server = house.start();
    outbox.clock.pass(301.0);
    assert_eq!(outbox.step().n_sent, 1);
    outbox.clock.pass(86_400.0);
    assert_eq!(outbox.step(), CourierReport::default(), "nothing is left to do");
    assert_eq!(house.kept().len(), 2, "each mail once");
}

#[test]
fn an_unknown_certificate_gets_neither_password_nor_mail() {
    let Some(python) = python() else { return };
    for mode in ["starttls", "tls"] {
        let house = House::new(python.clone(), mode);
        let outbox = Outbox::new(&house, house.configure(""));
        let _server = house.start();
        outbox.queue("2026-03-01");
        assert_eq!(outbox.step().n_failed, 1);
        let told = outbox.pending_error();
        assert!(told.contains("mail.ca_file"), "{mode}: {told}");
        assert!(house.kept().is_empty());
    }
}

#[test]
fn a_person_tries_lists_and_resends_mails() {
    let Some(python) = python() else { return };
    let house = House::new(python, "tls");
    let config = house.configure("ca_file = \"ca.pem\"\n");
    let (code, told) = house.ctl(&["mail", "test"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("cannot be reached") && told.contains("mail.smtp_host"), "{told}");
    let _server = house.start();
    house.write_password("not it");
    let (code, told) = house.ctl(&["mail", "test"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("mail.user") && !told.contains("not it"), "{told}");
    house.write_password(PASSWORD);
    let (code, told) = house.ctl(&["mail", "test"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("2.0.0 kept as 0") && told.contains("gone@example.org"), "{told}");
    assert_eq!(house.kept()[0].0["is_encrypted"], true);

    let outbox = Outbox::new(&house, config);
    outbox.queue("2026-03-01");
    assert_eq!(outbox.step().n_sent, 1);
    let (code, told) = house.ctl(&["mail", "resend", "1"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("in use"), "{told}");
    let (code, listed) = house.ctl(&["mail", "list", "--json"]);
    assert_eq!(code, Some(0), "the list needs no lock: {listed}");
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(listed[0]["state"], "sent");
    assert_eq!(listed[0]["attempts"], 1);
    let Outbox { store, config, .. } = outbox;
    drop(store);
    let (code, told) = house.ctl(&["mail", "resend", "1"]);
    assert_eq!(code, Some(0), "{told}");
    let (_, told) = house.ctl(&["mail", "list"]);
    assert!(told.contains("pending") && told.contains("at once"), "{told}");
    let (code, told) = house.ctl(&["mail", "resend", "7"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("no mail 7"), "{told}");
    assert_eq!(Outbox::new(&house, config).step().n_sent, 1);
    let kept = house.kept();
    assert_eq!(kept.len(), 3);
    assert_eq!(kept[1].1, kept[2].1, "the same bytes");
}
