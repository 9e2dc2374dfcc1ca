//! Progress bars, on a terminal only.

use std::{sync::Arc, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

use super::output::Output;

/// A bar over a number of rows that is known beforehand.
#[derive(Clone)]
pub(super) struct Bar(Option<Arc<ProgressBar>>);

impl Bar {
    /// Shows `what` with rows, rate and time left; or nothing, where nobody looks.
    pub(super) fn rows(output: Output, what: &str, rows: u64) -> Bar {
        if !output.shows_progress() || rows == 0 {
            return Bar(None);
        }
        let bar = ProgressBar::new(rows);
        let template = "{prefix:<8} [{bar:30}] {human_pos}/{human_len} rows, {per_sec}, {eta} left  {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Bar(Some(Arc::new(bar)))
    }

    /// Shows how many rows were read, where nobody knows yet how many there are.
    pub(super) fn unbounded(output: Output, what: &str) -> Bar {
        if !output.shows_progress() {
            return Bar(None);
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{prefix:<8} {spinner} {human_pos} rows, {per_sec}") {
            bar.set_style(style);
        }
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Bar(Some(Arc::new(bar)))
    }

    pub(super) fn advance(&self, rows: u64) {
        if let Some(bar) = &self.0 {
            bar.inc(rows);
        }
    }

    pub(super) fn take_back(&self, rows: u64) {
        if let Some(bar) = &self.0 {
            bar.dec(rows);
        }
    }

    /// Writes a line that stays, above the bar.
    pub(super) fn note(&self, output: Output, line: &str) {
        match &self.0 {
            Some(bar) => bar.suspend(|| output.note(line)),
            None => output.note(line),
        }
    }

    pub(super) fn say(&self, message: &str) {
        if let Some(bar) = &self.0 {
            bar.set_message(message.to_owned());
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
