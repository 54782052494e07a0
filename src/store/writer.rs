//! One thread, one connection, one queue: all writing goes through here.
//!
//! Callers on any thread hand over a closure; it runs inside an IMMEDIATE transaction and is
//! committed before the caller goes on. The queue is short and a full one makes callers wait.
//! Another process that holds the database is waited for inside the call, for a bounded time,
//! because most callers have work in hand that they could not do again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::error::{StoreError, during};

/// Jobs that may wait; each belongs to a waiting caller.
const QUEUE_LENGTH: usize = 64;

/// How long a transaction waits for another process that writes [s].
///
/// More than the minute that a shell or a copying tool may take; less than the 90 s that systemd
/// gives a start.
pub(super) const WAIT_MAX_S: u64 = 75;

/// Work on the connection, wrapped so that it answers its caller itself.
type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Owner of the only connection that writes.
#[derive(Debug)]
pub struct Writer {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread on a connection that is ready for use.
    pub(super) fn start(connection: Connection) -> Result<Self, StoreError> {
        let (jobs, queue) = sync_channel(QUEUE_LENGTH);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || serve(connection, &queue))
            .map_err(|source| StoreError::StartWriter { source })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs `work` in a transaction and waits for its commit.
    ///
    /// An error or a panic of `work` undoes everything it did. `work` must not call `transact`
    /// itself: it runs on the thread that would have to serve it.
    pub fn transact<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = sync_channel(1);
        let job: Job = Box::new(move |connection| {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                in_transaction(connection, work).map_err(|error| error.in_folder_of(connection))
            }));
            // The caller waits below; were it gone, nobody would miss the answer.
            reply.send(outcome.unwrap_or(Err(StoreError::WorkPanicked))).ok();
        });
        let jobs = self.jobs.as_ref().ok_or(StoreError::WriterStopped)?;
        jobs.send(job).map_err(|_| StoreError::WriterStopped)?;
        answer.recv().map_err(|_| StoreError::WriterStopped)?
    }
}

impl Drop for Writer {
    /// Finishes what is queued and closes the connection.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // Jobs catch their panics, so there is nothing to learn from the result.
            thread.join().ok();
        }
    }
}

/// Serves jobs until the last sender is gone.
fn serve(mut connection: Connection, queue: &Receiver<Job>) {
    for job in queue {
        job(&mut connection);
    }
}

/// Runs work between BEGIN IMMEDIATE and COMMIT; dropping the transaction rolls back.
fn in_transaction<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(during("begin a transaction"))?;
    let value = work(&transaction)?;
    transaction.commit().map_err(during("commit a transaction"))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(transaction: &Transaction<'_>) -> Result<i64, StoreError> {
        transaction
            .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
            .map_err(during("count"))
    }

    fn insert(transaction: &Transaction<'_>) -> Result<usize, StoreError> {
        transaction.execute("INSERT INTO t VALUES (1)", []).map_err(during("insert"))
    }

    #[test]
    fn errors_and_panics_undo_their_work_and_the_writer_lives_on() {
        let connection = Connection::open_in_memory().expect("memory");
        connection.execute("CREATE TABLE t (x INTEGER)", []).expect("table");
        let writer = Writer::start(connection).expect("started");
        writer.transact(insert).expect("inserted");
        let failed: Result<(), _> = writer.transact(|t| {
            insert(t)?;
            Err(StoreError::WriterStopped)
        });
        assert!(failed.is_err());
        let panicked: Result<(), _> = writer.transact(|t| {
            insert(t)?;
            panic!("on purpose")
        });
        assert!(matches!(panicked, Err(StoreError::WorkPanicked)));
        assert_eq!(writer.transact(count).expect("counted"), 1);
    }

    #[test]
    fn many_threads_write_in_turn() {
        let connection = Connection::open_in_memory().expect("memory");
        connection.execute("CREATE TABLE t (x INTEGER)", []).expect("table");
        let writer = Writer::start(connection).expect("started");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        writer.transact(insert).expect("inserted");
                    }
                });
            }
        });
        assert_eq!(writer.transact(count).expect("counted"), 200);
    }
}
