"""One running stack for all journeys, and the people in them."""

import time
from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from tests.support.agent_desk import AgentDesk
from tests.support.channels_in import ChannelsIn
from tests.support.stack import Stack, running_stack


@pytest_asyncio.fixture(scope="session")
async def stack() -> AsyncIterator[Stack]:
    """A whole Firebreak with the example configuration."""
    async with running_stack() as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def desk(stack: Stack) -> AsyncIterator[AgentDesk]:
    """An agent at the REST API."""
    async with httpx.AsyncClient(
        base_url=stack.api, headers={"Authorization": f"Bearer {stack.api_key.strip()}"}, timeout=15
    ) as client:
        yield AgentDesk(client)


@pytest_asyncio.fixture(scope="session")
async def customers(stack: Stack) -> AsyncIterator[ChannelsIn]:
    """Customers on every channel, and the providers that carry their words."""
    async with httpx.AsyncClient(timeout=15) as client:
        yield ChannelsIn(stack, client, time.time)
