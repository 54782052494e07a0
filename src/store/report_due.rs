//! Nights whose report waits for the clock time of the mail.
//!
//! The closing of a night writes its row, the mail about it takes the row away, each in one
//! transaction: a report is mailed once, whenever the program is killed.

use rusqlite::{Transaction, params};

use crate::science::time::Epoch;

use super::error::{StoreError, during};
use super::night_id::NightId;
use super::outbox::{OutboxMessage, enqueue};
use super::{Reader, Store};

/// Name of the service's value that tells when reports were last looked through for the mail.
const LAST_DIGEST: &str = "last_digest";
/// Most nights that one mail tells of; the others wait for the next one.
const NIGHTS_MAX: u32 = 400;

/// A night whose report is due.
#[derive(Debug, Clone, PartialEq)]
pub struct DueNight {
    /// The night.
    pub night: NightId,
    /// Its telescope; empty for the only one.
    pub telescope: String,
    /// When its report was written: another one is another report.
    pub closed: Epoch,
}

impl Store {
    /// Notes that a night's report waits for the clock time of the mail.
    pub fn mark_due(&self, night: &NightId) -> Result<(), StoreError> {
        let night = night.to_string();
        self.writer().transact(move |transaction| mark_due(transaction, &night))
    }

    /// Queues the mail about the nights that were due, if there is one, and takes them off.
    ///
    /// A night that was closed with another report meanwhile stays due.
    pub fn settle_due(
        &self,
        message: Option<OutboxMessage>,
        nights: Vec<DueNight>,
        at: Epoch,
    ) -> Result<(), StoreError> {
        self.writer().transact(move |transaction| {
            if let Some(message) = &message {
                enqueue(transaction, message, at)?;
            }
            for due in &nights {
                transaction
                    .execute(
                        "DELETE FROM report_due WHERE night = ?1 AND \
                         (SELECT closed_mjd_utc FROM night WHERE id = ?1) IS ?2",
                        params![due.night.as_str(), due.closed.mjd_utc()],
                    )
                    .map_err(during("take a night off those to be mailed"))?;
            }
            transaction
                .execute(
                    "INSERT INTO service (key, value) VALUES (?1, ?2) \
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    params![LAST_DIGEST, at.mjd_utc().to_string()],
                )
                .map_err(during("keep the time of the mail"))?;
            Ok(())
        })
    }
}

impl Reader {
    /// Closed nights whose report is due, by telescope and name, as many as one mail takes.
    pub fn reports_due(&self) -> Result<Vec<DueNight>, StoreError> {
        let rows: Vec<(String, String, f64)> = self.rows(
            "list the nights to be mailed",
            "SELECT night.id, night.telescope, night.closed_mjd_utc \
             FROM report_due JOIN night ON night.id = report_due.night \
             WHERE night.state = 'closed' AND night.report IS NOT NULL \
             AND night.closed_mjd_utc IS NOT NULL \
             ORDER BY night.telescope, night.id LIMIT ?1",
            &[&NIGHTS_MAX],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        // Every name was checked when its night was begun.
        let due = rows.into_iter().filter_map(|(night, telescope, closed)| {
            let night = NightId::new(&night).ok()?;
            Some(DueNight { night, telescope, closed: Epoch::from_mjd_utc(closed) })
        });
        Ok(due.collect())
    }

    /// When reports were last looked through for the mail.
    pub fn last_digest(&self) -> Result<Option<Epoch>, StoreError> {
        let text = self.service_value(LAST_DIGEST)?;
        let mjd = text.and_then(|text| text.parse::<f64>().ok()).filter(|mjd| mjd.is_finite());
        Ok(mjd.map(Epoch::from_mjd_utc))
    }
}

/// Notes inside a transaction that a night's report is due.
pub(super) fn mark_due(transaction: &Transaction<'_>, night: &str) -> Result<(), StoreError> {
    transaction
        .execute(
            "INSERT INTO report_due (night) VALUES (?1) ON CONFLICT (night) DO NOTHING",
            [night],
        )
        .map_err(during("note a night to be mailed"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::nights::{Closing, NightSource};
    use super::super::outbox::{KIND_DIGEST, OutboxState};
    use super::*;
    use crate::pipeline::artifact::report::NightReport;

    fn close(store: &Store, name: &str, hours: f64) -> NightId {
        let night = NightId::new(name).expect("a good name");
        let at = Epoch::from_mjd_utc(61_100.0).plus_seconds(hours * 3600.0);
        store.begin_night(&night, &NightSource::only("/raw"), at).expect("begun");
        let report = NightReport {
            night: name.to_owned(),
            version: format!("at {hours} h"),
            instrument: String::new(),
            masters: Vec::new(),
            frames: Vec::new(),
            candidates: Vec::new(),
            faint: Vec::new(),
            known: Vec::new(),
            joined: Vec::new(),
            removed: Vec::new(),
            not_done: Vec::new(),
        };
        store.close_night(&night, Closing::plain(report), at).expect("closed");
        store.mark_due(&night).expect("due");
        night
    }

    #[test]
    fn a_night_closed_again_while_its_mail_was_composed_stays_due() {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store::open(folder.path()).expect("opened");
        let first = close(&store, "2026-03-01", 0.0);
        close(&store, "2026-03-02", 1.0);
        let due = store.read().reports_due().expect("read");
        assert_eq!(due.len(), 2);
        // Between reading and queuing the first night gets another report.
        close(&store, "2026-03-01", 2.0);
        let message = OutboxMessage {
            key: "digest/t/a,b".to_owned(),
            kind: KIND_DIGEST.to_owned(),
            nights: due.iter().map(|due| due.night.to_string()).collect(),
            message_id: "<d@x>".to_owned(),
            subject: "2 nights".to_owned(),
            body: b"text".to_vec(),
        };
        let at = Epoch::from_mjd_utc(61_100.5);
        store.settle_due(Some(message), due, at).expect("settled");
        let left = store.read().reports_due().expect("read");
        assert_eq!(left.iter().map(|due| &due.night).collect::<Vec<_>>(), [&first]);
        assert_eq!(store.read().last_digest().expect("read"), Some(at));
        assert_eq!(store.read().outbox(OutboxState::Pending).expect("read").len(), 1);
        let history = store.read().mail_history(&first).expect("read");
        assert_eq!(history.last_fingerprint.as_deref(), Some("a"));
        assert_eq!(history.n_tried, 0);
    }
}
