"""How many open tickets a changed configuration touches, kind by kind, in one snapshot."""

from collections.abc import Mapping

from ticket_store.configuration import Connection, Identity
from ticket_store.configuration_edits import Edits
from ticket_store.documents import Document
from ticket_store.tables.tickets import WIDE_PLANS
from ticket_store.touched_rules import count_of_rules
from ticket_store.touched_tickets import SIMPLE_KINDS, Counting, Touched
from ticket_store.touched_workflow import count_graded, count_in_flows, count_of_fields, count_with_words
from ticket_store.workflow_documents import Automation, CustomField, Flow, PriorityMatrix, Taxonomy

COUNTED: Mapping[type[Document], Counting] = {
    **SIMPLE_KINDS,
    Flow: count_in_flows,
    CustomField: count_of_fields,
    Taxonomy: count_with_words,
    PriorityMatrix: count_graded,
    Automation: count_of_rules,
}
"""Routing is not among them: it says where tickets go that are not there yet."""


async def count_touched(connection: Connection, edits: Edits) -> Mapping[Identity, Touched]:
    """Return what each edited document touches; one that touches nothing may be left out. Nothing is written."""
    found: dict[Identity, Touched] = {}
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(WIDE_PLANS)
        for kind, count in COUNTED.items():
            if edits.of(kind):
                touched = await count(connection, edits)
                found |= {(kind.kind, name): each for name, each in touched.items()}
    return found
