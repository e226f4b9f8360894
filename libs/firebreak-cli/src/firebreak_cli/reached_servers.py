"""Which servers a command for operators speaks to: those of the environment, else those of the stack that runs here."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from firebreak_cli.local_stack.errors import LocalStackError
from firebreak_cli.preflight import existing_postgres
from firebreak_cli.stack_layout import StackLayout
from firebreak_cli.stack_status import running_state


class NothingReachedError(LocalStackError):
    """Neither the environment nor a data directory names what a command needs."""


@dataclass(frozen=True, slots=True)
class ReachedServers:
    """One installation: never the database of one and the Kafka of another. `layout`: of a stack that runs here."""

    postgres: str
    kafka: str | None
    topic_prefix: str
    layout: StackLayout | None = None

    @property
    def place(self) -> str:
        """Where the database is, without its password."""
        parts = urlsplit(self.postgres)
        return f"{parts.hostname or 'local socket'}:{parts.port or 5432}{parts.path}"

    def need_kafka(self) -> str:
        """:raises NothingReachedError: only the database is known."""
        if self.kafka is None:
            raise NothingReachedError(
                "A replay sends the record to Kafka again: name it with FIREBREAK_KAFKA=host:port."
            )
        return self.kafka


def reach(data_dir: Path, environment: Mapping[str, str] = os.environ) -> ReachedServers:
    """Return the servers of FIREBREAK_POSTGRES when it is set, else those of the stack on the data directory.

    :raises NothingReachedError: there is neither.
    """
    if postgres := existing_postgres(environment):
        kafka = environment.get("FIREBREAK_KAFKA") or None
        return ReachedServers(postgres, kafka, environment.get("FIREBREAK_TOPIC_PREFIX", ""))
    state = running_state(data_dir.absolute())
    if state is None or state.postgres is None:
        raise NothingReachedError(
            f"No stack runs on {data_dir}. `firebreak up --data-dir {data_dir}` starts one; servers that run elsewhere "
            "are named by FIREBREAK_POSTGRES=postgresql://… and, for a replay, FIREBREAK_KAFKA=host:port."
        )
    layout = StackLayout(data_dir.absolute(), state.port_base)
    return ReachedServers(state.postgres, state.kafka, state.topic_prefix, layout)
