"""While Kafka is away, requests of providers that do not repeat wait in object storage and leave it in order."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import yaml
from msgspec.structs import replace

from ingest_webhook.provider import WebhookRequest
from ingest_webhook.providers.registry import PROVIDERS, REPEATING
from ingest_webhook.spool import Spool, SpoolFull
from ingest_webhook.spooled_request import Entry, NotSpooled, SpooledRequest, decode_request, encode_request
from tests.support.partners.signed_request import Way, deliver
from tests.unit.ingest_webhook.edge import NOW, SOURCES, Edge, client_of, shop_sender, slack_sender
from ticket_store.object_storage import ObjectStorage, Shelf, StorageUnavailable
from ticket_stream.edge_publisher import EventTooLarge, KafkaAway

AWAY = KafkaAway("no broker")


def request_at(seconds: int, body: bytes = b"{}") -> SpooledRequest:
    request = WebhookRequest({b"x-one": b"1"}, b"a=b", body, NOW + timedelta(seconds=seconds))
    return SpooledRequest("slack", request, "00-trace")


async def say(client: httpx.AsyncClient, *texts: str) -> list[int]:
    """Say things in one thread at Slack."""
    sender = slack_sender()
    answers = [
        await deliver(client, "/webhooks/slack", sender.message(text, thread_ts="1700000000.000001")) for text in texts
    ]
    return [answer.status_code for answer in answers]


def test_every_repeating_provider_exists() -> None:
    assert set(PROVIDERS) > REPEATING


async def test_without_kafka_a_sender_that_does_not_repeat_is_answered_and_its_message_follows(tmp_path: Path) -> None:
    edge = Edge(publish_failure=AWAY)
    async with client_of(edge.app(tmp_path)) as client:
        assert await say(client, "one", "two") == [200, 200]
        assert edge.published == []
        assert edge.registry.get_sample_value("firebreak_spool_requests") == 2
        assert edge.registry.get_sample_value("firebreak_spool_kept_total", {"source": "slack"}) == 2
        edge.publish_failure = None
        assert await edge.drain.drain_once() == 2
    assert [message.text for message in edge.messages] == ["one", "two"]
    assert {message.received_at for message in edge.messages} == {NOW}
    assert await edge.storage.shelf("spool").names() == []
    assert edge.registry.get_sample_value("firebreak_spool_requests") == 0


async def test_what_comes_while_others_of_its_source_wait_goes_behind_them(tmp_path: Path) -> None:
    edge = Edge(publish_failure=AWAY)
    async with client_of(edge.app(tmp_path)) as client:
        await say(client, "one")
        edge.publish_failure = None
        await say(client, "two")
        assert edge.published == []
        await edge.drain.drain_once()
        await say(client, "three")
    assert [message.text for message in edge.messages] == ["one", "two", "three"]


async def test_the_sources_of_senders_that_repeat_are_not_held_up_by_it(tmp_path: Path) -> None:
    edge = Edge(publish_failure=AWAY)
    async with client_of(edge.app(tmp_path)) as client:
        await say(client, "one")
        edge.publish_failure = None
        answer = await deliver(client, "/webhooks/shop", shop_sender().message("hello"))
    assert answer.status_code == 200
    assert [message.text for message in edge.messages] == ["hello"]


async def test_a_restart_finds_what_was_kept_and_lets_nothing_overtake_it(tmp_path: Path) -> None:
    edge = Edge(publish_failure=AWAY)
    async with client_of(edge.app(tmp_path)) as client:
        await say(client, "one")
    edge = edge.restarted()
    async with client_of(edge.app(tmp_path)) as client:
        await edge.drain.spool.look()
        await say(client, "two")
        await edge.drain.drain_once()
    assert [message.text for message in edge.messages] == ["one", "two"]


async def test_what_kafka_refuses_while_draining_stays_for_the_next_time(tmp_path: Path) -> None:
    edge = Edge(publish_failure=AWAY)
    async with client_of(edge.app(tmp_path)) as client:
        await say(client, "one", "two")
        with pytest.raises(KafkaAway):
            await edge.drain.drain_once()
        edge.publish_failure = None
        await edge.drain.drain_once()
    assert [message.text for message in edge.messages] == ["one", "two"]


async def test_a_request_that_can_never_be_published_is_set_aside_and_the_next_goes_on(tmp_path: Path) -> None:
    edge = Edge(publish_failure=AWAY)
    async with client_of(edge.app(tmp_path)) as client:
        await say(client, "one")
        edge.publish_failure = EventTooLarge("too large")
        await edge.drain.drain_once()
        edge.publish_failure = None
        await say(client, "two")
    assert [message.text for message in edge.messages] == ["two"]
    assert len(await edge.storage.shelf("spool-set-aside").names()) == 1
    assert edge.registry.get_sample_value("firebreak_spool_set_aside_total") == 1


async def test_requests_of_a_source_that_was_removed_wait_for_it_to_come_back(tmp_path: Path) -> None:
    edge = Edge(publish_failure=AWAY)
    async with client_of(edge.app(tmp_path)) as client:
        await say(client, "one")
    document = yaml.safe_load(SOURCES)
    document["sources"] = [each for each in document["sources"] if each["name"] != "slack"]
    edge = edge.restarted()
    edge.app(tmp_path, sources=yaml.safe_dump(document))
    await edge.drain.spool.look()
    assert await edge.drain.drain_once() == 0
    edge = edge.restarted()
    edge.app(tmp_path)
    await edge.drain.spool.look()
    assert await edge.drain.drain_once() == 1


async def test_above_the_limit_of_the_spool_the_sender_is_asked_to_come_again(tmp_path: Path) -> None:
    edge = Edge(publish_failure=AWAY, spool_room=1)
    async with client_of(edge.app(tmp_path)) as client:
        assert await say(client, "one", "two") == [200, 503]
    assert edge.counted("slack", "kafka-away") == 1


@pytest.mark.parametrize(("source", "spool", "status"), [("shop", True, 200), ("slack", False, 503)])
async def test_the_sources_file_has_the_last_word(source: str, spool: bool, status: int, tmp_path: Path) -> None:
    edge = Edge(publish_failure=AWAY)
    document = yaml.safe_load(SOURCES)
    next(each for each in document["sources"] if each["name"] == source)["spool"] = spool
    request = (shop_sender() if source == "shop" else slack_sender()).message("hello", Way.GOOD)
    async with client_of(edge.app(tmp_path, sources=yaml.safe_dump(document))) as client:
        assert (await deliver(client, f"/webhooks/{source}", request)).status_code == status


async def test_forged_requests_are_refused_and_not_kept(tmp_path: Path) -> None:
    edge = Edge(publish_failure=AWAY)
    async with client_of(edge.app(tmp_path)) as client:
        answer = await deliver(client, "/webhooks/slack", slack_sender().message("hello", Way.FORGED))
    assert answer.status_code == 401
    assert await edge.storage.shelf("spool").names() == []


async def test_a_kafka_that_takes_too_long_for_the_sender_is_one_that_is_away(tmp_path: Path) -> None:
    edge = Edge(stuck=True, spool_after_seconds=0.01)
    async with client_of(edge.app(tmp_path)) as client:
        assert await say(client, "one") == [200]
    assert len(await edge.storage.shelf("spool").names()) == 1


class FullDisk:
    """A storage that refuses to write; what it is asked to list it has."""

    def __init__(self) -> None:
        self.shelf = ObjectStorage.open("memory:///").shelf("spool")
        self.full = True

    async def put(self, name: str, content: bytes) -> None:
        if self.full:
            raise StorageUnavailable("no space left on device")
        await self.shelf.put(name, content)

    async def names(self) -> list[str]:
        if self.full:
            raise StorageUnavailable("away")
        return await self.shelf.names()


def spool_on(shelf: object, room: int = 10) -> Spool:
    assert isinstance(shelf, Shelf | FullDisk)
    return Spool(shelf, ObjectStorage.open("memory:///").shelf("aside"), "p", room, lambda: NOW)  # type: ignore[arg-type]


async def test_what_could_not_be_written_holds_nobody_up() -> None:
    disk = FullDisk()
    spool = spool_on(disk)
    with pytest.raises(StorageUnavailable):
        await spool.keep(request_at(0))
    assert not spool.holds("slack")
    assert spool.depth == 0
    disk.full = False
    await spool.keep(request_at(1))
    assert spool.holds("slack")


async def test_as_long_as_nobody_could_look_every_source_may_have_to_wait() -> None:
    disk = FullDisk()
    spool = spool_on(disk)
    with pytest.raises(StorageUnavailable):
        await spool.look()
    assert spool.holds("slack")
    disk.full = False
    await spool.look()
    assert not spool.holds("slack")


async def test_the_oldest_comes_first_whoever_kept_it() -> None:
    shelf = ObjectStorage.open("memory:///").shelf("spool")
    spool, neighbour = spool_on(shelf), spool_on(shelf)
    await spool.keep(request_at(2))
    await neighbour.keep(request_at(1))
    await spool.look()
    assert [entry.received_at for entry in spool.oldest("slack", 9)] == [
        NOW + timedelta(seconds=1),
        NOW + timedelta(seconds=2),
    ]


async def test_the_age_of_the_oldest_is_that_of_its_receipt(tmp_path: Path) -> None:
    edge = Edge(publish_failure=AWAY)
    edge.app(tmp_path)
    await edge.drain.spool.keep(request_at(-90))
    await edge.drain.spool.keep(request_at(-30))
    assert edge.registry.get_sample_value("firebreak_spool_oldest_seconds") == 90


async def test_a_full_spool_says_so() -> None:
    spool = spool_on(ObjectStorage.open("memory:///").shelf("spool"), room=1)
    await spool.keep(request_at(0))
    with pytest.raises(SpoolFull):
        await spool.keep(request_at(1))


def test_a_request_is_kept_whole_but_for_what_proves_its_sender() -> None:
    headers = {b"authorization": b"Basic c2VjcmV0", b"x-signature": b"\xff", b"content-type": b"text/plain"}
    request = WebhookRequest(headers, b"a=b", b"\x00\xff", NOW, "POST")
    kept = decode_request(encode_request(SpooledRequest("slack", request, "00-trace")))
    assert kept.request == replace(request, headers={b"x-signature": b"\xff", b"content-type": b"text/plain"})
    assert kept.traceparent == "00-trace"


@pytest.mark.parametrize("content", [b"", b"\x00", b"not msgpack", encode_request(request_at(0))[:-9], b"\x98\x09"])
def test_what_is_no_request_is_refused(content: bytes) -> None:
    with pytest.raises(NotSpooled):
        decode_request(content)


def test_a_name_tells_the_place_and_stray_files_have_none() -> None:
    entry = Entry.at(NOW, 7, "p1", "slack-1")
    assert Entry.of(entry.name) == entry
    assert [Entry.of(name) for name in ("README", "1.2.p", "x.1.p.slack", "1.y.p.slack")] == [None] * 4


async def test_two_processes_may_set_the_same_request_aside(tmp_path: Path) -> None:
    edge = Edge(publish_failure=AWAY)
    async with client_of(edge.app(tmp_path)) as client:
        await say(client, "one")
    other = edge.restarted()
    other.app(tmp_path)
    await other.drain.spool.look()
    [entry] = edge.drain.spool.oldest("slack", 9)
    await edge.drain.spool.put_aside(entry)
    await other.drain.spool.put_aside(entry)
    assert other.drain.spool.depth == 0
    assert len(await edge.storage.shelf("spool-set-aside").names()) == 1


async def test_a_request_that_the_storage_does_not_give_back_holds_up_no_other_source(tmp_path: Path) -> None:
    edge = Edge(storage=ObjectStorage.open(f"{tmp_path.as_uri()}/objects"))
    edge.app(tmp_path)
    await edge.drain.spool.keep(request_at(0))
    [name] = await edge.storage.shelf("spool").names()
    damaged = tmp_path / "objects" / "spool" / name
    damaged.unlink()
    damaged.mkdir()
    await edge.drain.spool.keep(request_at(1)._replace(source="switch"))
    with pytest.raises(StorageUnavailable):
        await edge.drain.drain_once()
    assert edge.drain.spool.sources() == ["slack"]


@pytest.mark.parametrize("name", ["\u00b2.1.p.slack", "5.1.p.slack", "\u0665.1.p.slack"])
def test_a_name_that_is_nearly_one_of_ours_is_none(name: str) -> None:
    assert Entry.of(name) is None
