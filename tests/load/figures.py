"""One line of the result, and how it is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from tests.load.processes import Usage


@dataclass(frozen=True, slots=True)
class Row:
    """`limit` is what the machine gives without us, measured in the same run; or a budget, then `note` says so."""

    name: str
    ours: float
    limit: float | None
    unit: str
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.limit if self.limit else None

    def as_json(self) -> dict[str, object]:
        return {"name": self.name, "ours": self.ours, "limit": self.limit, "ratio": self.ratio, "unit": self.unit}


@dataclass
class Figures:
    """All that was measured. `usages` is by what was measured, then by process; `tables` are shown as they are."""

    rows: list[Row] = field(default_factory=list)
    usages: dict[str, Mapping[str, Usage]] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        return {"rows": [row.as_json() for row in self.rows]}

    def show(self, console: Console) -> None:
        console.print(_rows_table(self.rows))
        for table in self.tables:
            console.print(table)
        if self.usages:
            console.print(_usages_table(self.usages))


def _rows_table(rows: Sequence[Row]) -> Table:
    table = Table(title="Ours beside the limit")
    table.add_column("what")
    for title in ("ours", "limit", "ratio"):
        table.add_column(title, justify="right")
    table.add_column("unit")
    table.add_column("note", overflow="fold")
    for row in rows:
        limit = "–" if row.limit is None else f"{row.limit:,.0f}"
        ratio = "–" if row.ratio is None else f"{row.ratio:.0%}"
        table.add_row(
            row.name, f"{row.ours:,.1f}" if row.ours < 100 else f"{row.ours:,.0f}", limit, ratio, row.unit, row.note
        )
    return table


def _usages_table(usages: Mapping[str, Mapping[str, Usage]]) -> Table:
    table = Table(title="Cores busy and memory (MB) by process")
    table.add_column("process")
    names = list(dict.fromkeys(name for by_process in usages.values() for name in by_process))
    for measured in usages:
        table.add_column(measured, justify="right")
    for name in names:
        cells = [_cell(by_process.get(name)) for by_process in usages.values()]
        table.add_row(name, *cells)
    return table


def _cell(usage: Usage | None) -> str:
    return "" if usage is None else f"{usage.cores:.2f}  {usage.memory_mb:,.0f}"
