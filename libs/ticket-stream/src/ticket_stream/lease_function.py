"""The server-side functions by which processes share out partitions.

One call renews what a process has, gives back what is above its fair share and takes what is free or expired. It is
one function on the server because a process that freezes between two round trips would stop the others (facts §4.3b),
and no statement in it waits for a row lock (SKIP LOCKED): a row that is locked is being worked on, and its batch
renews the lease itself. The fair share: the longest-joined processes get one more when it does not divide evenly.

Rows are picked in a WITH query, which runs once; in an IN list a nested loop may run it, and its LIMIT, once per row. A
lease that would last for 20 leases more is left over from before the server's clock was set back: it counts as expired.
"""

LEASE_CHANNEL = "stream_lease"
"""NOTIFY channel: its payload is the consumer whose members or free partitions changed."""

# About `pg_terminate_backend` below: a process frozen in the middle of COPY keeps its row lock past every server
# time-out (facts §4.3b). A row expired and still locked for 2 s, whose owner is no live member either, has its owner's
# sessions ended; a live owner with one slow batch keeps renewing its membership on another session and is left alone.
LEASE_FUNCTION = """
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
$body$
"""

LEAVE_FUNCTION = """
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
$body$
"""
