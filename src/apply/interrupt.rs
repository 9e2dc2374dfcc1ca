//! How a run is asked to end: rows on their way arrive first, where that is a matter of seconds.
//!
//! In: a [`Signal`], from whoever hears it. Out: whether the run ends by itself, or is to be dropped.

use tokio::sync::watch;

/// What asks a run to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// The line between a run and whoever may end it; clones are the same line.
#[derive(Debug, Clone)]
pub struct Interrupt(watch::Sender<Phase>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing waits to be finished: a run that is dropped loses nothing.
    Elsewhere,
    /// Chunks, or requests, are at work.
    AtWork,
    /// No more are to be begun.
    Asked(Signal),
}

impl Interrupt {
    /// A line on which nobody has asked yet.
    #[must_use]
    pub fn new() -> Interrupt {
        Interrupt(watch::Sender::new(Phase::Elsewhere))
    }

    /// Asks the run to end. Gives whether it ends by itself, after the chunks at work; `false`: drop it.
    #[must_use]
    pub fn ask(&self, signal: Signal) -> bool {
        self.0.send_if_modified(|phase| {
            let at_work = *phase == Phase::AtWork;
            if at_work {
                *phase = Phase::Asked(signal);
            }
            at_work
        })
    }

    /// From here on chunks, or requests, are at work.
    pub(crate) fn at_work(&self) -> AtWork<'_> {
        self.0.send_replace(Phase::AtWork);
        AtWork(self)
    }

    /// What has asked, if anything has.
    pub(super) fn asked(&self) -> Option<Signal> {
        match *self.0.borrow() {
            Phase::Asked(signal) => Some(signal),
            Phase::Elsewhere | Phase::AtWork => None,
        }
    }

    /// Waits until something asks.
    pub(crate) async fn is_asked(&self) {
        let mut phase = self.0.subscribe();
        // The sender lives as long as this value.
        phase.wait_for(|phase| matches!(phase, Phase::Asked(_))).await.ok();
    }
}

impl Default for Interrupt {
    fn default() -> Interrupt {
        Interrupt::new()
    }
}

/// As long as it lives, the run ends by itself when it is asked to.
#[derive(Debug)]
pub(crate) struct AtWork<'a>(&'a Interrupt);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.0.send_if_modified(|phase| {
            let at_work = *phase == Phase::AtWork;
            if at_work {
                *phase = Phase::Elsewhere;
            }
            at_work
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_chunks_are_waited_for_and_only_once() {
        let line = Interrupt::new();
        assert!(!line.ask(Signal::Interrupt));
        let _at_work = line.at_work();
        assert_eq!(line.asked(), None);
        assert!(line.clone().ask(Signal::Terminate));
        assert_eq!(line.asked(), Some(Signal::Terminate));
        // The second time is at once.
        assert!(!line.ask(Signal::Interrupt));
        assert_eq!(line.asked(), Some(Signal::Terminate));
    }

    #[test]
    fn after_the_rows_nothing_is_waited_for() {
        let line = Interrupt::new();
        drop(line.at_work());
        assert!(!line.ask(Signal::Interrupt));
    }
}
