"""Every setting of the router."""

from datetime import timedelta

from pydantic import Field

from service_kit.settings import KafkaSettings, PostgresSettings, ServiceSettings
from ticket_router.domain.floods import FloodLimits


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
    flood_conversations: int = Field(
        50,
        ge=0,
        description="Conversations that one sender may open within `flood_seconds`, each a ticket; later ones share "
        "one. Several routers may let pass half as many more each. 0 switches the guard off.",
    )
    flood_seconds: float = Field(
        3600,
        gt=0,
        description="Seconds in which they are counted, by time of receipt; and how long a sender has to be quiet "
        "for a flood to be over.",
    )
    flood_messages: int = Field(
        100,
        ge=1,
        description="Messages that the ticket of a flood shows; all later ones are recorded and counted in notes.",
    )
    flood_exempt: tuple[str, ...] = Field(
        (),
        description="Senders that may open any number, as a JSON list of patterns of their address or id: relays that "
        "write for many customers. Upper and lower case are one.",
        examples=['["*@marketplace.example"]'],
    )
    scanner: str = Field(
        "",
        pattern=r"^([^:\s]+:\d{1,5})?$",
        description="host:port of the clamd of ingest-files, the same value as there; the router never asks it. Set: "
        "attachments are `pending` until ingest-files has scanned them. Empty: they are `stored` at once.",
        examples=["clamav:3310"],
    )

    @property
    def floods(self) -> FloodLimits:
        return FloodLimits(
            self.flood_conversations, timedelta(seconds=self.flood_seconds), self.flood_messages, self.flood_exempt
        )
