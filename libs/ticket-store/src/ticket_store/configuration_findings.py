"""What a check finds, and the names that documents may refer to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ticket_store.documents import Agent, Document, Group, Recipient

DocumentT = TypeVar("DocumentT", bound=Document)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `document` is `kind/name`, `field` a dotted path; either may be empty."""

    file: str
    document: str
    field: str
    fix: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.document, self.field, self.fix) if part)


class ConfigurationRefused(ValueError):
    """The documents contradict themselves; nothing was changed. `problems` holds all there are."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A document and the file it came from; empty for one that came through the API."""

    document: Document
    file: str = ""


MOST_YEARS = 10
"""No calendar is searched further; what the configuration promises or awaits for longer never comes."""

_UNIT_HOURS = {"s": 1 / 3600, "m": 1 / 60, "h": 1, "bd": 1}  # a business day is an hour at least


def is_endless(duration: str) -> bool:
    """Whether `30m`, `4h` or `2bd` is longer than MOST_YEARS."""
    digits = duration.rstrip("smhbd")
    return len(digits) > 12 or int(digits) * _UNIT_HOURS[duration.removeprefix(digits)] > MOST_YEARS * 365 * 24


Finding = tuple[str, str]
"""Field and fix of a problem in a known document."""


_NAMED: Mapping[str, type[Document]] = {"group": Group, "agent": Agent}


class Names:
    """Which names exist, for looking up references."""

    def __init__(self, found: Iterable[FoundDocument]) -> None:
        self._known = {(each.document.kind, each.document.name): each.document for each in found}

    def get(self, kind: type[DocumentT], name: str) -> DocumentT | None:
        document = self._known.get((kind.kind, name))
        return document if isinstance(document, kind) else None

    def all(self, kind: type[DocumentT]) -> list[DocumentT]:
        return [document for document in self._known.values() if isinstance(document, kind)]

    def of(self, kind: type[Document]) -> frozenset[str]:
        """Return the names of one kind."""
        return frozenset(name for of_kind, name in self._known if of_kind == kind.kind)

    def missing(self, field: str, kind: type[Document], *names: str | None) -> Iterator[Finding]:
        for name in names:
            if name is not None and (kind.kind, name) not in self._known:
                yield field, f"there is no {kind.kind} named {name!r}; add one or correct the name"

    def recipients(self, field: str, recipients: Sequence[Recipient]) -> Iterator[Finding]:
        """A role needs no name; a group or an agent one that exists."""
        for index, recipient in enumerate(recipients):
            where = f"{field}.{index}.name"
            kind = _NAMED.get(recipient.to)
            if kind is None and recipient.name is not None:
                yield where, f"{recipient.to} is a role of the ticket and has no name; remove it"
            elif kind is not None and recipient.name is None:
                yield where, f"name the {kind.kind} that is told"
            elif kind is not None:
                yield from self.missing(where, kind, recipient.name)


def title(document: Document) -> str:
    """Return how problems name a document."""
    return f"{document.kind}/{document.name}"
