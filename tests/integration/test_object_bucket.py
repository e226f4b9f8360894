"""Contact records in a bucket: read over S3's own protocol, in pages, where a cursor stood, and late names too."""

import gzip
import json

import pytest

from firebreak_cli.local_stack.ports import LOOPBACK
from service_kit.http_server import serve
from service_kit.supervisor import Supervisor
from tests.support.partners.object_bucket import BUCKET, KEY_ID, ObjectBucket
from tests.unit.ingest_pull.pulling import Desk
from tests.unit.ingest_pull.test_connect_records import RECORD


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
