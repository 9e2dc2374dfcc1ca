-- The ledger's tables. {prefix} is empty in the schema mtm, and mtm_ in a target schema.

-- One row a run of a command that writes.
CREATE TABLE "{prefix}run" (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target_schema  text NOT NULL,
    command        text NOT NULL,
    source_digest  text,
    mapping_digest text,
    started_at     timestamptz NOT NULL DEFAULT now(),
    finished_at    timestamptz,
    outcome        text
);

-- The sessions of a run: what a later run may end, should they outlive their client. A process number is used again,
-- with its start it is not.
CREATE TABLE "{prefix}backend" (
    run_id        bigint NOT NULL REFERENCES "{prefix}run" (id) ON DELETE CASCADE,
    pid           integer NOT NULL,
    backend_start timestamptz NOT NULL,
    PRIMARY KEY (run_id, pid, backend_start)
);

-- Versions that were applied, with their SQL.
CREATE TABLE "{prefix}version" (
    target_schema text NOT NULL,
    name          text NOT NULL,
    pre_data      jsonb NOT NULL,
    post_data     jsonb NOT NULL,
    down          jsonb NOT NULL,
    checksum      text NOT NULL,
    applied_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (target_schema, name)
);

-- Steps of a version's section that were begun, and those that are done.
CREATE TABLE "{prefix}step" (
    target_schema text NOT NULL,
    version       text NOT NULL,
    section       text NOT NULL,
    number        integer NOT NULL,
    started_at    timestamptz NOT NULL DEFAULT now(),
    finished_at   timestamptz,
    PRIMARY KEY (target_schema, version, section, number)
);

-- The key ranges of a table's copy: rowids from lower_bound up to, not including, upper_bound; null is open.
CREATE TABLE "{prefix}chunk" (
    target_schema text NOT NULL,
    table_name    text NOT NULL,
    number        integer NOT NULL,
    lower_bound   bigint,
    upper_bound   bigint,
    source_digest text NOT NULL,
    rows_written  bigint,
    rows_nulled   bigint,
    finished_at   timestamptz,
    PRIMARY KEY (target_schema, table_name, number)
);

-- Tables whose rows are all there.
CREATE TABLE "{prefix}copied" (
    target_schema text NOT NULL,
    table_name    text NOT NULL,
    source_table  text NOT NULL,
    source_digest text NOT NULL,
    rows_written  bigint NOT NULL,
    rows_nulled   bigint NOT NULL,
    finished_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (target_schema, table_name)
);
