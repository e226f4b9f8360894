"""The inside of a load generator process: connections that are always busy, as far as they are allowed to be.

It is steered by lines on standard input (`go`, `rate 1500`, `allow 2000`, `pause`, `choose slack`) and answers each
`pause` and `choose` with one line of JSON, a `Lap`. It has to be cheap, because it shares the processors with what it
measures: raw protocols, no task per request, payloads made from templates or before the lap.
"""

import asyncio
import json
import math
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain, islice
from typing import Generic, Protocol, TypeVar

import uvloop

MADE_BEFORE = 10_000
"""Items of a choice that are made before a lap, so that signing costs nothing while they are sent: as many as the
fastest server here takes in half a second. More of a lap are made when it needs them."""

TICK_SECONDS = 0.005  # of an open loop; finer than any latency measured here

Item = TypeVar("Item")
Item_contra = TypeVar("Item_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Lap:
    """What happened between a `go` and its `pause`. `seconds` ends with the pause, not with the last answer."""

    accepted: int
    refused: int
    seconds: float
    cpu_seconds: float
    p50_ms: float
    p99_ms: float
    first_refusal: str = ""

    @property
    def rate(self) -> float:
        return self.accepted / self.seconds


class Sender(Protocol[Item_contra]):
    """One connection. It calls back once for each item, with None when it was accepted, else what was said."""

    def send(self, item: Item_contra) -> None: ...


Answered = Callable[[Sender[Item], str | None], None]


@dataclass
class SteeredLoad(Generic[Item]):
    """Hands items to idle senders for as long as there are permits; `choices` are other items by name."""

    items: Iterator[Item]
    choices: Mapping[str, Iterator[Item]] = field(default_factory=dict)
    idle: list[Sender[Item]] = field(default_factory=list)
    _permits: float = 0.0
    _rate: float = 0.0
    _began: float = 0.0
    _cpu: float = 0.0
    _accepted: int = 0
    _refused: int = 0
    _first_refusal: str = ""
    _seconds: list[float] = field(default_factory=list)
    _busy: dict[Sender[Item], float] = field(default_factory=dict)
    _drained: asyncio.Event = field(default_factory=asyncio.Event)

    def answered(self, sender: Sender[Item], refusal: str | None) -> None:
        """A sender is free again."""
        now = time.perf_counter()
        self._seconds.append(now - self._busy.pop(sender))
        if refusal is None:
            self._accepted += 1
        else:
            self._refused += 1
            self._first_refusal = self._first_refusal or refusal
        self.idle.append(sender)
        self._pump()
        if not self._busy:
            self._drained.set()

    async def obey(self, line: str) -> Lap | None:
        """Carry out one line; returns what was measured when it was `pause`, and nothing measured after `choose`."""
        word, _, number = line.partition(" ")
        if word == "pause":
            return await self._pause()
        if word == "choose":
            chosen = self.choices[number]
            self.items = chain(list(islice(chosen, MADE_BEFORE)), chosen)
            return Lap(0, 0, 0.0, 0.0, 0.0, 0.0)
        if not self._began:
            self._began, self._cpu = time.perf_counter(), time.process_time()
        if word == "rate":
            self._rate = float(number)
        else:
            self._permits += math.inf if word == "go" else float(number)
        self._pump()
        return None

    async def tick(self) -> None:
        """Give permits by time while a rate is set. An open loop: a slow answer does not slow the next request."""
        last = time.perf_counter()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = time.perf_counter()
            if self._rate:
                self._permits += self._rate * (now - last)
                self._pump()
            last = now

    def _pump(self) -> None:
        while self.idle and self._permits >= 1:
            self._permits -= 1
            sender = self.idle.pop()
            self._busy[sender] = time.perf_counter()
            sender.send(next(self.items))

    async def _pause(self) -> Lap:
        seconds, accepted = time.perf_counter() - self._began, self._accepted
        self._permits = self._rate = 0.0
        if self._busy:
            self._drained.clear()
            await self._drained.wait()
        durations = sorted(self._seconds) or [0.0]
        lap = Lap(
            accepted,
            self._refused,
            seconds,
            time.process_time() - self._cpu,
            1000 * quantile(durations, 0.5),
            1000 * quantile(durations, 0.99),
            self._first_refusal,
        )
        self._began, self._accepted, self._refused, self._first_refusal, self._seconds = 0.0, 0, 0, "", []
        return lap


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the ordered values does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def run_steered(prepare: Callable[[dict[str, str]], Awaitable[SteeredLoad[Item]]]) -> None:
    """The life of a generator: `prepare` gets the options that came as JSON in the first argument."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_obey_standard_input(prepare, json.loads(sys.argv[1])))


async def _obey_standard_input(
    prepare: Callable[[dict[str, str]], Awaitable[SteeredLoad[Item]]], options: dict[str, str]
) -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    load = await prepare(options)
    ticking = asyncio.create_task(load.tick())
    print("ready", flush=True)
    async for line in lines:
        lap = await load.obey(line.decode().strip())
        if lap is not None:
            print(json.dumps(asdict(lap)), flush=True)
    ticking.cancel()
