"""What every provider's way has in common."""

import json
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from ingest_files.domain.hosts import AllowedHosts, origin_of
from ingest_files.errors import GiveUp, TryLater
from ingest_files.guarded_http import Answer, GuardedClient
from ticket_contracts.messages import RemoteFile


@dataclass(frozen=True, slots=True)
class Access:
    """What the sources file gives for one source: its tokens, tried in turn, and another address of the API, if any."""

    tokens: tuple[str, ...]
    api: str = ""

    def base(self, usual: str) -> str:
        return (self.api or usual).rstrip("/")

    def hosts(self, *suffixes: str) -> AllowedHosts:
        trusted = frozenset({origin_of(urlsplit(self.api))}) if self.api else frozenset()
        return AllowedHosts(suffixes, trusted)


class Fetch(Protocol):
    """One provider's way from a file's locator to its content, with one of the source's tokens."""

    async def __call__(self, client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:
        """Return the file.

        :raises GiveUp: or TryLater.
        """
        ...


def read_json(answer: Answer, provider: str) -> dict[str, Any]:
    """Return the object that an API answered.

    :raises TryLater: it is none; a proxy in between may have spoken.
    """
    try:
        document = json.loads(answer.body)
    except ValueError as error:
        raise TryLater(f"{provider} answered no JSON") from error
    if not isinstance(document, dict):
        raise TryLater(f"{provider} answered no JSON object")
    return document


def text_of(document: dict[str, Any], name: str, provider: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise GiveUp(f"{provider} answered without {name}")
    return value


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}
