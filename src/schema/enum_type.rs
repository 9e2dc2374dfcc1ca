//! Enumerated types (PostgreSQL's manual, 8.7): a name, and labels in their order.
//!
//! A [`super::PgType`] is copied wherever a value is read, so an enumerated type is a handle in it: each definition is kept once
//! for as long as the program runs. There are as many as mappings and catalogues name, and none comes with a row.

use std::{collections::BTreeSet, fmt, sync::Mutex};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::render::literal;

/// PostgreSQL's limit for a label, in bytes (`NAMEDATALEN` - 1).
pub const MAX_LABEL_BYTES: usize = 63;

/// Where a label is added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelPlace {
    /// Directly before this label.
    Before(String),
    /// Directly behind this label.
    After(String),
}

/// An enumerated type: a handle to its definition. Two of the same name and labels are equal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnumType(&'static Definition);

#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Definition {
    name: String,
    labels: Vec<String>,
}

/// Every definition that was asked for.
static DEFINITIONS: Mutex<BTreeSet<&'static Definition>> = Mutex::new(BTreeSet::new());

impl EnumType {
    /// The type of this name with these labels, in their order. `name` is as `format_type` writes it: in quotes only where it
    /// needs them.
    #[must_use]
    pub fn new(name: &str, labels: Vec<String>) -> EnumType {
        let definition = Definition { name: name.to_owned(), labels };
        // Nothing panics while the lock is held, and a set is whole in any case.
        let mut known = DEFINITIONS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let kept = known.get(&definition).copied().unwrap_or_else(|| {
            let kept: &'static Definition = Box::leak(Box::new(definition));
            known.insert(kept);
            kept
        });
        EnumType(kept)
    }

    /// Its name, as SQL has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        &self.0.name
    }

    /// Its labels, in their order.
    #[must_use]
    pub fn labels(self) -> &'static [String] {
        &self.0.labels
    }

    /// Whether a text is one of its labels.
    #[must_use]
    pub fn has(self, text: &str) -> bool {
        self.0.labels.iter().any(|label| label == text)
    }

    /// The labels as SQL's literals, separated by commas.
    #[must_use]
    pub fn literals(self) -> String {
        let literals: Vec<String> = self.0.labels.iter().map(|label| literal(label)).collect();
        literals.join(", ")
    }

    /// How this type becomes `wanted` by labels that are added alone, one after the other; `None`: a label goes, or the order
    /// is another one.
    #[must_use]
    pub fn additions(self, wanted: EnumType) -> Option<Vec<(String, LabelPlace)>> {
        let kept: Vec<&String> = wanted.labels().iter().filter(|label| self.has(label)).collect();
        if !kept.into_iter().eq(self.labels()) {
            return None;
        }
        let added = wanted.labels().iter().enumerate().filter(|(_, label)| !self.has(label));
        let next = |at: usize| wanted.labels().iter().skip(at).find(|label| self.has(label)).cloned();
        // Behind the last one that was there, each comes behind the one before it.
        let last = |at: usize| at.checked_sub(1).and_then(|before| wanted.labels().get(before)).cloned();
        let place = |at| next(at).map(LabelPlace::Before).or_else(|| last(at).map(LabelPlace::After));
        added.map(|(at, label)| Some((label.clone(), place(at)?))).collect()
    }
}

/// PostgreSQL's words that stand for something else than a type of the user's, unless they are in quotes (its manual, appendix
/// C: all but the non-reserved ones).
const KEY_WORDS: &str = "all analyse analyze and any array as asc asymmetric authorization between bigint binary bit \
    boolean both case cast char character check coalesce collate collation column concurrently constraint create cross \
    current_catalog current_date current_role current_schema current_time current_timestamp current_user dec decimal default \
    deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from full grant greatest \
    group grouping having ilike in initially inner inout int integer intersect interval into is isnull join json json_array \
    json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize json_table json_value lateral \
    leading least left like limit localtime localtimestamp merge_action national natural nchar none normalize not notnull null \
    nullif numeric offset on only or order out outer overlaps overlay placing position precision primary real references \
    returning right row select session_user setof similar smallint some substring symmetric system_user table tablesample then \
    time timestamp to trailing treat trim true union unique user using values varchar variadic verbose when where window with \
    xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable";

/// Types of PostgreSQL's own, which a bare name means before any of the user's (its manual, 5.9.5).
const BUILT_IN: &str = "aclitem anyarray anycompatible anycompatiblearray anycompatiblemultirange anycompatiblenonarray \
    anycompatiblerange anyelement anyenum anymultirange anynonarray anyrange bool box bpchar bytea cid cidr circle cstring date \
    datemultirange daterange event_trigger fdw_handler float4 float8 gtsvector index_am_handler inet int2 int2vector int4 \
    int4multirange int4range int8 int8multirange int8range internal jsonb jsonpath language_handler line lseg macaddr macaddr8 \
    money name nummultirange numrange oid oid8 oidvector path point polygon record refcursor regclass regcollation regconfig \
    regdatabase regdictionary regnamespace regoper regoperator regproc regprocedure regrole regtype table_am_handler text tid \
    timestamptz timetz trigger tsm_handler tsmultirange tsquery tsrange tstzmultirange tstzrange tsvector txid_snapshot unknown \
    uuid varbit void xid xid8 xml";

/// Whether a bare name means something of PostgreSQL's own.
#[must_use]
pub(crate) fn is_taken_by_server(name: &str) -> bool {
    [KEY_WORDS, BUILT_IN].into_iter().flat_map(str::split_whitespace).any(|word| word == name)
        || name.starts_with("pg_")
}

impl fmt::Display for EnumType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for EnumType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.labels().join(", "))
    }
}

impl Serialize for EnumType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_struct("EnumType", 2)?;
        parts.serialize_field("name", self.name())?;
        parts.serialize_field("labels", self.labels())?;
        parts.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(labels: &str) -> EnumType {
        EnumType::new("mood", labels.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn a_definition_is_kept_once() {
        assert!(std::ptr::eq(of("a b").0, of("a b").0));
        assert_ne!(of("a b"), of("b a"));
    }

    #[test]
    fn labels_are_added_where_they_belong() {
        for (from, to, added) in [
            ("a b", "a b", Some(vec![])),
            (
                "a b",
                "a b c d",
                Some(vec![("c", LabelPlace::After("b".into())), ("d", LabelPlace::After("c".into()))]),
            ),
            (
                "a b",
                "x y a z b",
                Some(vec![
                    ("x", LabelPlace::Before("a".into())),
                    ("y", LabelPlace::Before("a".into())),
                    ("z", LabelPlace::Before("b".into())),
                ]),
            ),
            ("a b", "b a", None),
            ("a b", "a c", None),
        ] {
            let added = added
                .map(|added| added.into_iter().map(|(label, place)| (label.to_owned(), place)).collect());
            assert_eq!(of(from).additions(of(to)), added, "{from}: {to}");
        }
    }
}
