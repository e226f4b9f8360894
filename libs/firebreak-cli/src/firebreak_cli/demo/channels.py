"""The other side of each channel: speaks, signs and sends as a provider does."""

import asyncio
import base64
import hmac
import json
import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID

import httpx

from firebreak_cli.demo.sample_messages import Mail, MissedCall, ShopForm, SlackMessage
from firebreak_cli.sources import MAIL_DOMAIN, SHOP, SLACK, TELEPHONE, SourceSecrets

TIMEOUT = 10.0  # seconds for one delivery
SUPPORT_ADDRESS = f"support@{MAIL_DOMAIN}"
SUPPORT_NUMBER = "4008005000"
SLACK_WORKSPACE, SLACK_CHANNEL = "T0AURORA1", "C0DEALERS"
RINGING = timedelta(seconds=25)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way: an id that no other has, and the moment it is sent."""

    id: UUID
    at: datetime


class Webhooks:
    """A shop, a Slack workspace and a telephone exchange that call our webhooks."""

    def __init__(self, client: httpx.AsyncClient, address: str, secrets: SourceSecrets) -> None:
        self._client = client
        self._address = address
        self._secrets = secrets

    async def fill_form(self, form: ShopForm, delivery: Delivery) -> None:
        """Send a form as Standard Webhooks 1.0 says."""
        sender = {"kind": "email", "id": form.sender_email, "name": form.sender_name}
        data = {"sender": sender, "subject": form.subject, "text": form.text, "sent_at": delivery.at.isoformat()}
        body = _json({"type": "message.created", "timestamp": delivery.at.isoformat(), "data": data})
        webhook_id, timestamp = f"msg_{delivery.id.hex}", str(int(delivery.at.timestamp()))
        key = base64.b64decode(self._secrets.shop.removeprefix("whsec_"))
        signed = b".".join((webhook_id.encode(), timestamp.encode(), body))
        signature = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
        headers = {
            "webhook-id": webhook_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{signature}",
        }
        await self._post(SHOP, body, headers)

    async def say_in_slack(self, message: SlackMessage, delivery: Delivery) -> None:
        """Send an event as Slack's Events API does."""
        timestamp = str(int(delivery.at.timestamp()))
        event = {
            "type": "message",
            "channel": SLACK_CHANNEL,
            "channel_type": "channel",
            "user": message.user,
            "text": message.text,
            "ts": f"{delivery.at.timestamp():.6f}",
        }
        envelope = {
            "type": "event_callback",
            "team_id": SLACK_WORKSPACE,
            "event_id": f"Ev{delivery.id.hex[:10].upper()}",
        }
        body = _json({**envelope, "event_time": int(timestamp), "event": event})
        digest = hmac.digest(self._secrets.slack.encode(), b":".join((b"v0", timestamp.encode(), body)), "sha256")
        headers = {"x-slack-request-timestamp": timestamp, "x-slack-signature": f"v0={digest.hex()}"}
        await self._post(SLACK, body, headers)

    async def miss_call(self, call: MissedCall, delivery: Delivery) -> None:
        """Send a call record as FreeSWITCH's mod_json_cdr does with `encode` off."""
        began = delivery.at - RINGING
        variables = {
            "direction": "inbound",
            "uuid": str(delivery.id),
            "start_epoch": str(int(began.timestamp())),
            "start_uepoch": str(int(began.timestamp() * 1_000_000)),
            "answer_epoch": "0",
            "answer_uepoch": "0",
            "end_epoch": str(int(delivery.at.timestamp())),
            "end_uepoch": str(int(delivery.at.timestamp() * 1_000_000)),
            "duration": str(int(RINGING.total_seconds())),
            "billsec": "0",
            "hangup_cause": "NO_ANSWER",
        }
        profile = {
            "caller_id_name": call.caller_name,
            "caller_id_number": call.caller,
            "destination_number": SUPPORT_NUMBER,
        }
        record = {
            "core-uuid": str(delivery.id),
            "channel_data": {"state": "CS_REPORTING", "direction": "inbound"},
            "variables": variables,
            "callflow": [{"caller_profile": profile}],
        }
        headers = {"authorization": f"Basic {base64.b64encode(self._secrets.telephone.encode()).decode()}"}
        await self._post(f"{TELEPHONE}?uuid={delivery.id}", _json(record), headers)

    async def _post(self, source: str, body: bytes, headers: dict[str, str]) -> None:
        response = await self._client.post(
            f"{self._address}/webhooks/{source}",
            content=body,
            headers={"content-type": "application/json", **headers},
            timeout=TIMEOUT,
        )
        response.raise_for_status()


async def send_mails(smtp: str, mails: Sequence[Mail], deliveries: Sequence[Delivery]) -> None:
    """Hand mails over one after another in one SMTP session."""
    ids = [f"<{delivery.id.hex}@customers.example>" for delivery in deliveries]
    letters = []
    for mail, delivery, message_id in zip(mails, deliveries, ids, strict=True):
        letter = EmailMessage()
        letter["From"] = mail.sender
        letter["To"] = SUPPORT_ADDRESS
        letter["Subject"] = mail.subject
        letter["Date"] = format_datetime(delivery.at)
        letter["Message-ID"] = message_id
        if mail.answers is not None:
            letter["In-Reply-To"] = letter["References"] = ids[mail.answers]
        letter.set_content(mail.text)
        letters.append(letter)
    await asyncio.to_thread(_deliver, smtp, letters)


def _deliver(smtp: str, letters: Sequence[EmailMessage]) -> None:
    host, port = smtp.split(":")
    with smtplib.SMTP(host, int(port), timeout=TIMEOUT) as session:
        for letter in letters:
            session.send_message(letter)


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
