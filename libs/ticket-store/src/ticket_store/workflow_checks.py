"""What must hold in the documents of work, each finding with its field and its fix."""

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

from ticket_contracts.vocabulary import Grade, Status
from ticket_store.workflow_documents import CustomField, Flow, PriorityMatrix, Taxonomy

TAXONOMY_NAME, MATRIX_NAME = "taxonomy", "priorities"

Finding: TypeAlias = tuple[str, str]
"""Field and fix of a problem."""


def workflow_findings(
    document: Flow | CustomField | Taxonomy | PriorityMatrix, statuses: frozenset[str]
) -> Iterator[Finding]:
    """Yield what is wrong; `statuses` are the names of all status documents."""
    match document:
        case Flow():
            yield from _flow(document, statuses)
        case CustomField():
            yield from _field(document)
        case Taxonomy():
            yield from _taxonomy(document)
        case PriorityMatrix():
            yield from _matrix(document)


def _flow(flow: Flow, named: frozenset[str]) -> Iterator[Finding]:
    known = named | frozenset(Status)
    for status, following in flow.allowed.items():
        for name in (status, *following):
            if name not in known:
                yield f"allowed.{status}", f"there is no status {name!r}; add a status document or correct the name"


def _field(field: CustomField) -> Iterator[Finding]:
    if field.type == "choice" and not field.choices:
        yield "choices", "a choice needs at least one; list them"
    if field.type != "choice" and field.choices:
        yield "choices", f"a field of type {field.type} has none; remove them or make it a choice"
    yield from _repeated("choices", field.choices)


def _taxonomy(taxonomy: Taxonomy) -> Iterator[Finding]:
    if taxonomy.name != TAXONOMY_NAME:
        yield "name", f"the one taxonomy is named {TAXONOMY_NAME!r}; rename it"
    yield from _repeated("resolution_codes", tuple(code.name for code in taxonomy.resolution_codes))
    yield from _repeated("causes", tuple(code.name for code in taxonomy.causes))


def _matrix(matrix: PriorityMatrix) -> Iterator[Finding]:
    if matrix.name != MATRIX_NAME:
        yield "name", f"the one matrix is named {MATRIX_NAME!r}; rename it"
    for impact in Grade:
        for urgency in Grade:
            if urgency not in matrix.priorities.get(impact, {}):
                yield f"priorities.{impact}.{urgency}", "it is missing; every pair of grades needs a priority"


def _repeated(field: str, names: tuple[str, ...]) -> Iterator[Finding]:
    for name, count in Counter(names).items():
        if count > 1:
            yield field, f"{name!r} stands there {count} times; keep one"
