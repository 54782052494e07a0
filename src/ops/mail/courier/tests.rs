//! Days of a mail server's life on a clock that is set.

use std::cell::{Cell, RefCell};

use super::*;
use crate::config::secret::SecretError;
use crate::ops::clock::SetClock;
use crate::remote::smtp::SmtpError;
use crate::store::outbox::{KIND_MAIL, OutboxMessage, OutboxState};

/// A server that is told how to behave and keeps what it took.
struct Double<'a> {
    clock: &'a SetClock,
    behaves: Cell<Behaviour>,
    /// Times of all tries [min after the start] and the bytes taken.
    tries_min: RefCell<Vec<f64>>,
    taken: RefCell<Vec<OutboxMessage>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Behaviour {
    Up,
    Away,
    Refuses,
    WrongPassword,
    Later,
}

const START: Epoch = Epoch::from_mjd_utc(61_100.25);

impl<'a> Double<'a> {
    fn new(clock: &'a SetClock, behaves: Behaviour) -> Self {
        let behaves = Cell::new(behaves);
        Self { clock, behaves, tries_min: RefCell::default(), taken: RefCell::default() }
    }
}

impl Transport for Double<'_> {
    fn send(&self, message: &OutboxMessage, patience: Patience) -> Result<Delivered, SendError> {
        let minute = (self.clock.now().mjd_utc() - START.mjd_utc()) * 1440.0;
        self.tries_min.borrow_mut().push(minute.round());
        match self.behaves.get() {
            Behaviour::Up => {}
            Behaviour::Later if patience == Patience::SendToOthers => {}
            Behaviour::Later => {
                return Err(SmtpError::ReceiversLater { refused: Vec::new() }.into());
            }
            Behaviour::Away => return Err(away()),
            Behaviour::Refuses => {
                return Err(SmtpError::ReceiversRefused { refused: Vec::new() }.into());
            }
            Behaviour::WrongPassword => {
                return Err(SecretError::Name { name: "a/b".to_owned() }.into());
            }
        }
        self.taken.borrow_mut().push(message.clone());
        Ok(Delivered { said: "250 ok".to_owned(), refused: Vec::new() })
    }
}

/// What the mail library gives for a port where nobody listens.
fn away() -> SendError {
    use crate::remote::smtp::{Encryption, Server, send};
    let (host, encryption) = ("127.0.0.1".to_owned(), Encryption::None);
    let server = Server { host, port: 1, encryption, login: None, ca_pem: None };
    let message = b"From: a@b.c\r\nTo: a@b.c\r\n\r\n";
    send(&server, message, Patience::Wait).expect_err("nobody there").into()
}

fn mail(name: &str) -> OutboxMessage {
    OutboxMessage {
        key: format!("mail/{name}/hash"),
        kind: KIND_MAIL.to_owned(),
        nights: vec![name.to_owned()],
        message_id: format!("<{name}.hash@example.org>"),
        subject: format!("{name}: 1 unknown"),
        body: format!("From: a@b.c\r\n\r\n{name}").into_bytes(),
    }
}

fn store_with(names: &[&str]) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::open(folder.path()).expect("opened");
    for name in names {
        store.enqueue(mail(name), START).expect("queued");
    }
    (folder, store)
}

/// Steps whenever something is due until a time [min after the start].
fn live_until(store: &Store, server: &Double<'_>, end_min: f64) {
    let mail = Mail::default();
    for _ in 0..10_000 {
        let report = deliver_due(store, &mail, server.clock, server).expect("noted");
        let Some(next) = report.next_try else { return };
        if next > START.plus_seconds(end_min * 60.0) {
            return;
        }
        let wait_s = (next.mjd_utc() - server.clock.now().mjd_utc()) * SECONDS_PER_DAY;
        server.clock.pass(wait_s.max(0.0) + 0.01);
    }
    panic!("the courier never rests");
}

#[test]
fn a_server_that_is_down_for_a_day_gets_the_mail_once_when_it_is_back() {
    let (_folder, store) = store_with(&["n1"]);
    let clock = SetClock::at(START);
    let server = Double::new(&clock, Behaviour::Away);
    live_until(&store, &server, 1440.0);
    {
        // After 1, 5, 15, 60 minutes, then each hour: 0, 1, 6, 21, 81, 141, ...
        let tries = server.tries_min.borrow();
        assert_eq!(tries[..7], [0.0, 1.0, 6.0, 21.0, 81.0, 141.0, 201.0]);
        assert_eq!(tries.len(), 27, "{tries:?}");
        let row = store.read().outbox(OutboxState::Pending).expect("read").remove(0);
        assert_eq!(row.attempts, 27);
        let told = row.last_error.expect("told");
        assert!(told.contains("127.0.0.1:1") && told.contains("mail.smtp_host"), "{told}");
    }
    server.behaves.set(Behaviour::Up);
    live_until(&store, &server, 3.0 * 1440.0);
    assert_eq!(*server.taken.borrow(), [mail("n1")], "once, byte for byte");
    assert_eq!(store.read().outbox(OutboxState::Sent).expect("read")[0].attempts, 28);
}

