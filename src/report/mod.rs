//! Stages' values as text for people, as SQL and as JSON. Pure: each renderer writes into any [`std::io::Write`].

mod apply;
mod audit;
mod certificate_page;
mod drift;
mod mapping;
mod markdown;
mod mermaid;
mod plan;
mod plan_sql;
mod schema;
mod text;
mod verify;

use serde::Serialize;
use std::io::{self, Write};

pub use apply::apply_text;
pub use audit::audit_text;
pub use certificate_page::certificate_page;
pub use drift::drift_text;
pub use mapping::{MappingReport, TypesReport, mapping_text, types_text};
pub use markdown::plan_markdown;
pub use mermaid::schema_mermaid;
pub use plan::plan_text;
pub use plan_sql::plan_sql;
pub use schema::schema_sql;
pub use text::{Paint, count, rows};
pub use verify::{certificate_json, certificate_text};

/// Writes a value as JSON, with the version of its form beside its fields.
///
/// # Errors
/// Whatever the writer says.
pub fn json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Versioned<'a, T> {
        format_version: u32,
        #[serde(flatten)]
        value: &'a T,
    }
    let versioned = Versioned { format_version: crate::plan::FORMAT_VERSION, value };
    serde_json::to_writer_pretty(&mut *out, &versioned)?;
    writeln!(out)
}
