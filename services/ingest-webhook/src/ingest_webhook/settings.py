"""Every setting of ingest-webhook."""

from pathlib import Path

from pydantic import Field

from service_kit.settings import KafkaSettings, ObjectStoreSettings, ServiceSettings


class IngestWebhookSettings(ServiceSettings, KafkaSettings, ObjectStoreSettings):
    """Receives requests, writes `support.messages.v1`; uses no database."""

    sources_file: Path = Field(
        description="YAML file of the sources and where their secrets are. "
        "Read again when it or a secret file changes, and on SIGHUP.",
        examples=["/etc/firebreak/sources.yaml"],
    )
    max_body_bytes: int = Field(
        1024 * 1024,
        ge=1024,
        le=16 * 1024 * 1024,
        description="Bytes of one request. The largest honest one is a small file in base64 or a call record (100 KB).",
    )
    body_seconds: float = Field(
        10,
        gt=0,
        description="Seconds from the end of the head to the end of the body; slower senders get 408.",
    )
    publish_seconds: float = Field(
        2.5,
        gt=0,
        description="Seconds to wait for Kafka's acknowledgement, then 503. Slack gives up on us after three.",
    )
    store_seconds: float = Field(
        2.5,
        gt=0,
        description="Seconds to wait for the storage of one file or long text, then 503.",
    )
    max_in_flight: int = Field(
        1000,
        ge=1,
        description="Requests at once, then 503. Times `max_body_bytes` this bounds the memory that requests can take.",
    )
    spool_after_seconds: float = Field(
        1.0,
        gt=0,
        description="Seconds that Kafka may take before a request of a provider that does not repeat is kept in the "
        "spool instead. DingTalk gives up after 1.5.",
    )
    spool_max_requests: int = Field(
        200_000,
        ge=1,
        description="Requests that may wait in the spool, then 503. Times some kilobytes each; a full disk or bucket "
        "gives 503 earlier.",
    )
    spool_drain_per_second: float = Field(
        500,
        gt=0,
        description="Requests that leave the spool each second at most once Kafka is back. Below what arrives, the "
        "spool would never be empty; far above, live messages wait behind the backlog.",
    )
