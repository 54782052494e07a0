//! People logged in on the web page. What is kept are hashes: who reads the table cannot log in.

use rusqlite::params;

use super::error::{StoreError, during};
use super::{Reader, Store};
use crate::science::time::Epoch;

/// Logins that one person may have at a time; the one unused for longest ends.
const PER_USER_MAX: i64 = 20;

/// Somebody who is logged in.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    /// Who.
    pub user: String,
    /// What their forms must hold.
    pub csrf: String,
    /// When a page was last asked for.
    pub last_used: Epoch,
}

impl Store {
    /// Keeps a login; those that nobody used since `idle_since` end.
    pub fn add_session(
        &self,
        id_hash: &str,
        session: &SessionRow,
        idle_since: Epoch,
    ) -> Result<(), StoreError> {
        let (id_hash, session) = (id_hash.to_owned(), session.clone());
        self.writer().transact(move |transaction| {
            let at = session.last_used.mjd_utc();
            transaction
                .execute(
                    "DELETE FROM web_session WHERE last_used_mjd_utc < ?1",
                    [idle_since.mjd_utc()],
                )
                .and_then(|_| {
                    transaction.execute(
                        "INSERT INTO web_session \
                         (id_hash, user, csrf, created_mjd_utc, last_used_mjd_utc) \
                         VALUES (?1, ?2, ?3, ?4, ?4)",
                        params![id_hash, session.user, session.csrf, at],
                    )
                })
                .and_then(|_| {
                    transaction.execute(
                        "DELETE FROM web_session WHERE user = ?1 AND id_hash NOT IN ( \
                         SELECT id_hash FROM web_session WHERE user = ?1 \
                         ORDER BY last_used_mjd_utc DESC, rowid DESC LIMIT ?2)",
                        params![session.user, PER_USER_MAX],
                    )
                })
                .map_err(during("keep a login"))?;
            Ok(())
        })
    }

    /// Notes that a login was used.
    pub fn touch_session(&self, id_hash: &str, at: Epoch) -> Result<(), StoreError> {
        let id_hash = id_hash.to_owned();
        self.writer().transact(move |transaction| {
            transaction
                .execute(
                    "UPDATE web_session SET last_used_mjd_utc = ?2 WHERE id_hash = ?1",
                    params![id_hash, at.mjd_utc()],
                )
                .map_err(during("note the use of a login"))?;
            Ok(())
        })
    }

    /// Ends a login.
    pub fn end_session(&self, id_hash: &str) -> Result<(), StoreError> {
        let id_hash = id_hash.to_owned();
        self.writer().transact(move |transaction| {
            transaction
                .execute("DELETE FROM web_session WHERE id_hash = ?1", [id_hash])
                .map_err(during("end a login"))?;
            Ok(())
        })
    }
}

impl Reader {
    /// The login of this hash.
    pub fn session(&self, id_hash: &str) -> Result<Option<SessionRow>, StoreError> {
        self.row(
            "look up a login",
            "SELECT user, csrf, last_used_mjd_utc FROM web_session WHERE id_hash = ?1",
            &[&id_hash],
            |row| {
                Ok(SessionRow {
                    user: row.get(0)?,
                    csrf: row.get(1)?,
                    last_used: Epoch::from_mjd_utc(row.get(2)?),
                })
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(user: &str, at: f64) -> SessionRow {
        SessionRow {
            user: user.to_owned(),
            csrf: "c".to_owned(),
            last_used: Epoch::from_mjd_utc(at),
        }
    }

    #[test]
    fn logins_are_kept_used_ended_and_limited() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opened");
        let long_ago = Epoch::from_mjd_utc(61_000.0);
        store.add_session("old", &row("ada", 60_999.0), Epoch::from_mjd_utc(0.0)).expect("kept");
        store.add_session("a", &row("ada", 61_100.0), long_ago).expect("kept");
        assert_eq!(store.read().session("old").expect("read"), None, "unused for too long");
        assert_eq!(store.read().session("a").expect("read"), Some(row("ada", 61_100.0)));
        store.touch_session("a", Epoch::from_mjd_utc(61_200.0)).expect("touched");
        for number in 0..PER_USER_MAX {
            let name = format!("n{number}");
            store.add_session(&name, &row("ada", 61_100.0), long_ago).expect("kept");
        }
        store.add_session("b", &row("bob", 61_100.0), long_ago).expect("kept");
        assert_eq!(store.read().session("n0").expect("read"), None, "one too many");
        assert_eq!(store.read().session("a").expect("read"), Some(row("ada", 61_200.0)));
        store.end_session("a").expect("ended");
        assert_eq!(store.read().session("a").expect("read"), None);
        assert!(store.read().session("b").expect("read").is_some());
    }
}
