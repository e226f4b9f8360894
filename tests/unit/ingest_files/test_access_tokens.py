"""Access tokens: asked for once, kept until shortly before their end, renewed once when they are refused."""

import asyncio
from dataclasses import dataclass, field

import pytest

from ingest_files.access_tokens import AccessToken, TokenKeeper, TokenOver
from ingest_files.errors import GiveUp, TryLater
from ingest_files.guarded_http import Answer

SECRET = "the-secret"


@dataclass
class Platform:
    """Gives `t-1`, `t-2` …; `taken` are those that it takes, None: all. `failures` come before the first token."""

    seconds: float = 7200
    taken: set[str] | None = None
    failures: list[Exception] = field(default_factory=list)
    exchanges: int = 0
    clock: float = 1000.0
    gate: asyncio.Event | None = None
    keeper: TokenKeeper = field(init=False)

    def __post_init__(self) -> None:
        self.keeper = TokenKeeper(lambda: self.clock)

    async def exchange(self) -> AccessToken:
        self.exchanges += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        return AccessToken(f"t-{self.exchanges}", self.seconds)

    async def ask(self, token: str) -> Answer:
        if self.taken is not None and token not in self.taken:
            raise TokenOver
        return Answer(200, "", token.encode())

    async def fetch(self, secret: str = SECRET) -> str:
        return (await self.keeper.use("The platform", secret, self.exchange, self.ask)).body.decode()


async def test_a_token_is_kept_until_shortly_before_its_end() -> None:
    platform = Platform(seconds=7200)
    assert [await platform.fetch(), await platform.fetch()] == ["t-1", "t-1"]
    platform.clock += 7200 - 301
    assert await platform.fetch() == "t-1"
    platform.clock += 2
    assert await platform.fetch() == "t-2"


async def test_a_short_token_is_kept_for_half_its_time() -> None:
    platform = Platform(seconds=300)
    await platform.fetch()
    platform.clock += 149
    assert await platform.fetch() == "t-1"
    platform.clock += 2
    assert await platform.fetch() == "t-2"


async def test_no_token_is_kept_for_longer_than_a_day() -> None:
    platform = Platform(seconds=10**300)
    await platform.fetch()
    platform.clock += 86_400
    assert await platform.fetch() == "t-2"


async def test_all_that_wait_get_the_token_of_one_request() -> None:
    platform = Platform(gate=asyncio.Event())
    fetching = [asyncio.create_task(platform.fetch()) for _ in range(5)]
    await asyncio.sleep(0)
    assert platform.gate is not None
    platform.gate.set()
    assert set(await asyncio.gather(*fetching)) == {"t-1"}
    assert platform.exchanges == 1


async def test_who_waits_in_vain_leaves_the_way_to_the_next() -> None:
    platform = Platform(gate=asyncio.Event())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await platform.fetch()
    assert platform.gate is not None
    platform.gate.set()
    assert await platform.fetch() == "t-2"


async def test_a_token_that_is_over_is_renewed_once() -> None:
    platform = Platform(taken={"t-1", "t-2"})
    await platform.fetch()
    platform.taken = {"t-2"}
    assert await platform.fetch() == "t-2"
    assert platform.exchanges == 2


async def test_many_that_hear_it_at_once_renew_it_once() -> None:
    platform = Platform()
    await platform.fetch()
    platform.taken = {"t-2"}
    assert set(await asyncio.gather(*(platform.fetch() for _ in range(5)))) == {"t-2"}
    assert platform.exchanges == 2


async def test_a_token_just_given_that_is_not_taken_is_for_later() -> None:
    platform = Platform(taken=set())
    with pytest.raises(TryLater, match="just given"):
        await platform.fetch()
    assert platform.exchanges == 2
    platform.taken = {"t-3"}
    assert await platform.fetch() == "t-3"


@pytest.mark.parametrize(("failure", "seconds"), [(TryLater("it is away"), 5), (GiveUp("wrong secret"), 60)])
async def test_a_failure_answers_for_those_behind_it_and_not_for_ever(failure: Exception, seconds: float) -> None:
    platform = Platform(failures=[failure])
    ends = await asyncio.gather(*(platform.fetch() for _ in range(5)), return_exceptions=True)
    assert [(type(end), str(end)) for end in ends] == [(type(failure), str(failure))] * 5
    assert platform.exchanges == 1
    platform.clock += seconds + 1
    assert await platform.fetch() == "t-2"


async def test_each_secret_has_its_own_token() -> None:
    platform = Platform()
    assert [await platform.fetch("old"), await platform.fetch("new"), await platform.fetch("old")] == [
        "t-1",
        "t-2",
        "t-1",
    ]


@pytest.mark.parametrize(
    "token", [AccessToken("", 10), AccessToken("a\r\nb: c", 10), AccessToken("t", 0), AccessToken("t", float("nan"))]
)
async def test_what_is_no_token_is_for_later(token: AccessToken) -> None:
    async def exchange() -> AccessToken:
        return token

    async def ask(_: str) -> Answer:
        raise AssertionError("asked with it")

    with pytest.raises(TryLater, match="no access token"):
        await TokenKeeper().use("The platform", SECRET, exchange, ask)


def test_a_token_is_not_shown() -> None:
    assert "hush" not in repr(AccessToken("hush", 10))
