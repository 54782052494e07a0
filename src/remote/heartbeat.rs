//! A sign of life to an address that raises the alarm when it stays silent.

use std::time::Duration;

use reqwest::redirect::Policy;

/// Time limit of the connection and of the whole call [s].
const TIMEOUT_S: u64 = 10;
/// Most redirections followed.
const REDIRECTS_MAX: usize = 5;

/// Why no sign of life got through. Never shows the address: it is often a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeartbeatError {
    /// The client could not be made, e.g. without the system's root certificates.
    #[error("the HTTP client could not be started: are root certificates (ca-certificates) there?")]
    Client {
        /// What the client said.
        source: reqwest::Error,
    },
    /// The address could not be reached in time.
    #[error("the address did not answer")]
    Send {
        /// What the client said, without the address.
        source: reqwest::Error,
    },
    /// The answer was not that all is well.
    #[error("the address answered {status}")]
    Refused {
        /// HTTP status.
        status: u16,
    },
}

/// Calls the address once (GET); the answer's content is not read.
///
/// Needs a TLS provider, which `main` installs once.
pub async fn send(url: &str) -> Result<(), HeartbeatError> {
    let limit = Duration::from_secs(TIMEOUT_S);
    let client = reqwest::Client::builder()
        .connect_timeout(limit)
        .timeout(limit)
        .redirect(Policy::limited(REDIRECTS_MAX))
        .user_agent(concat!("autossos/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|source| HeartbeatError::Client { source: source.without_url() })?;
    let answer = client
        .get(url)
        .send()
        .await
        .map_err(|source| HeartbeatError::Send { source: source.without_url() })?;
    if answer.status().is_success() {
        Ok(())
    } else {
        Err(HeartbeatError::Refused { status: answer.status().as_u16() })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// A server that answers one call and gives back its first line.
    fn answer_once(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/ping/secret", listener.local_addr().expect("an address"));
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a call");
            let mut buffer = [0; 4096];
            let n = stream.read(&mut buffer).expect("a request");
            stream.write_all(answer.as_bytes()).expect("an answer");
            let request = String::from_utf8_lossy(&buffer[..n]).into_owned();
            request.lines().next().unwrap_or_default().to_owned()
        });
        (url, server)
    }

    #[tokio::test]
    async fn a_call_gets_through_or_tells_why_not_without_the_address() {
        // A second installation in this process only gives an error.
        drop(rustls::crypto::ring::default_provider().install_default());
        let (url, server) = answer_once("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        send(&url).await.expect("all is well");
        assert_eq!(server.join().expect("no panic"), "GET /ping/secret HTTP/1.1");

        let (url, _) = answer_once("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n");
        let refused = send(&url).await.expect_err("not well");
        assert!(matches!(refused, HeartbeatError::Refused { status: 503 }), "{refused:?}");

        // Port 1 of this machine: nobody listens.
        let silent = send("http://127.0.0.1:1/secret").await.expect_err("nobody there");
        let text = format!("{:#}", anyhow::Error::from(silent));
        assert!(!text.contains("secret"), "{text}");
    }
}
