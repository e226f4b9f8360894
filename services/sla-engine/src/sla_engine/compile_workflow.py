"""Turn the configuration's documents of work into what the domain asks."""

from sla_engine.domain.workflow import FieldType, Flow, Workflow
from ticket_contracts.vocabulary import Grade, Priority
from ticket_store.configuration import Configuration
from ticket_store.workflow_documents import CustomField, PriorityMatrix, StatusName, Taxonomy
from ticket_store.workflow_documents import Flow as FlowDocument


def compile_workflow(loaded: Configuration) -> Workflow:
    """Compile what is in force."""
    taxonomies = [each.document for each in loaded.of(Taxonomy).values()]
    return Workflow(
        statuses={name: each.document.category for name, each in loaded.of(StatusName).items()},
        flows=tuple(_flow(each.document) for _, each in sorted(loaded.of(FlowDocument).items())),
        fields={
            name: FieldType(each.document.type, each.document.choices) for name, each in loaded.of(CustomField).items()
        },
        resolution_codes=frozenset(code.name for each in taxonomies for code in each.resolution_codes),
        causes=frozenset(code.name for each in taxonomies for code in each.causes),
        priorities=_priorities(loaded),
    )


def _flow(document: FlowDocument) -> Flow:
    allowed = {status: frozenset(following) for status, following in document.allowed.items()}
    return Flow(document.name, frozenset(document.teams), allowed, document.resolution_code_required)


def _priorities(loaded: Configuration) -> dict[tuple[Grade, Grade], Priority]:
    return {
        (impact, urgency): priority
        for each in loaded.of(PriorityMatrix).values()
        for impact, row in each.document.priorities.items()
        for urgency, priority in row.items()
    }
