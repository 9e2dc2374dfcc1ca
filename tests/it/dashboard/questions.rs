//! How PostgreSQL answers each question: by the index that is meant for it.

use mtm::dashboard::{Question, Reads, questions};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::site::sample;

/// The plan of a question, as the site's sessions ask it, by indexes where it can be: the sample is so small that reading all of
/// it is quicker.
async fn plan(connection: &mut PgConnection, question: &Question) -> String {
    let sql = question.sql.trim_end();
    connection.execute(AssertSqlSafe(format!("PREPARE question AS {sql}"))).await.unwrap();
    let arguments =
        if question.sample.is_empty() { String::new() } else { format!("({})", question.sample.join(", ")) };
    let explain = format!("EXPLAIN EXECUTE question{arguments}");
    let lines: Vec<String> = sqlx::query_scalar(AssertSqlSafe(explain))
        .fetch_all(&mut *connection)
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", question.name));
    connection.execute("DEALLOCATE question").await.unwrap();
    lines.join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_question_uses_the_indexes_meant_for_it() {
    let way = sample().await;
    let mut connection = PgConnection::connect(&way.target.url).await.unwrap();
    connection.execute("SET plan_cache_mode = force_custom_plan").await.unwrap();
    connection.execute("ANALYZE").await.unwrap();
    let all = questions();
    assert!(all.len() > 25, "{}", all.len());
    for question in all {
        connection
            .execute("SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off")
            .await
            .unwrap();
        let chosen = plan(&mut connection, question).await;
        match question.reads {
            Reads::Indexes(indexes) => {
                for index in indexes {
                    assert!(chosen.contains(index), "{} does without {index}:\n{chosen}", question.name);
                }
                // Not even then is a whole table read.
                assert!(!chosen.contains("Seq Scan"), "{}:\n{chosen}", question.name);
            }
            Reads::Whole(reason) => assert!(!reason.is_empty(), "{}", question.name),
        }
    }
}
