"""The hooks of the mailboxes file, ready to use."""

from collections.abc import Mapping, Sequence

import httpx

from ingest_email.hooks.entries import SHORTEST_PATH_SECRET, HookEntry
from ingest_email.hooks.receive_hook import Hook
from ingest_email.hooks.sns import Fetch
from ingest_email.secret_references import SecretMissing, resolved
from service_kit.start_error import StartError

FETCH_SECONDS = 5.0  # within the 15 s that SNS waits
MOST_FETCHED = 64 * 1024  # bytes; a certificate has two thousand


def load_hooks(
    entries: Sequence[HookEntry], environment: Mapping[str, str], client: httpx.AsyncClient, most_bytes: int
) -> dict[str, Hook]:
    """Return the hooks by name.

    :raises StartError: one cannot be used.
    """
    hooks: dict[str, Hook] = {}
    for entry in entries:
        try:
            if entry.name in hooks:
                raise ValueError("the name stands twice")
            path_secrets = [resolved(secret, environment) for secret in entry.path_secrets]
            if any(len(secret) < SHORTEST_PATH_SECRET or "/" in secret for secret in path_secrets):
                raise ValueError(f"a path secret needs {SHORTEST_PATH_SECRET} characters or more, and no /")
            provider = entry.provider_of(environment, _fetcher(client), most_bytes)
            basic = [resolved(secret, environment) for secret in entry.basic]
        except (ValueError, SecretMissing) as error:
            raise StartError(
                f"the hook {entry.name} cannot be used: {error}",
                fix="correct it in the file that FIREBREAK_MAILBOXES_FILE names; see docs/channels/email-hooks.md",
            ) from error
        hooks[entry.name] = Hook(provider, basic, path_secrets)
    return hooks


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
