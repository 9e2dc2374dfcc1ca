//! A plan as a file: what it saw and what it would do, so that later it can be told whether that still holds.
//!
//! Carrying it out means planning again and comparing the two ([`SavedPlan::stale`]): what was looked at can be another
//! by then, and no file is believed where the target itself can be asked. It holds no target and no secret.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

use super::{CopyPlan, MadeFor, Plan};
use crate::{
    audit::Fingerprint,
    inspect::{Catalogue, differences},
    schema::Section,
    target::Version,
};

/// The version of a saved plan's form. It grows when a field changes its meaning or goes away.
pub const SAVED_PLAN_FORMAT: u32 = 1;

/// What tells a saved plan from other JSON with a `format_version`.
const KIND: &str = "saved-plan";

/// A plan as it was when it was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// The version of this form.
    pub format_version: u32,
    /// `saved-plan`.
    pub kind: String,
    /// The source file as it was named.
    pub source: String,
    /// What identifies its content.
    pub fingerprint: Fingerprint,
    /// The mapping's file as it was named; `none`: the built-in rules alone.
    pub mapping: String,
    /// What identifies the mapping.
    pub mapping_digest: String,
    /// `--include`.
    pub include: Vec<String>,
    /// `--exclude`.
    pub exclude: Vec<String>,
    /// The target schema.
    pub target_schema: String,
    /// What identifies `catalogue`.
    pub catalogue_digest: String,
    /// The managed tables that the target had.
    pub catalogue: Catalogue,
    /// The versions that the target had, wholly or in part.
    pub applied_versions: Vec<SavedVersion>,
    /// The versions that the target lacked, or had in part.
    pub pending_versions: Vec<SavedVersion>,
    /// The checksum of the version into which `apply` freezes what remains; `None`: nothing remains.
    pub new_version: Option<String>,
    /// What happens to the rows.
    pub tables: Vec<SavedCopy>,
    /// What changes in the schema.
    pub changes: Vec<SavedChange>,
}

/// A version by its name and content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedVersion {
    /// The version's name.
    pub name: String,
    /// What identifies its content.
    pub checksum: String,
}

/// What happens to a table's rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedCopy {
    /// The source table.
    pub source: String,
    /// The target table.
    pub target: String,
    /// Rows in the source.
    pub source_rows: u64,
    /// Rows in the target; `None`: the table was not there.
    pub target_rows: Option<u64>,
    /// What happens.
    pub copy: CopyPlan,
    /// The insert plan.
    pub insert: String,
}

/// A change of the schema with its SQL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedChange {
    /// When it is made.
    pub section: Section,
    /// The table that it is about.
    pub table: String,
    /// A line for people.
    pub summary: String,
    /// The statements.
    pub sql: String,
}

/// What a plan does not know: what it was asked with, and what it saw.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// The mapping's file as it was named, or `none`.
    pub mapping: String,
    /// `--include`.
    pub include: Vec<String>,
    /// `--exclude`.
    pub exclude: Vec<String>,
    /// The managed tables that the target had.
    pub catalogue: Catalogue,
    /// The versions that the target had, wholly or in part.
    pub applied_versions: Vec<SavedVersion>,
}

/// Why a file cannot serve as a saved plan.
#[derive(Debug, thiserror::Error)]
pub enum SavedPlanError {
    /// It is no JSON.
    #[error("it is no JSON; `mtm plan --out FILE` writes one")]
    NotJson(#[source] serde_json::Error),
    /// It is JSON of another kind.
    #[error("it is JSON, but no saved plan; `mtm plan --out FILE` writes one")]
    NotASavedPlan,
    /// It was written in another form.
    #[error(
        "its form has version {found}, and this mtm knows {SAVED_PLAN_FORMAT} alone; save the plan again with `mtm plan --out FILE`"
    )]
    OtherFormat {
        /// Its version.
        found: u64,
    },
    /// A field is missing or of the wrong form, though its version is known.
    #[error("a part of it cannot be read; save the plan again with `mtm plan --out FILE`")]
    Field(#[source] serde_json::Error),
    /// Its catalogue is not the one that its digest was made of.
    #[error("it was changed after it was written; save the plan again with `mtm plan --out FILE`")]
    Edited,
}

