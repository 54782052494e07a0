//! Order, waiting, replacing, history, resending.

use super::*;

fn at(minutes: f64) -> Epoch {
    Epoch::from_mjd_utc(61_100.0).plus_seconds(minutes * 60.0)
}

fn mail(night: &str, fingerprint: &str) -> OutboxMessage {
    OutboxMessage {
        key: format!("mail/{night}/{fingerprint}"),
        kind: KIND_MAIL.to_owned(),
        nights: vec![night.to_owned()],
        message_id: format!("<{night}.{fingerprint}@example.org>"),
        subject: format!("{night}: {fingerprint}"),
        body: format!("the bytes of {fingerprint}").into_bytes(),
    }
}

fn night(name: &str) -> NightId {
    NightId::new(name).expect("a good name")
}

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("folder");
    let store = Store::open(folder.path()).expect("opened");
    (folder, store)
}

fn subjects(rows: &[OutboxRow]) -> Vec<&str> {
    rows.iter().map(|row| row.message.subject.as_str()).collect()
}

#[test]
fn what_is_due_comes_oldest_first_and_waits_when_told() {
    let (_folder, store) = store();
    for (name, minute) in [("n1", 0.0), ("n2", 1.0), ("n3", 2.0)] {
        assert!(store.enqueue(mail(name, "a"), at(minute)).expect("queued"));
    }
    assert!(!store.enqueue(mail("n1", "a"), at(3.0)).expect("known"), "a key is queued once");
    let due = |minute, n| store.read().outbox_due(at(minute), n).expect("read");
    assert_eq!(subjects(&due(3.0, 2)), ["n1: a", "n2: a"]);
    assert_eq!(due(3.0, 1)[0].message, mail("n1", "a"), "bytes and identifier as queued");
    store.mark_attempt(due(3.0, 1)[0].id, "no route", at(8.0)).expect("noted");
    assert_eq!(subjects(&due(7.9, 9)), ["n2: a", "n3: a"]);
    assert_eq!(subjects(&due(8.0, 9)), ["n1: a", "n2: a", "n3: a"]);
    store.hold_outbox(at(7.0), at(9.0)).expect("held");
    assert_eq!(subjects(&due(8.0, 9)), ["n1: a"], "what waited already is not held longer");
    assert_eq!(store.read().outbox_next_try(at(7.0)).expect("read"), Some(at(8.0)));
    assert_eq!(store.read().outbox_next_try(at(8.5)).expect("read"), Some(at(8.5)), "overdue");
    for row in due(9.0, 9) {
        store.mark_sent(&row, None, at(9.0)).expect("marked");
    }
    assert_eq!(store.read().outbox_next_try(at(9.0)).expect("read"), None);
    let sent = store.read().outbox(OutboxState::Sent).expect("read");
    assert_eq!(sent.iter().map(|row| row.attempts).collect::<Vec<_>>(), [2, 1, 1]);
    assert_eq!(sent[0].sent, Some(at(9.0)));
    assert_eq!(sent[0].last_error, None, "the old error is gone");
}

#[test]
fn an_untried_mail_is_replaced_and_a_tried_one_is_not() {
    let (_folder, store) = store();
    store.enqueue(mail("n1", "a"), at(0.0)).expect("queued");
    store.enqueue(mail("n2", "a"), at(0.0)).expect("queued");
    store.enqueue(mail("n1", "b"), at(1.0)).expect("queued");
    let pending = || store.read().outbox(OutboxState::Pending).expect("read");
    let told = pending();
    assert_eq!(subjects(&told), ["n2: a", "n1: b"], "another night's mail stays");
    store.mark_attempt(told[1].id, "busy", at(2.0)).expect("noted");
    store.enqueue(mail("n1", "c"), at(2.0)).expect("queued");
    assert_eq!(subjects(&pending()), ["n2: a", "n1: b", "n1: c"]);
    let history = store.read().mail_history(&night("n1")).expect("read");
    assert_eq!(history.n_tried, 1);
    assert_eq!(history.last_fingerprint.as_deref(), Some("c"));
    assert_eq!(history.first_message_id.as_deref(), Some("<n1.b@example.org>"));
    assert_eq!(store.read().mail_history(&night("n")).expect("read"), MailHistory::default());
}

