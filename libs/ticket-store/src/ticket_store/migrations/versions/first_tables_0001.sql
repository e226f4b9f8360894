-- Release 0.1.0: the tables of ticket_store.tables and of ticket_stream.schema. Never changed once released;
-- what comes later is a migration of its own. A test compares the result with the models.

CREATE SEQUENCE ticket_numbers START WITH 1001;

CREATE TABLE agent_load (
    team TEXT NOT NULL,
    assigned BIGINT DEFAULT '0' NOT NULL,
    CONSTRAINT pk_agent_load PRIMARY KEY (team)
);

CREATE TABLE api_keys (
    key_id UUID NOT NULL,
    key_hash BYTEA NOT NULL,
    name TEXT NOT NULL,
    agent TEXT,
    scopes TEXT[] NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_api_keys PRIMARY KEY (key_id),
    CONSTRAINT uq_api_keys_key_hash UNIQUE (key_hash)
);

CREATE TABLE clocks (
    ticket_id UUID NOT NULL,
    metric TEXT NOT NULL,
    cycle INTEGER NOT NULL,
    status TEXT NOT NULL,
    policy TEXT NOT NULL,
    policy_version INTEGER NOT NULL,
    target_seconds INTEGER NOT NULL,
    used_seconds INTEGER NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    stopped_at TIMESTAMP WITH TIME ZONE,
    breached_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_clocks PRIMARY KEY (ticket_id, metric, cycle)
);

CREATE INDEX ix_clocks_due ON clocks (due_at) WHERE status = 'running';

CREATE TABLE command_outcomes (
    command_id TEXT NOT NULL,
    ticket_id UUID NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    version INTEGER,
    content_hash BYTEA NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_command_outcomes PRIMARY KEY (command_id)
);

CREATE INDEX ix_command_outcomes_decided_at ON command_outcomes (decided_at);

CREATE TABLE configuration_documents (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    archived BOOLEAN NOT NULL,
    body JSONB NOT NULL,
    applied_at TIMESTAMP WITH TIME ZONE NOT NULL,
    applied_by TEXT NOT NULL,
    CONSTRAINT pk_configuration_documents PRIMARY KEY (kind, name, version)
);

CREATE TABLE configuration_head (
    id INTEGER NOT NULL CONSTRAINT ck_configuration_head_one_row CHECK (id = 1),
    version BIGINT NOT NULL,
    CONSTRAINT pk_configuration_head PRIMARY KEY (id)
);

CREATE TABLE contacts (
    contact_id UUID NOT NULL,
    brand TEXT NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_contacts PRIMARY KEY (contact_id)
);

CREATE TABLE inbound_messages (
    identity BYTEA NOT NULL,
    message_id UUID NOT NULL,
    source TEXT NOT NULL,
    channel TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    ticket_id UUID,
    raw_key TEXT,
    deliveries INTEGER DEFAULT '1' NOT NULL,
    last_delivered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_inbound_messages PRIMARY KEY (identity)
);

CREATE INDEX ix_inbound_messages_received_at ON inbound_messages (received_at);

CREATE INDEX ix_inbound_messages_ticket_id ON inbound_messages (ticket_id);

CREATE TABLE messages (
    ticket_id UUID NOT NULL,
    version INTEGER NOT NULL,
    message_id UUID NOT NULL,
    author_kind TEXT NOT NULL,
    author_id TEXT NOT NULL,
    public BOOLEAN NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    text TEXT NOT NULL,
    entry JSONB NOT NULL,
    CONSTRAINT pk_messages PRIMARY KEY (ticket_id, version)
);

CREATE TABLE threads (
    thread_hash BYTEA NOT NULL,
    ticket_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_threads PRIMARY KEY (thread_hash)
);

CREATE INDEX ix_threads_ticket_id ON threads (ticket_id);

CREATE TABLE ticket_events (
    ticket_id UUID NOT NULL,
    version INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    causation_id TEXT NOT NULL,
    correlation_id TEXT,
    data JSONB NOT NULL,
    CONSTRAINT pk_ticket_events PRIMARY KEY (ticket_id, version)
);

CREATE TABLE tickets (
    ticket_id UUID NOT NULL,
    number BIGINT NOT NULL,
    version INTEGER NOT NULL,
    brand TEXT NOT NULL,
    channel TEXT NOT NULL,
    contact_id UUID NOT NULL,
    subject TEXT NOT NULL,
    status TEXT NOT NULL,
    priority TEXT,
    team TEXT NOT NULL,
    assignee TEXT,
    tags TEXT[] NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    first_response_due_at TIMESTAMP WITH TIME ZONE,
    next_due_at TIMESTAMP WITH TIME ZONE,
    successor_id UUID,
    state JSONB NOT NULL,
    CONSTRAINT pk_tickets PRIMARY KEY (ticket_id),
    CONSTRAINT uq_tickets_number UNIQUE (number)
);

CREATE INDEX ix_tickets_assignee ON tickets (assignee, status, updated_at, ticket_id);

