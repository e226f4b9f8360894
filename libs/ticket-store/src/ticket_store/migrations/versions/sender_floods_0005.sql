CREATE TABLE sender_floods (
    brand text NOT NULL,
    kind text NOT NULL,
    value text NOT NULL,
    window_started_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    opened integer NOT NULL,
    ticket_id uuid,
    taken integer NOT NULL DEFAULT 0,
    CONSTRAINT pk_sender_floods PRIMARY KEY (brand, kind, value)
);
