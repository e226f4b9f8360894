"""Every setting of ingest-files."""

from pathlib import Path

from pydantic import Field

from service_kit.settings import KafkaSettings, ObjectStoreSettings, PostgresSettings, ServiceSettings


class IngestFilesSettings(ServiceSettings, KafkaSettings, PostgresSettings, ObjectStoreSettings):
    """Reads `file_fetches` and providers, writes object storage and `support.messages.v1`."""

    sources_file: Path = Field(
        description="The sources file of ingest-webhook; of each source its `files` are used. Read at start.",
        examples=["/etc/firebreak/sources.yaml"],
    )
    pull_sources_file: Path | None = Field(
        None,
        description="The sources file of ingest-pull, for the files of 微信客服 (`wecom-service`). Read at start. "
        "Absent: they are named in words only.",
        examples=["/etc/firebreak/pull-sources.yaml"],
    )
    max_file_bytes: int = Field(
        50 * 1024 * 1024,
        ge=1024,
        description="Bytes of one file, then it fails. Times `files_at_once` this bounds the memory.",
    )
    file_seconds: float = Field(
        60, gt=0, description="Seconds for one file, redirects included, then it is tried again."
    )
    files_at_once: int = Field(4, ge=1, le=64, description="Files fetched at the same time by this process.")
    attempts: int = Field(
        8,
        ge=1,
        description="Tries until a file that cannot be had now is `failed`; they come 10 s, 20 s, 40 s … apart, "
        "eight within 21 minutes. Links of Meta and LINE live longer than that.",
    )
    scanner: str = Field(
        "",
        pattern=r"^([^:\s]+:\d{1,5})?$",
        description="host:port of a clamd. Empty: files are stored without a scan. Set: no file is stored without one.",
        examples=["clamav:3310"],
    )
    scan_seconds: float = Field(60, gt=0, description="Seconds for the scan of one file, then it is tried again.")
    publish_seconds: float = Field(5.0, gt=0, description="Seconds to wait for Kafka, then the file is tried again.")
    database_connections: int = Field(
        4, ge=2, le=20, description="Connections to Postgres, each used for milliseconds."
    )
