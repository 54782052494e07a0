//! What the service tells systemd: that it is ready, what it is doing, that it is alive.
//!
//! A thin wrapper over sd-notify. Without `NOTIFY_SOCKET` in the environment (not started by
//! systemd) nothing happens. A message that does not arrive is told once and is no reason to stop:
//! systemd itself acts when READY or WATCHDOG stay away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;

/// Longest status line [bytes]; systemd keeps one line.
const STATUS_MAX_BYTES: usize = 250;

/// Tells systemd how the service is.
#[derive(Debug, Default)]
pub(super) struct Notifier {
    /// Time within which systemd wants to hear of progress.
    watchdog: Option<Duration>,
    /// A message did not arrive, and the log says so.
    is_failure_told: AtomicBool,
}

impl Notifier {
    /// Reads from the environment what systemd wants to hear.
    pub(super) fn from_environment() -> Self {
        Self { watchdog: sd_notify::watchdog_enabled(), ..Self::default() }
    }

    /// The service works; also the end of [`Self::reloading`].
    pub(super) fn ready(&self) {
        self.tell(&[NotifyState::Ready]);
    }

    /// One line for people, shown by `systemctl status`.
    pub(super) fn status(&self, text: &str) {
        let line = one_line(text);
        self.tell(&[NotifyState::Status(&line)]);
    }

    /// The configuration is being read again; [`Self::ready`] must follow.
    ///
    /// MONOTONIC_USEC is what `Type=notify-reload` of systemd 253 needs; 252 ignores it.
    pub(super) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(&[NotifyState::Reloading, now]),
            Err(_) => self.tell(&[NotifyState::Reloading]),
        }
    }

    /// The service ends.
    pub(super) fn stopping(&self) {
        self.tell(&[NotifyState::Stopping]);
    }

    /// Something was really done. To be called where work is finished, never by a timer: a timer
    /// goes on in a process whose work stands still.
    pub(super) fn watchdog(&self) {
        if self.watchdog.is_some() {
            self.tell(&[NotifyState::Watchdog]);
        }
    }

    /// Time after which systemd kills the service when [`Self::watchdog`] is not called; half of
    /// it is a good rhythm. None when systemd does not watch.
    pub(super) const fn watchdog_period(&self) -> Option<Duration> {
        self.watchdog
    }

    fn tell(&self, states: &[NotifyState<'_>]) {
        if let Err(error) = sd_notify::notify(states)
            && !self.is_failure_told.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(%error, "systemd does not hear the service.");
        }
    }
}

/// The text as one line of limited length: a further line would be another message to systemd.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(STATUS_MAX_BYTES));
    for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if line.len() + c.len_utf8() > STATUS_MAX_BYTES {
            break;
        }
        line.push(c);
    }
    line
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;
    use std::process::Command;

    use super::*;

    /// The tests start themselves again with this name, so that the environment is another
    /// process's.
    const CHILD: &str = "daemon::systemd::tests::child";

    #[test]
    #[ignore = "started by the other tests, with the environment that systemd would give"]
    fn child() {
        let notifier = Notifier::from_environment();
        assert_eq!(notifier.watchdog_period(), Some(Duration::from_secs(90)));
        notifier.ready();
        notifier.status("Night 2026-03-01: frame 3 of 40.\nREADY=0");
        notifier.watchdog();
        notifier.reloading();
        notifier.ready();
        notifier.stopping();
    }

    #[expect(clippy::disallowed_methods, reason = "a test starts its own program")]
    fn start_child(environment: &[(&str, &str)]) -> std::process::Output {
        let program = std::env::current_exe().expect("the test's own program");
        Command::new(program)
            .args([CHILD, "--exact", "--ignored"])
            .env_remove("WATCHDOG_PID")
            .env_remove("NOTIFY_SOCKET")
            .env("WATCHDOG_USEC", "90000000")
            .envs(environment.iter().copied())
            .output()
            .expect("it starts")
    }

    #[test]
    fn systemd_hears_each_message() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a time limit");
        let output = start_child(&[("NOTIFY_SOCKET", path.to_str().expect("UTF-8"))]);
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
        let mut heard = Vec::new();
        for _ in 0..6 {
            let mut buffer = [0; 1024];
            let n = socket.recv(&mut buffer).expect("a message");
            heard.push(String::from_utf8_lossy(buffer.get(..n).expect("received")).into_owned());
        }
        assert_eq!(heard[0], "READY=1\n");
        assert_eq!(heard[1], "STATUS=Night 2026-03-01: frame 3 of 40. READY=0\n");
        assert_eq!(heard[2], "WATCHDOG=1\n");
        let since_boot = heard[3].strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("both");
        assert!(since_boot.trim_end().parse::<u64>().expect("a number") > 0, "{since_boot}");
        assert_eq!(heard[4..], ["READY=1\n", "STOPPING=1\n"]);
    }

    #[test]
    fn without_systemd_nothing_happens_and_a_deaf_one_is_no_reason_to_stop() {
        let output = start_child(&[]);
        assert!(output.status.success(), "{output:?}");
        let output = start_child(&[("NOTIFY_SOCKET", "/nowhere/notify")]);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(Notifier::default().watchdog_period(), None);
    }

    #[test]
    fn a_status_is_one_short_line() {
        assert_eq!(one_line("a\nb\tc"), "a b c");
        // 2 bytes each: 125 fit into 250.
        assert_eq!(one_line(&"é".repeat(500)).chars().count(), 125);
    }
}
