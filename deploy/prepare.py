"""What an installation needs before its services start: schema, database roles, topics, first configuration and key.

Run it before the first start and before every release, in the image of a service that has a database. It is safe to
run again: what exists is left as it is, and a person's configuration is never touched.
"""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import asyncpg
import structlog
from pydantic import Field, SecretStr, model_validator

from service_kit.api_keys import hash_key, verify_checksum
from service_kit.log_setup import configure_logging
from service_kit.settings import KafkaSettings, PostgresSettings, load_settings
from ticket_contracts.topics import TOPICS
from ticket_store.configuration import apply, load_directory, read_head
from ticket_store.migrations import upgrade_async
from ticket_store.roles import (
    CRM_API,
    INGEST_EMAIL,
    INGEST_FILES,
    INGEST_PULL,
    ROUTER,
    SLA_ENGINE,
    create_roles,
    role_of,
)
from ticket_store.sessions import connect
from ticket_stream.topic_admin import create_topics

APPLIED_BY = "prepare"

# crm-api writes api_keys; the first key must exist before anyone can ask it for another.
_INSERT_KEY = """
    INSERT INTO api_keys (key_id, key_hash, name, scopes, created_at)
    VALUES ($1, $2, 'First key', '{read,write,admin}', $3) ON CONFLICT (key_hash) DO NOTHING
"""

log = structlog.get_logger("prepare")


class PrepareSettings(KafkaSettings, PostgresSettings):
    """`FIREBREAK_POSTGRES` is here the URL of the tables' owner, who may create roles."""

    partitions: Literal["local", "production"] = Field(
        "production", description="Which column of the table of topics; counts never change afterwards."
    )
    replication: int = Field(
        3, ge=1, description="Copies of each partition; 1 loses acknowledged messages with the disk."
    )
    router_postgres: SecretStr = Field(description="What the router gets as FIREBREAK_POSTGRES; its role is made.")
    sla_engine_postgres: SecretStr = Field(description="What the sla-engine gets; its role is made.")
    crm_api_postgres: SecretStr = Field(description="What crm-api gets; its role is made.")
    ingest_pull_postgres: SecretStr = Field(description="What ingest-pull gets; its role is made.")
    ingest_email_postgres: SecretStr | None = Field(
        None, description="What ingest-email gets when it reads IMAP folders; its role is made. Without it, no role."
    )
    ingest_files_postgres: SecretStr = Field(description="What ingest-files gets; its role is made.")
    configuration_directory: Path | None = Field(
        None, description="YAML files with teams, rules, calendars and policies, for a database that has none yet."
    )
    first_api_key: SecretStr | None = Field(
        None, description="A key from service_kit.api_keys.generate(); only its hash is stored."
    )

    def passwords(self) -> dict[str, str]:
        """Return the password of each service's role."""
        urls = self._urls().items()
        return {service: unquote(urlsplit(url.get_secret_value()).password or "") for service, url in urls}

    def _urls(self) -> dict[str, SecretStr]:
        urls = {
            ROUTER: self.router_postgres,
            SLA_ENGINE: self.sla_engine_postgres,
            CRM_API: self.crm_api_postgres,
            INGEST_PULL: self.ingest_pull_postgres,
            INGEST_EMAIL: self.ingest_email_postgres,
            INGEST_FILES: self.ingest_files_postgres,
        }
        return {service: url for service, url in urls.items() if url is not None}

    @model_validator(mode="after")
    def _urls_name_their_roles(self) -> "PrepareSettings":
        for service, url in self._urls().items():
            parts = urlsplit(url.get_secret_value())
            if parts.username != role_of(service) or not parts.password:
                raise ValueError(f"the URL of {service} must be of the user {role_of(service)}, with a password.")
        if self.first_api_key is not None and not verify_checksum(self.first_api_key.get_secret_value()):
            raise ValueError("FIREBREAK_FIRST_API_KEY is not a key: its checksum is wrong.")
        return self


async def prepare(settings: PrepareSettings) -> None:
    """Do all of it, in the order in which the parts need each other."""
    url = settings.postgres.get_secret_value()
    await upgrade_async(url)
    await create_roles(url, settings.passwords())
    log.info("the database has the present schema and a role for each service")
    await create_topics(
        settings.kafka, settings.topic_prefix, TOPICS, size=settings.partitions, replication=settings.replication
    )
    log.info("all topics exist", prefix=settings.topic_prefix)
    connection = await connect(url, application_name="firebreak-prepare")
    try:
        if settings.configuration_directory is not None:
            await _configure(connection, settings.configuration_directory)
        if settings.first_api_key is not None:
            key_hash = hash_key(settings.first_api_key.get_secret_value())
            await connection.execute(_INSERT_KEY, uuid4(), key_hash, datetime.now(UTC))
    finally:
        await connection.close()


async def _configure(connection: "asyncpg.Connection[asyncpg.Record]", directory: Path) -> None:
    if await read_head(connection):
        log.info("the configuration in force stays")
        return
    applied = await apply(connection, load_directory(directory), APPLIED_BY)
    log.info("configured", documents=len(applied.changed))


def main() -> None:
    """Read settings, prepare, leave with 1 when a server is away."""
    settings = load_settings(PrepareSettings)
    configure_logging("prepare", "info", "json")
    try:
        asyncio.run(prepare(settings))
    except OSError as error:
        log.critical("a server is away; run this again", error=str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
