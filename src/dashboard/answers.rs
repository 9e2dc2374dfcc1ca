//! Answers that are kept for as long as nothing changes.
//!
//! Some pages count over every row, which takes seconds where there are a million. Such an answer is kept, and given again
//! until one of the two tables has changed, which PostgreSQL's own counters tell ([`Database::state`]) and every write through
//! this process. Then it is counted anew. Where that takes no time, whoever asks waits for it; where it takes long, or somebody
//! counts already, the answer of before is given once more, the page says so, and the new one is counted meanwhile. For the
//! very first answer everybody waits; the site asks for it when it starts. A question is counted once at a time.
//!
//! [`Database::state`]: super::database::Database::state

use std::{
    any::Any,
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Mutex as Turn;

use super::fault::Fault;

/// A count that takes no longer is waited for.
const PATIENCE: Duration = Duration::from_millis(250);

/// An answer, and when it was counted.
pub(super) struct Counted<T> {
    /// The answer.
    pub(super) answer: Arc<T>,
    /// How long ago it was counted.
    pub(super) age: Duration,
    /// How long that took.
    pub(super) took: Duration,
    /// Whether something has changed since, and a new count is under way.
    pub(super) outdated: bool,
}

impl<T> Counted<T> {
    /// An answer of this moment, which is not kept.
    pub(super) fn now(answer: T) -> Counted<T> {
        Counted { answer: Arc::new(answer), age: Duration::ZERO, took: Duration::ZERO, outdated: false }
    }

    /// Whether it was counted for somebody who came earlier.
    pub(super) fn kept(&self) -> bool {
        self.age > Duration::ZERO
    }
}

/// What the database held when something was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    /// PostgreSQL's counters.
    pub(super) tables: String,
    /// Writes through this process.
    pub(super) writes: u64,
}

#[derive(Clone)]
struct Kept {
    answer: Arc<dyn Any + Send + Sync>,
    state: State,
    at: Instant,
    took: Duration,
}

impl Kept {
    fn counted<T: Send + Sync + 'static>(&self, outdated: bool) -> Option<Counted<T>> {
        let answer = Arc::clone(&self.answer).downcast().ok()?;
        Some(Counted { answer, age: self.at.elapsed(), took: self.took, outdated })
    }
}

/// A question's answer, and whose turn it is to count.
#[derive(Default)]
struct Place {
    kept: Mutex<Option<Kept>>,
    /// Why the last count came to nothing, and when.
    failed: Mutex<Option<(Instant, Fault)>>,
    turn: Arc<Turn<()>>,
}

impl Place {
    fn kept(&self) -> Option<Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts, and keeps what comes of it.
    async fn count<T: Send + Sync + 'static>(
        &self,
        state: State,
        count: impl Future<Output = Result<T, Fault>>,
    ) -> Result<Counted<T>, Fault> {
        let begun = Instant::now();
        let answer = count.await.inspect_err(|fault| {
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) =
                Some((Instant::now(), fault.clone()));
        })?;
        let answer = Arc::new(answer);
        let took = begun.elapsed();
        let kept = Kept { answer: answer.clone(), state, at: Instant::now(), took };
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        Ok(Counted { answer, age: Duration::ZERO, took, outdated: false })
    }
}

#[derive(Default)]
pub(super) struct Answers {
    writes: AtomicU64,
    places: Mutex<HashMap<String, Arc<Place>>>,
}

impl Answers {
    /// Says that something was written.
    pub(super) fn written(&self) {
        self.writes.fetch_add(1, Ordering::SeqCst);
    }

