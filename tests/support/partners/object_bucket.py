"""A bucket as S3 shows it to who lists and reads: ListObjectsV2 in pages, Get- and HeadObject; another key is refused.

The order and the two ways to go on (`start-after`, `continuation-token`):
docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html.
"""

from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape
from zlib import crc32

from starlette.types import Receive, Scope, Send

from service_kit.asgi import raw_response

BUCKET, KEY_ID = "connect", "AKIDEXAMPLE"
PAGE = 2
"""Names in one answer; a real one gives a thousand."""

_LIST = """<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{bucket}</Name><Prefix>{prefix}</Prefix>
<KeyCount>{count}</KeyCount><MaxKeys>{page}</MaxKeys><IsTruncated>{more}</IsTruncated>{token}{contents}</ListBucketResult>"""
_OBJECT = (
    "<Contents><Key>{key}</Key><LastModified>{modified}</LastModified>"
    "<ETag>&quot;{etag:x}&quot;</ETag><Size>{size}</Size></Contents>"
)


class ObjectBucket:
    """`objects` by key; `requests` are the paths and queries asked for, `read` the keys of GetObject.

    The rest makes it wrong.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.denied = ""  # the code with which everything is refused
        self.may_list = True  # else what is not there is refused as what may not be read
        self.requests: list[str] = []
        self.read: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        self.requests.append(f"{scope['path']}?{scope['query_string'].decode()}")
        assert b"x-amz-security-token" not in headers, "a token of other credentials came along"
        known = f"Credential={KEY_ID}/".encode() in headers.get(b"authorization", b"")
        if self.denied or not known:
            status, body = HTTPStatus.FORBIDDEN, _error(self.denied or "InvalidAccessKeyId")
        elif "list-type" in query:
            listed = self._listed(query).encode()
            status, body = (HTTPStatus.OK, listed) if self.may_list else (HTTPStatus.FORBIDDEN, _error("AccessDenied"))
        else:
            key = unquote(scope["path"]).removeprefix(f"/{BUCKET}/")
            found = self.objects.get(key)
            self.read += [key] if scope["method"] == "GET" else []
            missing = HTTPStatus.NOT_FOUND if self.may_list else HTTPStatus.FORBIDDEN
            status, body = (missing, _error("AccessDenied")) if found is None else (HTTPStatus.OK, found)
        more = [("last-modified", "Thu, 26 Nov 2026 12:00:00 GMT"), ("etag", f'"{crc32(body):x}"')]
        await raw_response(status, "application/octet-stream", body, more).send(send)

    def _listed(self, query: dict[str, str]) -> str:
        prefix = query.get("prefix", "")
        after = query.get("continuation-token") or query.get("start-after", "")
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > after)
        shown = keys[:PAGE]
        modified = datetime(2026, 11, 26, 12, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        contents = "".join(
            _OBJECT.format(key=escape(key), modified=modified, etag=number, size=len(self.objects[key]))
            for number, key in enumerate(shown)
        )
        more = len(keys) > len(shown)
        token = f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>" if more else ""
        return _LIST.format(
            bucket=BUCKET, prefix=prefix, count=len(shown), page=PAGE, more=str(more).lower(), token=token,
            contents=contents,
        )  # fmt: skip


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code></Error>".encode()
