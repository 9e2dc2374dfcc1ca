-- Rows that did not go into the target: each as a whole, with the reason, so that it can be corrected and loaded.

ALTER TABLE "{prefix}chunk" ADD COLUMN rows_rejected bigint;
ALTER TABLE "{prefix}copied" ADD COLUMN rows_rejected bigint NOT NULL DEFAULT 0;

-- One row a rejected row, written in the transaction of its chunk; row_number counts the chunk's rows from 0, as they are
-- read. source_row is json, not jsonb, which would bend numbers and refuse a NUL.
CREATE TABLE "{prefix}reject" (
    target_schema text NOT NULL,
    table_name    text NOT NULL,
    chunk         integer NOT NULL,
    row_number    bigint NOT NULL,
    source_table  text NOT NULL,
    source_digest text NOT NULL,
    key           text NOT NULL,
    column_name   text,
    reason        text NOT NULL,
    refused_by    text NOT NULL CHECK (refused_by IN ('type', 'server')),
    source_row    json NOT NULL,
    rejected_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (target_schema, table_name, chunk, row_number)
);
