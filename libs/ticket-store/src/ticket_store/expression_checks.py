"""CEL conditions that do not compile, shown with the place of the fault."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from itertools import islice

import cel

from ticket_contracts.expressions import Condition, UnusableExpression
from ticket_store.configuration_findings import Finding

_PLACE = re.compile(r"ERROR: <input>:(?P<line>\d+):(?P<column>\d+): (?:Syntax error: )?(?P<reason>[^\n]*)")
_EXPECTING = re.compile(r" expecting \{.*")
"""What the parser would rather have seen: every token of the grammar."""


def condition(field: str, expression: str) -> Iterator[Finding]:
    """Yield what is wrong with a condition, with line and column and a caret below the place."""
    try:
        cel.compile(expression)
    except ValueError as error:
        yield field, f"not a CEL expression{_place(expression, str(error))}"


def usable(field: str, expression: str, names: Collection[str]) -> Iterator[Finding]:
    """Yield why a condition that compiles could not be run: it looks at something else, or might take too long."""
    try:
        Condition(expression, names)
    except UnusableExpression as error:
        yield field, str(error)


def _place(expression: str, error: str) -> str:
    found = _PLACE.search(error)
    if found is None:
        return f": {error.splitlines()[0]}"
    line, column = int(found["line"]), int(found["column"])
    reason = _EXPECTING.sub("", found["reason"])
    text = next(islice(expression.splitlines(), line - 1, None), "")  # blank lines at the end are none to Python
    return f" at line {line}, column {column}: {reason}\n  {text}\n  {_blank(text[: column - 1])}^"


def _blank(text: str) -> str:
    """Return blanks as wide as the text is shown: a Chinese character takes two columns."""
    return "".join("  " if unicodedata.east_asian_width(each) in "WF" else " " for each in text)
