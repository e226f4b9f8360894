"""Every setting of ingest-pull."""

from pathlib import Path

from pydantic import Field

from service_kit.settings import KafkaSettings, ObjectStoreSettings, PostgresSettings, ServiceSettings


class IngestPullSettings(ServiceSettings, KafkaSettings, PostgresSettings, ObjectStoreSettings):
    """Reads files and other machines, writes `support.messages.v1`; Postgres holds leases and cursors only."""

    pull_sources_file: Path = Field(
        description="YAML file of the sources to read. Read again when it, a secret or a mapping changes, and on "
        "SIGHUP.",
        examples=["/etc/firebreak/pull-sources.yaml"],
    )
    publish_seconds: float = Field(
        5.0,
        gt=0,
        description="Seconds to wait for Kafka's acknowledgement before the same messages are published again.",
    )
    database_connections: int = Field(
        4,
        ge=2,
        le=20,
        description="Connections to Postgres: one renews the leases, the others move cursors, a millisecond each.",
    )