CREATE INDEX ix_tickets_contact ON tickets (contact_id, updated_at);

CREATE INDEX ix_tickets_list ON tickets (updated_at, ticket_id);

CREATE INDEX ix_tickets_queue ON tickets (team, status, updated_at, ticket_id);

CREATE TABLE contact_identities (
    brand TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    contact_id UUID NOT NULL,
    CONSTRAINT pk_contact_identities PRIMARY KEY (brand, kind, value),
    CONSTRAINT fk_contact_identities_contact_id FOREIGN KEY(contact_id) REFERENCES contacts (contact_id)
);

CREATE INDEX ix_contact_identities_contact_id ON contact_identities (contact_id);

CREATE TABLE stream_generation (
    one INTEGER NOT NULL CONSTRAINT ck_stream_generation_one CHECK (one = 1),
    generation INTEGER NOT NULL,
    CONSTRAINT pk_stream_generation PRIMARY KEY (one)
);

CREATE TABLE stream_topics (
    topic TEXT NOT NULL,
    partitions INTEGER NOT NULL,
    CONSTRAINT pk_stream_topics PRIMARY KEY (topic)
);

CREATE TABLE stream_members (
    consumer TEXT NOT NULL,
    owner TEXT NOT NULL,
    joined_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_stream_members PRIMARY KEY (consumer, owner)
)
 WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE stream_positions (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    consumer TEXT NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next_offset BIGINT NOT NULL,
    previous_offset BIGINT,
    previous_timestamp BIGINT,
    previous_crc BIGINT,
    owner TEXT,
    lease_until TIMESTAMP WITH TIME ZONE,
    revision BIGINT DEFAULT '0' NOT NULL,
    written_revision BIGINT DEFAULT '0' NOT NULL,
    CONSTRAINT pk_stream_positions PRIMARY KEY (id),
    CONSTRAINT uq_stream_positions_consumer_topic_partition UNIQUE (consumer, topic, partition)
)
 WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE outbox (
    position_id INTEGER NOT NULL,
    sequence BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    destination_topic TEXT NOT NULL,
    destination_partition INTEGER NOT NULL,
    timestamp BIGINT NOT NULL,
    key BYTEA NOT NULL,
    headers BYTEA NOT NULL,
    value BYTEA NOT NULL,
    CONSTRAINT pk_outbox PRIMARY KEY (position_id, sequence)
)
 WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE stream_timers (
    position_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_stream_timers PRIMARY KEY (position_id, key)
)
 WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX ix_stream_timers_due ON stream_timers (position_id, due_at, key);

CREATE TABLE stream_refusals (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    consumer TEXT NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    reason TEXT NOT NULL,
    command TEXT NOT NULL,
    refused_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    resolved_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_stream_refusals PRIMARY KEY (id)
);

CREATE INDEX ix_stream_refusals_open ON stream_refusals (id) WHERE resolved_at IS NULL;

CREATE TABLE dead_letters (
    id UUID NOT NULL,
    consumer TEXT NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    "offset" BIGINT NOT NULL,
    record_type TEXT NOT NULL,
    record_id TEXT NOT NULL,
    appended_at TIMESTAMP WITH TIME ZONE NOT NULL,
    key BYTEA,
    headers BYTEA NOT NULL,
    value BYTEA,
    reason TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    state TEXT DEFAULT 'new' NOT NULL CONSTRAINT ck_dead_letters_state CHECK (state IN ('new', 'replaying', 'replayed', 'discarded')),
    replay_id TEXT,
    resolved_by TEXT,
    resolved_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_dead_letters PRIMARY KEY (id)
);

CREATE INDEX ix_dead_letters_recent ON dead_letters (consumer, recorded_at);

CREATE TABLE stream_seen (
    position_id INTEGER NOT NULL,
    origin TEXT NOT NULL,
    sequences BIGINT[] NOT NULL,
    CONSTRAINT pk_stream_seen PRIMARY KEY (position_id, origin),
    CONSTRAINT fk_stream_seen_position_id FOREIGN KEY(position_id) REFERENCES stream_positions (id)
)
 WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE stream_pauses (
    position_id INTEGER NOT NULL,
    next_offset BIGINT NOT NULL,
    timer_key TEXT,
    reason TEXT NOT NULL,
    paused_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    decision TEXT CONSTRAINT ck_stream_pauses_decision CHECK (decision IN ('resume', 'skip')),
    decided_by TEXT,
    decided_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_stream_pauses PRIMARY KEY (position_id),
    CONSTRAINT fk_stream_pauses_position_id FOREIGN KEY(position_id) REFERENCES stream_positions (id)
);

INSERT INTO stream_generation (one, generation) VALUES (1, 1) ON CONFLICT DO NOTHING;

ALTER TABLE outbox ALTER COLUMN value SET STORAGE EXTERNAL;

