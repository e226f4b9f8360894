CREATE TABLE file_fetches (
    identity bytea NOT NULL,
    number integer NOT NULL,
    source text NOT NULL,
    message jsonb NOT NULL,
    file jsonb NOT NULL,
    correlation_id text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL,
    CONSTRAINT pk_file_fetches PRIMARY KEY (identity, number)
);
CREATE INDEX ix_file_fetches_not_before ON file_fetches (not_before);
