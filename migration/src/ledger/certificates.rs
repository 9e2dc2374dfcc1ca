//! Proofs: what `mtm verify` found, in short, for whoever looks at the target later.

use super::{Ledger, LedgerError, database};

/// A proof, in short.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedCertificate {
    /// When, in UTC (RFC 3339).
    pub made_at: String,
    /// Whether source and target agree.
    pub equal: bool,
    /// What was compared, as the one who proved it wrote it.
    pub summary: serde_json::Value,
}

impl Ledger {
    /// Records what a proof found; gives whether it could: a role that may only read cannot, and a ledger of an older `mtm`
    /// has no place for it.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn record_certificate(
        &self,
        equal: bool,
        summary: &serde_json::Value,
    ) -> Result<bool, LedgerError> {
        let failed = database("recording what was proven");
        let may: Option<bool> = sqlx::query_scalar(
            "SELECT has_table_privilege(to_regclass($1), 'INSERT') AND NOT current_setting('transaction_read_only')::boolean",
        )
        .bind(self.place.table("certificate"))
        .fetch_one(&self.pool)
        .await
        .map_err(&failed)?;
        if may != Some(true) {
            return Ok(false);
        }
        let sql = "INSERT INTO {certificate} (target_schema, equal, summary) VALUES ($1, $2, $3)";
        sqlx::query(self.sql(sql))
            .bind(&self.target_schema)
            .bind(equal)
            .bind(summary)
            .execute(&self.pool)
            .await
            .map_err(&failed)?;
        Ok(true)
    }

    /// The last proof; none where there was none, or where the ledger is of an older `mtm`.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn last_certificate(&self) -> Result<Option<RecordedCertificate>, LedgerError> {
        let failed = database("reading what was proven");
        let readable: Option<bool> =
            sqlx::query_scalar("SELECT has_table_privilege(to_regclass($1), 'SELECT')")
                .bind(self.place.table("certificate"))
                .fetch_one(&self.pool)
                .await
                .map_err(&failed)?;
        if readable != Some(true) {
            return Ok(None);
        }
        let row: Option<(String, bool, serde_json::Value)> =
            sqlx::query_as(self.sql(include_str!("sql/last_certificate.sql")))
                .bind(&self.target_schema)
                .fetch_optional(&self.pool)
                .await
                .map_err(&failed)?;
        Ok(row.map(|(made_at, equal, summary)| RecordedCertificate { made_at, equal, summary }))
    }
}
