//! Waiting for the server's answer without waiting for ever.
//!
//! A network that carries nothing any more looks like a server that is busy: the driver waits for both alike, and a
//! statement may well take hours. So nobody counts the hours; when an answer is long in coming, another session asks the
//! server what the sessions of the run are at (PostgreSQL's manual, 28.2.3, `pg_stat_activity`). Those that wait for their
//! client, while their client waits for them, are lost.

use std::time::Duration;

use tokio::time::timeout;

use super::ApplyError;
use crate::target::{Backend, Ledger, RunId, Target};

/// Looks after sessions of a run.
#[derive(Clone)]
pub(super) struct Watch {
    pub(super) target: Target,
    pub(super) ledger: Ledger,
    pub(super) run: RunId,
    /// How long an answer may take before it is looked into; `None`: for ever.
    pub(super) patience: Option<Duration>,
}

/// What sessions were seen to wait for; equal twice in a row: they wait in vain.
#[derive(PartialEq)]
enum Sight {
    AtWork,
    Unreachable,
    /// Since when each of them waits for its client.
    Waiting(String),
}

impl Watch {
    /// Waits for an answer to one session, or to any of the run's.
    ///
    /// # Errors
    /// [`ApplyError::Server`], a lost connection, when there will be none.
    pub(super) async fn over<T>(
        &self,
        backend: Option<&Backend>,
        answer: impl Future<Output = T>,
    ) -> Result<T, ApplyError> {
        let Some(patience) = self.patience else { return Ok(answer.await) };
        tokio::pin!(answer);
        let mut last = Sight::AtWork;
        loop {
            if let Ok(answer) = timeout(patience, &mut answer).await {
                return Ok(answer);
            }
            let sight = tokio::select! {
                answer = &mut answer => return Ok(answer),
                sight = self.look(backend) => sight,
            };
            if sight != Sight::AtWork && sight == last {
                return Err(self.lost(patience, &sight));
            }
            last = sight;
        }
    }

    async fn look(&self, backend: Option<&Backend>) -> Sight {
        let looking = async {
            let mut session = match self.target.session().await {
                Ok(session) => session,
                Err(error) if error.server().is_some_and(|server| server.connection_lost) => {
                    return Sight::Unreachable;
                }
                // No room for another session says nothing about the others.
                Err(_) => return Sight::AtWork,
            };
            match self.ledger.waiting_for_client(self.run, backend, &mut session).await {
                Ok(Some(since)) => Sight::Waiting(since),
                Ok(None) => Sight::AtWork,
                Err(error) if error.server().is_some_and(|server| server.is_connection_lost()) => {
                    Sight::Unreachable
                }
                Err(_) => Sight::AtWork,
            }
        };
        timeout(self.target.patience() * 2, looking).await.unwrap_or(Sight::Unreachable)
    }

    fn lost(&self, patience: Duration, sight: &Sight) -> ApplyError {
        let seconds = (patience * 2).as_secs_f64();
        let reason = match sight {
            Sight::Unreachable => {
                format!("nothing came from the server for {seconds} s, nor to a new session")
            }
            _ => format!("nothing came through for {seconds} s, while the server waits for us"),
        };
        let error = std::io::Error::new(std::io::ErrorKind::TimedOut, reason);
        ApplyError::server(format!("the server at {}", self.target.display))(sqlx::Error::Io(error))
    }
}
