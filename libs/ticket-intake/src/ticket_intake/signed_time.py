"""The time that a platform signed, against ours."""

from ticket_intake.signatures import SignatureInvalid, SignatureStale

# Unix seconds have ten digits until the year 2286, milliseconds thirteen: which of both it is shows from the length.
_SECONDS_DIGITS, _MILLISECONDS_DIGITS = 10, 13


def check_signed_time(timestamp: bytes, now: float, tolerance_seconds: float) -> None:
    """Refuse what was signed too long ago, or later than our clock allows.

    :param timestamp: Unix seconds or milliseconds, in digits.
    :raises SignatureInvalid: no time at all.
    :raises SignatureStale:
    """
    if not timestamp.isdigit() or len(timestamp) > _MILLISECONDS_DIGITS:
        raise SignatureInvalid
    seconds = int(timestamp) / (1000 if len(timestamp) > _SECONDS_DIGITS else 1)
    if abs(now - seconds) > tolerance_seconds:
        raise SignatureStale
