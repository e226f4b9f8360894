"""The order of a run: one stack, one thing after another, each with the machine for itself."""

from collections.abc import Collection

from rich.console import Console
from rich.status import Status

from tests.load.accept_rows import measure_lmtp, measure_mails, measure_webhooks
from tests.load.alert_row import measure_alerts
from tests.load.bench_stack import BenchStack, bench_stack
from tests.load.domain_rows import (
    measure_decide_evolve,
    measure_what_if,
    measure_what_if_staffing,
    measure_what_if_steps,
)
from tests.load.due_date_row import measure_due_dates
from tests.load.figures import Figures, Row
from tests.load.memory_row import MemoryPlan, measure_memory
from tests.load.million_row import measure_million
from tests.load.own_time import Profiles
from tests.load.processes import memory_mb
from tests.load.provider_rows import measure_hooks, measure_providers
from tests.load.pull_rows import measure_imap, measure_pull
from tests.load.reading_row import measure_reading
from tests.load.standing import open_standing
from tests.load.ticket_rows import measure_latency, measure_tickets
from tests.load.timer_row import measure_timers

STACK_ROWS = (
    "webhooks",
    "webhook_providers",
    "mails",
    "lmtp",
    "mail_hooks",
    "imap",
    "pull",
    "tickets",
    "latency",
    "alerts",
)
LONG_ROWS = ("timers_fired", "million_clocks")
"""Minutes each, on a stack of their own, with a policy of their own: only when asked for by name."""
MEMORY_ROW = "memory"
"""As long as one says, on a stack of its own with every kind of source: only when asked for by name."""
USUAL_ROWS = ("due_dates", "decide_evolve", "what_if", "what_if_steps", "what_if_staffing", "reading", *STACK_ROWS)
ROWS = (*USUAL_ROWS, *LONG_ROWS, MEMORY_ROW)
LAP_SHARE = 5  # a lap at a door is a fifth of the long measurement
SHORTEST_LAP = 2.0
PROVIDER_LAP_SHARE = 40  # there are many of them, and each has a limit of its own
SHORTEST_PROVIDER_LAP = 0.5
IDLE_MEMORY_MB, START_SECONDS = 1_500, 15  # budgets of architecture §9


async def measure(
    console: Console, seconds: float, wanted: Collection[str], profiles: Profiles | None, memory: MemoryPlan
) -> Figures:
    """Measure what needs no servers; then start a stack, measure, stop it."""
    figures = Figures()
    with console.status("due dates: plain additions, ours, plain additions, ours …") as progress:
        if "due_dates" in wanted:
            measure_due_dates(figures)
        if "decide_evolve" in wanted:
            progress.update("decisions: the facts' models, ours, the facts' models, ours …")
            measure_decide_evolve(figures)
        if "what_if" in wanted:
            progress.update("what-if: read, replay, read, replay …")
            measure_what_if(figures)
        if "what_if_steps" in wanted:
            progress.update("what-if with steps that act: read, replay, read, replay …")
            measure_what_if_steps(figures)
        if "what_if_staffing" in wanted:
            progress.update("what-if with other agents: read, simulate and replay, read …")
            measure_what_if_staffing(figures)
        if "reading" in wanted:
            progress.update("reading: the corpus, and what is built to take long")
            measure_reading(figures)
        if any(name in wanted for name in STACK_ROWS):
            progress.update("starting Kafka, PostgreSQL and the services")
            await _measure_stack(figures, seconds, wanted, profiles, progress)
        if any(name in wanted for name in LONG_ROWS):
            progress.update("starting Kafka, PostgreSQL and the services")
            await _measure_long(figures, wanted, progress)
        if MEMORY_ROW in wanted:
            progress.update(f"memory: {memory.per_second:g} messages a second of all channels, {memory.minutes:g} min")
            await measure_memory(figures, memory)
    return figures


async def _measure_long(figures: Figures, wanted: Collection[str], progress: Status) -> None:
    async with bench_stack() as bench:
        if "timers_fired" in wanted:
            await measure_timers(bench, figures, progress.update)
        if "million_clocks" in wanted:
            await measure_million(bench, figures, progress.update)
        progress.update("stopping")


async def _measure_stack(
    figures: Figures, seconds: float, wanted: Collection[str], profiles: Profiles | None, progress: Status
) -> None:
    lap_seconds = max(SHORTEST_LAP, seconds / LAP_SHARE)
    async with bench_stack() as bench, open_standing(bench.stack.database, bench.stack.kafka_address) as standing:
        _measure_idle(bench, figures)
        if "webhooks" in wanted:
            progress.update("webhooks: bare, ours, bare, ours …")
            await measure_webhooks(bench, figures, lap_seconds)
        provider_seconds = max(SHORTEST_PROVIDER_LAP, seconds / PROVIDER_LAP_SHARE)
        if "webhook_providers" in wanted:
            progress.update("webhooks of each provider: bare, ours, bare, ours …")
            await measure_providers(bench, figures, provider_seconds)
        if "mail_hooks" in wanted:
            progress.update("mails over HTTP: bare, ours, bare, ours …")
            await measure_hooks(bench, figures, provider_seconds)
        if "lmtp" in wanted:
            progress.update("mails over LMTP: bare, ours, bare, ours …")
            await measure_lmtp(bench, figures, lap_seconds)
        if "imap" in wanted:
            progress.update("a mailbox over IMAP: bare, ours, bare, ours …")
            await measure_imap(bench, figures)
        if "pull" in wanted:
            progress.update("call logs, exports and a manager interface: bare, ours, bare, ours …")
            await measure_pull(bench, figures)
        if "mails" in wanted:
            progress.update("mails: bare, ours, bare, ours …")
            await measure_mails(bench, standing, figures, lap_seconds)
        if "tickets" in wanted or "latency" in wanted:
            progress.update(f"messages to tickets: bare writes, then ours for {seconds:.0f} s, then bare writes")
            rate = await measure_tickets(bench, standing, figures, seconds, profiles)
        if "latency" in wanted:
            progress.update("from accepted to readable, at half of the rate")
            await measure_latency(bench, standing, figures, max(10.0, seconds / 2), rate)
        if "alerts" in wanted:
            progress.update("alarms")
            await measure_alerts(bench, figures)
        progress.update("stopping")


def _measure_idle(bench: BenchStack, figures: Figures) -> None:
    budget = "the limit is the budget"
    memory = sum(memory_mb(pid) for pid in bench.pids().values())
    figures.rows.append(Row("start_seconds", bench.start_seconds, START_SECONDS, "s", f"tables empty; {budget}"))
    figures.rows.append(Row("idle_memory_mb", memory, IDLE_MEMORY_MB, "MB", f"proportional set size; {budget}"))
