"""A signed time against ours, in the units that platforms use."""

import pytest

from ticket_intake.signatures import SignatureInvalid, SignatureStale
from ticket_intake.signed_time import check_signed_time

NOW = 1_700_000_000.0


@pytest.mark.parametrize("timestamp", [b"1700000300", b"1699999700", b"1700000300000", b"1699999700000"])
def test_seconds_and_milliseconds_at_the_edge_are_fresh(timestamp: bytes) -> None:
    check_signed_time(timestamp, NOW, 300)


@pytest.mark.parametrize("timestamp", [b"1700000301", b"1699999699", b"1700000300001", b"1699999699999", b"0"])
def test_beyond_the_edge_is_stale(timestamp: bytes) -> None:
    with pytest.raises(SignatureStale):
        check_signed_time(timestamp, NOW, 300)


@pytest.mark.parametrize("timestamp", [b"", b"-1700000000", b"1700000000.0", b" 1700000000", b"1" * 14, "１".encode()])
def test_what_is_no_time_is_no_signature(timestamp: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        check_signed_time(timestamp, NOW, 300)
