"""Passwords and tokens for IMAP: from the environment, from mounted files, from an OAuth 2 server (RFC 6749)."""

from collections.abc import Callable, Mapping

import httpx
from pydantic import BaseModel, Field, ValidationError

from ingest_email.imap_entries import ImapEntry, OAuth2Entry
from ingest_email.imap_mailbox import Secret
from ingest_email.secret_references import SecretMissing, SecretReference, resolved

EARLY_SECONDS = 60.0
"""A token that ends sooner than this is not used any more: a login takes time, and clocks differ."""

TOKEN_SECONDS = 30.0  # for the server that gives tokens


class _Grant(BaseModel):
    access_token: str = Field(min_length=1)
    expires_in: float = 300.0
    refresh_token: str | None = None


def secret_of(
    entry: ImapEntry, environment: Mapping[str, str], client: httpx.AsyncClient, monotonic: Callable[[], float]
) -> Secret:
    """Return what gives the entry's password or token."""
    if entry.oauth2 is not None and entry.oauth2.token_url is not None:
        return OAuth2Token(entry.oauth2, environment, client, monotonic)
    stated = entry.oauth2.token if entry.oauth2 is not None else entry.password
    assert stated is not None, "the entry's own check"
    reference: SecretReference = stated

    async def read() -> str:  # a file anew at each login, so that a new password needs no restart
        return resolved(reference, environment)

    return read


class OAuth2Token:
    """A token, kept until shortly before its end. A new refresh token takes the old one's place until a restart."""

    def __init__(
        self,
        entry: OAuth2Entry,
        environment: Mapping[str, str],
        client: httpx.AsyncClient,
        monotonic: Callable[[], float],
    ) -> None:
        self._entry = entry
        self._environment = environment
        self._client = client
        self._monotonic = monotonic
        self._refresh_token: str | None = None
        self._token = ""
        self._until = 0.0

    async def __call__(self) -> str:
        if not self._token or self._monotonic() >= self._until:
            grant = await self._ask()
            self._token, self._until = grant.access_token, self._monotonic() + grant.expires_in - EARLY_SECONDS
            self._refresh_token = grant.refresh_token or self._refresh_token
        return self._token

    async def _ask(self) -> _Grant:
        assert self._entry.token_url is not None, "the entry's own check"
        try:
            answer = await self._client.post(self._entry.token_url, data=self._claims(), timeout=TOKEN_SECONDS)
        except httpx.HTTPError as error:
            raise SecretMissing(f"no token from {self._entry.token_url}: {type(error).__name__}") from error
        if answer.status_code != httpx.codes.OK:
            raise SecretMissing(f"no token from {self._entry.token_url}: {answer.status_code} {_reason(answer)}")
        try:
            return _Grant.model_validate_json(answer.content)
        except ValidationError as error:
            raise SecretMissing(f"{self._entry.token_url} answered with no token") from error

    def _claims(self) -> dict[str, str]:
        entry = self._entry
        claims = {"client_id": entry.client_id}
        if entry.client_secret is not None:
            claims["client_secret"] = resolved(entry.client_secret, self._environment)
        if entry.scope:
            claims["scope"] = entry.scope
        if entry.refresh_token is None:
            return claims | {"grant_type": "client_credentials"}
        stated = self._refresh_token or resolved(entry.refresh_token, self._environment)
        return claims | {"grant_type": "refresh_token", "refresh_token": stated}


def _reason(answer: httpx.Response) -> str:
    """The error code of RFC 6749 §5.2, and no more: other servers put secrets into their answers."""
    try:
        stated = answer.json().get("error", "")
    except (ValueError, AttributeError):
        return ""
    return stated[:60] if isinstance(stated, str) and stated.replace("_", "").isalnum() else ""
