//! The database's form: scripts in order, applied once each.
//!
//! SQLite's `user_version` counts the scripts applied. All missing ones run in one transaction,
//! so that a killed program leaves the old form or the new one. Scripts are never edited.

use rusqlite::{Connection, TransactionBehavior};

use super::error::{StoreError, during};

/// The scripts; number n brings the database to version n.
const SCRIPTS: &[&str] = &[
    include_str!("schema/0001_init.sql"),
    include_str!("schema/0002_service.sql"),
    include_str!("schema/0003_vetting.sql"),
    include_str!("schema/0004_reference.sql"),
    include_str!("schema/0005_known.sql"),
    include_str!("schema/0006_objects.sql"),
];

/// Version of the schema this program knows.
pub(super) fn known_version() -> u32 {
    u32::try_from(SCRIPTS.len()).expect("a handful of scripts")
}

/// Version of a database, 0 for a new one.
pub(super) fn version_of(connection: &Connection) -> Result<u32, StoreError> {
    connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(during("read the schema version"))
}

/// Brings a database to the known version; refuses one from the future.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    migrate_with(connection, SCRIPTS)
}

/// Applies the scripts the database has not seen.
fn migrate_with(connection: &mut Connection, scripts: &[&str]) -> Result<(), StoreError> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(during("lock the database for a change of its schema"))?;
    let found = version_of(&transaction)?;
    let known = u32::try_from(scripts.len()).expect("a handful of scripts");
    if found > known {
        return Err(StoreError::NewerDatabase { found, known });
    }
    for (version, script) in (1_u32..).zip(scripts).skip(found as usize) {
        transaction
            .execute_batch(script)
            .and_then(|()| transaction.pragma_update(None, "user_version", version))
            .map_err(during("change the schema"))?;
    }
    transaction.commit().map_err(during("keep the changed schema"))
}

/// Makes the form of a version in an empty database: what a release of that version made.
#[cfg(test)]
pub(super) fn apply_until(connection: &Connection, version: u32) {
    for script in SCRIPTS.iter().take(version as usize) {
        connection.execute_batch(script).expect("a script");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_run_once_and_in_order() {
        let mut connection = Connection::open_in_memory().expect("memory");
        let first = "CREATE TABLE a (x INTEGER)";
        let second = "ALTER TABLE a ADD COLUMN y INTEGER";
        migrate_with(&mut connection, &[first]).expect("first");
        migrate_with(&mut connection, &[first, second]).expect("second only");
        migrate_with(&mut connection, &[first, second]).expect("nothing to do");
        assert_eq!(version_of(&connection).expect("version"), 2);
        connection.execute("INSERT INTO a (x, y) VALUES (1, 2)", []).expect("both columns");
    }

    #[test]
    fn a_failing_script_leaves_the_old_form() {
        let mut connection = Connection::open_in_memory().expect("memory");
        let bad = ["CREATE TABLE a (x INTEGER)", "nonsense"];
        assert!(migrate_with(&mut connection, &bad).is_err());
        assert_eq!(version_of(&connection).expect("version"), 0);
        assert!(connection.execute("INSERT INTO a (x) VALUES (1)", []).is_err());
    }

    #[test]
    fn a_database_from_the_future_is_refused() {
        let mut connection = Connection::open_in_memory().expect("memory");
        connection.pragma_update(None, "user_version", 99).expect("set");
        let refused = migrate(&mut connection);
        assert!(matches!(refused, Err(StoreError::NewerDatabase { found: 99, known: 6 })));
    }
}
