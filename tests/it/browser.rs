//! A real browser: Debian's chromium, driven by its chromedriver; killed when dropped.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;

const CHROMIUM: &str = "/usr/bin/chromium";
const DRIVER: &str = "/usr/bin/chromedriver";
/// Where pictures of the pages are put when somebody wants to look at them.
const SHOTS_VARIABLE: &str = "AUTOSSOS_SHOTS";

/// Whether there is a browser; without one the test says so, or fails when `AUTOSSOS_E2E=1`.
pub fn is_there() -> bool {
    let is_there = Path::new(CHROMIUM).exists() && Path::new(DRIVER).exists();
    if !is_there {
        println!("skipped: no chromium and chromium-driver");
        assert!(std::env::var("AUTOSSOS_E2E").as_deref() != Ok("1"), "no browser");
    }
    is_there
}

/// A browser's window.
pub struct Browser {
    pub client: Client,
    driver: Child,
    _profile: TempDir,
}

impl Browser {
    /// Opens one; further words for its command line, as `--window-size=400,800`.
    pub async fn open(words: &[&str]) -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(DRIVER);
        command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null());
        // A group of its own: the browser's processes end with the driver.
        let mut driver = command.process_group(0).spawn().expect("the driver starts");
        let mut lines = BufReader::new(driver.stdout.take().expect("a pipe")).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("started successfully on port ")?;
            rest.trim_end_matches('.').parse::<u16>().ok()
        });
        // The pipe is read on, so that the driver never waits for it.
        std::thread::spawn(move || lines.count());
        let mut args = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-background-networking".to_owned(),
            "--no-first-run".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        args.extend(words.iter().map(|word| (*word).to_owned()));
        let wanted = json!({ "goog:chromeOptions": { "args": args, "binary": CHROMIUM } });
        let Value::Object(wanted) = wanted else { unreachable!("an object was written") };
        let address = format!("http://127.0.0.1:{}", port.expect("the driver listens"));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wanted)
            .connect(&address)
            .await
            .expect("a window");
        Self { client, driver, _profile: profile }
    }

    /// What a script returns.
    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    /// Presses keys, one after the other, as a keyboard does.
    pub async fn press(&self, keys: &str) {
        let mut actions = KeyActions::new("keyboard".to_owned());
        for value in keys.chars() {
            actions = actions.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.client.perform_actions(actions).await.expect("keys");
    }

    /// Presses a key while Control is down.
    pub async fn press_with_control(&self, key: Key) {
        let control = char::from(Key::Control);
        let value = char::from(key);
        let actions = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: control })
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value })
            .then(KeyAction::Up { value: control });
        self.client.perform_actions(actions).await.expect("keys");
    }

    /// Waits until a script returns true.
    pub async fn wait(&self, script: &str) {
        let began = Instant::now();
        let script = format!("return Boolean({script})");
        while self.run(&script).await != Value::Bool(true) {
            let page = "return document.title + '\\n' + document.body.innerText.slice(0, 800)";
            if began.elapsed() > Duration::from_secs(20) {
                panic!("never: {script}\n{}", self.run(page).await);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Types name and password into the login's form and sends it, by keys alone.
    pub async fn log_in(&self, address: &str, (name, password): (&str, &str)) {
        self.client.goto(address).await.expect("a page");
        // Keys pressed before the first field has the cursor are lost.
        self.wait("document.activeElement?.tagName === 'INPUT'").await;
        self.press(name).await;
        self.press(&String::from(char::from(Key::Tab))).await;
        self.press(password).await;
        self.press(&String::from(char::from(Key::Enter))).await;
    }

    /// Puts a picture of the window where `AUTOSSOS_SHOTS` says.
    pub async fn shoot(&self, name: &str) {
        let Some(folder) = std::env::var_os(SHOTS_VARIABLE) else { return };
        let folder = Path::new(&folder);
        std::fs::create_dir_all(folder).expect("a folder");
        let picture = self.client.screenshot().await.expect("a picture");
        std::fs::write(folder.join(format!("{name}.png")), picture).expect("written");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may be gone already.
        kill_process_group(Pid::from_child(&self.driver), Signal::KILL).ok();
        self.driver.wait().ok();
    }
}
