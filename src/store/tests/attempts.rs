//! Who is held responsible when the process dies.

use super::super::Store;
use super::super::attempts::{Company, LeftAttempt, Suspect};
use super::{night, open};

fn suspects(store: &Store) -> Vec<(String, u32)> {
    let found = store.read().suspects(&night()).expect("read");
    found.into_iter().map(|Suspect { content_hash, n_deaths }| (content_hash, n_deaths)).collect()
}

fn pair(hash: &str, n_deaths: u32) -> (String, u32) {
    (hash.to_owned(), n_deaths)
}

#[test]
fn a_death_counts_for_the_frame_that_was_alone() {
    let folder = tempfile::tempdir().expect("folder");
    let store = open(folder.path());
    let night = night();
    store.attempt_begin(&night, &["a", "b", "c"], Company::Shared).expect("noted");
    store.attempt_end(&night, &["b"]).expect("noted");
    assert_eq!(suspects(&store), [], "those in work are not suspect yet");
    drop(store); // killed

    let store = Store::open(folder.path()).expect("opened");
    assert_eq!(suspects(&store), [pair("a", 0), pair("c", 0)]);
    let left: Vec<&str> = store.left_running().iter().map(|l| l.content_hash.as_str()).collect();
    assert_eq!(left, ["a", "c"]);
    store.attempt_begin(&night, &["a"], Company::Alone).expect("noted");
    store.attempt_end(&night, &["a"]).expect("it was not this one");
    store.attempt_begin(&night, &["c"], Company::Alone).expect("noted");
    drop(store);

    let store = Store::open(folder.path()).expect("opened");
    assert_eq!(suspects(&store), [pair("c", 1)]);
    let expected = LeftAttempt {
        night: night.to_string(),
        content_hash: "c".to_owned(),
        company: Company::Alone,
        n_deaths: 1,
    };
    assert_eq!(store.left_running(), [expected]);
    store.attempt_begin(&night, &["c"], Company::Alone).expect("noted");
    drop(store);

    let store = Store::open(folder.path()).expect("opened");
    assert_eq!(suspects(&store), [pair("c", 2)]);
    drop(store);
    let store = Store::open(folder.path()).expect("opened");
    assert_eq!(suspects(&store), [pair("c", 2)], "a death is counted once");
    store.forget_attempts(&night).expect("forgotten");
    assert_eq!(suspects(&store), []);
}

#[test]
fn an_end_in_order_counts_for_nobody() {
    let folder = tempfile::tempdir().expect("folder");
    let night = night();
    let store = open(folder.path());
    store.attempt_begin(&night, &["bad"], Company::Alone).expect("noted");
    drop(store); // killed

    let store = Store::open(folder.path()).expect("opened");
    store.attempt_begin(&night, &["bad"], Company::Alone).expect("noted");
    store.attempt_begin(&night, &["good"], Company::Shared).expect("noted");
    store.mark_clean().expect("noted");
    drop(store); // a thread still held it

    let store = Store::open(folder.path()).expect("opened");
    assert_eq!(store.left_running(), []);
    assert_eq!(suspects(&store), [pair("bad", 1)], "what was held against it stays");
}
