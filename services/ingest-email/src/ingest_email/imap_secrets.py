"""Passwords and tokens for IMAP: from the environment, from mounted files, from an OAuth 2 server (RFC 6749)."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from functools import partial

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


class AccountSecrets:
    """What gives the secret of each account, kept while the account stands in the file as it is.

    All folders of an account have one token, for a refresh token may be good for one use only; and an edit of anything
    else than the account leaves the newest refresh token where it is.
    """

    def __init__(
        self, environment: Mapping[str, str], client: httpx.AsyncClient, monotonic: Callable[[], float]
    ) -> None:
        self._new = partial(secret_of, environment=environment, client=client, monotonic=monotonic)
        self._kept: list[tuple[_Account, Secret]] = []

    def of(self, entry: ImapEntry) -> Secret:
        account = _account(entry)
        for known, secret in self._kept:
            if known == account:
                return secret
        secret = self._new(entry)
        self._kept.append((account, secret))
        return secret

    def keep_only(self, entries: Iterable[ImapEntry]) -> None:
        """Forget the accounts of all others."""
        accounts = [_account(entry) for entry in entries]
        self._kept = [(known, secret) for known, secret in self._kept if known in accounts]


_Account = tuple[str, str, SecretReference | None, OAuth2Entry | None]


def _account(entry: ImapEntry) -> _Account:
    return entry.host, entry.user, entry.password, entry.oauth2


class OAuth2Token:
    """A token, kept until shortly before its end, and asked for once however many want it.

    A new refresh token takes the old one's place until the process ends, or until the entry's own reference leads to
    another than it did.
    """

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
        self._stated_refresh_token = self._refresh_token = ""
        self._token = ""
        self._until = 0.0
        self._renewing: asyncio.Task[None] | None = None

    async def __call__(self) -> str:
        if not self._token or self._monotonic() >= self._until:
            if self._renewing is None:
                self._renewing = asyncio.create_task(self._renew(), name="oauth2 token")
                self._renewing.add_done_callback(self._renewed)
            # The answer may hold the only refresh token that is good from here on: who asked may leave, it stays.
            await asyncio.shield(self._renewing)
        return self._token

    async def _renew(self) -> None:
        grant = await self._ask()
        self._token, self._until = grant.access_token, self._monotonic() + grant.expires_in - EARLY_SECONDS
        self._refresh_token = grant.refresh_token or self._refresh_token

    def _renewed(self, renewing: "asyncio.Task[None]") -> None:
        self._renewing = None
        if not renewing.cancelled():
            renewing.exception()  # told to who asked, if anybody still waits

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
        return claims | {
            "grant_type": "refresh_token",
            "refresh_token": self._newest_refresh_token(entry.refresh_token),
        }

    def _newest_refresh_token(self, reference: SecretReference) -> str:
        try:
            stated = resolved(reference, self._environment)
        except SecretMissing:
            if not self._refresh_token:
                raise
            return self._refresh_token
        if stated != self._stated_refresh_token:  # the first, or somebody has put another one there
            self._stated_refresh_token = self._refresh_token = stated
        return self._refresh_token


def _reason(answer: httpx.Response) -> str:
    """The error code of RFC 6749 §5.2, and no more: other servers put secrets into their answers."""
    try:
        stated = answer.json().get("error", "")
    except (ValueError, AttributeError):
        return ""
    return stated[:60] if isinstance(stated, str) and stated.replace("_", "").isalnum() else ""
