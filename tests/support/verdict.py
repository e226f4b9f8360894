"""The end of every fault test: wait until the stack has done its work, then judge all of it."""

import time
from collections import Counter
from datetime import timedelta

from tests.support.alarm_exactness import Targets, find_alarm_flaws
from tests.support.exactness import find_flaws
from tests.support.fold_exactness import find_fold_flaws
from tests.support.ledger import InputKind, Ledger
from tests.support.settling import wait_until_settled
from tests.support.shown_deliveries import read_shown
from tests.support.stack import Stack
from tests.support.world import World, read_world

# Generous: a backlog of seconds, a lease to take over and a server to come back on a machine that does other things.
SETTLE_SECONDS = 90.0
LATE_AT_MOST = timedelta(seconds=3)  # an alarm due this shortly before the look may still be under way
SHOWN = 30  # flaws; thousands of one kind say no more


class Verdict:
    """What was found, and words for the report."""

    def __init__(self, ledger: Ledger, world: World, flaws: list[str]) -> None:
        self.world = world
        self.flaws = flaws
        self._ledger = ledger

    def require_exactness(self) -> None:
        """:raises AssertionError: something is not as it was promised."""
        shown = "\n  ".join(self.flaws[:SHOWN])
        assert not self.flaws, f"{len(self.flaws)} flaws:\n  {shown}"

    def lines(self) -> list[str]:
        """The ledger for people."""
        acknowledged = self._ledger.acknowledged()
        sent = Counter(dict.fromkeys(InputKind, 0))
        for message in (*self._ledger.messages.values(), *self._ledger.receipts):
            sent[message.kind] += message.attempts
        sent[InputKind.COMMAND] = sum(command.attempts for command in self._ledger.commands.values())
        inputs = ", ".join(f"{acknowledged[kind]} {kind}s in {sent[kind]} deliveries" for kind in InputKind)
        outcomes = Counter(command.outcome for command in self._ledger.commands.values())
        return [
            f"inputs acknowledged: {inputs}",
            f"outcomes of commands: {dict(outcomes)}",
            f"requests of several conversations: {len(self._ledger.requests)}, first taken in part: {self._torn()}",
            f"tickets: {len(self.world.tickets)}, facts: {len(self.world.facts)}",
            f"duplicates: {sum(flaw.startswith('DUPLICATE') for flaw in self.flaws)}",
            f"losses: {sum(flaw.startswith('LOSS') for flaw in self.flaws)}",
            f"other flaws: {sum(not flaw.startswith(('DUPLICATE', 'LOSS')) for flaw in self.flaws)}",
            f"records standing in the topics a second time: {self.world.republished}",
        ]

    def _torn(self) -> int:
        """Count the requests of which some messages came oftener than others: somebody died in the middle."""
        times = {row.provider_id: row.deliveries for row in self.world.inbound}
        return sum(len({times.get(sent.provider_id) for sent in said}) > 1 for said in self._ledger.requests)


async def reach_verdict(stack: Stack, ledger: Ledger, targets: Targets, timers_within: float = 0.0) -> Verdict:
    """Settle and judge. `timers_within` waits for the timers too that come due within so many seconds."""
    await wait_until_settled(stack.database, stack.kafka_address, SETTLE_SECONDS + timers_within, timers_within)
    world = await _read_still_world(stack)
    world.shown = await read_shown(stack, ledger)
    flaws = [
        *find_flaws(ledger, world),
        *await find_fold_flaws(stack.database),
        *find_alarm_flaws(world, targets, LATE_AT_MOST),
    ]
    return Verdict(ledger, world, flaws)


async def _read_still_world(stack: Stack) -> World:
    """Read until nothing happened meanwhile: timers go on firing until the last clock has ended."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while not (world := await read_world(stack.database, stack.kafka_address)).is_still:
        assert time.monotonic() < deadline, "the stack does not come to rest"
    return world
