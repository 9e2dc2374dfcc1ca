-- What PostgreSQL makes of each desired table, so that a plan need not ask it again for what has not changed. A memory, no
-- more: without a row the plan asks. form is JSON as its reader wrote it.
CREATE TABLE "{prefix}normal_form" (
    target_schema text NOT NULL,
    table_name    text NOT NULL,
    digest        text NOT NULL,
    form          text NOT NULL,
    PRIMARY KEY (target_schema, table_name)
);
