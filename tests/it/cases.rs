//! The schema's life after the first load: each folder of `tests/cases` is a change of the mapping, from beginning to end.
//!
//! A folder holds `source.sql` (the SQLite file), `before.yaml` (the mapping of the first load), `live.sql` (what has become of
//! the target since; optional), `after.yaml` (the mapping as it is edited), `plan.txt` (what `mtm plan` then says of schema and
//! findings) and `plan.sql` (`--format sql`). `MTM_UPDATE_CASES=1` writes the last two anew.
//!
//! Whatever the change: with hazards it is refused and names the flag, with the flag it is made; the plan is empty
//! afterwards; the schema is that of a target made from nothing by the new mapping; the rows are there, and proven, unless
//! `live.sql` has changed them.

use std::{fs, path::Path};

use crate::{
    command::{Outcome, Way},
    support::TestDatabase,
};

/// Everything about the tables that a mapping can ask for, whatever the order of columns.
const SCHEMA: &str = "SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
    SELECT format('column %s.%s %s %s %s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                  CASE WHEN a.attnotnull THEN 'NOT NULL' END, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, co.collname)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    LEFT JOIN pg_collation co ON co.oid = a.attcollation
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT LIKE 'seaql%'
      AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT format('constraint %s %s %s', conname, pg_get_constraintdef(oid), convalidated)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE 'seaql%' AND contype <> 'n'
      AND conrelid NOT IN (SELECT oid FROM pg_class WHERE relispartition) AND conparentid = 0
    UNION ALL SELECT format('comment %s.%s %s', relname, attname, description)
    FROM pg_description JOIN pg_class c ON c.oid = objoid LEFT JOIN pg_attribute ON attrelid = objoid AND attnum = objsubid
    WHERE classoid = 'pg_class'::regclass AND relnamespace = 'public'::regnamespace AND description NOT LIKE '%somebody%'
    UNION ALL SELECT format('type %s %s', t.typname, string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder))
    FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid WHERE t.typnamespace = 'public'::regnamespace GROUP BY t.oid, t.typname
    UNION ALL SELECT format('index %s %s', pg_get_indexdef(indexrelid), indisvalid)
    FROM pg_index JOIN pg_class c ON c.oid = indrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'seaql%' AND indexrelid::regclass::text NOT LIKE '%somebody%'
      AND NOT c.relispartition
    UNION ALL SELECT format('partitioned %s %s', relname, pg_get_partkeydef(oid))
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'p'
    UNION ALL SELECT format('partition %s of %s %s', p.relname, c.relname, pg_get_expr(p.relpartbound, p.oid))
    FROM pg_class p JOIN pg_inherits ON inhrelid = p.oid JOIN pg_class c ON c.oid = inhparent
    WHERE p.relnamespace = 'public'::regnamespace AND p.relkind = 'r' AND p.relispartition) AS lines (line)";

/// A folder of `tests/cases`.
struct Case {
    name: &'static str,
    way: Way,
    /// Whether nobody has written to the target since.
    rows_are_the_sources: bool,
}

impl Case {
    async fn open(name: &'static str) -> Case {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name);
        let way = Way::from_sql(&fs::read_to_string(folder.join("source.sql")).expect(name)).await;
        for mapping in ["before.yaml", "after.yaml"] {
            way.place.write(mapping, fs::read_to_string(folder.join(mapping)).expect(name));
        }
        let live = fs::read_to_string(folder.join("live.sql")).ok();
        let case = Case { name, way, rows_are_the_sources: live.is_none() };
        case.run("apply", "before.yaml", &["--yes"]).ends_with(0);
        for statement in live.iter().flat_map(|live| live.split(";\n")).filter(|sql| !sql.trim().is_empty()) {
            case.way.target.execute(statement).await;
        }
        case
    }

    fn run(&self, verb: &str, mapping: &str, more: &[&str]) -> Outcome {
        let mapping = self.way.place.path().join(mapping);
        self.way.run(verb, &[&["--mapping", mapping.to_str().unwrap()], more].concat())
    }

    /// What the plan says of schema and findings, and its SQL, as the folder has them.
    #[track_caller]
    fn plans(&self, code: i32) {
        let plan = self.run("plan", "after.yaml", &["--exit-code"]).ends_with(code).stdout;
        let is_told = |part: &&str| part.starts_with("Schema") || part.starts_with("Findings");
        let told = plan.split("\n\n").filter(is_told).collect::<Vec<_>>().join("\n\n");
        self.is_as_kept("plan.txt", &format!("{}\n", told.trim_end()));
        let sql = self.run("plan", "after.yaml", &["--format", "sql"]).stdout;
        self.is_as_kept("plan.sql", &sql);
    }

    #[track_caller]
    fn is_as_kept(&self, file: &str, found: &str) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(self.name).join(file);
        if std::env::var_os("MTM_UPDATE_CASES").is_some() {
            fs::write(&file, found).expect("written");
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(found, expected, "{}: MTM_UPDATE_CASES=1 writes it anew", file.display());
    }

    /// The hazards that `plan.txt` names, for `--allow`.
    fn hazards(&self) -> Option<String> {
        let plan = self.run("plan", "after.yaml", &["--format", "json"]).json();
        let mut slugs: Vec<String> = plan["changes"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|change| change["hazards"].as_array().unwrap())
            .map(|slug| slug.as_str().unwrap().to_owned())
            .collect();
        slugs.sort();
        slugs.dedup();
        (!slugs.is_empty()).then(|| slugs.join(","))
    }