impl SavedPlan {
    /// What is kept of a plan.
    #[must_use]
    pub fn of(plan: &Plan, circumstances: Circumstances) -> SavedPlan {
        let copies = plan.tables.iter().map(|table| SavedCopy {
            source: table.source.clone(),
            target: table.target.clone(),
            source_rows: table.source_rows,
            target_rows: table.target_rows,
            copy: table.copy,
            insert: table.insert.clone(),
        });
        let changes = plan.changes.iter().map(|change| SavedChange {
            section: change.section,
            table: change.table.clone(),
            summary: change.summary.clone(),
            sql: change.sql.clone(),
        });
        let saved =
            |version: &Version| SavedVersion { name: version.name.clone(), checksum: version.checksum() };
        SavedPlan {
            format_version: SAVED_PLAN_FORMAT,
            kind: KIND.to_owned(),
            source: plan.source.clone(),
            fingerprint: plan.fingerprint.clone(),
            mapping: circumstances.mapping,
            mapping_digest: plan.mapping_digest.clone(),
            include: circumstances.include,
            exclude: circumstances.exclude,
            target_schema: plan.target_schema.clone(),
            catalogue_digest: digest(&circumstances.catalogue),
            catalogue: circumstances.catalogue,
            applied_versions: circumstances.applied_versions,
            pending_versions: plan.versions.iter().map(saved).collect(),
            new_version: plan
                .new_version(String::new(), MadeFor::ThisTarget)
                .map(|version| version.checksum()),
            tables: copies.collect(),
            changes: changes.collect(),
        }
    }

    /// Reads a saved plan.
    ///
    /// # Errors
    /// [`SavedPlanError`] says what is wrong with the text, and where a saved plan comes from.
    pub fn from_document(text: &str) -> Result<SavedPlan, SavedPlanError> {
        let document: Value = serde_json::from_str(text).map_err(SavedPlanError::NotJson)?;
        let field = |name: &str| document.get(name);
        let (kind, format) = (field("kind").and_then(Value::as_str), field("format_version"));
        let (Some(KIND), Some(format)) = (kind, format.and_then(Value::as_u64)) else {
            return Err(SavedPlanError::NotASavedPlan);
        };
        if format != u64::from(SAVED_PLAN_FORMAT) {
            return Err(SavedPlanError::OtherFormat { found: format });
        }
        let saved = SavedPlan::deserialize(document).map_err(SavedPlanError::Field)?;
        if saved.catalogue_digest != digest(&saved.catalogue) {
            return Err(SavedPlanError::Edited);
        }
        Ok(saved)
    }

    /// What has changed since this plan was saved, a sentence each; empty: `now` is the same plan, or what is left of it
    /// after a run of it was cut off.
    #[must_use]
    pub fn stale(&self, now: &SavedPlan) -> Vec<String> {
        let mut told = self.changed_inputs(now);
        told.extend(self.changed_versions(now));
        if self.was_begun(now) {
            told.extend(beyond(&now.changes, &self.changes, "is no part of the saved plan"));
        } else {
            told.extend(differences(&self.catalogue, &now.catalogue).iter().map(ToString::to_string));
            told.extend(beyond(&now.changes, &self.changes, "is to be made now, and was not then"));
            told.extend(beyond(&self.changes, &now.changes, "was to be made, and is no longer"));
        }
        told.extend(self.changed_copies(now));
        told
    }

    /// Whether a run has begun to carry this plan out: the target has a version of it, or the folder has the one into
    /// which a run has frozen what remained.
    fn was_begun(&self, now: &SavedPlan) -> bool {
        let is_ours = |version: &&SavedVersion| {
            self.pending_versions.contains(version) || self.new_version.as_ref() == Some(&version.checksum)
        };
        let since = now.applied_versions.iter().filter(|version| !self.applied_versions.contains(version));
        let half_done =
            self.pending_versions.iter().filter(|version| self.applied_versions.contains(version));
        since.chain(half_done).any(|version| is_ours(&version))
            || now.pending_versions.iter().any(|version| self.new_version.as_ref() == Some(&version.checksum))
    }

