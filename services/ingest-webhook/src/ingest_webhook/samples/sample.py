"""What a sample is made from, and what it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from ingest_webhook.sources import ConfiguredSource

CHECK = "firebreak-check"
"""A type of event that no provider has: every source acknowledges it and makes no message of it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A request ready to send; `query` is without its question mark. `what` tells a person what is sent."""

    what: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    method: str = "POST"

    def without_proof(self) -> "Sample":
        """The same address asked by somebody who knows no secret."""
        return Sample("a request without proof", b"{}", {"content-type": "application/json"})


MakeSample: TypeAlias = Callable[[ConfiguredSource, str, datetime], Sample]
"""From a source, one of its secrets and the present time."""
