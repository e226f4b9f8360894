"""What a stranger's JSON may not do."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest_webhook.domain.json_documents import MAX_DEPTH, NotJson, decode_json, decode_json_bytes
from ticket_intake.clean_text import clean_text


def test_nul_and_lone_surrogates_do_not_get_in() -> None:
    body = rb'{"te\u0000xt": "nul \u0000, bell \u0007, back \b, feed \f, lone \ud800, pair \ud83d\ude00, lines \r\n\t"}'
    document = decode_json_bytes(body)
    assert document == {"text": "nul , bell , back , feed , lone \ufffd, pair 😀, lines \r\n\t"}
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
        (b'{"wide":[' + b"[]," * MAX_DEPTH + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"]}", "deeper"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(NotJson, match=reason):
        decode_json_bytes(body)


def test_the_deepest_document_allowed_is_read() -> None:
    assert decode_json_bytes(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


def test_a_wide_document_is_not_a_deep_one() -> None:
    body = b"[" + b'{"a": []},' * 1000 + b"[]]"
    assert len(decode_json_bytes(body)) == 1001


# Also halves of surrogates, which only an escape can write.
TEXTS = st.text(st.characters(exclude_categories=()))
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=8,
)


def cleaned(value: Any) -> Any:
    match value:
        case str():
            return clean_text(value)
        case list():
            return [cleaned(item) for item in value]
        case dict():
            return {clean_text(name): cleaned(item) for name, item in value.items()}
    return value


@given(document=DOCUMENTS)
@example(document={"\x7f\x00": ["\ud83d\ude00", "\ud800", "\ude00\ud83d", "é", "\x85", "p"]})
@example(document=[[]] * (MAX_DEPTH + 1))
def test_what_is_read_is_what_python_reads_made_clean(document: Any) -> None:
    """Python's decoder is the reference; msgspec, which reads nearly all of them here, must not tell anything else."""
    text = json.dumps(document)
    assert decode_json_bytes(text.encode()) == decode_json(text) == cleaned(json.loads(text))


def test_a_text_with_raw_control_characters_is_read_where_that_is_wished() -> None:
    assert decode_json('["a\nb\x00"]', strict=False) == ["a\nb"]
    with pytest.raises(NotJson, match="control character"):
        decode_json('["a\nb"]')
