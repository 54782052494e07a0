//! A service on this machine for the tests: it answers by a rule, or does not.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the server does with a question.
pub(super) enum Reply {
    /// Answers with this status and text.
    Text(u16, String),
    /// Promises this text and closes in the middle of it.
    Half(String),
    /// Says nothing for a while.
    Silence(Duration),
    /// Waits, then answers with this text.
    Late(Duration, String),
}

/// A server that answers by a rule; it lives as long as the test.
pub(super) struct Server {
    pub(super) url: String,
    n_asked: Arc<AtomicUsize>,
    pub(super) most_at_a_time: Arc<AtomicUsize>,
    queries: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// * `rule`: the number of questions before, and the question: of a POST its form's `QUERY`, of
    ///   a GET what follows the question mark.
    pub(super) fn start(rule: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/tap", listener.local_addr().expect("an address"));
        let server = Self {
            url,
            n_asked: Arc::default(),
            most_at_a_time: Arc::default(),
            queries: Arc::default(),
        };
        let (n_asked, most) = (Arc::clone(&server.n_asked), Arc::clone(&server.most_at_a_time));
        let queries = Arc::clone(&server.queries);
        let (rule, now) = (Arc::new(rule), Arc::new(AtomicUsize::new(0)));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (rule, now) = (Arc::clone(&rule), Arc::clone(&now));
                let (n_asked, most) = (Arc::clone(&n_asked), Arc::clone(&most));
                let queries = Arc::clone(&queries);
                std::thread::spawn(move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let query = question(&stream);
                    queries.lock().expect("unbroken").push(query.clone());
                    let reply = rule(n_asked.fetch_add(1, Ordering::SeqCst), &query);
                    // Whoever asked may see the answer before this thread goes on.
                    answer(stream, reply, || {
                        now.fetch_sub(1, Ordering::SeqCst);
                    });
                });
            }
        });
        server
    }

    pub(super) fn n_asked(&self) -> usize {
        self.n_asked.load(Ordering::SeqCst)
    }

    /// Everything that was asked.
    pub(super) fn queries(&self) -> Vec<String> {
        self.queries.lock().expect("unbroken").clone()
    }
}

/// The query of a request.
fn question(mut stream: &TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let n = stream.read(&mut buffer).expect("a request");
        bytes.extend_from_slice(&buffer[..n]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        if let Some(asked) = head.strip_prefix("GET ") {
            let target = asked.split(' ').next().unwrap_or_default();
            return target.split_once('?').map_or("", |(_, query)| query).to_owned();
        }
        assert!(head.starts_with("POST /tap/sync HTTP/1.1"), "{head}");
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok()
        });
        if body.len() >= length.expect("a length") {
            let form = form_urlencoded::parse(body.as_bytes());
            let form: std::collections::BTreeMap<_, _> = form.into_owned().collect();
            assert_eq!((form["REQUEST"].as_str(), form["LANG"].as_str()), ("doQuery", "ADQL"));
            return form["QUERY"].clone();
        }
    }
}

fn answer(mut stream: TcpStream, reply: Reply, done: impl FnOnce()) {
    let head = |status: u16, length: usize| {
        format!("HTTP/1.1 {status} So\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")
    };
    let text = match reply {
        Reply::Text(status, text) => head(status, text.len()) + &text,
        Reply::Half(text) => {
            head(200, text.len()) + text.get(..text.len() / 2).expect("plain letters")
        }
        Reply::Silence(time) => {
            std::thread::sleep(time);
            return done();
        }
        Reply::Late(time, text) => {
            std::thread::sleep(time);
            head(200, text.len()) + &text
        }
    };
    done();
    // The client may have gone away.
    stream.write_all(text.as_bytes()).ok();
}