CREATE OR REPLACE FUNCTION stream_lease(p_consumer text, p_owner text, p_lease interval)
RETURNS TABLE (
    moment timestamptz, generation int, refusal text, members int, owned int[], decided int[], refusal_command text
)
LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
    v_now timestamptz := clock_timestamp();
    v_joined timestamptz;
    v_rank int;
    v_members int;
    v_total int;
    v_share int;
    v_held int;
    v_changed boolean := false;
    v_frozen text[];
BEGIN
    INSERT INTO stream_members AS m (consumer, owner, joined_at, expires_at)
    VALUES (p_consumer, p_owner, v_now, v_now + p_lease)
    ON CONFLICT (consumer, owner) DO UPDATE SET expires_at = excluded.expires_at
    RETURNING m.joined_at INTO v_joined;
    v_changed := v_joined = v_now;

    WITH gone AS (
        SELECT consumer, owner FROM stream_members
        WHERE consumer = p_consumer AND expires_at NOT BETWEEN v_now - 20 * p_lease AND v_now + 20 * p_lease
        FOR UPDATE SKIP LOCKED
    )
    DELETE FROM stream_members m USING gone WHERE m.consumer = gone.consumer AND m.owner = gone.owner;

    SELECT count(*), count(*) FILTER (WHERE (joined_at, owner) <= (v_joined, p_owner)) INTO v_members, v_rank
    FROM stream_members WHERE consumer = p_consumer AND expires_at > v_now;
    SELECT count(*), count(*) FILTER (WHERE owner = p_owner) INTO v_total, v_held
    FROM stream_positions WHERE consumer = p_consumer;
    v_share := v_total / v_members + CASE WHEN v_rank <= mod(v_total, v_members) THEN 1 ELSE 0 END;

    WITH mine AS (
        SELECT id FROM stream_positions WHERE consumer = p_consumer AND owner = p_owner
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE stream_positions p SET lease_until = v_now + p_lease FROM mine WHERE p.id = mine.id;

    IF v_held > v_share THEN
        WITH surplus AS (
            SELECT id FROM stream_positions WHERE consumer = p_consumer AND owner = p_owner
            ORDER BY id DESC LIMIT v_held - v_share
            FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE stream_positions p SET owner = NULL, lease_until = NULL FROM surplus WHERE p.id = surplus.id;
        v_changed := v_changed OR found;
    ELSIF v_held < v_share THEN
        WITH free AS (
            SELECT id FROM stream_positions
            WHERE consumer = p_consumer AND (
                owner IS NULL
                OR owner <> p_owner AND lease_until NOT BETWEEN v_now AND v_now + 20 * p_lease)
            ORDER BY id LIMIT v_share - v_held
            FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE stream_positions p SET owner = p_owner, lease_until = v_now + p_lease, revision = p.revision + 1
        FROM free WHERE p.id = free.id;

        WITH dead AS (
            SELECT p.id, p.owner FROM stream_positions p
            WHERE p.consumer = p_consumer AND p.owner <> p_owner
              AND p.lease_until < v_now - interval '2 seconds'
              AND NOT EXISTS (
                SELECT FROM stream_members m
                WHERE m.consumer = p.consumer AND m.owner = p.owner AND m.expires_at > v_now)
        ), unlocked AS (
            SELECT id FROM stream_positions WHERE id IN (SELECT id FROM dead) FOR NO KEY UPDATE SKIP LOCKED
        )
        SELECT array_agg(DISTINCT owner) INTO v_frozen FROM dead WHERE id NOT IN (SELECT id FROM unlocked);
        IF v_frozen IS NOT NULL THEN
            PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = ANY (v_frozen) AND datname = current_database() AND pid <> pg_backend_pid();
        END IF;
    END IF;

    IF v_changed THEN
        PERFORM pg_notify('stream_lease', p_consumer);
    END IF;
    RETURN QUERY SELECT
        clock_timestamp(),
        (SELECT g.generation FROM stream_generation g),
        r.reason,
        v_members,
        ARRAY(SELECT id FROM stream_positions WHERE consumer = p_consumer AND owner = p_owner),
        ARRAY(SELECT s.position_id FROM stream_pauses s JOIN stream_positions p ON p.id = s.position_id
              WHERE p.consumer = p_consumer AND p.owner = p_owner AND s.decision IS NOT NULL),
        r.command
    FROM (SELECT) AS one_row
    LEFT JOIN LATERAL (SELECT reason, command FROM stream_refusals WHERE resolved_at IS NULL ORDER BY id LIMIT 1) r
    ON true;
END
$body$;

CREATE OR REPLACE FUNCTION stream_leave(p_consumer text, p_owner text) RETURNS void
LANGUAGE plpgsql AS $body$
BEGIN
    DELETE FROM stream_members WHERE consumer = p_consumer AND owner = p_owner;
    WITH mine AS (
        SELECT id FROM stream_positions WHERE consumer = p_consumer AND owner = p_owner
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE stream_positions p SET owner = NULL, lease_until = NULL FROM mine WHERE p.id = mine.id;
    PERFORM pg_notify('stream_lease', p_consumer);
END
$body$;
