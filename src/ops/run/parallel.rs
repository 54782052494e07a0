//! A bounded number of workers over a list of jobs.
//!
//! Plain threads, not rayon tasks: a rayon worker that waits for an inner loop may start another
//! frame meanwhile, and with it take another frame's memory.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The number of workers: as asked for, or one per core for 0.
pub(super) fn n_workers(asked: usize) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    }
}

/// Does `job` for each item on `n_workers` threads (0: one per core); results in the order of
/// the items.
///
/// After the first error no new item is started; that error is returned.
pub(super) fn for_each<T: Sync, R: Send, E: Send>(
    items: &[T],
    n_workers: usize,
    job: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let n_workers = self::n_workers(n_workers);
    let next = AtomicUsize::new(0);
    let is_stopped = AtomicBool::new(false);
    let results: Mutex<Vec<Option<R>>> = Mutex::new(items.iter().map(|_| None).collect());
    let failure: Mutex<Option<E>> = Mutex::new(None);
    let lock_failed = "a worker's panic ends the scope before the lock is asked for";
    std::thread::scope(|scope| {
        for _ in 0..n_workers.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                while !is_stopped.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    match job(item) {
                        Ok(result) => {
                            results.lock().expect(lock_failed)[index] = Some(result);
                        }
                        Err(error) => {
                            is_stopped.store(true, Ordering::Relaxed);
                            failure.lock().expect(lock_failed).get_or_insert(error);
                        }
                    }
                }
            });
        }
    });
    if let Some(error) = failure.into_inner().expect(lock_failed) {
        return Err(error);
    }
    Ok(results.into_inner().expect(lock_failed).into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_and_an_error_stops() {
        let items: Vec<u32> = (0..50).collect();
        let squares = for_each(&items, 3, |i| Ok::<u32, ()>(i * i)).expect("no error");
        assert!(squares.iter().zip(&items).all(|(s, i)| *s == i * i));
        assert_eq!(for_each(&items, 3, |i| if *i == 7 { Err(7) } else { Ok(*i) }), Err(7));
        assert_eq!(for_each(&[] as &[u32], 2, |i| Ok::<u32, ()>(*i)), Ok(vec![]));
    }
}
