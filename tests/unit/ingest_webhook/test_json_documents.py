"""What a stranger's JSON may not do."""

import pytest

from ingest_webhook.domain.json_documents import MAX_DEPTH, NotJson, decode_json_bytes


def test_nul_and_lone_surrogates_do_not_get_in() -> None:
    body = rb'{"te\u0000xt": "nul \u0000, bell \u0007, lone \ud800, pair \ud83d\ude00, lines \r\n\t"}'
    document = decode_json_bytes(body)
    assert document == {"text": "nul , bell , lone \ufffd, pair 😀, lines \r\n\t"}
    assert decode_json_bytes(b"\xef\xbb\xbf[1]") == [1]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe{", "not UTF-8 at byte 0"),
        (b"[NaN]", "a number"),
        (b"[-Infinity]", "a number"),
        (b"[" + b"9" * 5000 + b"]", "a number"),
        (b"[" * 100_000, "deeper"),
        (b'{"a":' * 100_000, "deeper"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "deeper"),
        (b'["a\x00b"]', "not JSON"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(NotJson, match=reason):
        decode_json_bytes(body)


def test_the_deepest_document_allowed_is_read() -> None:
    assert decode_json_bytes(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
