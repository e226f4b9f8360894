"""Customers and agents at a steady rate, through every fault."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from random import Random

import httpx

from tests.support.agents import Agents
from tests.support.chat_platform import ChatPlatform
from tests.support.customers import Customers
from tests.support.ledger import Ledger
from tests.support.persistence import ANSWER_SECONDS
from tests.support.stack import Stack

Begin = Callable[[httpx.AsyncClient, int], Awaitable[None]]


@dataclass(frozen=True)
class Rates:
    """How many begin in a second: conversations by webhook, threads of mail, requests of several chats, commands."""

    webhooks: float = 8.0
    mails: float = 1.5
    batches: float = 0.4
    commands: float = 3.0


@dataclass
class SteadyLoad:
    """One load on one stack. `failures` are what no fault explains: refusals, wrong answers, defects of the test."""

    stack: Stack
    ledger: Ledger
    random: Random
    name: str
    rates: Rates = Rates()
    failures: list[str] = field(default_factory=list)
    request_begins: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """Set for the moment in which a request of several chats goes out."""
    _going_on: set["asyncio.Task[None]"] = field(default_factory=set, init=False)

    async def run(self, seconds: float) -> None:
        """Let people begin for so long, then wait until everybody has been acknowledged."""
        customers = Customers(self.stack, self.ledger, self.random, self.name)
        platform = ChatPlatform(self.stack, self.ledger, self.random, self.name, self.request_begins)
        agents = Agents(self.stack, self.ledger, self.random, self.name, platform)
        beginnings: tuple[tuple[float, Begin], ...] = (
            (self.rates.webhooks, customers.write_to_the_shop),
            (self.rates.mails, customers.write_mails),
            (self.rates.batches, platform.bring_messages),
            (self.rates.commands, agents.do_something),
        )
        async with AsyncExitStack() as clients:
            await asyncio.gather(
                *[
                    self._keep_beginning(await clients.enter_async_context(_new_client()), rate, begin, seconds)
                    for rate, begin in beginnings
                ]
            )
            while self._going_on:
                await asyncio.wait(set(self._going_on))

    async def _keep_beginning(self, client: httpx.AsyncClient, rate: float, begin: Begin, seconds: float) -> None:
        """Begin one at each moment of the schedule, whatever became of those before."""
        started, number = time.monotonic(), 0
        while rate and number / rate < seconds:
            await asyncio.sleep(started + number / rate - time.monotonic())
            task = asyncio.create_task(self._note_failure(begin(client, number)))
            self._going_on.add(task)
            task.add_done_callback(self._going_on.discard)
            number += 1

    async def _note_failure(self, doing: Awaitable[None]) -> None:
        try:
            await doing
        except Exception as error:  # noqa: BLE001 - the load goes on, and the test fails by what is noted here
            self.failures.append(f"{type(error).__name__}: {error}")


def _new_client() -> httpx.AsyncClient:
    """One for each kind of sender: with all that wait in one pool, finding a connection takes the square of them."""
    return httpx.AsyncClient(trust_env=False, timeout=ANSWER_SECONDS, limits=httpx.Limits(max_connections=200))
