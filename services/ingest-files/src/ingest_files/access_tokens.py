"""Access tokens that providers give for a secret: kept in memory until shortly before their end, asked for once.

They are never logged and never written down: a process that starts asks again, which every provider allows.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ingest_files.errors import GiveUp, TryLater
from ingest_files.guarded_http import Answer

# Before the end that the provider told: for clocks, and for downloads that take their time. WeChat gives another token
# in its last five minutes and takes both; Feishu in its last thirty.
_SAFETY_SECONDS = 300.0
# Longer than any provider's; keeps a nonsensical number from keeping a token for ever.
_MOST_SECONDS = 86_400.0
# So long a failure answers for the requests behind it: shorter than the pause of a file that is tried again.
_AWAY_SECONDS, _REFUSED_SECONDS = 5.0, 60.0
_TOKEN = re.compile(r"[!-~]{1,4096}")  # what may stand in a header


@dataclass(frozen=True, slots=True)
class AccessToken:
    """`seconds` is how long it holds, as the provider says."""

    value: str = field(repr=False)
    seconds: float


class TokenOver(Exception):
    """The provider does not take the access token: it is over, or was taken back."""


Exchange = Callable[[], Awaitable[AccessToken]]
"""Asks the provider for a token. Raises GiveUp when it refuses the credentials, TryLater when it cannot now."""


@dataclass(slots=True)
class _Kept:
    """What is known of one secret's token. `failure` is the last one, of use until `failed_until`."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    token: str = field(default="", repr=False)
    until: float = 0.0
    failure: GiveUp | TryLater | None = None
    failed_until: float = 0.0


class TokenKeeper:
    """The tokens of one source, one for each of its secrets. `monotonic` is a clock in seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._kept: dict[str, _Kept] = {}

    async def use(
        self, provider: str, secret: str, exchange: Exchange, ask: Callable[[str], Awaitable[Answer]]
    ) -> Answer:
        """Ask with a token; when the provider says that it is over, once more with another.

        :param ask: raises TokenOver when the token is not taken.
        :raises GiveUp: or TryLater, from `exchange` or `ask`; TryLater too when a token just given is not taken.
        """
        kept = self._kept.setdefault(secret, _Kept())
        first = await self._token(provider, kept, exchange)
        try:
            return await ask(first)
        except TokenOver:
            if kept.token == first:  # else somebody has renewed it already
                kept.token = ""
        second = await self._token(provider, kept, exchange)
        try:
            return await ask(second)
        except TokenOver as error:
            if kept.token == second:
                kept.token = ""
            raise TryLater(f"{provider} does not take the access token that it has just given") from error

    async def _token(self, provider: str, kept: _Kept, exchange: Exchange) -> str:
        async with kept.lock:  # one request for all that wait
            now = self._monotonic()
            if kept.token and now < kept.until:
                return kept.token
            if kept.failure is not None and now < kept.failed_until:
                raise type(kept.failure)(str(kept.failure))
            try:
                given = checked(await exchange(), provider)
            except (GiveUp, TryLater) as error:
                kept.failure = error
                seconds = _REFUSED_SECONDS if isinstance(error, GiveUp) else _AWAY_SECONDS
                kept.failed_until = self._monotonic() + seconds
                raise
            kept.failure = None
            kept.token = given.value
            kept.until = now + given.seconds - min(_SAFETY_SECONDS, given.seconds / 2)
            return kept.token


def checked(given: AccessToken, provider: str) -> AccessToken:
    """Return what was given.

    :raises TryLater: it is no token that a header could hold, or ends at once.
    """
    if not _TOKEN.fullmatch(given.value) or not given.seconds > 0:
        raise TryLater(f"{provider} gives no access token that could be used")
    return AccessToken(given.value, min(given.seconds, _MOST_SECONDS))
