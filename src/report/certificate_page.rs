//! The certificate as a page for people, in Markdown.

use std::io::{self, Write};

use super::{
    text::{count, rows},
    verify::{conclusion, difference_line, differences, exceptions, writers_line},
};
use crate::verify::{Certificate, ObjectKind, TableComparison, Verdict};

/// Writes what was compared, both sides, every table, the schema's objects, and what follows from it.
///
/// # Errors
/// Whatever the writer says.
pub fn certificate_page(certificate: &Certificate, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# {}\n", if certificate.equal { "Certificate" } else { "Certificate, with differences" })?;
    writeln!(out, "**{}**\n", cell(&conclusion(certificate)))?;
    sides(certificate, out)?;
    found(certificate, out)?;
    tables(certificate, out)?;
    schema(certificate, out)?;
    sequences(certificate, out)?;
    indexes(certificate, out)?;
    writeln!(out, "## What this says\n\n{}", meaning(certificate))
}

fn sides(certificate: &Certificate, out: &mut dyn Write) -> io::Result<()> {
    let seconds = certificate.duration_milliseconds as f64 / 1000.0;
    let mut lines = vec![
        ("Source", format!("{}, {}", certificate.source, rows(certificate.fingerprint.rows))),
        ("Source's fingerprint", certificate.fingerprint.content_digest.clone()),
        ("Target", format!("{}, schema {}", certificate.target, certificate.target_schema)),
        ("Mapping's digest", certificate.mapping_digest.clone()),
        ("Begun", certificate.started_at.clone()),
        ("Finished", format!("{}, after {seconds:.1} s", certificate.finished_at)),
        ("Digests", format!("sums of XXH3-128, seed {}", String::from(certificate.seed))),
        (
            "Versions",
            format!(
                "mtm {}, PostgreSQL {}, SQLite {}",
                certificate.mtm_version, certificate.server_version, certificate.sqlite_version
            ),
        ),
    ];
    if let Some(against) = &certificate.against {
        let against = format!("the certificate of {}, checksum {}", against.finished_at, against.checksum);
        lines.insert(2, ("Held against", against));
    }
    if let Some(writers) = &certificate.writers {
        lines.push(("Writers", writers_line(writers).trim_start_matches("writers: ").to_owned()));
    }
    table(out, &["", ""], lines.into_iter().map(|(name, value)| [name.to_owned(), value]))
}

fn found(certificate: &Certificate, out: &mut dyn Write) -> io::Result<()> {
    let rows = certificate.tables.iter().flat_map(|table| &table.differences).map(difference_line);
    let more = certificate.tables.iter().filter_map(|table| {
        let more =
            table.differences_total.checked_sub(table.differences.len() as u64).filter(|more| *more > 0)?;
        Some(format!("{}: {} more", table.target, count(more)))
    });
    let lines: Vec<String> = rows.chain(more).chain(certificate.schema_differences.iter().cloned()).collect();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Differences\n")?;
    for line in lines {
        writeln!(out, "- {}", cell(&line))?;
    }
    writeln!(out)
}

fn tables(certificate: &Certificate, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## Rows\n")?;
    let verdict = |table: &TableComparison| {
        if table.is_equal() { "equal".to_owned() } else { differences(table) }
    };
    let line = |t: &TableComparison| {
        [
            t.source.clone(),
            t.target.clone(),
            count(t.source_rows),
            count(t.target_rows),
            t.digest.clone(),
            if t.target_digest == t.digest { "the same".to_owned() } else { t.target_digest.clone() },
            verdict(t),
            exceptions(t),
        ]
    };
    let names = [
        "Source",
        "Target",
        "Rows in the source",
        "in the target",
        "Digest of the source's",
        "of the target's",
        "Outcome",
        "Exceptions",
    ];
    table(out, &names, certificate.tables.iter().map(line))
}

fn schema(certificate: &Certificate, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## Columns, keys, checks, indexes\n")?;
    let lines = certificate.schema.iter().map(|object| {
        let not_valid = !object.valid && object.kind == ObjectKind::ForeignKey;
        let state = if not_valid { "as wanted, NOT VALID" } else { "as wanted" };
        [
            object.table.clone(),
            object.kind.words().to_owned(),
            object.name.clone(),
            object.definition.clone(),
            object.problem.clone().unwrap_or_else(|| state.to_owned()),
        ]
    });
    table(out, &["Table", "What", "Name", "Definition", "State"], lines)
}

