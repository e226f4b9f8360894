"""What differs between the configuration in force and a wanted one, document by document."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Literal, TypeVar, cast

from ticket_store.documents import Document

DocumentT = TypeVar("DocumentT", bound=Document)
Change = Literal["added", "changed", "archived"]


@dataclass(frozen=True, slots=True)
class Edit(Generic[DocumentT]):
    """One document in force and as wanted; None where there is none."""

    name: str
    old: DocumentT | None
    new: DocumentT | None

    @property
    def change(self) -> Change:
        """Return what becomes of the document."""
        if self.old is None:
            return "added"
        return "archived" if self.new is None else "changed"

    @property
    def sides(self) -> Iterator[DocumentT]:
        """Yield the document as it is and as wanted, as far as there is one."""
        yield from (each for each in (self.old, self.new) if each is not None)


@dataclass(frozen=True)
class Edits:
    """Two whole configurations, documents by kind and name: the one in force and the wanted one. Compared once."""

    before: Mapping[tuple[str, str], Document]
    after: Mapping[tuple[str, str], Document]

    @cached_property
    def all(self) -> tuple[tuple[str, Edit[Document]], ...]:
        """Kind and edit of every document that differs, first what is added or changed, then what goes."""
        identities = (*sorted(self.after), *sorted(self.before.keys() - self.after.keys()))
        compared = (
            (kind, Edit(name, self.before.get((kind, name)), self.after.get((kind, name)))) for kind, name in identities
        )
        return tuple((kind, edit) for kind, edit in compared if edit.old != edit.new)

    def of(self, kind: type[DocumentT]) -> "list[Edit[DocumentT]]":
        """Return the edits of one kind."""
        return [cast("Edit[DocumentT]", edit) for of_kind, edit in self.all if of_kind == kind.kind]


def of_kind(kind: type[DocumentT], documents: Mapping[tuple[str, str], Document]) -> list[DocumentT]:
    """Return the documents of one kind, by name."""
    return [document for _, document in sorted(documents.items()) if isinstance(document, kind)]
