"""Who calls: API keys in `Authorization: Bearer`, of which only hashes are stored (OWASP API2:2023)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from service_kit.api_keys import hash_key, verify_checksum
from service_kit.problems import ProblemError
from ticket_contracts.commands import Actor
from ticket_contracts.vocabulary import ActorKind
from ticket_store.tables.api_keys import API_KEYS

CACHE_SECONDS = 5.0
"""How long a revoked key may still work; looking up each request would double the reads of the database."""

CACHE_SIZE = 10_000  # more keys than any installation has; a bound, so that guesses cannot fill the memory


_NEVER_ASKED = (-math.inf, None)


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of a valid key."""

    key_id: UUID
    name: str
    agent: str | None
    scopes: frozenset[str]

    @property
    def actor(self) -> Actor:
        """Return who the caller's commands are from: its agent, or the machine itself."""
        if self.agent is not None:
            return Actor(kind=ActorKind.AGENT, id=self.agent, name=self.name)
        return Actor(kind=ActorKind.MACHINE, id=self.name, name=self.name)


class Authenticator:
    """Looks keys up and remembers the answer for `CACHE_SECONDS`. `clock` is monotonic seconds."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._clock = clock
        self._known: dict[bytes, tuple[float, Caller | None]] = {}

    async def caller_of(self, key: str) -> Caller | None:
        """Return the owner of `key`, or None when it is not valid."""
        if not verify_checksum(key):
            return None
        key_hash = hash_key(key)
        expires_at, caller = self._known.get(key_hash, _NEVER_ASKED)
        if expires_at < self._clock():
            caller = await self._look_up(key_hash)
            if len(self._known) >= CACHE_SIZE:
                self._known.clear()
            self._known[key_hash] = (self._clock() + CACHE_SECONDS, caller)
        return caller

    async def _look_up(self, key_hash: bytes) -> Caller | None:
        query = select(API_KEYS).where(API_KEYS.c.key_hash == key_hash, API_KEYS.c.revoked_at.is_(None))
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        return Caller(row.key_id, row.name, row.agent, frozenset(row.scopes)) if row else None


async def require_reader(request: Request) -> Caller:
    """Let in whoever may read."""
    return await _require(request, "read")


async def require_writer(request: Request) -> Caller:
    """Let in whoever may send commands."""
    return await _require(request, "write")


async def require_administrator(request: Request) -> Caller:
    """Let in whoever may change the configuration."""
    return await _require(request, "admin")


async def _require(request: Request, scope: str) -> Caller:
    authenticator: Authenticator = request.app.state.parts.authenticator
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    caller = await authenticator.caller_of(key.strip()) if kind.lower() == "bearer" else None
    if caller is None:
        raise ProblemError(
            401,
            "No valid API key",
            "Send `Authorization: Bearer fb_…` with a key of this installation.",
            type="/problems/unauthenticated",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if scope not in caller.scopes:
        raise ProblemError(
            403,
            "The key may not do this",
            f"Ask the operator for a key with the scope `{scope}`.",
            type="/problems/forbidden",
        )
    return caller
