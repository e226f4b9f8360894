"""The plan of an apply and the history of the configuration, for a terminal; documents as YAML."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

import yaml
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from firebreak_cli.terminal_text import plain, shortened
from ticket_store.configuration_history import HeadVersion
from ticket_store.configuration_plan import Plan, PlannedChange
from ticket_store.documents import Document

_MARKS = {"added": ("+", "green"), "changed": ("~", "yellow"), "archived": ("-", "red")}
_LONGEST_VALUE = 200  # characters; a rule's condition is longer, and its file says the rest
_BEFORE_IT = 60  # characters of what two long values share that stand before their first difference


def plan_page(planned: Plan) -> RenderableType:
    """Return what an apply would do."""
    if not planned.changes:
        return Text(f"Nothing to change: version {planned.head} is in force with {planned.unchanged} documents.")
    lines = [line for change in planned.changes for line in _lines(change)]
    counts = [f"{_count(planned, kind)} {kind}" for kind in _MARKS]
    total = Text(f"On version {planned.head}: {', '.join(counts)}, {planned.unchanged} unchanged.")
    return Group(*lines, total)


def _lines(change: PlannedChange) -> Iterator[Text]:
    mark, style = _MARKS[change.change]
    yield Text.assemble((f"{mark} ", style), plain(f"{change.kind}/{change.name}"), f"  {change.change}")
    for field in change.fields:
        before, after = _apart(field.before, field.after)
        yield plain(f"    {field.field}: {before} → {after}")
    if change.open_tickets or change.at_least:
        least = "at least " if change.at_least else ""
        yield plain(f"    {least}{_tickets(change.open_tickets)}: {change.note}", "bold")
    for part in change.parts:
        yield plain(f"      {part.open_tickets} of them: {part.note}")


def _tickets(number: int) -> str:
    return "1 open ticket" if number == 1 else f"{number} open tickets"


def _apart(before: str, after: str) -> Iterator[str]:
    """Yield both, from shortly before their first difference where the beginning would not show it."""
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    left_out = max(0, shared - _BEFORE_IT) if max(len(before), len(after)) > _LONGEST_VALUE else 0
    for value in (before, after):
        yield shortened("…" * bool(left_out) + value[left_out:], _LONGEST_VALUE)


def _count(planned: Plan, change: str) -> int:
    return sum(each.change == change for each in planned.changes)


def history_table(versions: Sequence[HeadVersion]) -> Table:
    """Return one row per version."""
    table = Table("version", "when (UTC)", "who", "what", box=None, pad_edge=False)
    for each in versions:
        what = [f"back to {each.rolled_back_to}"] if each.rolled_back_to else []
        changed = [name for name in each.changed if name not in each.added]
        marked = (("+", each.added), ("~", changed), ("-", each.archived))
        what += [_names(mark, names) for mark, names in marked if names]
        table.add_row(
            str(each.version), f"{each.applied_at:%Y-%m-%d %H:%M:%S}", plain(each.applied_by), plain("; ".join(what))
        )
    return table


def _names(mark: str, names: Sequence[str]) -> str:
    return shortened(f"{mark} {', '.join(names)}", _LONGEST_VALUE)


def as_yaml(documents: Iterable[Document]) -> str:
    """Return documents as the text of one file; what stands at its default is left out."""
    parts = [{"kind": each.kind, **each.model_dump(mode="json", exclude_defaults=True)} for each in documents]
    return yaml.safe_dump_all(parts, allow_unicode=True, sort_keys=False, width=120)
