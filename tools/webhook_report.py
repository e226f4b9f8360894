"""What do our provider modules make of real payloads? `python -m tools.webhook_report FOLDER`

The folder is the development data `webhooks`, with a folder for each kind of provider. A document that holds several
payloads by name (WhatsApp's) is several requests. For each: what it became, or why nothing did.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ingest_webhook.provider import Messages, Provider, WebhookRequest
from ingest_webhook.providers import whatsapp
from ingest_webhook.providers.freeswitch_cdr import FreeswitchCdr
from ingest_webhook.providers.line import Line
from ingest_webhook.rejections import Rejected

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Found:
    """One payload. `refused` names the field that could not be read; it is empty when all was understood."""

    payload: str
    became: str
    refused: str = ""


def read_folder(folder: Path) -> list[Found]:
    """Read every payload that a webhook brings; files that are pulled (Asterisk's) are not among them."""
    return [
        *_read("line", Line.build({}, ["0" * 32]), _whole(folder / "line" / "webhook.json")),
        *_read("whatsapp", _whatsapp(), _named(folder / "whatsapp" / "inbound_messages.json")),
        *_read("whatsapp", _whatsapp(), _named(folder / "whatsapp" / "statuses.json")),
        *_read("freeswitch", _freeswitch(), _whole(folder / "voice" / "freeswitch_json_cdr_excerpt.json")),
    ]


def _whatsapp() -> Provider:
    return whatsapp.build({"tokens": ["a-verify-token"]}, ["0" * 32])


def _freeswitch() -> Provider:
    return FreeswitchCdr.build({"region": "DE"}, ["switch:secret"])


def _whole(file: Path) -> Iterator[tuple[str, bytes]]:
    yield file.name, file.read_bytes()


def _named(file: Path) -> Iterator[tuple[str, bytes]]:
    for name, payload in json.loads(file.read_bytes()).items():
        yield f"{file.name}: {name}", json.dumps(payload).encode()


def _read(kind: str, provider: Provider, payloads: Iterator[tuple[str, bytes]]) -> Iterator[Found]:
    for name, body in payloads:
        try:
            reading = provider.read(WebhookRequest({}, b"", body, NOW))
        except Rejected as rejected:
            fields = ", ".join(problem.field for problem in rejected.errors)
            yield Found(f"{kind}/{name}", "refused", fields or rejected.detail)
            continue
        if isinstance(reading, Messages):
            said = [
                f"{each.kind} {each.delivery.state if each.delivery else repr(each.text[:40])}"
                for each in reading.messages
            ]
            yield Found(f"{kind}/{name}", "; ".join(said))
        else:
            yield Found(f"{kind}/{name}", getattr(reading, "reason", "handshake"))


def main() -> None:
    """Print the report."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("Usage: python -m tools.webhook_report FOLDER (the development data, e.g. ../shared/data/webhooks)")
    table = Table("payload", "became", "not understood")
    found = read_folder(Path(sys.argv[1]))
    for each in found:
        table.add_row(each.payload, each.became, each.refused)
    Console().print(table, f"{len(found)} payloads, {sum(bool(each.refused) for each in found)} not understood")


if __name__ == "__main__":
    main()
