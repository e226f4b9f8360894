"""The hooks of the mailboxes file, ready to use."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from ingest_email.hooks.entries import SHORTEST_PATH_SECRET, HookEntry
from ingest_email.hooks.mailgun import UsedTokens
from ingest_email.hooks.receive_hook import Hook
from ingest_email.hooks.sendgrid import KeyMalformed
from ingest_email.hooks.sns import Fetch
from ingest_email.secret_references import SecretMissing, SecretReference, file_places, resolved
from ticket_intake.source_file import SourcesInvalid

FETCH_SECONDS = 5.0  # within the 15 s that SNS waits
MOST_FETCHED = 64 * 1024  # bytes; a certificate has two thousand


@dataclass(frozen=True, slots=True)
class LoadedHooks:
    """Ready to use, by name. `files` are those that secrets came from."""

    by_name: Mapping[str, Hook]
    files: tuple[Path, ...]


class HookLoader:
    """Makes hooks of entries, again and again as the file changes; what a hook remembers stays with its name."""

    def __init__(self, environment: Mapping[str, str], client: httpx.AsyncClient, most_bytes: int) -> None:
        self._environment = environment
        self._fetch = _fetcher(client)
        self._most_bytes = most_bytes
        self._used: defaultdict[str, UsedTokens] = defaultdict(UsedTokens)

    def load(self, entries: Sequence[HookEntry]) -> LoadedHooks:
        """Return all of them.

        :raises SourcesInvalid: with every problem of every entry.
        """
        hooks: dict[str, Hook] = {}
        files: list[Path] = []
        problems: list[str] = []
        for number, entry in enumerate(entries):
            place = f"hooks.{number} ({entry.name})"
            if entry.name in hooks:
                problems.append(name_taken(place))
            try:
                hooks[entry.name] = self.load_one(place, entry)
            except SourcesInvalid as error:
                problems += error.problems
            files += file_places((*entry.secrets, *entry.basic, *entry.path_secrets))
        if problems:
            raise SourcesInvalid(problems)
        return LoadedHooks(hooks, tuple(files))

    def load_one(self, place: str, entry: HookEntry) -> Hook:
        """Return one.

        :param place: where it stands in the file.
        :raises SourcesInvalid: with every problem of it.
        """
        problems: list[str] = []
        secrets = self._resolved(f"{place}.secrets", entry.secrets, problems)
        basic = self._resolved(f"{place}.basic", entry.basic, problems)
        paths = self._resolved(f"{place}.path_secrets", entry.path_secrets, problems)
        if problems:
            raise SourcesInvalid(problems)
        if any(len(secret) < SHORTEST_PATH_SECRET or "/" in secret for secret in paths):
            needs = f"a secret needs {SHORTEST_PATH_SECRET} characters or more, and no /; write another"
            raise SourcesInvalid([f"{place}.path_secrets: {needs}"])
        try:
            provider = entry.provider_of(secrets, self._fetch, self._most_bytes, self._used[entry.name])
        except KeyMalformed as error:
            raise SourcesInvalid([f"{place}.secrets: one {error}; copy it again"]) from error
        except ValueError as error:
            raise SourcesInvalid([f"{place}.buckets: {error}"]) from error
        return Hook(provider, basic, paths)

    def _resolved(self, field: str, references: Sequence[SecretReference], problems: list[str]) -> list[str]:
        found: list[str] = []
        for number, reference in enumerate(references):
            try:
                found.append(resolved(reference, self._environment))
            except SecretMissing as error:
                problems.append(f"{field}.{number}: {error}; put the secret there, or correct the reference")
        return found


def name_taken(place: str) -> str:
    """The problem of an entry whose name another one has."""
    return f"{place}.name: stands twice; give each hook its own"


def _fetcher(client: httpx.AsyncClient) -> Fetch:
    async def fetch(url: str) -> bytes:
        content = bytearray()
        try:
            async with client.stream("GET", url, timeout=FETCH_SECONDS, follow_redirects=False) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise OSError(f"{answer.status_code} from {answer.url.host}")
                async for piece in answer.aiter_bytes():
                    content += piece
                    if len(content) > MOST_FETCHED:
                        raise OSError(f"too much from {answer.url.host}")
        except httpx.HTTPError as error:
            raise OSError(f"{type(error).__name__} from {httpx.URL(url).host}") from error
        return bytes(content)

    return fetch
