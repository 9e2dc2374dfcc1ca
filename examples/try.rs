//! Scratch.
#![allow(missing_docs, clippy::all)]
use std::time::Instant;
fn main() {
    let mode = std::env::args().nth(1).unwrap();
    let readers = std::env::var("READERS").ok().and_then(|r| r.parse().ok()).unwrap_or(2);
    for path in std::env::args().skip(2) {
        let t = Instant::now();
        let source = match mtm::source::Source::open(
            path.as_ref(),
            mtm::source::SourceOptions { readers, ..Default::default() },
        ) {
            Ok(s) => s,
            Err(e) => {
                println!("OPEN {path}: {e}");
                continue;
            }
        };
        let audit = match mtm::audit::scan(&source, &|p| {
            if mode == "progress" {
                eprintln!("{p:?}")
            }
        }) {
            Ok(a) => a,
            Err(e) => {
                println!("AUDIT {path}: {e} {:?}", std::error::Error::source(&e).map(|s| s.to_string()));
                continue;
            }
        };
        println!(
            "{path}: {} tables {} others {} rows qc {:?} {:?} {} {}",
            audit.tables.len(),
            audit.others.len(),
            audit.fingerprint.rows,
            audit.quick_check,
            t.elapsed(),
            audit.encoding,
            audit.journal_mode
        );
        if mode == "json" {
            println!("{}", serde_json::to_string_pretty(&audit).unwrap());
        }
        if mode == "types" {
            for table in &audit.tables {
                println!(
                    "  {} rows {} alias {:?} rowid {:?} seq {:?} max {:?} pk {:?} nulls {:?} chunks {} checks {:?}",
                    table.name,
                    table.rows,
                    table.rowid_alias,
                    table.rowid_name,
                    table.sequence,
                    table.max_rowid,
                    table.primary_key,
                    table.primary_key_nulls,
                    table.chunk_starts.len(),
                    table.checks
                );
                for fk in &table.foreign_keys {
                    if fk.orphans.is_some() || fk.unchecked.is_some() || !fk.parent_exists {
                        println!("    FK {fk:?}");
                    }
                }
                for c in &table.columns {
                    use mtm::schema::PgType::*;
                    let fits: Vec<String> = [
                        Boolean,
                        SmallInt,
                        Integer,
                        BigInt,
                        Numeric(Some((10, 2))),
                        Numeric(None),
                        DoublePrecision,
                        Date,
                        Time,
                        Timestamp,
                        Timestamptz,
                        Uuid,
                        Jsonb,
                        Varchar(64),
                        Text,
                    ]
                    .iter()
                    .filter(|t| c.fits(t, false).is_ok())
                    .map(|t| t.to_string())
                    .collect();
                    let why = c.fits(&Text, false).err().map(|m| format!("{} {:?}", m.rows, m.examples[0]));
                    println!(
                        "    {} [{}] {:?} {:?} -> {}{}",
                        c.name,
                        c.declared_type,
                        c.affinity,
                        c.storage,
                        fits.join(","),
                        why.map(|w| format!(" !text {w}")).unwrap_or_default()
                    );
                }
            }
            for o in &audit.others {
                println!("  other {} {} {:?}", o.kind, o.name, o.belongs_to);
            }
        }
    }
}
