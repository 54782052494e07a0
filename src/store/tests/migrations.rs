//! Databases of every release, as they lie on the disks of users, become the newest form.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rusqlite::Connection;
use rusqlite::types::Value;

use super::super::{DATABASE_NAME, Reader, Store, check, schema};

/// A frozen database of a schema version, as SQL text.
fn frozen(version: u32) -> String {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/schema/v{version}.sql"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}. A new script in src/store/schema needs a frozen database of the version \
             before it, with rows in every table",
            path.display()
        )
    })
}

/// Rows of all tables by the names of table and columns.
fn content(connection: &Connection, columns: &Columns) -> BTreeMap<String, Vec<Vec<Value>>> {
    let read = |(table, columns): (&String, &Vec<String>)| {
        let sql = format!("SELECT {} FROM {table} ORDER BY rowid", columns.join(", "));
        let mut statement = connection.prepare(&sql).expect("the table with its columns");
        let rows = statement
            .query_map([], |row| (0..columns.len()).map(|i| row.get(i)).collect())
            .expect("rows")
            .collect::<rusqlite::Result<Vec<Vec<Value>>>>()
            .expect("rows");
        (table.clone(), rows)
    };
    columns.iter().map(read).collect()
}

/// Columns of each table.
type Columns = BTreeMap<String, Vec<String>>;

fn columns(connection: &Connection) -> Columns {
    let names = |sql: &str, table: &[&str]| -> Vec<String> {
        let mut statement = connection.prepare(sql).expect("a pragma");
        let parameters = rusqlite::params_from_iter(table);
        statement
            .query_map(parameters, |row| row.get(0))
            .expect("rows")
            .collect::<rusqlite::Result<_>>()
            .expect("names")
    };
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
    let of_table = "SELECT name FROM pragma_table_info(?1)";
    names(tables, &[]).into_iter().map(|t| (t.clone(), names(of_table, &[&t]))).collect()
}

/// Texts that made the tables and indices, without comments and line ends.
fn form(connection: &Connection) -> Vec<String> {
    let mut statement = connection
        .prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
        .expect("a query");
    let texts = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    let squeeze = |text: String| {
        let lines = text.lines().map(|line| line.split("--").next().unwrap_or_default());
        lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    };
    texts.map(|text| squeeze(text.expect("a text"))).collect()
}

#[test]
fn databases_of_all_versions_keep_their_rows() {
    for version in 1..schema::known_version() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join(DATABASE_NAME);
        let old = Connection::open(&path).expect("opened");
        old.execute_batch(&frozen(version)).expect("the frozen text is a database");
        assert_eq!(schema::version_of(&old).expect("read"), version);
        let reference = Connection::open_in_memory().expect("memory");
        schema::apply_until(&reference, version);
        assert_eq!(form(&old), form(&reference), "v{version}.sql is not what the scripts made");
        let old_columns = columns(&old);
        let before = content(&old, &old_columns);
        assert!(before.len() >= 10);
        for (table, rows) in &before {
            assert!(!rows.is_empty(), "v{version}.sql: no row in {table}");
        }
        drop(old);

        let refused = Reader::open(folder.path()).expect_err("a reader changes nothing");
        assert!(refused.to_string().contains("start a run"), "{refused}");
        Store::open(folder.path()).expect("migrated").close_cleanly().expect("closed");
        Store::open(folder.path()).expect("migrated once").close_cleanly().expect("closed");

        let new = Connection::open(&path).expect("opened");
        assert_eq!(schema::version_of(&new).expect("read"), schema::known_version());
        assert_eq!(content(&new, &old_columns), before, "rows of version {version}");
        let fresh = Connection::open_in_memory().expect("memory");
        schema::apply_until(&fresh, schema::known_version());
        assert_eq!(form(&new), form(&fresh), "an old database and a new one are alike");
        drop(new);
        assert_eq!(check::full_check(folder.path()).expect("checked"), Vec::<String>::new());
    }
}

#[test]
fn an_old_database_is_read_by_the_new_program() {
    let folder = tempfile::tempdir().expect("folder");
    let old = Connection::open(folder.path().join(DATABASE_NAME)).expect("opened");
    old.execute_batch(&frozen(1)).expect("the frozen text is a database");
    drop(old);
    let store = Store::open(folder.path()).expect("migrated");
    let nights = store.read().nights().expect("read");
    assert_eq!(nights.len(), 2);
    assert_eq!((nights[0].n_frames, nights[0].n_frames_ok, nights[0].n_candidates), (2, 1, 2));
    let night = super::night();
    assert!(store.read().report(&night).expect("read").is_some());
    assert_eq!(store.read().verdicts(&night).expect("read").len(), 3);
    let pending = store.read().outbox(super::OutboxState::Pending).expect("read");
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].message.body, [0, 255]);
    assert!(!store.was_unclean(), "nobody was killed");
}
