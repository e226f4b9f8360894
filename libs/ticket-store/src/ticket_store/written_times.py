"""Days and times in what people write: as such, never as a number."""

import re

from pydantic import BeforeValidator

_DATE = re.compile(r"[0-9]{4}-")


def written_out(fix: str) -> BeforeValidator:
    """Refuse numbers, and texts that are none but digits: pydantic takes them as seconds or milliseconds since 1970,
    and nobody who writes 5 means that.

    :param fix: what to write instead.
    """

    def check(value: object) -> object:
        if isinstance(value, int | float) or (isinstance(value, str) and _DATE.match(value) is None):
            raise ValueError(fix)
        return value

    return BeforeValidator(check)
