"""From a message with a file at the provider to its ticket: router, table, fetcher, Kafka, router again."""

import asyncio
import os
import sys
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
from ingest_files.fetch_files import FileFetching, Limits
from ingest_files.file_sources import read_file_sources
from ingest_files.guarded_http import GuardedClient
from ingest_files.metrics import FileMetrics
from tests.integration.test_router import Routers, routers
from tests.support.incoming import message
from tests.support.mail_service import read_log
from tests.support.partners.bot_api import BotApi, bot_api
from tests.support.partners.call_recordings import AircallRecordings
from tests.support.partners.file_platforms import CONTENT, WecomFiles, serving
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
  - {{name: shop, provider: standard-webhooks}}
"""
TOKEN_SOURCES = """
sources:
  - name: wecom
    provider: wecom
    files: {{app_id: {app_id}, secrets: [env:WECOM_SECRET], api: "{api}"}}
"""
CALL_SOURCES = """
sources:
  - name: aircall
    provider: aircall
    files: {{tokens: [env:AIRCALL_FILES], api: "{api}"}}
"""


@pytest.fixture(autouse=True)
def _at_once() -> Iterator[None]:
    with stamina.set_testing(True, attempts=1):
        yield


class Fetching:
    """One process of ingest-files on real servers."""

    def __init__(self, work: FileFetching, routers: Routers, bootstrap: str, prefix: str) -> None:
        self.work = work
        self.routers = routers
        self._bootstrap = bootstrap
        self._prefix = prefix

    async def waiting(self) -> int:
        return await self.routers.count("file_fetches")

    async def make_due(self) -> None:
        """Let time pass: pauses and leases end."""
        await self.routers.rows("UPDATE file_fetches SET not_before = now() - interval '1 second'")

    async def told(self) -> list[MessageReceived]:
        return await read_log(self._bootstrap, self._prefix)


@asynccontextmanager
async def fetching(
    routers: Routers, kafka: SharedKafka, prefix: str, folder: Path, partner: BotApi, attempts: int = 3
) -> AsyncIterator[Fetching]:
    file = folder / "sources.yaml"
    file.write_text(SOURCES.format(token=partner.token, api=partner.url))
    sources = read_file_sources(file, {"OLD": "the-token-before"})
    storage = ObjectStorage.open((folder / "objects").as_uri())
    async with (
        open_edge_publisher(kafka.bootstrap, prefix) as publisher,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        work = FileFetching(
            routers.pool,
            FileFetcher(GuardedClient(client, 1000), sources, storage.put, None),
            publisher.publish,
            Limits(5, 4, attempts),
            FileMetrics(CollectorRegistry()),
            lambda: str(uuid7()),
            lambda: datetime.now(UTC),
        )
        yield Fetching(work, routers, kafka.bootstrap, prefix)


@asynccontextmanager
async def service(
    routers: Routers, kafka: SharedKafka, prefix: str, database_url: str, folder: Path, **secrets: str
) -> AsyncIterator[Path]:
    """Run the service until it has stopped by itself when told; the file that is given has what it logged."""
    settings = {
        "KAFKA": kafka.bootstrap,
        "TOPIC_PREFIX": prefix,
        "POSTGRES": database_url,
        "PORT": "0",
        "SOURCES_FILE": str(folder / "sources.yaml"),
        "OBJECT_STORE": (folder / "objects").as_uri(),
        "LOG_LEVEL": "debug",
    }
    environment = os.environ | {f"FIREBREAK_{name}": value for name, value in settings.items()} | secrets
    log = folder / "log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ingest_files", env=environment, stdout=output
        )
        try:
            yield log
            process.terminate()
            assert await asyncio.wait_for(process.wait(), PROCESS_SECONDS) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def until_nothing_waits(routers: Routers) -> None:
    async with asyncio.timeout(PROCESS_SECONDS):
        while await routers.count("file_fetches"):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


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
        assert await process.work.work_once() == 2
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
        [row] = await routers.rows(file_fetches.TAKE, 1, timedelta(minutes=1))  # and died
        assert await process.work.work_once() == 0
        await process.make_due()
        assert await process.work.work_once() == 1
        # Another one died after Kafka had acknowledged and before the row was gone.
        await routers.rows(
            "INSERT INTO file_fetches SELECT $1, 0, 'telegram', $2::text::jsonb, $3::text::jsonb, 'c', 1, now()",
            row["identity"],
            row["message"],
            row["file"],
        )
        assert await process.work.work_once() == 1
        first, second = await process.told()
        assert first.identity == second.identity
        assert len(await routers.route(first, second)) == 1


async def test_a_provider_that_is_away_is_asked_later_and_not_for_ever(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    async with bot_api(TOKEN) as partner, fetching(routers, kafka, topics, tmp_path, partner, attempts=2) as process:
        partner.refusals = 99
        await routers.route(with_files("receipt"))
        assert await process.work.work_once() == 1
        assert await process.work.work_once() == 0  # not before its pause is over
        await process.make_due()
        assert await process.work.work_once() == 1
        [told] = await process.told()
        assert told.files[0].state is FileState.FAILED
        assert told.files[0].reason == "given up after 2 attempts: the provider answered 503"
        assert await process.waiting() == 0


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
        ("{token: x}", "token"),
    ],
)
def test_files_that_cannot_be_fetched_are_named_at_the_start(files: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text(f"sources: [{{name: a, provider: telegram, files: {files}}}]")
    with pytest.raises(SourcesInvalid, match=problem):
        read_file_sources(path, {})


async def test_the_service_fetches_by_itself_and_stops_when_it_is_told(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path, database_url: str
) -> None:
    async with bot_api(TOKEN) as partner:
        partner.files["receipt"] = b"paid"
        (tmp_path / "sources.yaml").write_text(SOURCES.format(token=TOKEN, api=partner.url))
        await routers.route(with_files("receipt"))
        async with service(routers, kafka, topics, database_url, tmp_path, OLD="before") as log:
            await until_nothing_waits(routers)
    [told] = await read_log(kafka.bootstrap, topics)
    assert told.files[0].state is FileState.STORED
    assert TOKEN not in log.read_text()


async def test_a_token_that_ends_is_renewed_and_a_file_done_twice_is_one(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path, database_url: str
) -> None:
    async with serving(WecomFiles()) as partner:
        (tmp_path / "sources.yaml").write_text(TOKEN_SOURCES.format(app_id=partner.app_id, api=partner.base))
        await routers.route(with_files("one", "gone", source="wecom"))
        [row] = await routers.rows("SELECT identity, message, file FROM file_fetches WHERE number = 0")
        async with service(routers, kafka, topics, database_url, tmp_path, WECOM_SECRET=partner.secret) as log:
            await until_nothing_waits(routers)
            assert partner.exchanges == 1
            partner.end_tokens()
            # A process died after Kafka had acknowledged and before the row was gone.
            await routers.rows(
                "INSERT INTO file_fetches SELECT $1, 0, 'wecom', $2::text::jsonb, $3::text::jsonb, 'c', 0, now()",
                row["identity"],
                row["message"],
                row["file"],
            )
            await until_nothing_waits(routers)
        assert partner.exchanges == 2
        told = await read_log(kafka.bootstrap, topics)
        stored, again = (each for each in told if each.files[0].number == 0)
        assert [each.files[0].state for each in (stored, again)] == [FileState.STORED] * 2
        assert stored.identity == again.identity
        [failed] = (each.files[0] for each in told if each.files[0].number == 1)
        assert (failed.state, failed.reason) == (FileState.FAILED, "WeCom does not give out the file (40007)")
        assert len(await routers.route(*told)) == 2
        logged = log.read_text()
        assert not [secret for secret in (partner.secret, *partner.given) if secret in logged]


async def test_a_voicemail_becomes_a_file_of_its_ticket_and_no_link_is_written_down(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path, database_url: str
) -> None:
    async with serving(AircallRecordings()) as partner:
        (tmp_path / "sources.yaml").write_text(CALL_SOURCES.format(api=partner.base))
        await routers.route(with_files("812/voicemail", source="aircall"))
        async with service(routers, kafka, topics, database_url, tmp_path, AIRCALL_FILES=partner.secret) as log:
            await until_nothing_waits(routers)
    [told] = await read_log(kafka.bootstrap, topics)
    [file] = told.files
    assert (file.state, file.media_type) == (FileState.STORED, "audio/mpeg"), file.reason
    assert file.content is not None
    assert await ObjectStorage.open((tmp_path / "objects").as_uri()).get(file.content.key) == CONTENT
    assert "X-Amz-Signature" not in told.encode().decode() + log.read_text()
    assert partner.secret not in log.read_text()
    assert len(await routers.route(told)) == 1
