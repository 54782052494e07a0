//! A server of few lines that says what it is told to.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use super::*;

const MESSAGE: &[u8] = b"From: Dome <dome@example.org>\r\nTo: a@example.org,\r\n \
    \"B, the other\" <b@example.org>\r\nSubject: x\r\n\r\n.dot\r\nTo: c@example.org";

/// Serves one connection: an answer per line of the client, `DATA` ended by its dot.
fn serve(answer: fn(&str) -> &'static str) -> (Server, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let heard = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut lines = Vec::new();
        talk(&stream, answer, &mut lines);
        lines
    });
    let (host, encryption) = ("127.0.0.1".to_owned(), Encryption::None);
    (Server { host, port, encryption, login: None, ca_pem: None }, heard)
}

fn talk(mut stream: &TcpStream, answer: fn(&str) -> &'static str, lines: &mut Vec<String>) {
    let mut reader = BufReader::new(stream);
    stream.write_all(b"220 hello\r\n").expect("a greeting");
    let (mut line, mut is_data) = (String::new(), false);
    while reader.read_line(&mut line).is_ok_and(|n| n > 0) {
        let text = line.trim_end().to_owned();
        lines.push(text.clone());
        line.clear();
        if is_data && text != "." {
            continue;
        }
        let said = answer(&text);
        is_data = said.starts_with("354");
        if said == "hang up" || stream.write_all(said.as_bytes()).is_err() {
            return;
        }
    }
}

/// Takes everything.
fn friendly(line: &str) -> &'static str {
    match line.split([' ', ':']).next().unwrap_or_default() {
        "EHLO" => "250-here\r\n250 8BITMIME\r\n",
        "DATA" => "354 go on\r\n",
        "." => "250 2.0.0 queued as 4711\r\n",
        _ => "250 ok\r\n",
    }
}

#[test]
fn the_message_goes_out_as_it_is_to_those_in_its_header() {
    let (server, heard) = serve(friendly);
    let delivery = send(&server, MESSAGE, Patience::Wait).expect("taken");
    assert_eq!(delivery.said.to_string(), "250 2.0.0 queued as 4711");
    assert!(delivery.refused.is_empty());
    let heard = heard.join().expect("no panic");
    let commands: Vec<&str> = heard.iter().map(String::as_str).skip(1).take(4).collect();
    let expected = [
        "MAIL FROM:<dome@example.org>",
        "RCPT TO:<a@example.org>",
        "RCPT TO:<b@example.org>",
        "DATA",
    ];
    assert_eq!(commands, expected);
    // A dot at a line's start is doubled on the way (RFC 5321, 4.5.2).
    assert!(heard.contains(&"..dot".to_owned()), "{heard:?}");
}

#[test]
fn one_refused_receiver_does_not_cut_off_the_others() {
    let (server, heard) =
        serve(|line| if line.contains("<b@") { "550 b has left\r\n" } else { friendly(line) });
    let delivery = send(&server, MESSAGE, Patience::Wait).expect("taken for a");
    assert_eq!(delivery.refused.len(), 1);
    assert_eq!(delivery.refused[0].address, "b@example.org");
    assert!(delivery.refused[0].said.to_string().contains("b has left"));
    assert!(heard.join().expect("no panic").contains(&"DATA".to_owned()));
}

#[test]
fn a_receiver_for_later_is_waited_for_only_so_long() {
    let later: fn(&str) -> &'static str =
        |line| if line.contains("<b@") { "451 greylisted\r\n" } else { friendly(line) };
    let (server, heard) = serve(later);
    let error = send(&server, MESSAGE, Patience::Wait).expect_err("waits for b");
    assert!(matches!(error, SmtpError::ReceiversLater { .. }), "{error:?}");
    assert!(error.to_string().contains("b@example.org"), "{error}");
    assert!(!heard.join().expect("no panic").contains(&"DATA".to_owned()), "nothing was sent");
    let (server, _) = serve(later);
    let delivery = send(&server, MESSAGE, Patience::SendToOthers).expect("taken for a");
    assert_eq!(delivery.refused.len(), 1);
}

#[test]
fn failures_are_told_apart() {
    let fails = |answer| {
        let (server, _) = serve(answer);
        send(&server, MESSAGE, Patience::Wait).expect_err("not taken")
    };
    let all = fails(|line| if line.starts_with("RCPT") { "550 no\r\n" } else { friendly(line) });
    assert!(matches!(all, SmtpError::ReceiversRefused { .. }), "{all:?}");
    let sender =
        fails(|line| if line.starts_with("MAIL") { "553 not you\r\n" } else { friendly(line) });
    assert!(matches!(sender, SmtpError::Refused { .. }), "{sender:?}");
    let content = fails(|line| if line == "." { "554 spam\u{1b}[31m\r\n" } else { friendly(line) });
    assert!(
        matches!(&content, SmtpError::Refused { source } if !source.to_string().contains('\u{1b}'))
    );
    let busy = fails(|line| if line == "." { "452 disk full\r\n" } else { friendly(line) });
    assert!(matches!(busy, SmtpError::Later { .. }), "{busy:?}");
    let lost = fails(|line| if line == "DATA" { "hang up" } else { friendly(line) });
    assert!(matches!(lost, SmtpError::Lost { .. }), "{lost:?}");
    let (mut server, _) = serve(friendly);
    server.encryption = Encryption::StartTls;
    let open = send(&server, MESSAGE, Patience::Wait).expect_err("not encrypted");
    assert!(matches!(open, SmtpError::NoStartTls { .. }), "{open:?}");
    let (mut server, _) = serve(friendly);
    server.login = Some(Login::new("dome", "s3cret"));
    let no_login = send(&server, MESSAGE, Patience::Wait).expect_err("no login there");
    assert!(matches!(no_login, SmtpError::NoLogin { .. }), "{no_login:?}");
    assert!(!format!("{server:?}").contains("s3cret"));
    server.port = 1;
    let gone = send(&server, MESSAGE, Patience::Wait).expect_err("nobody there");
    assert!(matches!(gone, SmtpError::Unreachable { port: 1, .. }), "{gone:?}");
    server.encryption = Encryption::Tls;
    server.ca_pem = Some(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n".to_vec());
    let ca = send(&server, MESSAGE, Patience::Wait).expect_err("no certificate");
    assert!(matches!(ca, SmtpError::CaFile { .. }), "{ca:?}");
    let empty = send(&server, b"Subject: x\r\n\r\nFrom: a@b.c", Patience::Wait);
    assert!(matches!(empty, Err(SmtpError::NotAMessage)));
}
