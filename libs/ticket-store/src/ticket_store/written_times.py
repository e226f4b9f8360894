"""Days and times in what people write: as such, never as a number."""

import re
from typing import LiteralString

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

_DATE = re.compile(r"[0-9]{4}-")


def written_out(wanted: LiteralString, form: re.Pattern[str] = _DATE) -> BeforeValidator:
    """Refuse numbers, and texts that are none but digits: pydantic takes them as seconds or milliseconds since 1970,
    and nobody who writes 5 means that.

    :param wanted: what the refusal (of pydantic's type `time_form`) asks for.
    :param form: how a text has to begin.
    """

    def check(value: object) -> object:
        if isinstance(value, int | float) or (isinstance(value, str) and form.match(value) is None):
            raise PydanticCustomError("time_form", wanted)
        return value

    return BeforeValidator(check)
