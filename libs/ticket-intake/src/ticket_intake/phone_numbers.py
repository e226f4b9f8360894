"""Telephone numbers in one spelling, E.164, so that a caller and a writer are one contact."""

import re
from functools import lru_cache

import phonenumbers

# How switches and providers write a number that the caller withholds. The numbers are the words ANONYMOUS, RESTRICTED,
# BLOCKED, UNKNOWN and UNAVAILABLE on a telephone's keypad: Twilio's networks have no other way to say it.
WITHHELD = frozenset(
    {
        *("", "anonymous", "unknown", "restricted", "private", "unavailable", "blocked", "withheld", "0000000000"),
        *("+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"),
    }
)
# E.164 has at most 15 digits; an international prefix may stand before them.
_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_PUNCTUATION = re.compile(r"[\s().\-/]")
_MAX_LENGTH = 200
# Our own numbers stand in every call, and who was not answered calls again. An entry takes some 300 bytes.
_REMEMBERED = 4096


def plain_number(text: str) -> str:
    """Drop the punctuation of a number; what is no number stays as it is, what is withheld becomes empty."""
    if text.strip().lower() in WITHHELD:
        return ""
    digits = _PUNCTUATION.sub("", text)
    return digits if _NUMBER.fullmatch(digits) else text[:_MAX_LENGTH]


def is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def e164(text: str, region: str | None) -> str | None:
    """Return `+` and the whole number; None for what is no number of the public network, e.g. an extension.

    Whether a number is assigned is not asked: ranges open faster than any table of them.

    :param region: two letters of the country whose local numbers come without `+`; None: those stay unknown.
    """
    if not is_number(text):  # the library would look for digits inside an address as well
        return None
    return _known_e164(text, region)


@lru_cache(_REMEMBERED)
def _known_e164(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def known_region(region: str) -> str:
    """Check an option.

    :raises ValueError: the library knows no such region.
    """
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("is no country of two capital letters, e.g. CN or DE")
    return region
