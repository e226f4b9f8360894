"""What Amazon Connect puts into buckets, over S3's own protocol: contact records in pages, where a cursor stood, and
late names too; recordings one by one, of one bucket."""

import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from firebreak_cli.local_stack.ports import LOOPBACK
from ingest_files.check_sources import attempts
from ingest_files.errors import TryLater
from ingest_files.fetch_file import FileFetcher
from ingest_files.file_sources import FileSource
from ingest_files.guarded_http import GuardedClient
from ingest_files.schemes.scheme import Access
from service_kit.http_server import serve
from service_kit.supervisor import Supervisor
from tests.support.partners.object_bucket import BUCKET, KEY_ID, ObjectBucket
from tests.unit.ingest_pull.pulling import Desk
from tests.unit.ingest_pull.test_connect_records import RECORD
from ticket_contracts.messages import RemoteFile
from ticket_contracts.vocabulary import FileState
from ticket_intake.source_checks import Outcome
from ticket_store.object_storage import ObjectStorage


@pytest.mark.parametrize(("key_id", "works"), [(KEY_ID, True), ("SOMEBODY", False)])
async def test_contact_records_are_read_from_a_bucket_by_who_may(
    monkeypatch: pytest.MonkeyPatch, key_id: str, works: bool
) -> None:
    bucket, desk = ObjectBucket(), Desk()
    for number in range(5):
        content = json.dumps(RECORD | {"ContactId": f"c-{number}"}).encode()
        bucket.objects[f"calls/2026/11/26/12/records-{number}"] = gzip.compress(content) if number % 2 else content
    bucket.objects["other/not-ours"] = b"{"
    async with serve(bucket, LOOPBACK, 0, supervisor=Supervisor()) as listening:
        for name, value in (("ENDPOINT_URL", listening.url), ("ALLOW_HTTP", "true"), ("REGION", "eu-west-1"),
                            ("ACCESS_KEY_ID", key_id), ("SECRET_ACCESS_KEY", "secret")):  # fmt: skip
            monkeypatch.setenv(f"AWS_{name}", value)
        job = desk.build("connect-records", url=f"s3://{BUCKET}/calls", settle_seconds=0)
        if not works:
            with pytest.raises(OSError, match="cannot be listed"):
                await desk.listen(job)
            return
        await desk.listen(job)
        assert [found.call.call_id for found in desk.messages if found.call] == [f"c-{number}" for number in range(5)]

        bucket.requests.clear()
        bucket.objects["calls/2026/11/26/12/records-3-late"] = json.dumps(RECORD | {"ContactId": "late"}).encode()
        await desk.listen(job)
        assert desk.messages[-1].call is not None
        assert (len(desk.messages), desk.messages[-1].call.call_id) == (6, "late")
        assert not any("records-1" in asked.partition("?")[0] for asked in bucket.requests)  # none is read twice


KEY = "connect/shop/CallRecordings/2026/11/26/c-1_20261126T11:00_UTC.wav"
PAIR = f"{KEY_ID}:s3cret"


@dataclass
class Recordings:
    """A bucket with one recording, and what fetches from it; the environment tells of other credentials and places."""

    bucket: ObjectBucket
    url: str

    def source(self, *tokens: str, bucket: str) -> FileSource:
        return FileSource("connect-records", Access(tokens, self.url, bucket=bucket, region="eu-west-1"))

    async def fetch(self, locator: str, *tokens: str, bucket: str = BUCKET, most: int = 100) -> RemoteFile:
        async with httpx.AsyncClient() as client:
            sources = {"source": self.source(*tokens or (PAIR,), bucket=bucket)}
            fetcher = FileFetcher(GuardedClient(client, most), sources, ObjectStorage.open("memory:///").put, None)
            return await fetcher.fetch("source", RemoteFile(number=0, name="voicemail.wav", locator=locator))

    async def check(self, *tokens: str, bucket: str = f"{BUCKET}/connect/shop") -> list[tuple[Outcome, str]]:
        async with httpx.AsyncClient() as client:
            source = self.source(*tokens, bucket=bucket)
            return [(each.outcome, each.answer) async for each in attempts(source, GuardedClient(client, 100))]


