"""What is looked at before anything is started: other servers to use, ports, what a killed stack left behind."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from firebreak_cli.local_stack.errors import LocalStackError
from firebreak_cli.local_stack.ports import require_free
from firebreak_cli.orphans import find_orphans, stop_orphans
from firebreak_cli.progress import Progress
from firebreak_cli.stack_layout import PORT_ORDER, StackLayout
from firebreak_cli.stack_state import read_state


@dataclass(frozen=True, slots=True)
class ExistingServers:
    """Servers that run already and are used instead of our own."""

    kafka: str | None
    postgres: str | None
    topic_prefix: str

    @classmethod
    def from_environment(cls) -> "ExistingServers":
        """Read the variables that the services read too.

        :raises LocalStackError: the database is not named by a URL.
        """
        return cls(
            os.environ.get("FIREBREAK_KAFKA") or None,
            existing_postgres(os.environ),
            os.environ.get("FIREBREAK_TOPIC_PREFIX", ""),
        )

    def unneeded_ports(self) -> set[str]:
        """Return the ports that nobody will listen on."""
        ours = {"kafka": self.kafka, "kafka-controller": self.kafka, "postgres": self.postgres}
        return {purpose for purpose, existing in ours.items() if existing}


@dataclass(frozen=True, slots=True)
class StackPlan:
    """What to run and with what."""

    layout: StackLayout
    existing: ExistingServers
    jars: Sequence[Path]


def existing_postgres(environment: Mapping[str, str]) -> str | None:
    """:raises LocalStackError: FIREBREAK_POSTGRES is no URL; the message does not repeat it, for its password."""
    url = environment.get("FIREBREAK_POSTGRES") or None
    if url is not None and urlsplit(url).scheme not in {"postgresql", "postgres"}:
        raise LocalStackError("FIREBREAK_POSTGRES must be a URL: postgresql://user:password@host:port/database")
    return url


def check_ports(layout: StackLayout, existing: ExistingServers) -> None:
    """Raise for the first port that somebody else holds."""
    require_free((purpose, layout.port(purpose)) for purpose in PORT_ORDER if purpose not in existing.unneeded_ports())


def clear_orphans(layout: StackLayout, progress: Progress) -> None:
    """Stop what a killed supervisor left behind, so that its ports and files are free."""
    orphans = find_orphans(read_state(layout.state_file))
    if orphans:
        with progress.step(f"Stopping {len(orphans)} processes of a stack that was killed"):
            stop_orphans(orphans)
