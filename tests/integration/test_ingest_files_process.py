"""ingest-files as a process of its own: it fetches, is killed, loses its servers, and stops when it is told."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from firebreak_cli.local_stack.ports import LOOPBACK
from service_kit.http_server import serve
from service_kit.supervisor import Supervisor
from tests.integration.test_ingest_files import PROCESS_SECONDS, TOKEN, fetching, with_files, write_sources
from tests.integration.test_router import Routers, routers
from tests.support.commit_cutter import open_commit_cutter, through
from tests.support.mail_service import read_log
from tests.support.partners.bot_api import bot_api
from tests.support.partners.call_recordings import AircallRecordings, SwitchRecordings
from tests.support.partners.file_platforms import CONTENT, WecomFiles, serving
from tests.support.partners.object_bucket import BUCKET, KEY_ID, ObjectBucket
from tests.support.servers import SharedKafka
from ticket_contracts.vocabulary import FileState
from ticket_store.object_storage import ObjectStorage

__all__ = ["routers"]  # the fixture

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
    files: {{tokens: [env:AIRCALL_FILES], api: "{aircall}"}}
  - name: switch
    provider: freeswitch
    files: {{tokens: [env:SWITCH_FILES], api: "{switch}/recordings"}}
"""
PULLED_CALL_SOURCES = """
sources:
  - name: connect
    provider: connect-records
    files: {{tokens: [env:CONNECT_FILES], api: "{connect}", bucket: {bucket}/calls, region: eu-west-1}}
"""


@dataclass(frozen=True, slots=True)
class Running:
    """ingest-files as a process of its own, and the file with what it says and logs."""

    process: asyncio.subprocess.Process
    log: Path

    async def stop(self) -> None:
        self.process.terminate()
        assert await asyncio.wait_for(self.process.wait(), PROCESS_SECONDS) == 0


@asynccontextmanager
async def service(
    kafka: SharedKafka, prefix: str, folder: Path, database_url: str, lease_seconds: float = 15, **secrets: str
) -> AsyncIterator[Running]:
    """Run it with the sources file in the folder, until the block ends."""
    pull_sources = folder / "pull-sources.yaml"
    settings = {
        **({"PULL_SOURCES_FILE": str(pull_sources)} if pull_sources.exists() else {}),
        "KAFKA": kafka.bootstrap,
        "TOPIC_PREFIX": prefix,
        "POSTGRES": database_url,
        "PORT": "0",
        "SOURCES_FILE": str(folder / "sources.yaml"),
        "OBJECT_STORE": (folder / "objects").as_uri(),
        "LEASE_SECONDS": str(lease_seconds),
        "LOG_LEVEL": "debug",
    }
    environment = os.environ | {f"FIREBREAK_{name}": value for name, value in settings.items()} | secrets
    log = folder / "log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ingest_files", env=environment, stdout=output, stderr=output
        )
        try:
            yield Running(process, log)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def until_nothing_waits(routers: Routers) -> None:
    async with asyncio.timeout(PROCESS_SECONDS):
        while await routers.count("file_fetches"):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


async def test_the_service_fetches_by_itself_and_stops_when_it_is_told(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path, database_url: str
) -> None:
    async with bot_api(TOKEN) as partner:
        partner.files["receipt"] = b"paid"
        write_sources(tmp_path, partner)
        await routers.route(with_files("receipt"))
        async with service(kafka, topics, tmp_path, database_url, OLD="before") as running:
            await until_nothing_waits(routers)
            await running.stop()
    [told] = await read_log(kafka.bootstrap, topics)
    assert told.files[0].state is FileState.STORED
    assert TOKEN not in running.log.read_text()


async def test_a_token_that_ends_is_renewed_and_a_file_done_twice_is_one(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path, database_url: str
) -> None:
    async with serving(WecomFiles()) as partner:
        (tmp_path / "sources.yaml").write_text(TOKEN_SOURCES.format(app_id=partner.app_id, api=partner.base))
        await routers.route(with_files("one", "gone", source="wecom"))
        [row] = await routers.rows("SELECT identity, message, file FROM file_fetches WHERE number = 0")
        async with service(kafka, topics, tmp_path, database_url, WECOM_SECRET=partner.secret) as running:
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
            await running.stop()
        assert partner.exchanges == 2
        told = await read_log(kafka.bootstrap, topics)
        stored, again = (each for each in told if each.files[0].number == 0)
        assert [each.files[0].state for each in (stored, again)] == [FileState.STORED] * 2
        assert stored.identity == again.identity
        [failed] = (each.files[0] for each in told if each.files[0].number == 1)
        assert (failed.state, failed.reason) == (FileState.FAILED, "WeCom does not give out the file (40007)")
        assert len(await routers.route(*told)) == 2
        logged = running.log.read_text()
        assert not [secret for secret in (partner.secret, *partner.given) if secret in logged]