    /// The whole life of the change.
    async fn lives(&self) {
        self.plans(2);
        let before = self.way.target.value(SCHEMA).await;
        let allow = self.hazards();
        let flags = match &allow {
            None => vec!["--yes"],
            Some(allow) => {
                let refused = self.run("apply", "after.yaml", &["--yes"]).ends_with(3);
                for slug in allow.split(',') {
                    let flag =
                        refused.stderr.lines().find(|line| line.contains("--allow")).unwrap_or_default();
                    assert!(flag.contains(slug), "{}: no {slug} in {flag}", self.name);
                }
                assert_eq!(
                    self.way.target.value(SCHEMA).await,
                    before,
                    "{}: refused, and yet done",
                    self.name
                );
                vec!["--yes", "--allow", allow]
            }
        };
        self.run("apply", "after.yaml", &flags).ends_with(0);
        self.run("plan", "after.yaml", &["--exit-code"]).ends_with(0).says(&["Nothing to do"]);
        let mapping = fs::read_to_string(self.way.place.path().join("after.yaml")).unwrap();
        same_schema_as_from_nothing(&self.way, &mapping, self.name).await;
    }
}

/// The target's schema is that of one which the mapping made from nothing.
pub async fn same_schema_as_from_nothing(way: &Way, mapping: &str, told: &str) {
    let fresh = TestDatabase::new().await;
    let file = way.place.write("fresh/types.yaml", mapping);
    let arguments = ["apply", "--source", way.source.to_str().unwrap(), "--target", &fresh.url, "--yes"];
    way.place.mtm(&[&arguments[..], &["--mapping", file.to_str().unwrap()]].concat()).ends_with(0);
    assert_eq!(way.target.value(SCHEMA).await, fresh.value(SCHEMA).await, "{told}");
}

/// Every hazard, as `--allow` takes them.
pub const ALL_HAZARDS: &str =
    "deletes-data,lossy-conversion,rewrites-table,blocks-reads,blocks-writes,may-fail-on-rows,builds-index";

/// Goes the whole way with a case.
async fn lives(name: &'static str) {
    let case = Case::open(name).await;
    case.lives().await;
    if case.rows_are_the_sources {
        case.run("verify", "after.yaml", &[]).succeeds().says(&["Proven"]);
    }
}

/// A test a folder.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            lives(stringify!($name)).await;
        }
    )*};
}

cases![
    check_added,
    check_altered,
    check_dropped,
    collation,
    comment_added,
    comment_altered,
    comment_dropped,
    comment_of_somebody,
    comment_pruned,
    column_added,
    column_dropped,
    column_filled,
    column_renamed,
    column_renamed_and_retyped,
    default_altered,
    enum_added,
    enum_label_added,
    enum_label_removed,
    enum_to_text,
    foreign_key_added,
    foreign_key_altered,
    foreign_key_retyped,
    generated_added,
    generated_altered,
    generated_dropped,
    generated_from_plain,
    generated_retyped,
    generated_to_plain,
    index_added,
    index_altered,
    index_covering_added,
    index_covering_altered,
    index_covering_dropped,
    index_dropped,
    index_invalid,
    index_of_somebody,
    lossy_conversion,
    not_null_dropped,
    not_null_set,
    odd_names,
    partition_added,
    partitions_altered,
    partitions_indexed,
    table_partitioned,
    table_unpartitioned,
    table_renamed,
    text_to_date,
    text_to_jsonb,
    type_narrowed,
    type_widened,
];

/// What rows refuse is found before anything is tried.
#[tokio::test(flavor = "multi_thread")]
async fn rows_in_the_way() {
    is_refused("rows_in_the_way").await;
}

/// So is what the expression of a generated column makes of them.
#[tokio::test(flavor = "multi_thread")]
async fn generated_refused() {
    is_refused("generated_refused").await;
}

/// Rows hold a label that goes, or a text that is none; each is named by its key.
#[tokio::test(flavor = "multi_thread")]
async fn enum_label_in_use() {
    is_refused("enum_label_in_use").await;
}

/// Another's type is used as it is, where it has the same labels, and else stands in the way.
#[tokio::test(flavor = "multi_thread")]
async fn enum_of_somebody() {
    is_refused("enum_of_somebody").await;
}

/// Nothing makes the change, and nothing has become another.
async fn is_refused(name: &'static str) {
    let case = Case::open(name).await;
    case.plans(3);
    let before = case.way.target.value(SCHEMA).await;
    case.run("apply", "after.yaml", &["--yes", "--allow", ALL_HAZARDS]).ends_with(3);
    assert_eq!(case.way.target.value(SCHEMA).await, before);
}

/// Rows of a time for which there was no partition lie in the default one, where the new one would have to take them from.
#[tokio::test(flavor = "multi_thread")]
async fn partition_with_rows() {
    let case = Case::open("partition_with_rows").await;
    case.plans(3);
}

/// What would go with the old table is named, rather than lost.
#[tokio::test(flavor = "multi_thread")]
async fn partitions_refused() {
    let case = Case::open("partitions_refused").await;
    case.plans(3);
    let before = case.way.target.value(SCHEMA).await;
    case.run("apply", "after.yaml", &["--yes", "--allow", ALL_HAZARDS]).ends_with(3);
    assert_eq!(case.way.target.value(SCHEMA).await, before);
}

#[test]
fn every_folder_is_a_test() {
    let source = include_str!("cases.rs");
    for folder in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(source.contains(&format!(" {name},")) || source.contains(&format!("\"{name}\"")), "{name}");
    }
}
