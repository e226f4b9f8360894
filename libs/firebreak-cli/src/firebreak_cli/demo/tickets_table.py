"""Tickets as a table for a person, on a wide terminal and on one of 80 columns."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from firebreak_cli.terminal_text import plain

WIDE = 110  # columns from which on all of a ticket fits beside a subject of usual length
WIDEST = 140  # columns; beyond, the eye loses the line
LONGEST_CONTACT = 14  # columns in the narrow form; seven Chinese characters
PRIORITY_STYLES = {"urgent": "bold red", "high": "yellow", "normal": "", "low": "dim"}


def tickets_table(tickets: Iterable[Mapping[str, Any]], now: datetime, width: int) -> Table:
    """Return one line per ticket within `width` columns: the subject gives way, and nothing is wrapped."""
    is_wide = width >= WIDE
    cells_of = _wide_cells if is_wide else _narrow_cells
    gap = (0, 1, 0, 0) if is_wide else 0
    table = Table(title="Tickets", title_justify="left", box=SIMPLE_HEAD, padding=gap, width=min(width, WIDEST))
    rows = [(ticket, cells_of(ticket, now)) for ticket in tickets]
    for title in rows[0][1] if rows else ():
        table.add_column(
            title,
            no_wrap=True,
            overflow="ellipsis",
            ratio=1 if title == "subject" else None,
            max_width=LONGEST_CONTACT if title == "contact" and not is_wide else None,
        )
    for ticket, cells in rows:
        table.add_row(*map(plain, cells.values()), style=PRIORITY_STYLES.get(ticket["priority"] or "", ""))
    return table


def local_time(at: datetime, now: datetime) -> str:
    """Return a time in the reader's zone: of today to the second, else with its day."""
    there, here = at.astimezone(), now.astimezone()
    return f"{there:%H:%M:%S}" if there.date() == here.date() else f"{there:%d %b %H:%M}"


def _wide_cells(ticket: Mapping[str, Any], now: datetime) -> dict[str, str]:
    return {
        "number": str(ticket["number"]),
        "channel": ticket["channel"],
        "contact": ticket["contact_name"] or "–",
        "subject": ticket["subject"],
        "team": ticket["team"],
        "assignee": ticket["assignee"] or "–",
        "priority": ticket["priority"] or "–",
        "first\nresponse due": _due(ticket, now),
    }


def _narrow_cells(ticket: Mapping[str, Any], now: datetime) -> dict[str, str]:
    return {
        "no.": str(ticket["number"]),
        "contact": ticket["contact_name"] or "–",
        "subject": ticket["subject"],
        "team/assignee": f"{ticket['team']}/{ticket['assignee'] or '–'}",
        "priority": ticket["priority"] or "–",
        "reply due": _due(ticket, now),
    }


def _due(ticket: Mapping[str, Any], now: datetime) -> str:
    due = ticket["first_response_due_at"]
    return local_time(datetime.fromisoformat(due), now) if due else "–"
