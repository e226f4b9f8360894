"""Every kind of configuration document, by the word that a file or a row says."""

from ticket_store.documents import Agent, Brand, Calendar, Document, Group, Policy, Routing, Team
from ticket_store.workflow_documents import WORKFLOW_KINDS

_KINDS: tuple[type[Document], ...] = (Brand, Agent, Team, Group, Calendar, Policy, Routing, *WORKFLOW_KINDS)

DOCUMENT_KINDS: dict[str, type[Document]] = {kind.kind: kind for kind in _KINDS}
