"""Percent-encoding against the standard library's slower decoder."""

from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_webhook.domain.percent_encoding import percent_decoded

# What means something to this encoding, or to the one it is turned into.
PIECES = st.sampled_from(
    [b"%", b"%4", b"%41", b"%e4%BD%a0", b"%3D", b"%0D%0A", b"=", b"=41", b"=\r\n", b"\n", b" ", b"_"]
)


@given(text=st.lists(PIECES | st.binary(max_size=3), max_size=8).map(b"".join))
def test_any_bytes_are_decoded_as_by_the_standard_library(text: bytes) -> None:
    assert percent_decoded(text) == unquote_to_bytes(text)


@pytest.mark.parametrize("text", [b"a=%3D=\n%41", b"100%", b"%zz%41", b"%4", b""])
def test_what_quoted_printable_would_read_otherwise_is_not(text: bytes) -> None:
    assert percent_decoded(text) == unquote_to_bytes(text)
