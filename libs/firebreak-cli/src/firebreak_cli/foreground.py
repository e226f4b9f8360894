"""The life of `firebreak up`: start, show, watch, stop."""

import asyncio
import logging

from rich.console import Console

from firebreak_cli.demo.show import send_and_show, watch_alerts
from firebreak_cli.preflight import StackPlan
from firebreak_cli.progress import Progress
from firebreak_cli.running_stack import running_stack
from firebreak_cli.signals import cancelled_by_signals
from firebreak_cli.stack_layout import StackLayout
from firebreak_cli.stack_status import stack_status
from firebreak_cli.stack_tables import addresses_table


async def run_in_foreground(plan: StackPlan, console: Console, as_json: bool, demo: bool) -> None:
    """Run until a signal comes; alerts show as they arrive."""
    # That Kafka went and came back is the supervisor's to say, in one line and not in one for each attempt.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with cancelled_by_signals():
        try:
            async with running_stack(plan, Progress(console)) as around:
                # Watching begins before anything is sent, so that no alert can be missed.
                watch = asyncio.create_task(watch_alerts(around.kafka, around.topic_prefix, console))
                try:
                    await after_ready(plan.layout, console, as_json, demo)
                    console.print("Everything runs; alerts show below. Ctrl-C stops it.")
                    await watch
                finally:
                    watch.cancel()
        except asyncio.CancelledError:
            console.print("Stopped. The data stays; the next `firebreak up` goes on with it.")


async def after_ready(layout: StackLayout, console: Console, as_json: bool, demo: bool) -> None:
    """Show a stack that has just become ready, with its first tickets when wanted."""
    found = await stack_status(layout.data_dir)
    if as_json:
        print(found.model_dump_json(indent=2), flush=True)
    if demo:
        await send_and_show(layout, console)
    console.print(addresses_table(found))
