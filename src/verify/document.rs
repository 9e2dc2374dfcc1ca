//! A certificate as a document: JSON with the version of its form and a checksum, written and read back.
//!
//! The checksum tells a file that was damaged or edited by hand from a whole one. It is no signature: whoever edits on
//! purpose can compute it anew.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_128;

use super::{Certificate, DifferenceKind, TableComparison};

/// The version of a certificate's form. It grows when a field changes its meaning or goes away, and when the rows' normal
/// form or the way in which they are digested changes: old digests could not be compared any more.
pub const CERTIFICATE_FORMAT: u32 = 1;

const FORMAT: &str = "format_version";
const CHECKSUM: &str = "checksum";

/// Why a document cannot serve as a certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The certificate cannot be put in JSON.
    #[error("the certificate cannot be put in JSON")]
    Write(#[source] serde_json::Error),
    /// It is no JSON.
    #[error("it is no JSON; `mtm verify --certificate FILE` writes the certificate to FILE.json")]
    NotJson(#[source] serde_json::Error),
    /// It is JSON of another kind.
    #[error(
        "it is JSON, but no certificate; `mtm verify --certificate FILE` writes the certificate to FILE.json"
    )]
    NotACertificate,
    /// A later version of this program made it.
    #[error(
        "its form has version {found}, and this mtm knows no later one than {CERTIFICATE_FORMAT}; use the mtm that made it, or a newer one"
    )]
    Newer {
        /// Its version.
        found: u64,
    },
    /// An earlier version of this program made it, whose digests are not today's.
    #[error(
        "its form has version {found}, which this mtm reads no more; use the mtm that made it, or prove anew with --source"
    )]
    Older {
        /// Its version.
        found: u64,
    },
    /// The content does not go with the checksum.
    #[error(
        "it was changed after it was written: its checksum does not fit; make a new one with --source, or find the original"
    )]
    Edited,
    /// A field is missing or of the wrong form, though the checksum fits.
    #[error("a part of it cannot be read")]
    Field(#[source] serde_json::Error),
    /// It says nothing about a column that it should speak of.
    #[error(
        "when it was made, column `{column}` of table `{table}` could not be compared, so it says nothing about it; make a new one with --source"
    )]
    Incomplete {
        /// The target table.
        table: String,
        /// The target column.
        column: String,
    },
}

impl Certificate {
    /// The certificate as JSON, with the version of its form and its checksum.
    ///
    /// # Errors
    /// [`CertificateError::Write`].
    pub fn document(&self) -> Result<Value, CertificateError> {
        let mut document = serde_json::to_value(self).map_err(CertificateError::Write)?;
        document[FORMAT] = CERTIFICATE_FORMAT.into();
        document[CHECKSUM] = checksum(&document).into();
        Ok(document)
    }

    /// What a reader of the target is told of the proof: what was compared and what came of it, without digests and without
    /// a value of any row.
    #[must_use]
    pub fn summary(&self) -> Value {
        let table = |table: &TableComparison| {
            json!({
                "table": table.target,
                "source_rows": table.source_rows,
                "target_rows": table.target_rows,
                "differences": table.differences_total,
                "exceptions": table.exceptions,
                "rejected": table.rejected,
            })
        };
        json!({
            // The folder is nobody's business but the one's who has the file.
            "source": Path::new(&self.source).file_name().map(|name| name.to_string_lossy()),
            "fingerprint": self.fingerprint,
            "finished_at": self.finished_at,
            "duration_milliseconds": self.duration_milliseconds,
            "mtm_version": self.mtm_version,
            "server_version": self.server_version,
            "sqlite_version": self.sqlite_version,
            "against": self.against,
            "tables": self.tables.iter().map(table).collect::<Value>(),
            "schema_differences": self.schema_differences,
        })
    }

    /// Reads a document back, and gives its checksum beside it.
    ///
    /// # Errors
    /// [`CertificateError`] says what is wrong with it, and where a certificate comes from.
    pub fn from_document(text: &str) -> Result<(Certificate, String), CertificateError> {
        let mut document: Value = serde_json::from_str(text).map_err(CertificateError::NotJson)?;
        let fields = document.as_object_mut().ok_or(CertificateError::NotACertificate)?;
        let (format, seed) = (fields.get(FORMAT).and_then(Value::as_u64), fields.get("seed"));
        // A plan has a version of its form too, but no seed.
        let (Some(format), Some(_)) = (format, seed) else { return Err(CertificateError::NotACertificate) };
        let known = u64::from(CERTIFICATE_FORMAT);
        if format > known {
            return Err(CertificateError::Newer { found: format });
        }
        if format < known {
            return Err(CertificateError::Older { found: format });
        }
        let written = fields.remove(CHECKSUM);
        let found = checksum(&document);
        if written.as_ref().and_then(Value::as_str) != Some(found.as_str()) {
            return Err(CertificateError::Edited);
        }
        let certificate = Certificate::deserialize(document).map_err(CertificateError::Field)?;
        certificate.is_whole()?;
        Ok((certificate, found))
    }

    /// Whether every column was compared.
    fn is_whole(&self) -> Result<(), CertificateError> {
        let differences = self.tables.iter().flat_map(|table| &table.differences);
        for difference in differences {
            if let DifferenceKind::ColumnMissing { column } | DifferenceKind::ColumnType { column, .. } =
                &difference.kind
            {
                let (table, column) = (difference.table.clone(), column.clone());
                return Err(CertificateError::Incomplete { table, column });
            }
        }
        Ok(())
    }
}

/// Over the JSON without white space and with its names in order, so that laying it out anew changes nothing.
fn checksum(document: &Value) -> String {
    let mut sorted = document.clone();
    sorted.sort_all_objects();
    format!("{:032x}", xxh3_128(sorted.to_string().as_bytes()))
}
