"""How the answer of `firebreak what-if` is shown: the sides beside each other."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from pydantic_core import to_json
from rich.console import Console
from rich.table import Table

from sla_engine.domain.kept_promises import GROUPS, Results
from sla_engine.domain.wait_figures import WaitFigures
from sla_engine.replay_histories import Answer

RESULTS = ("met", "breached", "open", "cancelled")
_SIDES = {
    "real": "as they went",
    "present": "as modelled with the present agents",
    "supposed": "as they would have gone",
}
_NONE = WaitFigures(0, 0, None, None)


def print_json(answer: Answer) -> None:
    """Print one object, for scripts."""
    report: dict[str, object] = {"timezone": _zone(answer)}
    report |= {side: _counts(results) for side, results in answer.results.items()}
    if answer.waits is not None:
        report |= {"waits": answer.waits, "still_open": answer.still_open, "measured_handling": _measured(answer)}
    print(to_json(report, indent=2).decode())


def print_tables(answer: Answer) -> None:
    """Print tables, for people."""
    console = Console()
    sides = " → ".join(_SIDES[side] for side in answer.results)
    console.print(f"{answer.results['real'].tickets} tickets, {sides}")
    titles = {"hour": f"hour ({_zone(answer)})"}
    for group in GROUPS:
        groups = tuple(dict.fromkeys((group, "metric")))
        console.print(
            _table([titles.get(each, each) for each in groups], [each.by(*groups) for each in answer.results.values()])
        )
    if answer.waits is not None:
        console.print(_waits(list(answer.waits.values())))
        for team, handling in _measured(answer).items():
            minutes = _length(handling["median_seconds"])
            console.print(f"measured: an answer of {team} takes {minutes}, the median of {handling['answers']}")
        if answer.still_open:
            console.print(f"{answer.still_open} customers wait still: nobody's work in the log, so open on every side")


def _measured(answer: Answer) -> Mapping[str, dict[str, int]]:
    return {
        team: {"median_seconds": each.handling // 1_000_000, "answers": each.answers}
        for team, each in answer.measured.items()
    }


def _zone(answer: Answer) -> str:
    return answer.results["real"].hours.zone.key


def _counts(results: Results) -> dict[str, object]:
    """Return a side's clocks by each group, and by each within each metric."""
    by_one: dict[str, object] = {f"by_{group}": _nested(results.by(group)) for group in GROUPS}
    by_two = {
        f"by_metric_and_{group}": {
            metric: _nested(Counter({told[1:]: number for told, number in counts.items() if told[0] == metric}))
            for metric in sorted({told[0] for told in counts})
        }
        for group in GROUPS[1:]
        for counts in [results.by("metric", group)]
    }
    return {"tickets": results.tickets, **by_one, **by_two}


def _nested(counts: Counter[tuple[str, ...]]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (name, result), number in sorted(counts.items()):
        nested.setdefault(name, dict.fromkeys(RESULTS, 0))[result] = number
    return nested


def _table(titles: Sequence[str], sides: Sequence[Counter[tuple[str, ...]]]) -> Table:
    table = Table(*titles, *RESULTS, "share met")
    for names in sorted({told[:-1] for side in sides for told in side}):
        cells = [" → ".join(str(side[(*names, result)]) for side in sides) for result in RESULTS]
        table.add_row(*names, *cells, " → ".join(_share(side, names) for side in sides))
    return table


def _share(counts: Counter[tuple[str, ...]], names: Sequence[str]) -> str:
    met, breached = (counts[(*names, result)] for result in ("met", "breached"))
    return f"{100 * met / (met + breached):.1f} %" if met + breached else "–"


_WAITS: Mapping[str, Callable[[WaitFigures], str]] = {
    "waits": lambda figures: str(figures.waits),
    "unanswered": lambda figures: str(figures.unanswered),
    "half within": lambda figures: _length(figures.median_seconds),
    "nine of ten within": lambda figures: _length(figures.p90_seconds),
}


def _waits(sides: Sequence[Mapping[str, WaitFigures]]) -> Table:
    table = Table("team", *_WAITS)
    for team in sorted({team for side in sides for team in side}):
        table.add_row(team, *(" → ".join(show(side.get(team, _NONE)) for side in sides) for show in _WAITS.values()))
    return table


def _length(seconds: int | None) -> str:
    """Return hours and minutes of the wall clock, with seconds below a quarter of an hour."""
    if seconds is None:
        return "–"
    if seconds < 15 * 60:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"
