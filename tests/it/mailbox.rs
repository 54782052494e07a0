//! A mail server for the tests: speaks enough SMTP to take messages, and can be asked to refuse.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A server on a free port of this machine; every message it accepts is kept.
pub struct Mailbox {
    pub port: u16,
    messages: Arc<Mutex<Vec<String>>>,
    is_refusing: Arc<AtomicBool>,
}

impl Mailbox {
    /// Opens it; the thread ends with the test's process.
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let messages: Arc<Mutex<Vec<String>>> = Arc::default();
        let is_refusing = Arc::new(AtomicBool::new(false));
        let (kept, refuses) = (Arc::clone(&messages), Arc::clone(&is_refusing));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, refuses) = (Arc::clone(&kept), Arc::clone(&refuses));
                // A client that is killed breaks its connection: not the server's trouble.
                std::thread::spawn(move || drop(converse(&stream, &kept, &refuses)));
            }
        });
        Self { port, messages, is_refusing }
    }

    /// Whether every message is refused for good (554) from now on.
    pub fn refuse(&self, is_refusing: bool) {
        self.is_refusing.store(is_refusing, Ordering::SeqCst);
    }

    /// What was accepted so far, headers and all.
    pub fn messages(&self) -> Vec<String> {
        self.messages.lock().expect("no panic").clone()
    }

    /// The lines of a configuration that sends here.
    pub fn lines(&self) -> String {
        format!(
            "[mail]\nfrom = \"autossos@example.org\"\nto = [\"observer@example.org\"]\n\
             smtp_host = \"127.0.0.1\"\nsmtp_port = {}\nencryption = \"none\"\n",
            self.port
        )
    }
}

/// The value of a message's header.
pub fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let start = format!("{name}: ");
    message.lines().find_map(|line| line.strip_prefix(start.as_str())).unwrap_or_default()
}

fn converse(
    stream: &TcpStream,
    kept: &Mutex<Vec<String>>,
    is_refusing: &AtomicBool,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    writer.write_all(b"220 test\r\n")?;
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let word = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        match word.as_str() {
            "EHLO" | "HELO" => writer.write_all(b"250-test\r\n250 8BITMIME\r\n")?,
            "MAIL" if is_refusing.load(Ordering::SeqCst) => {
                writer.write_all(b"554 not today\r\n")?;
            }
            "DATA" => {
                writer.write_all(b"354 go on\r\n")?;
                let message = read_message(&mut reader)?;
                kept.lock().expect("no panic").push(message);
                writer.write_all(b"250 taken\r\n")?;
            }
            "QUIT" => {
                writer.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            _ => writer.write_all(b"250 fine\r\n")?,
        }
    }
}

fn read_message(reader: &mut BufReader<&TcpStream>) -> std::io::Result<String> {
    let mut message = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(message);
        }
        message.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
