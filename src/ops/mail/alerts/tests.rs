//! Each alert once, with the words that help.

use super::*;
use crate::ops::clock::SetClock;
use crate::store::outbox::OutboxState;

/// Hours after noon of 1 March 2026, UTC.
fn at(hours: f64) -> Epoch {
    Epoch::from_date(2026, 3, 1, 43_200.0).plus_seconds(hours * 3600.0)
}

fn config() -> Config {
    let mut config = Config::default();
    config.mail.from = Some("dome@example.org".to_owned());
    config.mail.to = vec!["a@example.org".to_owned()];
    config
}

#[test]
fn silence_is_told_at_n_2n_4n_nights() {
    // Last frame at 3h in the night of 1 March. The nights of 2, 3 and 4 March are over at noon
    // of 5 March, 96 h after the start.
    let last = Arrival::Frame(at(15.0));
    let n_at = |hours| {
        silence(("", 0.0), last, at(hours), 3).map(|keyed| match keyed.alert {
            Alert::Silence { n_nights, .. } => n_nights,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(n_at(15.0), None);
    assert_eq!(n_at(95.9), None);
    assert_eq!(n_at(96.1), Some(3));
    assert_eq!(n_at(96.0 + 48.0), Some(3), "5 nights");
    assert_eq!(n_at(96.0 + 72.1), Some(6));
    assert_eq!(n_at(96.0 + 24.0 * 9.1), Some(12));
    assert_eq!(n_at(-50.0), None, "a clock set back");
    assert_eq!(silence(("", 0.0), last, at(9999.0), 0), None, "switched off");
    // At 90 deg east noon is six hours earlier: the third night is over at 90 h.
    assert!(silence(("E", 90.0), last, at(90.1), 3).is_some());
    let key = |hours| silence(("E", 90.0), last, at(hours), 3).expect("told").key;
    assert_eq!(key(90.1), key(120.0), "one mail per threshold");
    assert_ne!(key(90.1), key(170.0));
}

#[test]
fn an_alert_is_queued_once_and_says_what_to_do() {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::open(folder.path()).expect("opened");
    let clock = SetClock::at(at(100.0));
    let raise = |alert: &KeyedAlert| raise(&store, &config(), alert, &clock).expect("queued");
    let silent = silence(("C14", 0.0), Arrival::Frame(at(15.0)), at(100.0), 3).expect("told");
    assert!(raise(&silent));
    clock.pass(3600.0);
    assert!(!raise(&silent), "once");
    assert!(raise(&report_failed("2026-03-01", "the catalogue of 12 stars is gone")));
    assert!(!raise(&report_failed("2026-03-01", "the catalogue of 13 stars is gone")));
    assert!(raise(&report_failed("2026-03-01", "another reason")));
    assert!(raise(&disk_full(Path::new("/data"), 1000, 2048, clock.now())));
    assert!(!raise(&disk_full(Path::new("/data"), 900, 2048, clock.now())));
    let rows = store.read().outbox(OutboxState::Pending).expect("read");
    // Without the soft line breaks of quoted-printable.
    let text = String::from_utf8_lossy(&rows[0].message.body).replace("=\r\n", "");
    assert!(text.contains("Subject: autossos: no frame of C14 for 3 nights\r\n"), "{text}");
    assert!(text.contains("The last one came at 2026-03-02 03:00 UTC."), "{text}");
    assert!(text.contains("Auto-Submitted: auto-generated\r\n"));
    assert_eq!(rows.len(), 4);
    let mut nobody = config();
    nobody.mail.to.clear();
    let other = report_failed("2026-03-02", "x");
    assert!(!super::raise(&store, &nobody, &other, &clock).expect("nothing to do"));
}

#[test]
fn mails_that_do_not_get_out_are_told_after_a_day() {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::open(folder.path()).expect("opened");
    let told = |hours| undelivered(store.read(), &Mail::default(), at(hours)).expect("read");
    let clock = SetClock::at(at(0.0));
    raise(&store, &config(), &report_failed("n", "x"), &clock).expect("queued");
    assert_eq!(told(48.0), None, "never tried: somebody else's trouble");
    let id = store.read().outbox(OutboxState::Pending).expect("read")[0].id;
    store.mark_attempt(id, "no route to host", at(1.0)).expect("noted");
    assert_eq!(told(23.0), None);
    let late = told(36.0).expect("late");
    assert!(late.contains("1.5 days") && late.contains("no route to host"), "{late}");
    store.give_up(id, "no route to host").expect("noted");
    assert!(told(36.0).expect("lost").contains("mail resend"));
}
