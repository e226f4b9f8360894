"""Every setting of the sla-engine."""

from pydantic import Field

from service_kit.settings import KafkaSettings, PostgresSettings, ServiceSettings


class SlaEngineSettings(ServiceSettings, KafkaSettings, PostgresSettings):
    """Reads commands, writes tickets, facts and alerts."""

    batch_size: int = Field(
        500,
        ge=1,
        le=10_000,
        description="Most commands of one transaction. More gains little (2,000: 7 %) and lets a waiting caller of the "
        "API wait longer under load; fewer shorten that wait and cost throughput.",
    )
    database_connections: int = Field(
        4,
        ge=3,
        le=20,
        description="Connections to Postgres: the stream holds two (batches, leases), the others are spare.",
    )
