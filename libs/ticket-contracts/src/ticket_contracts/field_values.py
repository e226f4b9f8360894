"""Which values a custom field takes: the engine, the checks of rules and the plan of a change go by the same."""

from collections.abc import Collection
from datetime import date

from ticket_contracts.contract import FieldValue


def fits(value: FieldValue, kind: str, choices: Collection[str]) -> bool:
    """Whether a field may have the value.

    :param kind: `text`, `number`, `boolean`, `date` (ISO 8601) or `choice`.
    :param choices: what a `choice` is one of.
    """
    match kind:
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "date":
            return isinstance(value, str) and _is_date(value)
        case "choice":
            return value in choices
        case _:
            return isinstance(value, str)


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
