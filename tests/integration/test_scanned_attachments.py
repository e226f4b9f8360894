"""Files that came inside a message: pending with it, scanned where they are stored, and told to their ticket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from ingest_files.scan_file import Scanner
from tests.integration.test_ingest_files import TOKEN, Fetching, fetching
from tests.integration.test_router import Routers, routers
from tests.support.incoming import mail
from tests.support.partners.bot_api import BotApi
from tests.support.partners.clamd import EICAR, FOUND, Clamd, clamd
from tests.support.servers import SharedKafka
from ticket_contracts.envelope import Event
from ticket_contracts.messages import Attachment, MessageReceived
from ticket_contracts.topics import Topic
from ticket_contracts.vocabulary import FileState, MessageKind, Scan
from ticket_stream.edge_publisher import EventTooLarge, KafkaAway

__all__ = ["routers"]  # the fixture


@asynccontextmanager
async def scanning(
    routers: Routers, kafka: SharedKafka, prefix: str, folder: Path, partner: Clamd | None, attempts: int = 2
) -> AsyncIterator[Fetching]:
    scanner = Scanner(*partner.address, seconds=5) if partner else None
    nobody = BotApi(TOKEN, url="http://127.0.0.1:1")
    async with fetching(routers, kafka, prefix, folder, nobody, attempts=attempts, scanner=scanner) as process:
        yield process


async def mailed(process: Fetching, *contents: bytes) -> MessageReceived:
    """A mail whose attachments are stored, as ingest-email leaves them."""
    attachments = [
        Attachment(name=f"{number}.zip", content=await process.storage.put(content, "application/zip"))
        for number, content in enumerate(contents)
    ]
    return mail("<1@x>", attachments=tuple(attachments))


async def test_attachments_are_pending_until_the_scanner_has_told_one_result_for_all(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    async with clamd() as partner, scanning(routers, kafka, topics, tmp_path, partner) as process:
        message = await mailed(process, b"a bill", EICAR)
        [opened] = await routers.route(message, message, router=routers.new(scans=True))
        assert [each.state for each in opened.message.attachments] == [FileState.PENDING, FileState.PENDING]
        assert await process.waiting() == 1
        assert await process.work_once() == 1
        assert await process.waiting() == 0

        [told] = await process.told()
        clean, infected = told.files
        assert (clean.state, clean.scan) == (FileState.STORED, Scan.CLEAN)
        assert (infected.state, infected.scan, infected.reason) == (FileState.INFECTED, Scan.INFECTED, FOUND)
        assert (infected.name, infected.size) == ("1.zip", len(EICAR))
        assert [each.attachment_key for each in told.files] == [each.content.key for each in message.attachments]
        [command] = await routers.route(told, router=routers.new(scans=True))
        assert (command.ticket_id, command.message.kind) == (opened.ticket_id, MessageKind.ATTACHMENT)
        assert await process.waiting() == 0


async def test_without_a_scanner_nothing_is_ordered_and_the_file_is_stored_at_once(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    async with scanning(routers, kafka, topics, tmp_path, None) as process:
        message = await mailed(process, b"a bill")
        [opened] = await routers.route(message)
        assert [each.state for each in opened.message.attachments] == [FileState.STORED]
        assert await process.waiting() == 0
        # The router was told of a scanner and ingest-files was not: nobody waits for what never comes.
        [later] = await routers.route(message.model_copy(update={"identity": "1" * 64}), router=routers.new(scans=True))
        assert later.message.attachments[0].state is FileState.PENDING
        assert await process.work_once() == 1
        [told] = await process.told()
        assert (told.files[0].state, told.files[0].scan) == (FileState.STORED, None)


async def test_a_scanner_that_is_away_is_waited_for_without_end_and_seen(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    async with clamd() as partner, scanning(routers, kafka, topics, tmp_path, partner) as process:
        partner.silent = True
        away = process.slots.work.metrics.scanner_away
        await routers.route(await mailed(process, b"a bill"), router=routers.new(scans=True))
        assert await process.work_once() == 1
        for _ in range(5):  # more often than a file is tried
            await process.make_due()
            assert await process.work_once() == 0
            process.slots.work.scanner.away = False  # another process, which does not know yet
            assert await process.work_once() == 1
        assert [sample.value for metric in away.collect() for sample in metric.samples] == [1]
        assert await process.told() == []

        partner.silent = False
        await process.make_due()
        assert await process.work_once() == 1
        [told] = await process.told()
        assert told.files[0].scan is Scan.CLEAN
        assert [sample.value for metric in away.collect() for sample in metric.samples] == [0]


async def test_a_file_of_which_the_scanner_cannot_tell_is_failed_in_the_end(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    async with (
        clamd(answer=b"stream: broken ERROR\0") as partner,
        scanning(routers, kafka, topics, tmp_path, partner) as process,
    ):
        await routers.route(await mailed(process, b"a bill"), router=routers.new(scans=True))
        for _ in range(2):
            assert await process.work_once() == 1
            await process.make_due()
        [told] = await process.told()
        assert told.files[0].state is FileState.FAILED
        assert told.files[0].reason.startswith("given up after 2 attempts: the scanner could not tell")
        assert told.files[0].content is None


async def test_a_file_that_the_scanner_cannot_tell_of_takes_no_other_file_of_its_message_along(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    async with (
        clamd(unsure=b"riddle") as partner,
        scanning(routers, kafka, topics, tmp_path, partner) as process,
    ):
        contents = (b"a bill", b"a riddle", EICAR, b"riddle 2", b"riddle 3", b"never asked")
        await routers.route(await mailed(process, *contents), router=routers.new(scans=True))
        for _ in range(2):
            assert await process.work_once() == 1
            await process.make_due()
        [told] = await process.told()
        failed = FileState.FAILED
        states = [each.state for each in told.files]
        assert states == [FileState.STORED, failed, FileState.INFECTED, failed, failed, failed]
        assert told.files[0].scan is Scan.CLEAN
        assert told.files[1].reason == "given up after 2 attempts: the scanner could not tell: stream: broken ERROR"
        assert b"never asked" not in partner.scanned


async def test_a_file_that_ends_the_scanner_each_time_is_failed_and_holds_no_other_up_for_ever(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    async with clamd(deadly=b"bomb") as partner, scanning(routers, kafka, topics, tmp_path, partner) as process:
        await routers.route(await mailed(process, b"a bomb"), router=routers.new(scans=True))
        for _ in range(2):
            partner.silent = False  # somebody restarts it
            assert await process.work_once() == 1
            assert process.slots.work.scanner.away is partner.silent is True
            assert await process.slots.start_due() == 0
            await process.make_due()
        [told] = await process.told()
        assert told.files[0].state is FileState.FAILED
        assert await process.waiting() == 0


async def test_an_order_that_cannot_be_read_or_told_harms_no_other(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    async with clamd() as partner, scanning(routers, kafka, topics, tmp_path, partner) as process:
        message = await mailed(process, b"a bill")
        await routers.route(message, router=routers.new(scans=True))
        await routers.rows("UPDATE file_fetches SET file = '[{}]', not_before = now() - interval '1 minute'")
        other = {"identity": "1" * 64, "provider_id": "<2@x>"}
        await routers.route(message.model_copy(update=other), router=routers.new(scans=True))
        working = process.slots.work

        async def too_large(topic: Topic, key: str, event: Event) -> None:
            raise EventTooLarge("no event can hold it")

        process.slots.work = replace(working, publish=too_large)
        assert await process.work_once() == 1
        assert await process.work_once() == 0  # both are put off
        assert await process.waiting() == 2
        process.slots.work = working
        await process.make_due()
        assert await process.work_once() == 1
        assert [each.provider_id for each in await process.told()] == ["<2@x>"]
        assert await process.waiting() == 1


async def test_a_file_that_ends_each_process_that_takes_it_is_failed_and_not_taken_for_ever(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    async with clamd() as partner, scanning(routers, kafka, topics, tmp_path, partner) as process:
        message = await mailed(process, b"a bomb")
        await routers.route(message, router=routers.new(scans=True))
        for _ in range(2):
            assert await process.slots.work.orders.take([])  # and died
            await process.make_due()
        assert await process.work_once() == 1
        [told] = await process.told()
        assert told.files[0].state is FileState.FAILED
        assert partner.scanned == []


async def test_a_result_that_kafka_does_not_take_is_told_when_it_is_back_and_counts_no_attempt(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    async with clamd() as partner, scanning(routers, kafka, topics, tmp_path, partner) as process:

        async def away(topic: Topic, key: str, event: Event) -> None:
            raise KafkaAway("no broker answers")

        working = process.slots.work
        await routers.route(await mailed(process, EICAR), router=routers.new(scans=True))
        process.slots.work = replace(working, publish=away)
        for _ in range(3):
            assert await process.work_once() == 1
            await process.make_due()
        assert await process.waiting() == 1
        process.slots.work = working
        assert await process.work_once() == 1
        [told] = await process.told()
        assert told.files[0].state is FileState.INFECTED
        assert await process.waiting() == 0


async def test_two_tellings_of_a_scan_are_one_for_the_ticket(
    routers: Routers, kafka: SharedKafka, topics: str, tmp_path: Path
) -> None:
    async with clamd() as partner, scanning(routers, kafka, topics, tmp_path, partner) as process:
        await routers.route(await mailed(process, b"a bill"), router=routers.new(scans=True))
        order = await process.slots.work.orders.take([])  # frozen here, and its lease ends
        assert order
        await process.make_due()
        assert await process.work_once() == 1
        await process.slots.work.work(order)  # and awake again
        first, second = await process.told()
        assert first.identity == second.identity
        assert len(await routers.route(first, second)) == 1
