"""`reading`: the longest that any mail or request takes to be read, in processor time. No servers are needed."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

from rich.table import Table

from ingest_email.delivery import Delivery, Mailbox
from ingest_email.reading_limits import LIMITS
from ingest_email.reading_worker import answer, ask
from ingest_pull.domain.asterisk_cdr import RowFormat, RowUnreadable, read_row
from ingest_pull.domain.queue_log import read_event
from ingest_pull.kinds.file_options import UTC_ZONE
from ingest_webhook.provider import Provider, WebhookRequest
from ingest_webhook.providers.registry import PROVIDERS
from ingest_webhook.rejections import Rejected
from tests.load.figures import Figures, Row
from tests.load.hostile_inputs import hostile_mails, hostile_requests
from tests.load.mail_corpus import CORPUS
from tests.support.deployment_files import SUPPORT_ADDRESS
from tests.support.every_source import EVERY_SOURCE, LINE_SECRET, META_SECRET, SpokenSource
from tests.support.partners.freeswitch import FreeswitchSender
from tests.support.partners.line import LineSender
from tests.support.partners.signed_request import SignedRequest
from tests.support.partners.whatsapp import WhatsAppSender

BUDGET_SECONDS = 1.0  # "no message over 1 s of parsing"
SHOWN = 5
AGAIN_ABOVE = 0.1  # seconds; what took so long is read once more, so that a collection of garbage is not its own

Read: TypeAlias = Callable[[], object]


def measure_reading(figures: Figures) -> None:
    """A row with the slowest of all, a table with the slowest of each kind."""
    kinds = {
        "mails of the corpus": dict(_corpus_mails()),
        "requests of the corpus": dict(_corpus_requests()),
        "hostile mails": {name: _mail(raw) for name, raw in hostile_mails().items()},
        "hostile requests": {name: _request(*said) for name, said in hostile_requests().items()},
    }
    _mail(b"Subject: first\r\n\r\nx")()  # code and tables are loaded once for each process
    taken = {kind: {name: _seconds(read) for name, read in reads.items()} for kind, reads in kinds.items()}
    (slowest, seconds) = max(_all(taken), key=lambda pair: pair[1])
    counts = ", ".join(f"{len(reads)} {kind}" for kind, reads in kinds.items() if reads)
    note = f"{slowest}; {counts}; processor time; the limit is the budget"
    figures.rows.append(Row("reading_ms", 1000 * seconds, 1000 * BUDGET_SECONDS, "ms", note))
    figures.tables.append(_table(taken))


def _all(taken: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[str, float]]:
    return ((name, seconds) for each in taken.values() for name, seconds in each.items())


def _seconds(read: Read) -> float:
    first = _once(read)
    return min(first, _once(read)) if first > AGAIN_ABOVE else first


def _once(read: Read) -> float:
    began = time.process_time()
    read()
    return time.process_time() - began


def _mail(raw: bytes) -> Read:
    """What a worker does with a mail, answer included."""
    delivery = Delivery(Mailbox(SUPPORT_ADDRESS, "aurora", "support", "mail"), UUID(int=1), datetime.now(UTC))
    question = ask(raw, "ann@customer.example", [delivery], headers_only=False)
    return lambda: answer(question, frozenset({SUPPORT_ADDRESS}), LIMITS).pack()


def _corpus_mails() -> Iterator[tuple[str, Read]]:
    """Every file, whether it is a mail or not."""
    for path in sorted(CORPUS.rglob("*")) if CORPUS.is_dir() else ():
        if path.is_file():
            yield f"{path.parent.name}/{path.name}", _mail(path.read_bytes())


def _request(provider: str, said: SignedRequest) -> Read:
    """Verified, for it is rightly signed, and understood or refused: both are the work of the event loop."""
    [source] = [source for source in EVERY_SOURCE if source.provider == provider]
    ours = _provider(source)
    headers = {name.lower().encode(): value.encode("latin-1") for name, value in said.headers.items()}
    request = WebhookRequest(headers, said.query.encode(), said.body, datetime.now(UTC), said.method)

    def read() -> None:
        with suppress(Rejected):
            ours.verify(request)
            ours.read(request)

    return read


def _provider(source: SpokenSource) -> Provider:
    tokens = {"tokens": list(source.tokens)} if source.tokens else {}
    return PROVIDERS[source.provider]({**source.options, **tokens}, source.secrets)


def _corpus_requests() -> Iterator[tuple[str, Read]]:
    """What is in `webhooks` beside the mails: documents, signed here, and the lines of call logs."""
    folder = CORPUS.parent / "webhooks"
    if not folder.is_dir():
        return
    line, whatsapp = LineSender(LINE_SECRET, time.time), WhatsAppSender(META_SECRET, time.time)
    yield "line/webhook.json", _request("line", line.sign((folder / "line" / "webhook.json").read_bytes()))
    for path in sorted((folder / "whatsapp").glob("*.json")):
        for name, document in json.loads(path.read_bytes()).items():
            yield f"whatsapp/{name}", _request("whatsapp", whatsapp.sign(json.dumps(document).encode()))
    record = FreeswitchSender("switch:s3cret", time.time, lambda: UUID(int=1))
    headers = {**record.call().headers, "content-type": "application/json"}
    content = (folder / "voice" / "freeswitch_json_cdr_excerpt.json").read_bytes()
    yield "freeswitch_json_cdr_excerpt.json", _request("freeswitch", SignedRequest(headers, content))
    yield from _lines(folder / "voice" / "asterisk_cdr.csv", lambda line: read_row(line, _ROWS, datetime.now(UTC)))
    yield from _lines(folder / "voice" / "asterisk_queue_log.txt", read_event)


_ROWS = RowFormat((), UTC_ZONE)


def _lines(path: Path, understand: Callable[[str], object]) -> Iterator[tuple[str, Read]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):

        def read(line: str = line) -> None:
            with suppress(RowUnreadable):
                understand(line)

        yield f"{path.name}, line {number}", read


def _table(taken: Mapping[str, Mapping[str, float]]) -> Table:
    table = Table(title=f"Slowest to read, in ms of processor time; budget {1000 * BUDGET_SECONDS:,.0f}")
    for title in ("kind", "which"):
        table.add_column(title)
    table.add_column("ms", justify="right")
    for kind, each in taken.items():
        for name, seconds in sorted(each.items(), key=lambda pair: -pair[1])[:SHOWN]:
            table.add_row(kind, name, f"{1000 * seconds:,.1f}")
    return table
