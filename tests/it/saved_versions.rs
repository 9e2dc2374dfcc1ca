//! `mtm plan --save`: what remains of the difference, frozen as a version, and run by whoever comes next.

use std::fs;

use crate::{
    command::{Outcome, Way},
    support::TestDatabase,
};

const SOURCE: &str = "CREATE TABLE tracks (id INTEGER PRIMARY KEY, name TEXT);
    INSERT INTO tracks VALUES (1, 'one'), (2, 'two');";

const MAPPING: &str = "version: 1\nversions_dir: versions\n";

/// The mapping once it has been edited: an index more.
const EDITED: &str = "version: 1\nversions_dir: versions\ntables:\n  tracks:\n    indexes:\n      - \
                      {name: tracks_by_name, columns: [name]}\n";

/// The versions in the folder, oldest first.
pub fn versions(way: &Way) -> Vec<String> {
    let Ok(found) = fs::read_dir(way.place.path().join("versions")) else { return Vec::new() };
    let mut names: Vec<String> =
        found.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn migrate(way: &Way, arguments: &[&str]) -> Outcome {
    let mut all = vec!["migrate"];
    all.extend(arguments);
    all.extend(["--mapping", "types.yaml", "--target", &way.target.url]);
    way.place.mtm(&all)
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_version_is_run_by_migrate_up() {
    let way = Way::from_sql(SOURCE).await;
    way.place.write("types.yaml", MAPPING);
    let mapped = |more: &[&'static str]| [&["--mapping", "types.yaml"], more].concat();
    way.run("plan", &mapped(&["--save", "first"])).ends_with(0).says(&["table tracks"]).complains_of(&[
        "saved version m",
        "_first in versions",
        "`mtm apply`",
    ]);
    assert_eq!(way.relations().await, "0", "the target is not touched");
    assert_eq!(versions(&way).len(), 1);
    way.run("plan", &mapped(&["--save", "again", "--exit-code"]))
        .ends_with(2)
        .complains_of(&["Nothing to save: the pending versions make all"]);
    way.run("apply", &mapped(&["--yes"])).succeeds();
    assert_eq!(versions(&way).len(), 1, "the saved version was all there was to do");

    way.place.write("types.yaml", EDITED);
    way.run("plan", &mapped(&["--save", "add_index"])).ends_with(0).complains_of(&["_add_index in versions"]);
    let saved = versions(&way);
    assert!(saved.len() == 2 && saved[1].ends_with("_add_index"), "{saved:?}");
    let file = |name: &str| {
        fs::read_to_string(way.place.path().join("versions").join(&saved[1]).join(name)).unwrap()
    };
    assert!(file("post-data.sql").contains("tracks_by_name") && file("down.sql").contains("DROP INDEX"));
    migrate(&way, &["up"])
        .fails(3, &["has the hazard builds-index, and rows are in tracks", "--allow builds-index"]);
    migrate(&way, &["up", "--allow", "builds-index"]).succeeds().says(&["applied", "_add_index"]);
    way.run("plan", &mapped(&["--save", "more", "--exit-code"]))
        .ends_with(0)
        .complains_of(&["Nothing to save: the target's schema is what the mapping says."]);
    migrate(&way, &["down"]).succeeds();
    way.run("plan", &mapped(&["--exit-code"])).ends_with(2);
    way.run("apply", &mapped(&["--yes", "--allow", "builds-index"])).succeeds();
    way.run("verify", &mapped(&[])).succeeds();
}

/// Versions that were careful with one target's rows make another target from nothing: nobody is at its rows yet.
#[tokio::test(flavor = "multi_thread")]
async fn versions_with_hazards_make_a_new_target() {
    let way = Way::from_sql(SOURCE).await;
    let mapped = |more: &[&'static str]| [&["--mapping", "types.yaml"], more].concat();
    way.place.write("types.yaml", MAPPING);
    way.run("apply", &mapped(&["--yes"])).ends_with(0);
    way.place.write("types.yaml", EDITED);
    way.run("apply", &mapped(&["--yes"])).ends_with(3).complains_of(&["--allow builds-index"]);
    way.run("apply", &mapped(&["--yes", "--allow", "builds-index"])).ends_with(0);
    assert_eq!(versions(&way).len(), 2);
    let other = Way { target: TestDatabase::new().await, ..way };
    other.run("apply", &mapped(&["--yes"])).ends_with(0);
    other.run("plan", &mapped(&["--exit-code"])).ends_with(0);
    other.run("verify", &mapped(&[])).succeeds();
    other.holds(&[("SELECT count(*) FROM pg_indexes WHERE indexname = 'tracks_by_name'", "1")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_saved() {
    let way = Way::from_sql(SOURCE).await;
    way.place.write("none.yaml", "version: 1\n");
    way.run("plan", &["--mapping", "none.yaml", "--save", "first"])
        .fails(64, &["names no folder of versions", "versions_dir"]);
    way.place.write("types.yaml", MAPPING);
    for slug in ["Add-Index", "", "first__post", "a b"] {
        way.run("plan", &["--mapping", "types.yaml", "--save", slug])
            .fails(64, &["small letters, digits and underscores", "add_release_year"]);
    }
    way.place.write("blocked.yaml", format!("{MAPPING}tables: {{tracks: {{columns: {{name: integer}}}}}}\n"));
    way.run("plan", &["--mapping", "blocked.yaml", "--save", "first"])
        .ends_with(3)
        .complains_of(&["Nothing was saved"]);
    assert_eq!(versions(&way), [""; 0]);

    // What a version that has not run leaves undone cannot be known where tables are that it would change.
    way.run("apply", &["--mapping", "types.yaml", "--yes"]).ends_with(0);
    way.place.write("types.yaml", EDITED);
    way.run("plan", &["--mapping", "types.yaml", "--save", "index"]).ends_with(0);
    way.run("plan", &["--mapping", "types.yaml", "--save", "more"]).ends_with(3).complains_of(&[
        "once the pending versions have run",
        "_index",
        "mtm migrate up",
    ]);
    assert_eq!(versions(&way).len(), 2);
}
