"""Sends the sample messages and shows what became of them."""

import asyncio
import time
from datetime import UTC, datetime
from smtplib import SMTPException
from typing import Any
from uuid import uuid4

import httpx
from rich.console import Console

from firebreak_cli.demo.alert_watch import alert_line, follow_alerts
from firebreak_cli.demo.channels import Delivery, Webhooks, send_mails
from firebreak_cli.demo.sample_messages import MAILS, MISSED_CALLS, SHOP_FORMS, SLACK_MESSAGES, TICKETS
from firebreak_cli.demo.tickets_table import tickets_table
from firebreak_cli.local_stack.errors import LocalStackError
from firebreak_cli.local_stack.ports import LOOPBACK
from firebreak_cli.sources import read_secrets
from firebreak_cli.stack_layout import StackLayout

TICKETS_TIMEOUT = 20.0  # seconds until the tickets must be readable; under 1 usual
ASK_EVERY = 0.1  # seconds
PAGE = 50  # tickets; the newest come first


async def send_and_show(layout: StackLayout, console: Console) -> None:
    """Send the sample messages over HTTP and SMTP, wait for their tickets and print them."""
    # Loopback never goes through the proxy that the environment may name.
    async with httpx.AsyncClient(trust_env=False) as client:
        webhooks = Webhooks(client, layout.url("ingest-webhook"), read_secrets(layout.sources_file))
        api = Tickets(client, layout)
        newest_before = await api.newest_number()
        with console.status("Sending sample messages …"):
            try:
                await _send(webhooks, f"{LOOPBACK}:{layout.port('smtp')}")
            except (httpx.HTTPError, SMTPException, OSError) as error:
                raise LocalStackError(f"A sample message was not accepted: {error}") from error
            tickets = await api.wait_for(TICKETS, newest_before)
            for ticket in tickets:
                ticket["contact_name"] = ticket["contact_name"] or await api.first_sender(ticket["ticket_id"])
    sent = len(SHOP_FORMS) + len(SLACK_MESSAGES) + len(MISSED_CALLS) + len(MAILS)
    console.print(f"[green]✔[/green] {sent} messages from four channels became {len(tickets)} tickets")
    console.print(tickets_table(tickets, datetime.now(UTC), console.width))


async def watch_alerts(bootstrap: str, prefix: str, console: Console) -> None:
    """Print alerts as they arrive, without end."""
    async for alert in follow_alerts(bootstrap, prefix):
        console.print(alert_line(alert, datetime.now(UTC)))


class Tickets:
    """The REST API, as another system uses it."""

    def __init__(self, client: httpx.AsyncClient, layout: StackLayout) -> None:
        self._client = client
        self._url = f"{layout.url('crm-api')}/v1/tickets"
        key = layout.api_key_file.read_text(encoding="ascii").strip()
        self._headers = {"authorization": f"Bearer {key}"}
        self._log_dir = layout.log_dir

    async def newest_number(self) -> int:
        """Return the number of the newest ticket, 0 when there is none."""
        return max((ticket["number"] for ticket in await self._newest()), default=0)

    async def wait_for(self, count: int, after: int) -> list[dict[str, Any]]:
        """Return the tickets numbered above `after` once there are `count`, the oldest first."""
        deadline = time.monotonic() + TICKETS_TIMEOUT
        while True:
            found = [ticket for ticket in await self._newest() if ticket["number"] > after]
            if len(found) >= count:
                return sorted(found, key=lambda ticket: int(ticket["number"]))
            if time.monotonic() > deadline:
                raise LocalStackError(
                    f"Only {len(found)} of {count} sample tickets appeared within {TICKETS_TIMEOUT:.0f} s. "
                    f"router.log and sla-engine.log in {self._log_dir} say why."
                )
            await asyncio.sleep(ASK_EVERY)

    async def first_sender(self, ticket_id: str) -> str:
        """Return how the channel knows the person who wrote first; Slack tells an id and no name."""
        messages = await self._get(f"{self._url}/{ticket_id}/messages")
        return str(messages["items"][0]["sender"]["value"])

    async def _newest(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self._get(self._url, limit=PAGE))["items"]
        return items

    async def _get(self, url: str, **parameters: int) -> dict[str, Any]:
        response = await self._client.get(url, params=parameters, headers=self._headers)
        page: dict[str, Any] = response.raise_for_status().json()
        return page


async def _send(webhooks: Webhooks, smtp: str) -> None:
    for form in SHOP_FORMS:
        await webhooks.fill_form(form, _delivery())
    for said in SLACK_MESSAGES:
        await webhooks.say_in_slack(said, _delivery())
    for call in MISSED_CALLS:
        await webhooks.miss_call(call, _delivery())
    await send_mails(smtp, MAILS, [_delivery() for _ in MAILS])


def _delivery() -> Delivery:
    return Delivery(uuid4(), datetime.now(UTC))
