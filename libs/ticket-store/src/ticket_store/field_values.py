"""Which values a custom field takes."""

from datetime import date

from ticket_contracts.contract import FieldValue
from ticket_store.workflow_documents import CustomField


def fits(field: CustomField, value: FieldValue) -> bool:
    """Whether a ticket's field may be given the value; `sla_engine.domain.workflow` decides alike."""
    match field.type:
        case "boolean":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "choice":
            return value in field.choices
        case "date":
            return isinstance(value, str) and _is_date(value)
        case _:
            return isinstance(value, str)


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
