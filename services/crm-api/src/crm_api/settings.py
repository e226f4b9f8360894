"""Every setting of crm-api."""

from pydantic import Field

from service_kit.settings import KafkaSettings, PostgresSettings, ServiceSettings


class CrmApiSettings(ServiceSettings, KafkaSettings, PostgresSettings):
    """Reads tables, writes commands."""

    database_connections: int = Field(
        10,
        ge=1,
        le=200,
        description="Connections to Postgres. Reads are short: ten serve some hundreds of requests a second.",
    )
    max_in_flight: int = Field(
        500,
        ge=1,
        le=10_000,
        description="Requests at once, then 503. A command waits up to five seconds without a connection to Postgres; "
        "times 256 KiB this bounds the memory that bodies can take.",
    )
    body_seconds: float = Field(
        10,
        gt=0,
        description="Seconds from the end of the head to the end of the body; slower callers get 408.",
    )
    answer_seconds: float = Field(
        20,
        gt=0,
        description="Seconds from the end of the body to the answer, then 503. Above the ten that a command may take: "
        "five for Kafka, five for its outcome.",
    )
