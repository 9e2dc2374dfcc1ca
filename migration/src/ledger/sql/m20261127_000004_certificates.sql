-- What `mtm verify` found, in short: whether source and target agree, and table by table. The digests are in the
-- certificate's file alone.
CREATE TABLE "{prefix}certificate" (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target_schema text NOT NULL,
    made_at       timestamptz NOT NULL DEFAULT now(),
    equal         boolean NOT NULL,
    summary       jsonb NOT NULL
);
