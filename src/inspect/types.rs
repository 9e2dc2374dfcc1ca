//! The enumerated types of the target schema, and what depends on them.

use serde::Serialize;
use sqlx::{PgConnection, Row, postgres::types::Oid};

use super::InspectError;
use crate::schema::EnumType;

/// An enumerated type that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnumUse {
    /// The type.
    pub of: EnumType,
    /// What depends on it beside the managed tables, in the server's words; `None`: nothing does.
    pub uses: Option<String>,
}

/// Every enumerated type of a schema; `tables` are the managed ones.
pub(super) async fn of_schema(
    connection: &mut PgConnection,
    schema: Oid,
    tables: &[String],
) -> Result<Vec<EnumUse>, InspectError> {
    let mut found = Vec::new();
    for row in
        sqlx::query(include_str!("type_uses.sql")).bind(schema).bind(tables).fetch_all(connection).await?
    {
        let (name, labels): (String, Vec<String>) = (row.try_get("name")?, row.try_get("labels")?);
        found.push(EnumUse { of: EnumType::new(&name, labels), uses: row.try_get("uses")? });
    }
    Ok(found)
}

/// Types that are no enumerated ones but stand where these are wanted: name and kind.
pub(super) async fn in_the_way(
    connection: &mut PgConnection,
    schema: Oid,
    names: &[String],
) -> Result<Vec<(String, String)>, InspectError> {
    let sql = "SELECT typname::text, CASE typtype WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite type' ELSE 'type' END
               FROM pg_type WHERE typnamespace = $1 AND typname = ANY ($2) AND typtype <> 'e' ORDER BY typname";
    Ok(sqlx::query_as(sql).bind(schema).bind(names).fetch_all(connection).await?)
}