    fn changed_inputs(&self, now: &SavedPlan) -> Vec<String> {
        let names = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let same_source = self.fingerprint == now.fingerprint;
        let same_mapping = self.mapping_digest == now.mapping_digest;
        [
            (!same_source).then(|| {
                format!(
                    "the source {} holds something else: {} rows then, {} rows now, and another content",
                    now.source, self.fingerprint.rows, now.fingerprint.rows
                )
            }),
            (!same_mapping).then(|| format!("the mapping {} says something else", now.mapping)),
            (self.target_schema != now.target_schema).then(|| {
                format!("the target schema was {}, and is {}", self.target_schema, now.target_schema)
            }),
            (self.include != now.include)
                .then(|| format!("--include was {}, and is {}", names(&self.include), names(&now.include))),
            (self.exclude != now.exclude)
                .then(|| format!("--exclude was {}, and is {}", names(&self.exclude), names(&now.exclude))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn changed_versions(&self, now: &SavedPlan) -> Vec<String> {
        let named = |versions: &[SavedVersion], name: &str| versions.iter().any(|known| known.name == name);
        let then = self.pending_versions.iter().filter_map(|version| {
            let SavedVersion { name, .. } = version;
            if now.pending_versions.contains(version) || named(&now.applied_versions, name) {
                None
            } else if named(&now.pending_versions, name) {
                Some(format!("version {name} was edited"))
            } else {
                Some(format!("version {name} was pending, and is gone"))
            }
        });
        let is_new = |version: &&SavedVersion| {
            !named(&self.pending_versions, &version.name)
                && self.new_version.as_ref() != Some(&version.checksum)
        };
        let new = now.pending_versions.iter().filter(is_new);
        then.chain(new.map(|version| format!("version {} is pending now, and was not then", version.name)))
            .collect()
    }

    /// Tables whose rows are to be treated otherwise. Rows of this source that have arrived since are no such thing.
    fn changed_copies(&self, now: &SavedPlan) -> Vec<String> {
        let went_on = |then: CopyPlan, now: CopyPlan| {
            then == now
                || matches!(then, CopyPlan::Copy | CopyPlan::Resume)
                    && matches!(now, CopyPlan::Resume | CopyPlan::Done)
        };
        let told = |table: &SavedCopy| match now.tables.iter().find(|known| known.target == table.target) {
            None => Some(format!("rows of {}: no longer part of the plan", table.target)),
            Some(now) if !went_on(table.copy, now.copy) => {
                let (then, now) = (copy_words(table.copy), copy_words(now.copy));
                Some(format!("rows of {}: {then} then, {now} now", table.target))
            }
            Some(now) if now.insert != table.insert => {
                Some(format!("rows of {}: read or written otherwise", table.target))
            }
            Some(_) => None,
        };
        let is_new = |table: &&SavedCopy| self.tables.iter().all(|known| known.target != table.target);
        let new = now.tables.iter().filter(is_new);
        self.tables
            .iter()
            .filter_map(told)
            .chain(new.map(|table| format!("rows of {}: part of the plan now, and not then", table.target)))
            .collect()
    }
}

/// What happens to a table's rows, as a part of a sentence.
fn copy_words(copy: CopyPlan) -> &'static str {
    match copy {
        CopyPlan::Copy => "to be copied",
        CopyPlan::Resume => "copied in part",
        CopyPlan::Done => "copied",
        CopyPlan::Convert => "copied, and to be converted",
        CopyPlan::SourceChanged => "copied from another state of the source or by another mapping",
        CopyPlan::Occupied => "kept out by rows that no copy has written",
    }
}

/// The changes of one plan that the other one does not have.
fn beyond(these: &[SavedChange], those: &[SavedChange], what: &str) -> Vec<String> {
    let is_beyond = |change: &&SavedChange| !those.contains(change);
    these.iter().filter(is_beyond).map(|change| format!("{} {what}", change.summary)).collect()
}

/// Of a catalogue's JSON, in which everything has its order.
fn digest(catalogue: &Catalogue) -> String {
    // A structure of maps and texts is always JSON.
    let json = serde_json::to_string(catalogue).unwrap_or_default();
    format!("{:032x}", xxh3_128(json.as_bytes()))
}
