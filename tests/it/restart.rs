//! A source that has changed since its rows were copied: refused, and copied anew where that is asked for.

use crate::command::Way;

const SQL: &str = "CREATE TABLE parent (id INTEGER PRIMARY KEY, v TEXT); CREATE TABLE child (p INTEGER REFERENCES parent (id));
                   INSERT INTO parent VALUES (1, 'a'), (2, 'b'); INSERT INTO child VALUES (1), (2);";

async fn copied_and_changed() -> Way {
    let way = Way::from_sql(SQL).await;
    way.goes_through();
    let source = rusqlite::Connection::open(&way.source).unwrap();
    source.execute_batch("INSERT INTO parent VALUES (3, 'c'); UPDATE child SET p = 3 WHERE p = 1").unwrap();
    way
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_copy_goes_only_where_that_is_allowed_by_name() {
    let way = copied_and_changed().await;
    way.run("apply", &["--yes"]).ends_with(4).complains_of(&["the source has changed", "--restart"]);
    way.run("verify", &[]).ends_with(4);
    let refused = way.run("apply", &["--yes", "--restart"]).ends_with(3);
    refused.complains_of(&["would delete the rows of parent, child", "--restart --allow deletes-data"]);
    way.holds(&[("SELECT count(*) FROM parent", "2")]).await;
    way.run("apply", &["--yes", "--restart", "--allow", "deletes-data"]).ends_with(0);
    way.holds(&[("SELECT count(*) FROM parent", "3"), ("SELECT max(p) FROM child", "3")]).await;
    way.run("verify", &[]).ends_with(0);
    way.run("plan", &["--exit-code"]).ends_with(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_without_a_change_does_nothing() {
    let way = Way::from_sql(SQL).await;
    way.goes_through();
    way.run("apply", &["--yes", "--restart"]).ends_with(0).says(&["Nothing to do"]);
    way.holds(&[("SELECT count(*) FROM parent", "2")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_others_refer_to_are_not_emptied() {
    let way = copied_and_changed().await;
    way.target
        .execute(
            "CREATE TABLE of_somebody (p bigint REFERENCES parent (id)); INSERT INTO of_somebody VALUES (1)",
        )
        .await;
    way.run("apply", &["--yes", "--restart", "--allow", "deletes-data"])
        .ends_with(1)
        .complains_of(&["could not be emptied", "of_somebody"]);
    way.holds(&[("SELECT count(*) FROM parent", "2")]).await;
}
