//! The server's words for tables, remembered, so that they need not be asked for again.

use std::collections::BTreeMap;

use super::{Ledger, LedgerError, database};

/// A table in the server's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NormalForm {
    /// What identifies the statements that it came of, and the server that they were put to.
    pub digest: String,
    /// The form, as its reader wrote it.
    pub form: String,
}

impl Ledger {
    /// What is remembered, by table; nothing where the ledger is of an older `mtm` that remembers nothing.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn normal_forms(&self) -> Result<BTreeMap<String, NormalForm>, LedgerError> {
        let failed = database("reading the normal forms of tables");
        let is_there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
            .bind(self.place.table("normal_form"))
            .fetch_one(&self.pool)
            .await
            .map_err(&failed)?;
        if !is_there {
            return Ok(BTreeMap::new());
        }
        let sql = "SELECT table_name, digest, form FROM {normal_form} WHERE target_schema = $1";
        let rows: Vec<(String, String, String)> = sqlx::query_as(self.sql(sql))
            .bind(&self.target_schema)
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        Ok(rows.into_iter().map(|(table, digest, form)| (table, NormalForm { digest, form })).collect())
    }

    /// Remembers these tables, in the place of what was remembered of them.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn remember_normal_forms(
        &self,
        forms: &BTreeMap<String, NormalForm>,
    ) -> Result<(), LedgerError> {
        let tables: Vec<&str> = forms.keys().map(String::as_str).collect();
        let digests: Vec<&str> = forms.values().map(|form| form.digest.as_str()).collect();
        let texts: Vec<&str> = forms.values().map(|form| form.form.as_str()).collect();
        sqlx::query(self.sql(include_str!("sql/remember_normal_forms.sql")))
            .bind(&self.target_schema)
            .bind(tables)
            .bind(digests)
            .bind(texts)
            .execute(&self.pool)
            .await
            .map_err(database("remembering the normal forms of tables"))?;
        Ok(())
    }
}
