-- The head version of each document version, who made each head version, and roll-outs over open tickets.

ALTER TABLE configuration_documents ADD COLUMN head BIGINT;

-- One apply was one transaction, so all that it wrote has one time; the newest belongs to the present head.
UPDATE configuration_documents AS document
SET head = ranked.head
FROM (
    SELECT present.kind, present.name, present.version,
        (SELECT coalesce(max(version), 0) FROM configuration_head)
            - dense_rank() OVER (ORDER BY present.applied_at DESC) + 1 AS head
    FROM configuration_documents AS present
) AS ranked
WHERE (document.kind, document.name, document.version) = (ranked.kind, ranked.name, ranked.version);

ALTER TABLE configuration_documents ALTER COLUMN head SET NOT NULL;

CREATE INDEX ix_configuration_documents_head ON configuration_documents (head);

CREATE TABLE configuration_versions (
    version BIGINT NOT NULL,
    applied_at TIMESTAMP WITH TIME ZONE NOT NULL,
    applied_by TEXT NOT NULL,
    rolled_back_to BIGINT,
    CONSTRAINT pk_configuration_versions PRIMARY KEY (version)
);

INSERT INTO configuration_versions (version, applied_at, applied_by)
SELECT head, max(applied_at), max(applied_by) FROM configuration_documents GROUP BY head;

CREATE TABLE configuration_rollouts (
    rollout_id UUID NOT NULL,
    head BIGINT NOT NULL,
    kind TEXT NOT NULL CONSTRAINT ck_configuration_rollouts_kind CHECK (kind IN ('recalculate', 'reevaluate')),
    scope JSONB NOT NULL,
    cursor_ticket_id UUID,
    counted INTEGER DEFAULT 0 NOT NULL,
    requested_by TEXT NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_configuration_rollouts PRIMARY KEY (rollout_id)
);

CREATE INDEX ix_configuration_rollouts_open ON configuration_rollouts (requested_at) WHERE done_at IS NULL;
