"""Where a stack keeps its files and on which ports it listens. Nothing else decides a path or a port."""

from dataclasses import dataclass
from pathlib import Path

from firebreak_cli.local_stack.kafka_configuration import KafkaPorts
from firebreak_cli.local_stack.ports import LOOPBACK

# Ports count up from the base in this order, which never changes: people write them down.
PORT_ORDER = (
    "crm-api",
    "ingest-webhook",
    "console",
    "smtp",
    "lmtp",
    "ingest-email",
    "router",
    "sla-engine",
    "kafka",
    "kafka-controller",
    "postgres",
    "ingest-pull",
    "ingest-files",
)


@dataclass(frozen=True, slots=True)
class StackLayout:
    """One stack: a data directory that is its own, and a base port."""

    data_dir: Path
    port_base: int

    def port(self, purpose: str) -> int:
        return self.port_base + PORT_ORDER.index(purpose)

    def url(self, purpose: str) -> str:
        return f"http://{LOOPBACK}:{self.port(purpose)}"

    @property
    def kafka_ports(self) -> KafkaPorts:
        return KafkaPorts(self.port("kafka"), self.port("kafka-controller"))

    @property
    def kafka_home(self) -> Path:
        return self.data_dir / "kafka"

    @property
    def postgres_home(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def objects(self) -> Path:
        return self.data_dir / "objects"

    @property
    def log_dir(self) -> Path:
        return self.data_dir / "logs"

    def log_file(self, name: str) -> Path:
        return self.log_dir / f"{name}.log"

    @property
    def lock_file(self) -> Path:
        return self.data_dir / "lock"

    @property
    def state_file(self) -> Path:
        return self.data_dir / "state.json"

    @property
    def sources_file(self) -> Path:
        return self.data_dir / "sources.yaml"

    @property
    def pull_sources_file(self) -> Path:
        return self.data_dir / "pull-sources.yaml"

    @property
    def call_logs(self) -> Path:
        """The folder that the stack's own pull source follows."""
        return self.data_dir / "call-logs"

    @property
    def mailboxes_file(self) -> Path:
        return self.data_dir / "mailboxes.yaml"

    @property
    def api_key_file(self) -> Path:
        return self.data_dir / "api-key"
