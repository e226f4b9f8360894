-- A job that is given back for another process is left to it: the lease function of pull jobs anew.

CREATE OR REPLACE FUNCTION stream_job_lease(p_consumer text, p_owner text, p_lease interval, p_names text[])
RETURNS text[]
LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
    v_now timestamptz := clock_timestamp();
    v_group text := 'jobs/' || p_consumer;
    v_joined timestamptz;
    v_rank int;
    v_members int;
    v_floor int;
    v_share int;
    v_held int;
    v_released int := 0;
    v_changed boolean := false;
BEGIN
    INSERT INTO stream_members AS m (consumer, owner, joined_at, expires_at, names)
    VALUES (v_group, p_owner, v_now, v_now + p_lease, p_names)
    ON CONFLICT (consumer, owner) DO UPDATE SET expires_at = excluded.expires_at, names = excluded.names
    RETURNING m.joined_at INTO v_joined;
    v_changed := v_joined = v_now;

    WITH gone AS (
        SELECT consumer, owner FROM stream_members
        WHERE consumer = v_group AND expires_at NOT BETWEEN v_now - 20 * p_lease AND v_now + 20 * p_lease
        FOR UPDATE SKIP LOCKED
    )
    DELETE FROM stream_members m USING gone WHERE m.consumer = gone.consumer AND m.owner = gone.owner;

    INSERT INTO stream_jobs (consumer, name, lease_until)
    SELECT p_consumer, wanted.name, v_now FROM unnest(p_names) AS wanted (name)
    WHERE NOT EXISTS (SELECT FROM stream_jobs j WHERE j.consumer = p_consumer AND j.name = wanted.name)
    ON CONFLICT DO NOTHING;

    SELECT count(*), count(*) FILTER (WHERE (joined_at, owner) <= (v_joined, p_owner)) INTO v_members, v_rank
    FROM stream_members WHERE consumer = v_group AND expires_at > v_now;
    v_floor := cardinality(p_names) / v_members;
    v_share := v_floor + CASE WHEN v_rank <= mod(cardinality(p_names), v_members) THEN 1 ELSE 0 END;

    WITH mine AS (
        SELECT consumer, name FROM stream_jobs
        WHERE consumer = p_consumer AND owner = p_owner AND name = ANY (p_names)
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE stream_jobs j SET lease_until = v_now + p_lease FROM mine
    WHERE j.consumer = mine.consumer AND j.name = mine.name;

    SELECT count(*) INTO v_held FROM stream_jobs
    WHERE consumer = p_consumer AND owner = p_owner AND name = ANY (p_names);
    IF v_held > v_share THEN
        WITH poorer AS (
            SELECT m.names FROM stream_members m
            WHERE m.consumer = v_group AND m.owner <> p_owner AND m.expires_at > v_now AND v_floor >
                (SELECT count(*) FROM stream_jobs j WHERE j.consumer = p_consumer AND j.owner = m.owner)
        ), surplus AS (
            SELECT consumer, name FROM stream_jobs
            WHERE consumer = p_consumer AND owner = p_owner AND name = ANY (p_names)
                AND EXISTS (SELECT FROM poorer WHERE name = ANY (poorer.names))
            ORDER BY name DESC LIMIT v_held - v_share
            FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE stream_jobs j SET owner = NULL, lease_until = v_now FROM surplus
        WHERE j.consumer = surplus.consumer AND j.name = surplus.name;
        GET DIAGNOSTICS v_released = ROW_COUNT;
        v_changed := v_changed OR v_released > 0;
    ELSIF v_held < v_share THEN
        WITH free AS (
            SELECT consumer, name FROM stream_jobs
            WHERE consumer = p_consumer AND name = ANY (p_names) AND (
                owner IS NULL
                OR owner <> p_owner AND lease_until NOT BETWEEN v_now AND v_now + 20 * p_lease)
            ORDER BY name LIMIT v_share - v_held
            FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE stream_jobs j SET owner = p_owner, lease_until = v_now + p_lease, revision = j.revision + 1 FROM free
        WHERE j.consumer = free.consumer AND j.name = free.name;
    END IF;
    IF v_held >= v_share AND v_released = 0 THEN
        WITH idle AS (
            SELECT consumer, name FROM stream_jobs
            WHERE consumer = p_consumer AND name = ANY (p_names) AND owner IS DISTINCT FROM p_owner
                AND coalesce(lease_until, '-infinity') < v_now - p_lease
                AND NOT EXISTS (  -- given back for somebody who lacks it: taken again, it would go to and fro
                    SELECT FROM stream_members m
                    WHERE m.consumer = v_group AND m.owner <> p_owner AND m.expires_at > v_now
                        AND name = ANY (m.names) AND v_floor >
                        (SELECT count(*) FROM stream_jobs j WHERE j.consumer = p_consumer AND j.owner = m.owner))
            ORDER BY name LIMIT 1
            FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE stream_jobs j SET owner = p_owner, lease_until = v_now + p_lease, revision = j.revision + 1 FROM idle
        WHERE j.consumer = idle.consumer AND j.name = idle.name;
    END IF;

    IF v_changed THEN
        PERFORM pg_notify('stream_jobs', p_consumer);
    END IF;
    RETURN ARRAY(SELECT name FROM stream_jobs
                 WHERE consumer = p_consumer AND owner = p_owner AND name = ANY (p_names));
END
$body$;
