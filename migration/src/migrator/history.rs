//! The versions of the folder beside those that the target knows.

use std::collections::{BTreeMap, BTreeSet};

use super::{MigrateError, POST_SUFFIX, error::database};
use crate::{Ledger, Target, Version, ledger::RecordedVersion, quote_identifier};

/// sea-orm-migration's table, in the target schema.
pub(crate) const MIGRATION_TABLE: &str = "seaql_migrations";

/// A version that the folder or the target knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) version: Version,
    pub(super) origin: Origin,
    /// Whether sea-orm-migration has its pre-data as applied.
    pub(super) pre_applied: bool,
    /// Whether it has its post-data as applied.
    pub(super) post_applied: bool,
    /// Whether the folder's content is another than the one that was applied.
    pub(super) edited: bool,
    pub(super) applied_at: Option<String>,
}

/// Where a version's SQL is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The folder.
    Folder,
    /// The ledger: it is no longer in the folder.
    Ledger,
    /// Nowhere: it was recorded by something else, or the ledger is gone.
    Unknown,
}

/// Reads the target's side, and puts the two together, oldest version first. Creates nothing.
pub(super) async fn entries(
    target: &Target,
    ledger: Option<&Ledger>,
    folder: &[Version],
) -> Result<Vec<Entry>, MigrateError> {
    let recorded = match ledger {
        Some(ledger) => ledger.versions().await?,
        None => Vec::new(),
    };
    Ok(merge(folder, &recorded, &applied_names(target).await?))
}

/// What sea-orm-migration has as applied in the target schema.
pub(crate) async fn applied_names(target: &Target) -> Result<BTreeSet<String>, MigrateError> {
    let failed = database("reading which versions are applied");
    let table = format!("{}.{}", quote_identifier(&target.schema), quote_identifier(MIGRATION_TABLE));
    let exists: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(&table)
        .fetch_one(&target.pool)
        .await
        .map_err(&failed)?;
    if !exists {
        return Ok(BTreeSet::new());
    }
    let sql = format!("SELECT version FROM {table}");
    let names: Vec<String> =
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&target.pool).await.map_err(&failed)?;
    Ok(names.into_iter().collect())
}

fn merge(folder: &[Version], recorded: &[RecordedVersion], applied: &BTreeSet<String>) -> Vec<Entry> {
    let folder: BTreeMap<&str, &Version> =
        folder.iter().map(|version| (version.name.as_str(), version)).collect();
    let recorded: BTreeMap<&str, &RecordedVersion> =
        recorded.iter().map(|recorded| (recorded.version.name.as_str(), recorded)).collect();
    let applied_bases = applied.iter().map(|name| name.strip_suffix(POST_SUFFIX).unwrap_or(name));
    let names: BTreeSet<&str> = folder.keys().copied().chain(applied_bases).collect();
    let entry = |name: &str| {
        let (ours, theirs) = (folder.get(name), recorded.get(name));
        let pre_applied = applied.contains(name);
        let (version, origin) = match (ours, theirs) {
            (Some(version), _) => ((*version).clone(), Origin::Folder),
            (None, Some(recorded)) => (recorded.version.clone(), Origin::Ledger),
            (None, None) => (Version { name: name.to_owned(), ..Version::default() }, Origin::Unknown),
        };
        let checksums = ours.zip(theirs).map(|(ours, theirs)| (ours.checksum(), &theirs.checksum));
        Entry {
            version,
            origin,
            pre_applied,
            post_applied: applied.contains(&format!("{name}{POST_SUFFIX}")),
            edited: pre_applied && checksums.is_some_and(|(ours, theirs)| ours != *theirs),
            applied_at: theirs.filter(|_| pre_applied).map(|recorded| recorded.applied_at.clone()),
        }
    };
    names.into_iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Step;

    fn version(name: &str, sql: &str) -> Version {
        Version { name: name.to_owned(), pre_data: vec![Step::new(sql)], ..Version::default() }
    }

    fn recorded(version: &Version) -> RecordedVersion {
        RecordedVersion {
            checksum: version.checksum(),
            version: version.clone(),
            applied_at: "then".to_owned(),
        }
    }

    #[test]
    fn folder_and_target_are_put_together() {
        let (one, two, three) = (version("m1", "A"), version("m2", "B"), version("m3", "C"));
        let folder = [one.clone(), version("m2", "edited"), version("m5", "E")];
        let applied = ["m1", "m1__post", "m2", "m3", "m3__post", "m4"].map(str::to_owned).into();
        let entries = merge(&folder, &[recorded(&one), recorded(&two), recorded(&three)], &applied);
        let shown: Vec<_> = entries
            .iter()
            .map(|entry| {
                (
                    entry.version.name.as_str(),
                    entry.origin,
                    entry.pre_applied,
                    entry.post_applied,
                    entry.edited,
                )
            })
            .collect();
        let expected = [
            ("m1", Origin::Folder, true, true, false),
            ("m2", Origin::Folder, true, false, true),
            ("m3", Origin::Ledger, true, true, false),
            ("m4", Origin::Unknown, true, false, false),
            ("m5", Origin::Folder, false, false, false),
        ];
        assert_eq!(shown, expected);
        assert_eq!(entries[2].version, three);
    }
}
