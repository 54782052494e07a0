//! What a person asked of a night, and what must be forgotten so that it is made again.
//!
//! The columns `night.request`, `night.state` and `night.listing` carry a wish to the reconciler:
//! nothing here does the work itself. Each call is one transaction, so a kill leaves all of a
//! wish or nothing of it.

use rusqlite::{Transaction, params};

use super::error::{StoreError, during};
use super::night_id::NightId;
use super::stages::NIGHT_SUBJECT;
use super::{Reader, Store};

/// A wish about a night that was not yet done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Close it now, whatever the Sun and the clock say.
    Close,
    /// Keep it open until new files come or somebody asks to close it.
    Reopen,
}

impl Request {
    /// The word of the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Reopen => "reopen",
        }
    }

    /// The request of a word of the table.
    fn of(word: &str) -> Option<Self> {
        [Self::Close, Self::Reopen].into_iter().find(|request| request.word() == word)
    }
}

/// Whose results are forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forget {
    /// Those of all frames and of the night.
    AllFrames,
    /// Those of the frame of this content hash, and of the night.
    Frame(String),
    /// Those of the night alone: linking, names, report.
    Night,
}

impl Store {
    /// Notes a wish about a night; replaces an older one. Tells whether there is such a night.
    pub fn request(&self, night: &NightId, request: Request) -> Result<bool, StoreError> {
        let night = night.to_string();
        self.writer().transact(move |transaction| {
            let n = transaction
                .execute(
                    "UPDATE night SET request = ?2 WHERE id = ?1",
                    params![night, request.word()],
                )
                .map_err(during("note a request"))?;
            Ok(n > 0)
        })
    }

    /// Takes a wish off a night once it was done; another one that came meanwhile stays.
    pub fn clear_request(&self, night: &NightId, done: Request) -> Result<(), StoreError> {
        let night = night.to_string();
        self.writer().transact(move |transaction| {
            transaction
                .execute(
                    "UPDATE night SET request = NULL WHERE id = ?1 AND request = ?2",
                    params![night, done.word()],
                )
                .map_err(during("clear a request"))?;
            Ok(())
        })
    }

    /// Opens a closed night again: its files are looked at anew, its report stays until the next.
    ///
    /// * `request`: what is noted with it; `None` leaves a noted wish as it is.
    pub fn reopen_night(
        &self,
        night: &NightId,
        request: Option<Request>,
    ) -> Result<(), StoreError> {
        let night = night.to_string();
        self.writer().transact(move |transaction| open_again(transaction, &night, request))
    }

    /// Forgets results and opens the night again; gives the number of results forgotten.
    ///
    /// A frame that was set aside after it broke the program is tried again as well. Products
    /// stay where they are until they are replaced.
    pub fn forget_stages(&self, night: &NightId, what: &Forget) -> Result<usize, StoreError> {
        let (night, what) = (night.to_string(), what.clone());
        self.writer().transact(move |transaction| {
            let n = forget(transaction, &night, &what).map_err(during("forget results"))?;
            open_again(transaction, &night, None)?;
            Ok(n)
        })
    }
}

impl Reader {
    /// Wishes that were not yet done, by night.
    pub fn requests(&self) -> Result<Vec<(NightId, Request)>, StoreError> {
        let rows: Vec<(String, String)> = self.rows(
            "read the requests",
            "SELECT id, request FROM night WHERE request IS NOT NULL ORDER BY id",
            &[],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        // The table's check allows these words only, and ids are written from a NightId.
        Ok(rows
            .into_iter()
            .filter_map(|(night, word)| Some((NightId::new(&night).ok()?, Request::of(&word)?)))
            .collect())
    }
}

/// Opens a night; `listing` is forgotten, so that the reconciler compares its files anew.
fn open_again(
    transaction: &Transaction<'_>,
    night: &str,
    request: Option<Request>,
) -> Result<(), StoreError> {
    transaction
        .execute(
            "UPDATE night SET state = 'open', listing = NULL, request = coalesce(?2, request) \
             WHERE id = ?1",
            params![night, request.map(Request::word)],
        )
        .map_err(during("open a night again"))?;
    Ok(())
}

/// Deletes stage results and notes of tries.
fn forget(transaction: &Transaction<'_>, night: &str, what: &Forget) -> rusqlite::Result<usize> {
    let of_night = "DELETE FROM stage_result WHERE night = ?1 AND subject = ?2";
    match what {
        Forget::AllFrames => {
            transaction.execute("DELETE FROM attempt WHERE night = ?1", [night])?;
            transaction.execute("DELETE FROM stage_result WHERE night = ?1", [night])
        }
        Forget::Frame(hash) => {
            transaction.execute(
                "DELETE FROM attempt WHERE night = ?1 AND content_hash = ?2",
                [night, hash],
            )?;
            let n = transaction.execute(of_night, [night, hash])?;
            Ok(n + transaction.execute(of_night, [night, NIGHT_SUBJECT])?)
        }
        Forget::Night => transaction.execute(of_night, [night, NIGHT_SUBJECT]),
    }
}

#[cfg(test)]
mod tests;
