//! What is tried again, how often, and what is not.
//!
//! A chunk is one transaction that its row in the ledger is part of, so it may be tried again after whatever error: either
//! all of it is there, and the ledger says so, or none of it is. It helps where the error was of the moment, and only
//! there: [`RULES`].

use std::{cell::Cell, time::Duration};

use tokio::time::sleep;

use super::{ApplyError, Event, Interrupt, Listener, Watch};
use crate::target::{Ledger, Lock};

/// What an error calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// The same once more, in the same session.
    Again,
    /// The same once more, in a new session, when there is one.
    Reconnect,
    /// Somebody has to do something about it.
    Stop,
}

/// What the beginning of a SQLSTATE calls for (PostgreSQL's manual, appendix "PostgreSQL Error Codes"); what is not here is
/// not tried again: a full disk (53100) stays full, and a timeout that somebody set (57014, 55P03) is what they wanted.
const RULES: &[(&str, Remedy)] = &[
    // serialization_failure, deadlock_detected
    ("40001", Remedy::Again),
    ("40P01", Remedy::Again),
    // connection exceptions
    ("08", Remedy::Reconnect),
    // idle_in_transaction_session_timeout
    ("25P03", Remedy::Reconnect),
    // too_many_connections
    ("53300", Remedy::Reconnect),
    // admin_shutdown, crash_shutdown, cannot_connect_now, idle_session_timeout
    ("57P01", Remedy::Reconnect),
    ("57P02", Remedy::Reconnect),
    ("57P03", Remedy::Reconnect),
    ("57P05", Remedy::Reconnect),
];

/// What to do about an error.
pub(super) fn remedy(error: &ApplyError) -> Remedy {
    let Some(server) = error.server_error() else { return Remedy::Stop };
    if server.connection_lost || server.no_session_free {
        return Remedy::Reconnect;
    }
    of_code(&server.code)
}

fn of_code(code: &str) -> Remedy {
    RULES.iter().find(|(prefix, _)| code.starts_with(prefix)).map_or(Remedy::Stop, |(_, remedy)| *remedy)
}

/// How often something is tried again, with pauses that double.
#[derive(Debug, Clone)]
pub(super) struct Tries {
    first_pause: Duration,
    made: u32,
    most: u32,
}

impl Tries {
    /// For a server that is gone: 31.5 seconds in all, so that its restart is survived.
    pub(super) fn to_reconnect() -> Tries {
        Tries { first_pause: Duration::from_millis(500), made: 0, most: 6 }
    }

    /// For transactions that were in one another's way: 3 seconds in all.
    pub(super) fn of_a_chunk() -> Tries {
        Tries { first_pause: Duration::from_millis(50), made: 0, most: 6 }
    }

    /// The pause before the next try; `None`: that was the last.
    pub(super) fn next_pause(&mut self) -> Option<Duration> {
        if self.made == self.most {
            return None;
        }
        self.made += 1;
        Some(self.first_pause * 2u32.pow(self.made - 1))
    }

    /// Which try this is, and of how many.
    pub(super) fn count(&self) -> (u32, u32) {
        (self.made, self.most)
    }
}

/// The way back after the server was lost, for all sessions of a run.
pub(super) struct Recovery<'a> {
    lock: &'a mut Lock,
    watch: &'a Watch,
    interrupt: &'a Interrupt,
    listener: &'a Listener,
    tries: Tries,
    outages: u32,
    /// Chunks that were finished when the last outage was over.
    finished: u64,
}