    /// How often something was.
    pub(super) fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    /// The answer to a question. `key` names the question and what is asked for, of which there are few; `state` is what the
    /// database holds now.
    pub(super) async fn of<T, F>(
        &self,
        key: &str,
        state: State,
        count: impl FnOnce() -> F,
    ) -> Result<Counted<T>, Fault>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T, Fault>> + Send + 'static,
    {
        let place = {
            let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(places.entry(key.to_owned()).or_default())
        };
        if let Some(kept) = place.kept() {
            if kept.state == state
                && let Some(counted) = kept.counted(false)
            {
                return Ok(counted);
            }
            match Arc::clone(&place.turn).try_lock_owned() {
                Ok(turn) if kept.took <= PATIENCE => {
                    let counted = place.count(state, count()).await;
                    drop(turn);
                    return counted;
                }
                Ok(turn) => {
                    let (place, count) = (Arc::clone(&place), count());
                    tokio::spawn(async move {
                        if let Err(fault) = place.count(state, count).await {
                            tracing::warn!(reason = fault.message(), "an answer could not be counted anew");
                        }
                        drop(turn);
                    });
                }
                // Somebody counts already.
                Err(_) => {}
            }
            if let Some(counted) = kept.counted(true) {
                return Ok(counted);
            }
            return Err(Fault::Internal);
        }
        let came = Instant::now();
        let _turn = place.turn.lock().await;
        // Whoever had the turn before has counted.
        if let Some(kept) = place.kept()
            && kept.state == state
            && let Some(counted) = kept.counted(false)
        {
            return Ok(counted);
        }
        // Nor does each of those who waited try once more what has just failed.
        let failed = place.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, fault)) = failed
            && at > came
        {
            return Err(fault);
        }
        place.count(state, count()).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    /// Counts how often it is counted.
    #[derive(Clone, Default)]
    struct Tally(Arc<AtomicU32>);

    impl Tally {
        async fn asked(&self, answers: &Answers, tables: &str, takes: Duration) -> (u32, bool) {
            let tally = self.0.clone();
            let count = || async move {
                tokio::time::sleep(takes).await;
                Ok(tally.fetch_add(1, Ordering::SeqCst))
            };
            let state = State { tables: tables.to_owned(), writes: answers.writes() };
            let counted = answers.of("key", state, count).await.unwrap_or_else(|_| unreachable!());
            (*counted.answer, counted.outdated)
        }
    }

    const QUICK: Duration = Duration::from_millis(20);
    const SLOW: Duration = Duration::from_millis(400);

    #[tokio::test]
    async fn however_many_ask_it_is_counted_once() {
        let (answers, tally) = (Answers::default(), Tally::default());
        let ten = futures_util::future::join_all((0..10).map(|_| tally.asked(&answers, "a", QUICK)));
        assert_eq!(ten.await, [(0, false); 10]);
        assert_eq!(tally.asked(&answers, "a", QUICK).await, (0, false));
    }

    #[tokio::test]
    async fn what_has_failed_is_not_tried_by_each_of_those_who_wait() {
        let (answers, tries) = (Answers::default(), Arc::new(AtomicU32::new(0)));
        let asked = || async {
            let tries = tries.clone();
            let count = || async move {
                tries.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(QUICK).await;
                Err::<u32, Fault>(Fault::TooSlow)
            };
            let state = State { tables: String::new(), writes: 0 };
            assert!(answers.of("key", state, count).await.is_err());
        };
        futures_util::future::join_all((0..10).map(|_| asked())).await;
        assert_eq!(tries.load(Ordering::SeqCst), 1);
        asked().await;
        assert_eq!(tries.load(Ordering::SeqCst), 2, "who comes later tries again");
    }

    #[tokio::test]
    async fn what_has_changed_is_counted_anew_whoever_changed_it() {
        let (answers, tally) = (Answers::default(), Tally::default());
        assert_eq!(tally.asked(&answers, "a", QUICK).await, (0, false));
        assert_eq!(tally.asked(&answers, "b", QUICK).await, (1, false));
        answers.written();
        assert_eq!(tally.asked(&answers, "b", QUICK).await, (2, false));
    }

    #[tokio::test]
    async fn for_a_long_count_nobody_waits_but_the_first() {
        let (answers, tally) = (Answers::default(), Tally::default());
        assert_eq!(tally.asked(&answers, "a", SLOW).await, (0, false));
        let begun = Instant::now();
        assert_eq!(tally.asked(&answers, "b", SLOW).await, (0, true));
        assert_eq!(tally.asked(&answers, "b", SLOW).await, (0, true));
        assert!(begun.elapsed() < SLOW);
        while tally.asked(&answers, "b", SLOW).await != (1, false) {
            assert!(begun.elapsed() < Duration::from_secs(10), "the new count never came");
            tokio::time::sleep(QUICK).await;
        }
        assert_eq!(tally.0.load(Ordering::SeqCst), 2);
    }
}
