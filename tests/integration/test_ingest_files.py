"""From a message with a file at the provider to its ticket: router, table, fetcher, Kafka, router again."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import stamina
from prometheus_client import CollectorRegistry
from uuid_utils.compat import uuid7

from ingest_files.fetch_file import FileFetcher
from ingest_files.fetch_files import FileFetching
from ingest_files.file_sources import read_file_sources
from ingest_files.guarded_http import GuardedClient
from ingest_files.leased_orders import LeasedOrders
from ingest_files.metrics import FileMetrics
from ingest_files.scan_attachments import AttachmentScanner
from ingest_files.scan_file import Scanner
from ingest_files.scanner_state import ScannerState
from ingest_files.watched_storage import WatchedStorage
from ingest_files.work_order import Limits, OrderWork
from tests.integration.test_router import Routers, routers
from tests.support.incoming import message
from tests.support.mail_service import read_log
from tests.support.partners.bot_api import BotApi, bot_api
from tests.support.servers import SharedKafka
from ticket_contracts.messages import Conversation, MessageReceived, RemoteFile
from ticket_contracts.vocabulary import FileState, MessageKind
from ticket_intake.source_file import SourcesInvalid
from ticket_store.object_storage import ObjectStorage
from ticket_store.tables import file_fetches
from ticket_stream.edge_publisher import open_edge_publisher

__all__ = ["routers"]  # the fixture

PROCESS_SECONDS = 30  # a Python process on a busy machine
TOKEN = "17:secret"
SOURCES = """
sources:
  - name: telegram
    provider: telegram
    brand: acme
    files: {{tokens: [env:OLD, {{value: "{token}"}}], api: "{api}"}}
  - {{name: second, provider: telegram, files: {{tokens: [{{value: "{token}"}}], api: "{api}"}}}}
  - {{name: shop, provider: standard-webhooks}}
