//! The one place that writes to the terminal: data on stdout, everything else on stderr.

use std::io::{self, IsTerminal, Write};

use super::args::{Color, Format};
use crate::report::Paint;

/// What the user wants to see, and in which colours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    quiet: bool,
    paint_stdout: Paint,
    paint_stderr: Paint,
}

impl Output {
    pub(super) fn new(quiet: bool, color: Color) -> Output {
        let wanted = |terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        Output {
            quiet,
            paint_stdout: Paint(wanted(io::stdout().is_terminal())),
            paint_stderr: Paint(wanted(io::stderr().is_terminal())),
        }
    }

    /// Colours for stdout.
    pub(super) fn paint(self) -> Paint {
        self.paint_stdout
    }

    /// Writes data. A reader that has closed the pipe has seen enough.
    pub(super) fn data(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        match write(&mut out).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// A report that `--quiet` leaves out.
    pub(super) fn report(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        if self.quiet { Ok(()) } else { self.data(write) }
    }

    /// A report for people, that `--quiet` leaves out, or data for programs, which it does not.
    pub(super) fn answer(
        self,
        format: Format,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        match format {
            Format::Text => self.report(write),
            Format::Json => self.data(write),
        }
    }

    /// A line beside the data.
    pub(super) fn note(self, line: &str) {
        if !self.quiet {
            // A closed stderr is no reason to stop.
            writeln!(io::stderr().lock(), "{line}").ok();
        }
    }

    /// An error: what, why, and the way out.
    pub(super) fn error(self, message: &str, causes: &[String], hint: Option<&str>) {
        let paint = self.paint_stderr;
        let mut err = io::stderr().lock();
        writeln!(err, "{} {message}", paint.red("error:")).ok();
        for cause in causes {
            writeln!(err, "  caused by: {cause}").ok();
        }
        if let Some(hint) = hint {
            writeln!(err, "  {} {hint}", paint.green("hint:")).ok();
        }
    }

    /// An error that can point at its place in a file.
    pub(super) fn diagnostic(self, error: &dyn miette::Diagnostic) {
        let theme = if self.paint_stderr.0 {
            miette::GraphicalTheme::unicode()
        } else {
            miette::GraphicalTheme::unicode_nocolor()
        };
        let handler = miette::GraphicalReportHandler::new_themed(theme).with_links(false);
        let mut text = String::new();
        if handler.render_report(&mut text, error).is_err() {
            text = error.to_string();
        }
        writeln!(io::stderr().lock(), "{}", text.trim_end()).ok();
    }

    /// Whether a progress bar has somebody to look at it.
    pub(super) fn shows_progress(self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Asks for a yes on the terminal; `None`: there is nobody to ask.
    pub(super) fn ask(self, question: &str) -> io::Result<Option<bool>> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(None);
        }
        write!(io::stderr().lock(), "{question} [y/N] ")?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")))
    }
}