@pytest.fixture
async def recordings(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Recordings]:
    bucket = ObjectBucket()
    bucket.objects |= {KEY: b"RIFFsound", "connect/shop/Reports/1.wav": b"RIFFother"}
    for name in ("ENDPOINT_URL", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "REGION"):
        monkeypatch.setenv(f"AWS_{name}", "http://127.0.0.1:9")
    async with serve(bucket, LOOPBACK, 0, supervisor=Supervisor()) as listening:
        yield Recordings(bucket, listening.url)


@pytest.mark.parametrize("bucket", [BUCKET, f"{BUCKET}/connect/shop/CallRecordings"])
async def test_a_recording_is_fetched_from_the_bucket_of_the_source(recordings: Recordings, bucket: str) -> None:
    file = await recordings.fetch(f"{BUCKET}/{KEY}", bucket=bucket)
    assert (file.state, file.media_type, file.size) == (FileState.STORED, "audio/wav", 9), file.reason
    assert len(recordings.bucket.requests) == 1


@pytest.mark.parametrize(
    "locator",
    [
        f"others/{KEY}",
        f"{BUCKET}-others/{KEY}",
        f"s3://{BUCKET}/{KEY}",
        f"{BUCKET}/connect/shop/Reports/1.wav",
        f"{BUCKET}/connect/shop/CallRecordings/../Reports/1.wav",
        f"{BUCKET}/connect/shop/CallRecordings/1.json",
        "",
    ],
)
async def test_a_record_cannot_name_what_is_no_recording_of_the_bucket(recordings: Recordings, locator: str) -> None:
    file = await recordings.fetch(locator, bucket=f"{BUCKET}/connect/shop/CallRecordings")
    assert (file.state, recordings.bucket.requests) == (FileState.FAILED, [])
    assert "not asked for" in file.reason


async def test_a_recording_that_is_too_large_is_failed_before_it_is_read(recordings: Recordings) -> None:
    file = await recordings.fetch(f"{BUCKET}/{KEY}", most=8)
    assert (file.state, file.reason) == (FileState.FAILED, "larger than 8 bytes")


async def test_wrong_credentials_fail_and_while_they_are_replaced_both_are_tried(recordings: Recordings) -> None:
    file = await recordings.fetch(f"{BUCKET}/{KEY}", "ANOTHER:s3cret")
    assert (file.state, "files.tokens" in file.reason, "凭证被拒绝" in file.reason) == (FileState.FAILED, True, True)
    assert "s3cret" not in file.reason
    assert (await recordings.fetch(f"{BUCKET}/{KEY}", "ANOTHER:s3cret", PAIR)).state is FileState.STORED


@pytest.mark.parametrize(("may_list", "reason"), [(True, "404"), (False, "s3:GetObject")])
async def test_a_recording_that_is_not_there_yet_is_asked_for_later(
    recordings: Recordings, may_list: bool, reason: str
) -> None:
    recordings.bucket.may_list = may_list
    with pytest.raises(TryLater, match=reason):
        await recordings.fetch(f"{BUCKET}/connect/shop/2.wav")


async def test_an_archived_recording_is_failed_and_an_s3_that_is_away_is_asked_later(recordings: Recordings) -> None:
    recordings.bucket.denied = "InvalidObjectState"
    assert "archived" in (await recordings.fetch(f"{BUCKET}/{KEY}")).reason
    recordings.url = "http://127.0.0.1:9"
    with pytest.raises(TryLater, match="does not answer"):
        await recordings.fetch(f"{BUCKET}/{KEY}")


async def test_the_check_finds_out_who_may_list_and_read(recordings: Recordings) -> None:
    good, bad = await recordings.check(PAIR, "ANOTHER:s3cret")
    assert (good[0], bad[0]) == (Outcome.PASSED, Outcome.FAILED)
    assert ("files.tokens" in bad[1], recordings.bucket.read) == (True, [])
    recordings.bucket.may_list = False
    [(outcome, answer)] = await recordings.check(PAIR)
    assert (outcome, "s3:ListBucket" in answer) == (Outcome.FAILED, True)
    recordings.bucket.may_list = True
    [(outcome, _)] = await recordings.check(PAIR, bucket=f"{BUCKET}/nothing/yet")
    assert outcome is Outcome.NOT_TRIED