"""


@pytest.fixture(autouse=True)
def _at_once() -> Iterator[None]:
    with stamina.set_testing(True, attempts=1):
        yield


class Fetching:
    """One process of ingest-files on real servers; `publish` may be replaced, `storage` holds what came in messages."""

    def __init__(self, slots: FileFetching, storage: ObjectStorage, routers: Routers, log_of: tuple[str, str]) -> None:
        self.slots = slots
        self.storage = storage
        self.routers = routers
        self._log_of = log_of

    async def work_once(self) -> int:
        """Take what is due into the slots, and return how much it was when all of it has ended."""
        started = await self.slots.start_due()
        await self.slots.finish()
        return started

    async def waiting(self) -> int:
        return await self.routers.count("file_fetches")

    async def make_due(self) -> None:
        """Let time pass: pauses and leases end."""
        await self.routers.rows("UPDATE file_fetches SET not_before = now() - interval '1 second'")

    async def told(self) -> list[MessageReceived]:
        return await read_log(*self._log_of)


def write_sources(folder: Path, partner: BotApi) -> Path:
    file = folder / "sources.yaml"
    file.write_text(SOURCES.format(token=partner.token, api=partner.url))
    return file


@asynccontextmanager
async def fetching(
    routers: Routers,
    kafka: SharedKafka,
    prefix: str,
    folder: Path,
    partner: BotApi,
    *,
    attempts: int = 3,
    scanner: Scanner | None = None,
    lease_seconds: float = 60,
) -> AsyncIterator[Fetching]:
    sources = read_file_sources(write_sources(folder, partner), {"OLD": "the-token-before"}).by_name
    storage = ObjectStorage.open((folder / "objects").as_uri())
    metrics = FileMetrics(CollectorRegistry())
    watched = WatchedStorage(storage.put, storage.get, PROCESS_SECONDS, metrics, lambda: 0.0)
    async with (
        open_edge_publisher(kafka.bootstrap, prefix) as publisher,
        httpx.AsyncClient(trust_env=False, timeout=2 * PROCESS_SECONDS) as client,
    ):
        work = OrderWork(
            LeasedOrders(routers.pool, timedelta(seconds=lease_seconds)),
            FileFetcher(GuardedClient(client, 1000), sources, watched.put, scanner),
            AttachmentScanner(watched.get, scanner),
            ScannerState(scanner, metrics),
            watched,
            publisher.publish,
            Limits(2 * PROCESS_SECONDS, attempts),
            metrics,
            lambda: str(uuid7()),
            lambda: datetime.now(UTC),
        )
        slots = FileFetching(work, at_once=4, may_tell=publisher.available)
        yield Fetching(slots, storage, routers, (kafka.bootstrap, prefix))


def with_files(*locators: str, source: str = "telegram") -> MessageReceived:
    files = tuple(RemoteFile(number=number, name=f"{name}.txt", locator=name) for number, name in enumerate(locators))
    return message("42/7", Conversation(key="42"), source=source, files=files, text="look")


async def test_a_file_is_fetched_once_and_joins_its_ticket(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    async with bot_api(TOKEN) as partner, fetching(routers, kafka, topics, tmp_path, partner) as process:
        partner.files["receipt"] = b"paid"
        [opened] = await routers.route(with_files("receipt", "gone"))
        assert await process.waiting() == 2
        assert await process.work_once() == 2
        assert await process.waiting() == 0

        told = sorted(await process.told(), key=lambda each: each.files[0].number)
        assert {each.kind for each in told} == {MessageKind.ATTACHMENT}
        [[stored], [failed]] = [each.files for each in told]
        assert (stored.state, stored.size) == (FileState.STORED, 4)
        assert stored.content is not None
        assert (tmp_path / "objects" / stored.content.key).read_bytes() == b"paid"
        assert (failed.state, "400" in failed.reason) == (FileState.FAILED, True)
        commands = await routers.route(*told)
        assert {command.ticket_id for command in commands} == {opened.ticket_id}
        assert [command.message.provider_id for command in commands] == ["42/7", "42/7"]
        assert await process.waiting() == 0  # what was fetched is not ordered again


async def test_a_process_that_died_with_a_file_leaves_it_to_the_next_and_two_tellings_are_one(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    async with bot_api(TOKEN) as partner, fetching(routers, kafka, topics, tmp_path, partner) as process:
        partner.files["receipt"] = b"paid"
        await routers.route(with_files("receipt"))
        [row] = await routers.rows(file_fetches.TAKE, timedelta(minutes=1), [])  # and died
        assert await process.work_once() == 0
        await process.make_due()
        assert await process.work_once() == 1
        # Another one died after Kafka had acknowledged and before the row was gone.
        await routers.rows(
            "INSERT INTO file_fetches SELECT $1, 0, 'telegram', $2::text::jsonb, $3::text::jsonb, 'c', 1, now()",
            row["identity"],
            row["message"],
            row["file"],
        )
        assert await process.work_once() == 1
        first, second = await process.told()
        assert first.identity == second.identity
        assert len(await routers.route(first, second)) == 1


async def test_a_provider_that_is_away_is_asked_later_and_not_for_ever(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    async with bot_api(TOKEN) as partner, fetching(routers, kafka, topics, tmp_path, partner, attempts=2) as process:
        partner.refusals = 99
        await routers.route(with_files("receipt"))
        assert await process.work_once() == 1
        assert await process.work_once() == 0  # not before its pause is over
        await process.make_due()
        assert await process.work_once() == 1
        [told] = await process.told()
        assert told.files[0].state is FileState.FAILED
        assert told.files[0].reason == "given up after 2 attempts: the provider answered 503"
        assert await process.waiting() == 0


async def test_while_kafka_is_away_no_provider_is_asked_for_what_could_not_be_told(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    async with bot_api(TOKEN) as partner, fetching(routers, kafka, topics, tmp_path, partner) as process:
        partner.files["bill"] = b"paid"
        await routers.route(with_files("bill"))
        there, process.slots.may_tell = process.slots.may_tell, lambda: False
        assert await process.work_once() == 0
        process.slots.may_tell = there
        assert await process.work_once() == 1
        assert [each.files[0].state for each in await process.told()] == [FileState.STORED]


async def test_while_our_storage_is_away_one_file_a_pause_is_fetched_for_it_and_none_uses_up_its_tries(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    async with bot_api(TOKEN) as partner, fetching(routers, kafka, topics, tmp_path, partner, attempts=2) as process:
        partner.files |= {"bill": b"paid", "receipt": b"paid too"}
        objects, aside = tmp_path / "objects", tmp_path / "aside"
        objects.rename(aside)
        objects.touch()  # what is to be a folder is none
        await routers.route(with_files("bill", "receipt"))
        assert await process.work_once() == 2
        storage, now = process.slots.work.storage, 0.0
        for fetched in range(3, 6):  # more often than a file is tried
            await process.make_due()
            assert await process.work_once() == 0
            storage.monotonic = (now := now + storage.pause).__float__
            assert await process.work_once() == 1
            assert len([path for path in partner.asked if path.startswith("/file/")]) == fetched
        assert await routers.rows("SELECT 1 FROM file_fetches WHERE attempts > 0") == []
        assert len(await routers.rows("SELECT 1 FROM file_fetches WHERE not_before > now() + interval '1 minute'")) == 1
        objects.unlink()
        aside.rename(objects)
        await process.make_due()
        storage.monotonic = (now + storage.pause).__float__
        assert [await process.work_once(), await process.work_once()] == [1, 1]
        assert {each.files[0].state for each in await process.told()} == {FileState.STORED}


async def test_a_slow_provider_holds_its_own_slots_and_nobody_elses(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    async with bot_api(TOKEN) as partner, fetching(routers, kafka, topics, tmp_path, partner) as process:
        partner.files |= {"slow": b"at last", "quick": b"paid"}
        partner.held.add("slow")
        await routers.route(with_files("slow", "slow", "slow", "slow"))
        await routers.route(with_files("quick").model_copy(update={"source": "second", "identity": "0" * 64}))
        running = asyncio.create_task(process.slots.run())
        async with asyncio.timeout(PROCESS_SECONDS):
            while await process.waiting() == 5:  # noqa: ASYNC110 - a row goes after Kafka's word
                await asyncio.sleep(0.02)
            assert [each.files[0].name for each in await process.told()] == ["quick.txt"]
            partner.go.set()
            while await process.waiting():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        running.cancel()
        assert len(await process.told()) == 5


async def test_files_that_are_not_due_cost_nobody_a_look(routers: Routers) -> None:
    await routers.rows(
        "INSERT INTO file_fetches SELECT sha256(n::text::bytea), 0, 'telegram', '{}', '{}', 'c', 0, now() + interval "
        "'1 hour' FROM generate_series(1, 10000) AS n"
    )
    await routers.rows("ANALYZE file_fetches")
    plan = await routers.rows(f"EXPLAIN (ANALYZE) {file_fetches.TAKE}", timedelta(seconds=1), ["second"])
    told = "\n".join(line[0] for line in plan)
    assert "Index Cond: (not_before <=" in told, told
    assert "Rows Removed" not in told, told


async def test_the_result_of_a_file_whose_ticket_is_unknown_opens_none(routers: Routers) -> None:
    stray = with_files().model_copy(
        update={"kind": MessageKind.ATTACHMENT, "files": (RemoteFile(number=0, name="a", state=FileState.STORED),)}
    )
    assert await routers.route(stray) == []


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ("{tokens: [env:MISSING]}", "set the environment variable MISSING"),
        ("{}", "only for a token"),
        ("{tokens: [{value: t}], api: 'ftp://x'}", "api"),
        ("{tokens: [{value: t}], api: 'http://x:99999'}", "api: Port out of range"),
        ("{token: x}", "token"),
    ],
)
def test_files_that_cannot_be_fetched_are_named_at_the_start(files: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text(f"sources: [{{name: a, provider: telegram, files: {files}}}]")
    with pytest.raises(SourcesInvalid, match=problem):
        read_file_sources(path, {})
