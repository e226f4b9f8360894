import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_stream.origins import (
    Origin,
    parse_sequence,
    parse_source,
    revision_of,
    sequence_of,
    sequence_text,
    source_of,
)
from ticket_stream.processing import Partition


def test_a_source_is_read_back_as_the_origin_it_was_made_of() -> None:
    source = source_of(2, "router", Partition("support.messages.v1", 5))

    assert source == "/firebreak/2/router/support.messages.v1/5"
    assert parse_source(source) == Origin(2, "router", "support.messages.v1", 5)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "/firebreak/crm-api",
        "https://example.org/1/a/b/2",
        "/firebreak/x/router/t/1",
        "/firebreak/1/r/t/-1",
        "/firebreak/" + "1" * 5_000 + "/router/t/1",  # more digits than Python turns into a number
        "/firebreak/1/router/t/999999999",  # an array of that length would not fit into memory
        "/firebreak/1/rou\0ter/t/1",  # no parameter of a query
        "/firebreak/1/" + "r" * 500 + "/t/1",
    ],
)
def test_a_source_that_no_stream_wrote_has_no_origin(source: str) -> None:
    assert parse_source(source) is None


@pytest.mark.parametrize("text", ["", "-1", "1.5", "x", "9" * 19, "9" * 5_000, "\N{ARABIC-INDIC DIGIT ONE}"])
def test_a_sequence_that_no_stream_wrote_is_none(text: str) -> None:
    assert parse_sequence(text) is None
    assert parse_sequence(sequence_text(2**63 - 1)) == 2**63 - 1


@given(st.integers(0, 2**46), st.integers(0, 65_535), st.integers(0, 2**46), st.integers(0, 65_535))
def test_sequences_order_by_revision_then_index_as_numbers_and_as_text(a: int, i: int, b: int, j: int) -> None:
    first, second = sequence_of(a, i), sequence_of(b, j)

    assert (first < second) == ((a, i) < (b, j))
    assert (sequence_text(first) < sequence_text(second)) == (first < second)
    assert revision_of(first) == a


def test_a_transaction_has_no_more_sequences_than_fit_before_the_next_revision() -> None:
    with pytest.raises(ValueError, match="more than 65536 events"):
        sequence_of(1, 65_536)
