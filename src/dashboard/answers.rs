//! Answers that are kept for a while.
//!
//! Some pages count over every row, which takes a second where there are a million. Such an answer is given again for
//! thirty times as long as it took to count, a minute at most, so that counting takes a thirtieth of one session at most
//! however many ask; one that took a millisecond is as good as always new. Whoever comes while it is being counted waits for
//! it. A write through this process makes every answer an old one, so that a writer reads what it wrote; what others write
//! is seen when the time is up. The page says when it was counted.

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

/// How many times as long as it took to count an answer is kept.
const TIMES_THE_COUNTING: u32 = 30;
/// The longest that an answer is kept.
const LONGEST: Duration = Duration::from_secs(60);
/// Questions whose answers are kept; one more, and all are forgotten. The pages have a few dozen.
const MOST: usize = 256;

/// An answer, and when it was counted.
pub(super) struct Counted<T> {
    /// The answer.
    pub(super) answer: Arc<T>,
    /// How long ago it was counted.
    pub(super) age: Duration,
    /// How long that took.
    pub(super) took: Duration,
}

impl<T> Counted<T> {
    /// An answer of this moment, which is not kept.
    pub(super) fn now(answer: T) -> Counted<T> {
        Counted { answer: Arc::new(answer), age: Duration::ZERO, took: Duration::ZERO }
    }

    /// Whether it was counted for somebody who came earlier.
    pub(super) fn kept(&self) -> bool {
        self.age > Duration::ZERO
    }
}

#[derive(Clone)]
struct Kept {
    answer: Arc<dyn Any + Send + Sync>,
    /// How many writes there had been when the counting began.
    writes: u64,
    at: Instant,
    took: Duration,
}

#[derive(Default)]
pub(super) struct Answers {
    writes: AtomicU64,
    kept: Mutex<HashMap<String, Arc<Turn<Option<Kept>>>>>,
}

impl Answers {
    /// Says that something was written.
    pub(super) fn written(&self) {
        self.writes.fetch_add(1, Ordering::SeqCst);
    }

    /// The answer to a question: the one that is kept, or a new one. `key` names the question and what is asked for.
    pub(super) async fn of<T: Send + Sync + 'static>(
        &self,
        key: String,
        count: impl Future<Output = Result<T, Fault>>,
    ) -> Result<Counted<T>, Fault> {
        let writes_seen = self.writes.load(Ordering::SeqCst);
        let place = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() >= MOST && !kept.contains_key(&key) {
                kept.clear();
            }
            Arc::clone(kept.entry(key).or_default())
        };
        let mut place = place.lock().await;
        if let Some(kept) = place.as_ref()
            && kept.writes >= writes_seen
            && kept.at.elapsed() < LONGEST.min(kept.took * TIMES_THE_COUNTING)
            && let Ok(answer) = Arc::clone(&kept.answer).downcast::<T>()
        {
            return Ok(Counted { answer, age: kept.at.elapsed(), took: kept.took });
        }
        let writes = self.writes.load(Ordering::SeqCst);
        let begun = Instant::now();
        let answer = Arc::new(count.await?);
        let took = begun.elapsed();
        *place = Some(Kept { answer: answer.clone(), writes, at: Instant::now(), took });
        Ok(Counted { answer, age: Duration::ZERO, took })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn counted(answers: &Answers, key: &str, counts: &AtomicU64, takes: Duration) -> u64 {
        let count = async {
            tokio::time::sleep(takes).await;
            Ok(counts.fetch_add(1, Ordering::SeqCst))
        };
        *answers.of(key.to_owned(), count).await.unwrap_or_else(|_| unreachable!()).answer
    }

    #[tokio::test]
    async fn who_comes_while_it_is_counted_waits_for_the_same_answer() {
        let (answers, counts) = (Answers::default(), AtomicU64::new(0));
        let takes = Duration::from_millis(50);
        let ten = futures_util::future::join_all((0..10).map(|_| counted(&answers, "k", &counts, takes)));
        assert_eq!(ten.await, [0; 10]);
        assert_eq!(counted(&answers, "other", &counts, takes).await, 1);
    }

    #[tokio::test]
    async fn a_write_makes_every_answer_an_old_one() {
        let (answers, counts) = (Answers::default(), AtomicU64::new(0));
        let takes = Duration::from_millis(50);
        assert_eq!(counted(&answers, "k", &counts, takes).await, 0);
        answers.written();
        assert_eq!(counted(&answers, "k", &counts, takes).await, 1);
        assert_eq!(counted(&answers, "k", &counts, takes).await, 1);
    }

    #[tokio::test]
    async fn what_takes_no_time_is_counted_anew() {
        let (answers, counts) = (Answers::default(), AtomicU64::new(0));
        assert_eq!(counted(&answers, "k", &counts, Duration::ZERO).await, 0);
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(counted(&answers, "k", &counts, Duration::ZERO).await, 1);
    }
}
