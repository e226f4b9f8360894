"""Every setting of the router."""

from pydantic import Field

from service_kit.settings import KafkaSettings, PostgresSettings, ServiceSettings


class RouterSettings(ServiceSettings, KafkaSettings, PostgresSettings):
    """Reads messages, writes commands."""

    batch_size: int = Field(
        500,
        ge=1,
        le=10_000,
        description="Most messages of one transaction. More gains little (2,000: 7 %) and makes other routers wait "
        "longer for a team's turn; fewer shorten the delay of a message under load.",
    )
    database_connections: int = Field(
        4,
        ge=3,
        le=20,
        description="Connections to Postgres: the stream holds two (batches, leases), the others answer /ready.",
    )
