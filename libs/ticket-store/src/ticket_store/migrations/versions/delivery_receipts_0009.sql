CREATE TABLE delivery_receipts (
    brand text NOT NULL,
    provider_hash bytea NOT NULL,
    account text NOT NULL,
    conversation bytea NOT NULL,
    sent_by timestamptz NOT NULL,
    delivered_at timestamptz,
    read_at timestamptz,
    failed_at timestamptz,
    reason text NOT NULL,
    CONSTRAINT pk_delivery_receipts PRIMARY KEY (brand, provider_hash, account)
);

CREATE TABLE delivery_watermarks (
    conversation bytea NOT NULL,
    state text NOT NULL,
    up_to timestamptz NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT pk_delivery_watermarks PRIMARY KEY (conversation, state, up_to)
);