#[test]
fn a_mail_replaced_while_on_its_way_is_remembered_as_sent() {
    let (_folder, store) = store();
    store.enqueue(mail("n1", "a"), at(0.0)).expect("queued");
    let on_its_way = store.read().outbox_due(at(0.0), 1).expect("read").remove(0);
    store.enqueue(mail("n1", "b"), at(1.0)).expect("queued");
    store.mark_sent(&on_its_way, None, at(1.0)).expect("marked");
    let sent = store.read().outbox(OutboxState::Sent).expect("read");
    assert_eq!(sent[0].message, mail("n1", "a"));
    assert_eq!(store.read().mail_history(&night("n1")).expect("read").n_tried, 1);
    assert_eq!(store.read().outbox(OutboxState::Pending).expect("read").len(), 1);
}

#[test]
fn digests_count_for_each_of_their_nights() {
    let (_folder, store) = store();
    let digest = OutboxMessage {
        key: "digest/2026-03-03T07:30/aa,bb".to_owned(),
        kind: KIND_DIGEST.to_owned(),
        nights: vec!["2026-03-01".to_owned(), "2026-03-02".to_owned()],
        ..mail("x", "y")
    };
    store.enqueue(digest.clone(), at(0.0)).expect("queued");
    let of = |name| store.read().mail_history(&night(name)).expect("read").last_fingerprint;
    assert_eq!(of("2026-03-01").as_deref(), Some("aa"));
    assert_eq!(of("2026-03-02").as_deref(), Some("bb"));
    assert_eq!(of("2026-03-0"), None);
    let row = store.read().outbox_newest(5).expect("read").remove(0);
    assert_eq!(row.message, digest, "nights read back");
}

#[test]
fn a_message_is_resent_with_its_bytes_whatever_became_of_it() {
    let (_folder, store) = store();
    store.enqueue(mail("n1", "a"), at(0.0)).expect("queued");
    let row = store.read().outbox_due(at(0.0), 1).expect("read").remove(0);
    assert_eq!(store.read().outbox_trouble().expect("read"), None);
    store.mark_attempt(row.id, "connection refused", at(1.0)).expect("noted");
    let trouble = store.read().outbox_trouble().expect("read").expect("one waits");
    assert_eq!((trouble.n_waiting, trouble.n_given_up), (1, 0));
    assert_eq!(trouble.oldest, Some(at(0.0)));
    assert_eq!(trouble.last_error.as_deref(), Some("connection refused"));
    store.give_up(row.id, "refused for days").expect("given up");
    assert!(store.read().outbox_due(at(1e4), 9).expect("read").is_empty());
    let trouble = store.read().outbox_trouble().expect("read").expect("one is lost");
    assert_eq!((trouble.n_waiting, trouble.n_given_up), (0, 1));

    assert_eq!(store.resend(row.id, at(5.0)).expect("asked").as_deref(), Some("n1: a"));
    let again = store.read().outbox_due(at(5.0), 9).expect("read").remove(0);
    assert_eq!(again.message, row.message);
    assert_eq!(again.created, at(5.0), "its days begin anew");
    store.mark_sent(&again, None, at(6.0)).expect("marked");
    store.mark_attempt(row.id, "late answer", at(7.0)).expect("ignored");
    assert_eq!(store.read().outbox(OutboxState::Sent).expect("read")[0].attempts, 3);
    assert!(store.resend(row.id, at(8.0)).expect("asked").is_some(), "even when it was sent");
    assert_eq!(store.read().outbox_due(at(8.0), 9).expect("read").len(), 1);
    assert_eq!(store.resend(99, at(8.0)).expect("asked"), None);
}
