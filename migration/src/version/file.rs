//! One section as a file: steps introduced by `-- step` lines.

use std::time::Duration;

use super::{Section, Step};
use crate::sql_text;

/// What introduces a step.
const MARKER: &str = "-- step";

/// What is wrong with a file, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The line, from 1.
    pub(super) line: usize,
    pub(super) reason: String,
}

/// Units of a timeout, largest first, with their milliseconds. PostgreSQL's own spellings.
const UNITS: &[(&str, u64)] = &[("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)];

/// Reads a section's steps.
pub(super) fn parse(text: &str, section: Section) -> Result<Vec<Step>, Fault> {
    let mut steps = Vec::new();
    let mut open: Option<(usize, Step, String)> = None;
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        if let Some(attributes) = attributes_of(line) {
            if let Some(step) = open.take() {
                steps.push(close(step)?);
            }
            let step =
                parse_attributes(attributes, section).map_err(|reason| Fault { line: number, reason })?;
            open = Some((number, step, String::new()));
        } else if let Some((_, _, sql)) = &mut open {
            sql.push_str(line);
            sql.push('\n');
        } else if !(line.trim().is_empty() || line.trim_start().starts_with("--")) {
            let reason =
                "this SQL belongs to no step: put a line \"-- step\" before each statement".to_owned();
            return Err(Fault { line: number, reason });
        }
    }
    if let Some(step) = open {
        steps.push(close(step)?);
    }
    Ok(steps)
}

/// What follows the marker; `None`: the line is none.
fn attributes_of(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(MARKER)?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| rest.trim())
}

fn close((line, step, text): (usize, Step, String)) -> Result<Step, Fault> {
    let statement = one_statement(&text).map_err(|reason| Fault { line, reason })?;
    Ok(Step { sql: statement.to_owned(), ..step })
}

fn one_statement(text: &str) -> Result<&str, String> {
    match sql_text::statements(text).as_slice() {
        [one] => Ok(one),
        [] => Err("this step has no SQL".to_owned()),
        _ => Err("this step has more than one statement: give each a line \"-- step\" of its own".to_owned()),
    }
}

fn parse_attributes(attributes: &str, section: Section) -> Result<Step, String> {
    let mut step = Step::default();
    for attribute in attributes.split_whitespace() {
        match attribute.split_once('=') {
            None if attribute == "concurrent" && section == Section::PostData => step.concurrent = true,
            None if attribute == "parallel" && section == Section::PostData => step.parallel = true,
            None if attribute == "in_chunks" && section == Section::PostData => step.in_chunks = true,
            None if attribute == "together" && section == Section::PostData => step.together = true,
            None if ["concurrent", "parallel", "in_chunks", "together"].contains(&attribute) => {
                return Err(format!(
                    "a step that is {attribute} cannot be in {section}.sql, which runs in one transaction: move it to \
                     post-data.sql"
                ));
            }
            Some(("hazards", slugs)) => step.hazards = parse_hazards(slugs)?,
            Some(("lock_timeout", value)) => step.lock_timeout = Some(parse_timeout(value)?),
            Some(("statement_timeout", value)) => step.statement_timeout = Some(parse_timeout(value)?),
            _ => {
                return Err(format!(
                    "{attribute:?} is none of concurrent, parallel, in_chunks, together, hazards=…, lock_timeout=… and statement_timeout=…"
                ));
            }
        }
    }
    if step.together && (step.concurrent || step.in_chunks) {
        return Err("a step that is concurrent or in_chunks cannot be together with another: it is no part of a transaction".to_owned());
    }
    Ok(step)
}

fn parse_hazards(slugs: &str) -> Result<Vec<String>, String> {
    let is_slug =
        |slug: &str| !slug.is_empty() && slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let found: Vec<&str> = slugs.split(',').collect();
    match found.iter().find(|slug| !is_slug(slug)) {
        None => Ok(found.into_iter().map(str::to_owned).collect()),
        Some(slug) => {
            Err(format!("{slug:?} is not a hazard: one is small letters and hyphens, as deletes-data"))
        }
    }
}

fn parse_timeout(value: &str) -> Result<Duration, String> {
    let digits = value.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let milliseconds =
        number.parse::<u64>().ok().zip(factor).and_then(|(number, factor)| number.checked_mul(factor));
    match milliseconds {
        // The server's own limit.
        Some(milliseconds) if milliseconds <= i32::MAX.unsigned_abs().into() => {
            Ok(Duration::from_millis(milliseconds))
        }
        _ => Err(format!("{value:?} is not a timeout: one looks like 500ms, 3s, 10min or 1h")),
    }
}

/// Writes a section's steps; `Err` holds a step's index and why it would not read back the same.
pub(super) fn format(steps: &[Step], section: Section) -> Result<String, (usize, String)> {
    let mut text = String::new();
    for (index, step) in steps.iter().enumerate() {
        let failed = |reason: String| (index, reason);
        if !text.is_empty() {
            text.push('\n');
        }
        let header = header_of(step);
        if parse_attributes(attributes_of(&header).unwrap_or_default(), section).map_err(failed)?.hazards
            != step.hazards
        {
            return Err((index, "its hazards are no slugs".to_owned()));
        }
        if step.sql.lines().any(|line| attributes_of(line).is_some()) {
            return Err((index, format!("a line of its SQL begins with {MARKER:?}")));
        }
        if one_statement(&step.sql).map_err(failed)? != step.sql {
            return Err((index, "its SQL has a semicolon, a comment or space around it".to_owned()));
        }
        text.push_str(&format!("{header}\n{};\n", step.sql));
    }
    Ok(text)
}

