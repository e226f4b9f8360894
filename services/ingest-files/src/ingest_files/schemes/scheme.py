"""What every provider's way has in common."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from ingest_files.access_tokens import AccessToken, TokenKeeper
from ingest_files.domain.hosts import AllowedHosts, origin_of
from ingest_files.errors import GiveUp, TryLater
from ingest_files.guarded_http import Answer, GuardedClient
from ticket_contracts.messages import RemoteFile

# What a provider says is a line of JSON; what is longer is a file.
_MOST_WORDS = 4096
_CODE = re.compile(r"[A-Za-z0-9._-]{1,80}")


@dataclass(frozen=True, slots=True)
class Access:
    """What the sources file gives for one source: its tokens, tried in turn, and another address of the API, if any.

    Where a provider gives tokens for secrets, `tokens` are the secrets of the application `app_id`, and `keeper` has
    what was given for them. One empty token stands for none. `bucket` may have a prefix, `name/prefix`.
    """

    tokens: tuple[str, ...] = field(repr=False)
    api: str = ""
    app_id: str = ""
    keeper: TokenKeeper = field(default_factory=TokenKeeper, repr=False, compare=False)
    bucket: str = ""
    region: str = ""

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
    document = json_object(answer.body)
    if document is None:
        raise TryLater(f"{provider} answered {answer.status} without a JSON object")
    return document


def json_object(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def text_of(document: dict[str, Any], name: str, provider: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise GiveUp(f"{provider} answered without {name}")
    return value


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def number_of(document: dict[str, Any], name: str) -> int:
    """Return a code; 0 where there is none. Some pages write numbers as text."""
    value = document.get(name, 0)
    try:
        return int(value) if isinstance(value, int | str) else 0
    except ValueError:
        return 0


def refusal_of(answer: Answer, code: str) -> dict[str, Any] | None:
    """Return what a provider says instead of the file: under 4xx, or as JSON with a code under 200.

    :param code: the name of the number that is 0, or absent, when all is well.
    """
    if answer.status >= 400:
        return json_object(answer.body) or {}
    document = words_of(answer)
    return document if document is not None and number_of(document, code) else None


def words_of(answer: Answer) -> dict[str, Any] | None:
    """Return the object that a provider answered where a file could have been, None where it is the file."""
    return None if answer.is_file or len(answer.body) > _MOST_WORDS else json_object(answer.body)


def token_of(document: dict[str, Any], name: str, seconds_name: str) -> AccessToken:
    """Return the token of a provider's answer; the keeper refuses what is none."""
    value, seconds = document.get(name), document.get(seconds_name)
    if not isinstance(value, str) or not isinstance(seconds, int):
        return AccessToken("", 0)
    return AccessToken(value, seconds)


def code_of(document: dict[str, Any], name: str) -> str:
    """Return a code made of words, fit for the eyes of an agent."""
    value = document.get(name)
    return value if isinstance(value, str) and _CODE.fullmatch(value) else "no code"


def credentials_missing(provider: str, what: str) -> GiveUp:
    return GiveUp(
        f"{provider} gives this file only for credentials: set {what} under `files` of the source, see docs/files.md "
        f"（未配置凭证，请在来源的 files 中填写 {what}）"
    )


def credentials_refused(provider: str, code: object) -> GiveUp:
    return GiveUp(
        f"{provider} refuses the credentials ({code}): check app_id and secrets under `files` of the source "
        f"（凭证被拒绝，请核对来源 files 中的 app_id 和 secrets）"
    )
