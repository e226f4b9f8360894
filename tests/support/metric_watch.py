"""Adds up counters over the lives of processes that are killed: each death takes its numbers with it."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable

import httpx
from prometheus_client.parser import text_string_to_metric_families

from firebreak_cli.local_stack.ports import LOOPBACK
from tests.support.stack import Stack

LOOK_EVERY = 0.5  # seconds; what was counted in the last of them before a kill is not known


class MetricWatch:
    """Looks at the streaming services of a stack now and then. Sums are lower bounds."""

    def __init__(self, stack: Stack, names: Iterable[str]) -> None:
        self._stack = stack
        self._names = frozenset(names)
        self._lives: defaultdict[tuple[str, int | None], Counter[str]] = defaultdict(Counter)

    async def run(self) -> None:
        """Look until cancelled."""
        async with httpx.AsyncClient(trust_env=False, timeout=LOOK_EVERY) as client:
            while True:
                await self.look(client)
                await asyncio.sleep(LOOK_EVERY)

    async def look(self, client: httpx.AsyncClient) -> None:
        """Look once at every process that runs."""
        for part in [*self._stack.of("router"), *self._stack.of("sla-engine")]:
            life = (part.label, part.part.pid)
            try:
                answer = await client.get(f"http://{LOOPBACK}:{part.part.port}/metrics")
            except httpx.TransportError:
                continue  # it is dead or frozen
            self._lives[life] = self._read(answer.text)

    def total(self, name: str) -> int:
        """Return the sum over all lives seen."""
        return sum(life[name] for life in self._lives.values())

    def _read(self, text: str) -> Counter[str]:
        found: Counter[str] = Counter()
        for family in text_string_to_metric_families(text):
            if family.name in self._names:
                found[family.name] += int(
                    sum(sample.value for sample in family.samples if sample.name.endswith("_total"))
                )
        return found