async def test_a_killed_process_loses_the_file_in_its_hand_to_another_when_its_lease_is_over(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path, database_url: str
) -> None:
    lease = 1.0
    async with bot_api(TOKEN) as partner:
        partner.files["receipt"] = b"paid"
        partner.held.add("receipt")
        await routers.route(with_files("receipt"))
        write_sources(tmp_path, partner)
        async with service(kafka, topics, tmp_path, database_url, lease, OLD="before") as running:
            await asyncio.wait_for(partner.asked_for_held.wait(), PROCESS_SECONDS)
            [taken] = await routers.rows("SELECT not_before FROM file_fetches")
            kept = "SELECT 1 FROM file_fetches WHERE not_before > $1 AND attempts = 1"  # and not taken once more
            async with asyncio.timeout(PROCESS_SECONDS):
                while not await routers.rows(kept, taken[0]):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.02)
            async with fetching(routers, kafka, topics, tmp_path, partner, lease_seconds=lease) as other:
                running.process.kill()
                await running.process.wait()
                partner.go.set()
                taking_over = asyncio.create_task(other.slots.run())
                await until_nothing_waits(routers)
                taking_over.cancel()
    [told] = await read_log(kafka.bootstrap, topics)
    assert told.files[0].state is FileState.STORED
    assert told.files[0].content is not None
    assert (tmp_path / "objects" / told.files[0].content.key).read_bytes() == b"paid"


async def test_a_file_in_hand_while_postgres_goes_away_is_told_and_done_when_it_is_back(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path, database_url: str
) -> None:
    async with bot_api(TOKEN) as partner, open_commit_cutter(urlsplit(database_url).port or 0) as relay:
        partner.files["receipt"] = b"paid"
        partner.held.add("receipt")
        write_sources(tmp_path, partner)
        await routers.route(with_files("receipt"))
        postgres = through(relay.port, database_url)
        async with service(kafka, topics, tmp_path, postgres, 1.0, OLD="before") as running:
            await asyncio.wait_for(partner.asked_for_held.wait(), PROCESS_SECONDS)
            await relay.take_away()
            partner.go.set()
            async with asyncio.timeout(PROCESS_SECONDS):
                while not await read_log(kafka.bootstrap, topics):  # noqa: ASYNC110 - told, and its row cannot be removed
                    await asyncio.sleep(0.05)
            assert await routers.count("file_fetches") == 1
            relay.bring_back()
            await until_nothing_waits(routers)
            await running.stop()
    told = await read_log(kafka.bootstrap, topics)
    assert {each.files[0].state for each in told} == {FileState.STORED}
    assert len({each.identity for each in told}) == 1
    assert len(await routers.route(*told)) == 1


async def test_voicemails_become_files_of_their_tickets_and_no_link_is_written_down(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path, database_url: str
) -> None:
    """Of a provider with an API, of a switch with a web server beside it, of a bucket."""
    bucket = ObjectBucket()
    bucket.objects["calls/c-1.wav"] = CONTENT
    async with (
        serving(AircallRecordings()) as aircall,
        serving(SwitchRecordings()) as switch,
        serve(bucket, LOOPBACK, 0, supervisor=Supervisor()) as connect,
    ):
        sources = CALL_SOURCES.format(aircall=aircall.base, switch=switch.base)
        (tmp_path / "sources.yaml").write_text(sources)
        pulled = PULLED_CALL_SOURCES.format(connect=connect.url, bucket=BUCKET)
        (tmp_path / "pull-sources.yaml").write_text(pulled)
        locators = {
            "aircall": "812/voicemail",
            "switch": "voicemail/1000/one.wav",
            "connect": f"{BUCKET}/calls/c-1.wav",
        }
        for number, (source, locator) in enumerate(locators.items()):
            left = with_files(locator, source=source).model_copy(update={"identity": f"{number:064x}"})
            assert len(await routers.route(left)) == 1
        async with service(
            kafka, topics, tmp_path, database_url,
            AIRCALL_FILES=aircall.secret, SWITCH_FILES=switch.secret, CONNECT_FILES=f"{KEY_ID}:connect-s3cret",
        ) as running:  # fmt: skip
            await until_nothing_waits(routers)
            await running.stop()
    told = {each.source: each for each in await read_log(kafka.bootstrap, topics)}
    types = {"aircall": "audio/mpeg", "switch": "audio/wav", "connect": "audio/wav"}
    storage = ObjectStorage.open((tmp_path / "objects").as_uri())
    for source, media_type in types.items():
        [file] = told[source].files
        assert (file.state, file.media_type) == (FileState.STORED, media_type), file.reason
        assert file.content is not None
        assert await storage.get(file.content.key) == CONTENT
        assert len(await routers.route(told[source])) == 1
    logged = running.log.read_text()
    assert not [word for word in ("X-Amz-Signature", "s3cret") if word in told["aircall"].encode().decode() + logged]
