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
