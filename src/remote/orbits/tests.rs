//! A server on this machine and what can go wrong with it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::*;

/// Answers one request after the other with these bytes; keeps the requests.
fn server(answers: Vec<Vec<u8>>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/MPCORB.DAT.gz", listener.local_addr().expect("an address"));
    let requests: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&requests);
    std::thread::spawn(move || {
        for answer in answers {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let (mut request, mut buffer) = (Vec::new(), [0; 1024]);
            while !request.ends_with(b"\r\n\r\n") {
                let n = stream.read(&mut buffer).expect("a request");
                request.extend_from_slice(&buffer[..n]);
            }
            kept.lock().expect("unbroken").push(String::from_utf8_lossy(&request).into_owned());
            if answer.is_empty() {
                std::thread::sleep(Duration::from_secs(3));
            }
            // The client may have gone away.
            stream.write_all(&answer).ok();
        }
    });
    (url, requests)
}

fn answer(status: u16, length: usize, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} So\r\ncontent-length: {length}\r\nlast-modified: Sat, 21 Nov 2026 \
         08:00:00 GMT\r\nconnection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn limits() -> DownloadLimits {
    DownloadLimits {
        silence: Duration::from_millis(300),
        back_off: Duration::from_millis(5),
        bytes_max: 1000,
        ..DownloadLimits::default()
    }
}

fn fetch(url: &str, since: Option<&str>) -> Result<Download, DownloadError> {
    download(url, since, &limits(), &|_, _| ControlFlow::Continue(()))
}

#[test]
fn a_file_comes_whole_and_only_when_it_is_new() {
    let (url, requests) = server(vec![answer(200, 5, b"hello"), answer(304, 0, b"")]);
    let modified = Some("Sat, 21 Nov 2026 08:00:00 GMT".to_owned());
    let expected = Download::File { bytes: b"hello".to_vec(), modified: modified.clone() };
    assert_eq!(fetch(&url, None).expect("a file"), expected);
    assert_eq!(fetch(&url, modified.as_deref()).expect("an answer"), Download::Unchanged);
    let requests = requests.lock().expect("unbroken");
    assert!(!requests[0].to_lowercase().contains("if-modified-since"));
    assert!(requests[1].contains("Sat, 21 Nov 2026 08:00:00 GMT"), "{}", requests[1]);
}

#[test]
fn half_files_silence_and_busy_servers_are_tried_again() {
    let (url, requests) =
        server(vec![answer(200, 50, b"half"), answer(503, 0, b""), answer(200, 2, b"ok")]);
    assert!(matches!(fetch(&url, None), Ok(Download::File { bytes, .. }) if bytes == b"ok"));
    assert_eq!(requests.lock().expect("unbroken").len(), 3);
    let (url, _) = server(vec![Vec::new(), answer(200, 2, b"ok")]);
    let begin = Instant::now();
    // The server is busy with its silence when the second try comes; none is waited for long.
    assert!(matches!(fetch(&url, None), Err(DownloadError::BrokenOff { .. })));
    assert!(begin.elapsed() < Duration::from_secs(3));
}

#[test]
fn what_no_try_mends_is_told_at_once() {
    let (url, requests) = server(vec![answer(404, 0, b""), answer(200, 2000, b"")]);
    assert!(matches!(fetch(&url, None), Err(DownloadError::Status { status: 404, .. })));
    assert!(matches!(fetch(&url, None), Err(DownloadError::TooLong { .. })));
    assert_eq!(requests.lock().expect("unbroken").len(), 2);
    let (url, _) = server(vec![answer(200, 5, b"hello")]);
    let stopped = download(&url, None, &limits(), &|_, _| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(DownloadError::Stopped)));
    assert!(matches!(fetch("no address", None), Err(DownloadError::Client { .. })));
    assert!(matches!(fetch("http://127.0.0.1:1/x", None), Err(DownloadError::BrokenOff { .. })));
}
