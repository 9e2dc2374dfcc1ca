//! `mtm plan --format markdown` and `--format mermaid`, with names that mean something in both.

use crate::command::Way;

const ODD: &str = "CREATE TABLE \"a|b\" (id INTEGER PRIMARY KEY, \"`x`\" TEXT);
    CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES \"a|b\");
    CREATE INDEX \"by ```x\" ON \"a|b\" (\"`x`\");
    CREATE VIEW left_out AS SELECT 1;
    INSERT INTO \"a|b\" VALUES (1, 'one'), (2, 'two'); INSERT INTO child VALUES (1, 1);";

#[tokio::test(flavor = "multi_thread")]
async fn markdown() {
    let way = Way::from_sql(ODD).await;
    let plan = way.run("plan", &["--format", "markdown", "--exit-code"]).ends_with(2);
    assert_eq!(plan.stderr, "");
    let page = &plan.stdout;
    assert!(
        page.starts_with("<!-- mtm plan -->\n### mtm plan: 6 changes of the schema, 3 rows to copy\n"),
        "{page}"
    );
    for line in [
        r"| + | <code>table a\|b</code> |  |",
        r"| + | <code>index by \`\`\`x on a\|b using btree (\`x\`)</code> |  |",
        r"| <code>a\|b</code> | 2 | - | copy |",
    ] {
        assert!(page.lines().any(|found| found == line), "no {line} in\n{page}");
    }
    // The SQL holds three backticks in a row, so its fence has four.
    assert!(page.contains("<details><summary>SQL</summary>\n\n````sql\nSET search_path = \"public\";\n\n-- pre-data: one transaction\nBEGIN;\nCREATE TABLE"), "{page}");
    assert!(page.contains("\n````\n\n</details>\n"), "{page}");
    assert!(
        page.contains(r"- **left out** view <code>left\_out</code>")
            || page.contains("<code>left_out</code>"),
        "{page}"
    );
    assert!(!page.contains(&way.target.name), "the target is not named");

    way.run("apply", &["--yes"]).succeeds();
    let done = way.run("plan", &["--format", "markdown", "--exit-code"]).succeeds().stdout;
    assert!(done.contains("### mtm plan: nothing to do") && !done.contains("<details>"), "{done}");

    way.place.write("blocked.yaml", "version: 1\ntables: {child: {columns: {parent: date}}}\n");
    let blocked = ["--mapping", "blocked.yaml", "--format", "markdown", "--exit-code"];
    way.run("plan", &blocked)
        .ends_with(3)
        .says(&["mtm plan: forbidden by", "- **blocker** type-does-not-fit"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn mermaid() {
    let way = Way::from_sql(ODD).await;
    let expected = r#"erDiagram
    "a|b" {
        bigint id PK
        text _x_ "`x`"
    }
    "child" {
        bigint id PK
        bigint parent FK
    }
    "a|b" ||--o{ "child" : "child_parent_fkey"
"#;
    assert_eq!(way.run("plan", &["--format", "mermaid"]).succeeds().stdout, expected);
}