impl<'a> Recovery<'a> {
    pub(super) fn new(
        lock: &'a mut Lock,
        watch: &'a Watch,
        interrupt: &'a Interrupt,
        listener: &'a Listener,
    ) -> Recovery<'a> {
        Recovery { lock, watch, interrupt, listener, tries: Tries::to_reconnect(), outages: 0, finished: 0 }
    }

    /// How many outages are over. A session that was opened before the last one may find only now that it is lost.
    pub(super) fn outages(&self) -> u32 {
        self.outages
    }

    /// Other work begins, with new patience.
    pub(super) fn begin(&mut self) {
        self.tries = Tries::to_reconnect();
        self.finished = 0;
    }

    /// Asks whether the lock is still held.
    ///
    /// # Errors
    /// [`ApplyError::Lock`] when it is not: whoever ended its session, and nothing else, wants the run to end.
    pub(super) async fn confirm(&mut self) -> Result<(), ApplyError> {
        Ok(self.lock.confirm().await?)
    }

    /// So many chunks are finished: where it became more since the last outage, patience begins anew.
    pub(super) fn progressed(&mut self, finished: u64) {
        if finished > self.finished {
            self.finished = finished;
            self.tries = Tries::to_reconnect();
        }
    }

    /// Waits until the server can be reached again, and makes sure that the lock is held.
    ///
    /// # Errors
    /// [`ApplyError::GivenUp`] when patience ends, [`ApplyError::Lock`] when another run has the lock by now, and `error`
    /// itself where the run is asked to end.
    pub(super) async fn regain(&mut self, what: &str, error: ApplyError) -> Result<(), ApplyError> {
        let mut error = error;
        loop {
            let Some(pause) = self.tries.next_pause() else {
                return Err(given_up(what, &self.tries, error));
            };
            tell(self.listener, what, &self.tries, &error);
            tokio::select! {
                () = sleep(pause) => {}
                () = self.interrupt.is_asked() => return Err(error),
            }
            match self.lock.regain().await.map_err(ApplyError::from) {
                Ok(()) => {
                    self.outages += 1;
                    return Ok(());
                }
                Err(next) if remedy(&next) == Remedy::Stop => return Err(next),
                Err(next) => error = next,
            }
        }
    }

    /// Makes sure, without a pause where there is no need for one, that the server can be reached and the lock is held.
    ///
    /// # Errors
    /// As [`Recovery::regain`].
    pub(super) async fn ensure(&mut self, what: &str) -> Result<(), ApplyError> {
        match self.lock.regain().await.map_err(ApplyError::from) {
            Err(error) if remedy(&error) != Remedy::Stop => self.regain(what, error).await,
            done => done,
        }
    }

    /// Does what may be done twice, until it is done.
    ///
    /// # Errors
    /// As [`Recovery::regain`], and what helps no more.
    pub(super) async fn persist<T>(
        &mut self,
        what: &str,
        attempt: impl AsyncFn() -> Result<T, ApplyError>,
    ) -> Result<T, ApplyError> {
        loop {
            match self.watch.over(None, attempt()).await.flatten() {
                Err(error) if remedy(&error) != Remedy::Stop => self.regain(what, error).await?,
                done => return done,
            }
        }
    }
}

impl Recovery<'_> {
    /// As [`Recovery::persist`], for work that is the run's only one at the time, so that what is left of an attempt can be
    /// ended on the server before the next.
    ///
    /// # Errors
    /// As [`Recovery::persist`].
    pub(super) async fn persist_alone<T>(
        &mut self,
        what: &str,
        ledger: &Ledger,
        attempt: impl AsyncFn() -> Result<T, ApplyError>,
    ) -> Result<T, ApplyError> {
        self.begin();
        let again = Cell::new(false);
        self.persist(what, async || {
            if again.replace(true) {
                ledger.end_own_sessions().await?;
            }
            attempt().await
        })
        .await
    }
}

/// Says why something is tried again.
pub(super) fn tell(listener: &Listener, what: &str, tries: &Tries, error: &ApplyError) {
    let (attempt, of) = tries.count();
    let reason = error.server_error().map_or_else(|| error.to_string(), |server| server.to_string());
    listener(Event::TryingAgain { what: what.to_owned(), reason, attempt, of });
}

/// The error of the last of several tries.
pub(super) fn given_up(what: &str, tries: &Tries, error: ApplyError) -> ApplyError {
    ApplyError::GivenUp { what: what.to_owned(), tries: tries.count().0, error: Box::new(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        let cases = [
            ("40001", Remedy::Again),
            ("40P01", Remedy::Again),
            ("08006", Remedy::Reconnect),
            ("57P01", Remedy::Reconnect),
            ("57P03", Remedy::Reconnect),
            ("53300", Remedy::Reconnect),
            ("57014", Remedy::Stop),
            ("55P03", Remedy::Stop),
            ("53100", Remedy::Stop),
            ("53200", Remedy::Stop),
            ("23505", Remedy::Stop),
            ("", Remedy::Stop),
        ];
        for (code, expected) in cases {
            assert_eq!(of_code(code), expected, "{code}");
        }
    }

    #[test]
    fn broken_connections_are_opened_anew() {
        let broken = sqlx::Error::Io(std::io::ErrorKind::BrokenPipe.into());
        assert_eq!(remedy(&ApplyError::server("x")(broken)), Remedy::Reconnect);
        assert_eq!(remedy(&ApplyError::server("x")(sqlx::Error::RowNotFound)), Remedy::Stop);
        assert_eq!(remedy(&ApplyError::ReaderLost { table: "t".to_owned() }), Remedy::Stop);
    }

    #[test]
    fn patience_has_an_end() {
        let mut tries = Tries::to_reconnect();
        let pauses: Vec<Duration> = std::iter::from_fn(|| tries.next_pause()).collect();
        assert_eq!(pauses.len(), 6);
        assert_eq!(pauses.iter().sum::<Duration>(), Duration::from_millis(31_500));
        assert_eq!(tries.count(), (6, 6));
    }
}