#[test]
fn a_server_that_is_away_is_asked_once_for_all_and_order_is_kept() {
    let (_folder, store) = store_with(&["n1", "n2", "n3"]);
    let clock = SetClock::at(START);
    let server = Double::new(&clock, Behaviour::Away);
    live_until(&store, &server, 30.0);
    assert_eq!(*server.tries_min.borrow(), [0.0, 1.0, 6.0, 21.0]);
    server.behaves.set(Behaviour::Up);
    live_until(&store, &server, 90.0);
    let taken = server.taken.borrow();
    let subjects: Vec<&str> = taken.iter().map(|m| m.subject.as_str()).collect();
    assert_eq!(subjects, ["n1: 1 unknown", "n2: 1 unknown", "n3: 1 unknown"]);
}

#[test]
fn a_refused_mail_is_tried_each_hour_does_not_hold_others_up_and_is_given_up() {
    let (_folder, store) = store_with(&["n1"]);
    let clock = SetClock::at(START);
    let server = Double::new(&clock, Behaviour::Refuses);
    live_until(&store, &server, 150.0);
    assert_eq!(*server.tries_min.borrow(), [0.0, 60.0, 120.0]);
    server.behaves.set(Behaviour::Up);
    store.enqueue(mail("n2"), clock.now()).expect("queued");
    deliver_due(&store, &Mail::default(), &clock, &server).expect("noted");
    assert_eq!(*server.taken.borrow(), [mail("n2")], "it does not wait for the first one");
    server.behaves.set(Behaviour::Refuses);
    live_until(&store, &server, 10.0 * 1440.0);
    // Five days are 120 hours: the try at hour 120 is the last of 121.
    let failed = store.read().outbox(OutboxState::Failed).expect("read");
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].attempts, 121);
    assert!(failed[0].last_error.as_deref().is_some_and(|told| told.contains("mail.to")));
    // A human mends the address and asks for it again.
    server.behaves.set(Behaviour::Up);
    store.resend(failed[0].id, clock.now()).expect("asked");
    live_until(&store, &server, 20.0 * 1440.0);
    assert_eq!(*server.taken.borrow(), [mail("n2"), mail("n1")]);
}

#[test]
fn a_wrong_password_holds_all_for_an_hour_and_is_told() {
    let (_folder, store) = store_with(&["n1", "n2"]);
    let clock = SetClock::at(START);
    let server = Double::new(&clock, Behaviour::WrongPassword);
    live_until(&store, &server, 150.0);
    assert_eq!(*server.tries_min.borrow(), [0.0, 60.0, 120.0]);
    let told = store.read().outbox(OutboxState::Pending).expect("read")[0].last_error.clone();
    assert!(told.is_some_and(|told| told.contains("password_credential")));
    server.behaves.set(Behaviour::Up);
    live_until(&store, &server, 200.0);
    assert_eq!(server.taken.borrow().len(), 2);
}

#[test]
fn receivers_for_later_are_waited_for_and_then_left_out() {
    let (_folder, store) = store_with(&["n1"]);
    let clock = SetClock::at(START);
    let server = Double::new(&clock, Behaviour::Later);
    live_until(&store, &server, 300.0);
    assert_eq!(*server.tries_min.borrow(), [0.0, 1.0, 6.0, 21.0, 81.0]);
    assert_eq!(server.taken.borrow().len(), 1);
}

#[test]
fn a_kill_before_the_note_sends_the_same_bytes_again() {
    let (folder, store) = store_with(&["n1"]);
    let clock = SetClock::at(START);
    let server = Double::new(&clock, Behaviour::Up);
    // The killed process: the server has the mail, nothing was noted.
    let row = store.read().outbox_due(clock.now(), 1).expect("read").remove(0);
    assert!(store.begin_try(&row).expect("begun"));
    server.send(&row.message, Patience::Wait).expect("taken");
    drop(store);
    let store = Store::open(folder.path()).expect("opened again");
    live_until(&store, &server, 600.0);
    let taken = server.taken.borrow();
    assert_eq!(taken.len(), 2, "once more, and then never");
    assert_eq!((&taken[0].message_id, &taken[0].body), (&taken[1].message_id, &taken[1].body));
}

#[test]
fn a_machine_that_was_off_for_a_week_tries_before_it_gives_up() {
    let (_folder, store) = store_with(&["n1"]);
    let clock = SetClock::at(START);
    clock.pass(7.0 * SECONDS_PER_DAY);
    let server = Double::new(&clock, Behaviour::Away);
    let report = deliver_due(&store, &Mail::default(), &clock, &server).expect("noted");
    assert_eq!((report.n_failed, report.n_given_up), (1, 0), "the network may still come up");
    server.behaves.set(Behaviour::Up);
    clock.pass(61.0);
    let report = deliver_due(&store, &Mail::default(), &clock, &server).expect("noted");
    assert_eq!((report.n_sent, report.next_try), (1, None));
}
