"""Every setting of ingest-files."""

from pathlib import Path

from pydantic import Field

from service_kit.settings import KafkaSettings, ObjectStoreSettings, PostgresSettings, ServiceSettings


class IngestFilesSettings(ServiceSettings, KafkaSettings, PostgresSettings, ObjectStoreSettings):
    """Reads `file_fetches` and providers, writes object storage and `support.messages.v1`."""

    sources_file: Path = Field(
        description="The sources file of ingest-webhook; of each source its `files` are used. "
        "Read again when it or a token's file changes, and on SIGHUP.",
        examples=["/etc/firebreak/sources.yaml"],
    )
    pull_sources_file: Path | None = Field(
        None,
        description="The sources file of ingest-pull, for the files of 微信客服 (`wecom-service`) and of Amazon "
        "Connect (`connect-records`). Read as the other. "
        "Absent: those of a source with `files` there end as `failed`; without `files` they are named in words.",
        examples=["/etc/firebreak/pull-sources.yaml"],
    )
    max_file_bytes: int = Field(
        50 * 1024 * 1024,
        ge=1024,
        description="Bytes of one file to be fetched, then it fails. Times `files_at_once` this bounds the memory.",
    )
    file_seconds: float = Field(
        60, gt=0, description="Seconds for one file at its provider, redirects included, then it is tried again."
    )
    files_at_once: int = Field(
        4,
        ge=1,
        le=64,
        description="Files fetched or scanned at the same time by this process. One source holds at most half of "
        "them, so that a slow provider leaves some to the others.",
    )
    lease_seconds: float = Field(
        15,
        gt=0,
        description="Seconds until another process takes what a dead one had in hand; renewed three times while it "
        "lasts. Longer than a pause of this process or of Postgres, or files are fetched twice, which harms nobody.",
    )
    attempts: int = Field(
        8,
        ge=1,
        description="Tries until a file that cannot be had now is `failed`; they come 10 s, 20 s, 40 s … apart, "
        "eight within 21 minutes. Links of Meta and LINE live longer than that.",
    )
    scanner: str = Field(
        "",
        pattern=r"^([^:\s]+:\d{1,5})?$",
        description="host:port of a clamd. Empty: files are stored without a scan. Set: no file is stored without one. "
        "Give the router the same value, or attachments that come inside messages are not scanned.",
        examples=["clamav:3310"],
    )
    scan_seconds: float = Field(60, gt=0, description="Seconds for the scan of one file, then it is tried again.")
    storage_seconds: float = Field(
        60,
        gt=0,
        description="Seconds for our object storage to take or give one file. Then the file is released and tried "
        "again, which counts as none of its `attempts`, and no other is taken as long as that call hangs (a file "
        "system of the network that is gone). Longer than the largest file takes on a slow day.",
    )
    publish_seconds: float = Field(5.0, gt=0, description="Seconds to wait for Kafka, then the file is tried again.")
    database_connections: int = Field(
        4, ge=2, le=20, description="Connections to Postgres, each used for milliseconds."
    )
