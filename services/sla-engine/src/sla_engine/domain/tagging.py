"""Tags and custom fields of a ticket; a change that changes nothing is no fact."""

from collections.abc import Iterable, Mapping

from sla_engine.domain.draft import Draft
from ticket_contracts.actions import FieldsChanged, TagsChanged
from ticket_contracts.contract import FieldValue


def change_tags(draft: Draft, add: Iterable[str], remove: Iterable[str]) -> None:
    """Add and remove tags; what is both is added. The order of the tags that stay is kept."""
    before, wanted = draft.ticket.summary.tags, tuple(dict.fromkeys(add))
    unwanted = set(remove) - set(wanted)
    added = tuple(tag for tag in wanted if tag not in before)
    removed = tuple(tag for tag in before if tag in unwanted)
    if added or removed:
        tags = (*(tag for tag in before if tag not in unwanted), *added)
        draft.change(TagsChanged, {"tags": tags}, added=added, removed=removed)


def set_fields(draft: Draft, values: Mapping[str, FieldValue | None]) -> None:
    """Set custom fields; None empties one. That the values fit their types was checked before."""
    before = draft.ticket.summary.fields
    changed = {name: value for name, value in values.items() if before.get(name) != value}
    if changed:
        fields = {name: value for name, value in {**before, **changed}.items() if value is not None}
        draft.change(FieldsChanged, {"fields": fields}, names=tuple(changed))