fn header_of(step: &Step) -> String {
    let mut header = MARKER.to_owned();
    if step.concurrent {
        header.push_str(" concurrent");
    }
    if step.parallel {
        header.push_str(" parallel");
    }
    if step.in_chunks {
        header.push_str(" in_chunks");
    }
    if step.together {
        header.push_str(" together");
    }
    if !step.hazards.is_empty() {
        header.push_str(&format!(" hazards={}", step.hazards.join(",")));
    }
    let timeouts = [("lock_timeout", step.lock_timeout), ("statement_timeout", step.statement_timeout)];
    for (name, timeout) in timeouts {
        if let Some(timeout) = timeout {
            header.push_str(&format!(" {name}={}", format_timeout(timeout)));
        }
    }
    header
}

/// In the largest unit that says it exactly; parts of a millisecond are dropped.
fn format_timeout(timeout: Duration) -> String {
    let milliseconds = timeout.as_millis();
    let exact =
        UNITS.iter().find(|(_, factor)| milliseconds.is_multiple_of(u128::from(*factor)) && milliseconds > 0);
    let (unit, factor) = exact.copied().unwrap_or(("ms", 1));
    format!("{}{unit}", milliseconds / u128::from(factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_reads_as_its_steps() {
        let text = "-- Made for people.\n\n-- step\nCREATE TABLE t (\n  a text -- the key\n);\n\n-- Then the index.\n\
                    -- step concurrent hazards=builds-index,blocks-writes lock_timeout=3s statement_timeout=90min\n\
                    CREATE INDEX CONCURRENTLY i ON t (a)\n-- the end\n";
        let steps = parse(text, Section::PostData).unwrap();
        assert_eq!(
            steps[0],
            Step { sql: "CREATE TABLE t (\n  a text -- the key\n)".to_owned(), ..Step::default() }
        );
        let expected = Step {
            sql: "CREATE INDEX CONCURRENTLY i ON t (a)".to_owned(),
            concurrent: true,
            parallel: false,
            in_chunks: false,
            together: false,
            hazards: vec!["builds-index".to_owned(), "blocks-writes".to_owned()],
            lock_timeout: Some(Duration::from_secs(3)),
            statement_timeout: Some(Duration::from_secs(5400)),
        };
        assert_eq!(steps[1..], [expected]);
        assert_eq!(parse("-- nothing yet\n", Section::Down).unwrap(), []);
    }

    #[test]
    fn faults_name_line_and_reason() {
        let cases = [
            ("-- head\nSELECT 1;\n", Section::Down, 2, "no step"),
            ("-- step\nSELECT 1;\n-- step\n\n", Section::Down, 3, "no SQL"),
            ("-- step\nSELECT 1; SELECT 2;\n", Section::Down, 1, "more than one"),
            ("-- step now\nSELECT 1\n", Section::Down, 1, "\"now\" is none of"),
            ("\n-- step concurrent\nSELECT 1\n", Section::PreData, 2, "post-data.sql"),
            ("\n-- step parallel\nSELECT 1\n", Section::Down, 2, "post-data.sql"),
            ("-- step concurrent together\nSELECT 1\n", Section::PostData, 1, "no part of a transaction"),
            ("-- step hazards=Deletes\nSELECT 1\n", Section::Down, 1, "not a hazard"),
            ("-- step lock_timeout=3\nSELECT 1\n", Section::Down, 1, "not a timeout"),
            ("-- step lock_timeout=99999999h\nSELECT 1\n", Section::Down, 1, "not a timeout"),
        ];
        for (text, section, line, reason) in cases {
            let fault = parse(text, section).unwrap_err();
            assert_eq!(fault.line, line, "{text}");
            assert!(fault.reason.contains(reason), "{text}: {}", fault.reason);
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let steps = [
            Step::new("CREATE TABLE \"a;b\" (c text DEFAULT '; -- step')"),
            Step { hazards: vec!["deletes-data".to_owned()], ..Step::new("DROP TABLE t") },
            Step {
                concurrent: true,
                parallel: true,
                lock_timeout: Some(Duration::from_millis(1500)),
                statement_timeout: Some(Duration::from_secs(7200)),
                ..Step::new("CREATE INDEX CONCURRENTLY i ON t (a)")
            },
            Step { together: true, ..Step::new("DROP INDEX i") },
            Step { lock_timeout: Some(Duration::ZERO), ..Step::new("DO $$ BEGIN\n  NULL;\nEND $$") },
        ];
        let text = format(&steps, Section::PostData).unwrap();
        assert!(text.contains("lock_timeout=1500ms statement_timeout=2h"), "{text}");
        assert_eq!(parse(&text, Section::PostData).unwrap(), steps);
    }

    #[test]
    fn what_would_not_read_back_is_not_written() {
        let bare = |sql: &str| Step { sql: sql.to_owned(), ..Step::default() };
        let steps = [
            bare(""),
            bare("SELECT 1;"),
            bare("SELECT 1; SELECT 2"),
            bare("SELECT '\n-- step\n'"),
            Step { hazards: vec!["a b".to_owned()], ..bare("SELECT 1") },
        ];
        for step in steps {
            assert!(format(std::slice::from_ref(&step), Section::PostData).is_err(), "{step:?}");
        }
        let concurrent = Step { concurrent: true, ..bare("SELECT 1") };
        assert!(format(&[concurrent], Section::Down).is_err());
    }
}