fn sequences(certificate: &Certificate, out: &mut dyn Write) -> io::Result<()> {
    if certificate.sequences.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Sequences\n")?;
    let lines = certificate.sequences.iter().map(|sequence| {
        [
            format!("{}.{}", sequence.table, sequence.column),
            sequence.at_least.to_string(),
            sequence.stands_at.map_or_else(|| "none".to_owned(), |value| value.to_string()),
            sequence.problem.clone().unwrap_or_else(|| "past every value in use".to_owned()),
        ]
    });
    table(out, &["Column", "Highest value ever used in the source", "Stands at", "State"], lines)
}

fn indexes(certificate: &Certificate, out: &mut dyn Write) -> io::Result<()> {
    if certificate.indexes.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Questions that indexes answer\n")?;
    let lines = certificate.indexes.iter().map(|index| {
        let verdict = match index.verdict {
            Verdict::Usable => "usable",
            Verdict::ServedByAnother => "another index serves",
            Verdict::NotUsable => "not usable",
            Verdict::NotAsked => "not asked",
        };
        let (table, name) = (index.table.clone(), index.index.clone());
        [table, name, index.question.clone(), verdict.to_owned(), index.plan.clone()]
    });
    table(out, &["Table", "Index", "Question", "Verdict", "The planner's way"], lines)
}

/// What the reader may conclude, and what not.
fn meaning(certificate: &Certificate) -> &'static str {
    match (&certificate.against, certificate.equal) {
        (None, true) => {
            "Every row of the source was read and every row of the target, each by code that the copying shares nothing with, \
             and all cells are equal in the type that the target gives them. The digests were made under a seed that was drawn \
             when the rows had long been written, so that nobody could have chosen them to collide. With the JSON file beside \
             this page the target can be checked again without the source: `mtm verify --against FILE.json`. That finds what \
             happens by accident; rows forged on purpose by somebody who knows the seed, which is in this page, only a proof with \
             the source finds."
        }
        (None, false) => {
            "Both sides were read whole, and they are not the same. At most 20 differences of a table are named. A value of a cell \
             is never shown."
        }
        (Some(_), true) => {
            "Every row of the target was read, and the digests of its tables are those that the certificate has of the source. \
             The source itself was not looked at. This finds what happens by accident; rows forged on purpose by somebody who \
             knows the certificate's seed, only a proof with the source finds (`mtm verify --source FILE`)."
        }
        (Some(_), false) => {
            "The target was read whole, and it is not what the certificate says of the source. Which rows are others only the \
             source can tell: `mtm verify --source FILE` names them by table, key and column."
        }
    }
}

fn table<const N: usize>(
    out: &mut dyn Write,
    names: &[&str; N],
    lines: impl Iterator<Item = [String; N]>,
) -> io::Result<()> {
    writeln!(out, "| {} |", names.join(" | "))?;
    writeln!(out, "|{}", "---|".repeat(N))?;
    for line in lines {
        writeln!(out, "| {} |", line.map(|text| cell(&text)).join(" | "))?;
    }
    writeln!(out)
}

/// A text that cannot break out of its cell, nor be taken for markup: names come from other people's files.
fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let characters: Vec<char> = text.chars().collect();
    let is_word = |at: Option<usize>| {
        at.and_then(|at| characters.get(at)).is_some_and(|character| character.is_alphanumeric())
    };
    for (at, character) in characters.iter().enumerate() {
        match character {
            '\n' | '\r' | '\t' => safe.push(' '),
            // Inside of a word it is no markup, and names are full of it.
            '_' if is_word(at.checked_sub(1)) && is_word(Some(at + 1)) => safe.push('_'),
            '|' | '\\' | '*' | '_' | '[' | ']' | '#' | '~' | '<' | '&' | '`' => {
                safe.push('\\');
                safe.push(*character);
            }
            other => safe.push(*other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_stays_in_its_place() {
        assert_eq!(cell("a|b\n<script>_c_d_"), "a\\|b \\<script>\\_c_d\\_");
        let mut out = Vec::new();
        assert!(table(&mut out, &["A", "B"], [["1".to_owned(), "x|y".to_owned()]].into_iter()).is_ok());
        assert_eq!(String::from_utf8_lossy(&out), "| A | B |\n|---|---|\n| 1 | x\\|y |\n\n");
    }
}
