"""Page cursors are opaque to callers and safe against invented ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_api.cursors import BadCursor, decode_cursor, encode_cursor


@given(st.integers(min_value=0, max_value=10**17))
def test_a_cursor_leads_back_to_its_key(key: int) -> None:
    assert decode_cursor(encode_cursor(key)) == key


@given(st.text(max_size=60))
def test_an_invented_cursor_is_refused_and_never_crashes(cursor: str) -> None:
    try:
        key = decode_cursor(cursor)
    except BadCursor:
        return
    assert decode_cursor(encode_cursor(key)) == key


@pytest.mark.parametrize("cursor", ["", "YWZ0ZXI6LTE", "YWZ0ZXI6", "é", "YWZ0ZXI6OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"])
def test_known_bad_cursors_are_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        decode_cursor(cursor)
