"""Read, plan and change the configuration for callers of the API; what is refused is named field by field."""

from collections.abc import Iterable
from typing import Any

from crm_api.authenticate import Caller
from service_kit.problems import FieldProblem, ProblemError
from ticket_store import configuration
from ticket_store.configuration import Applied, Configuration, ConfigurationRefused, Connection, HeadMoved, Problem
from ticket_store.configuration_checks import FoundDocument, check_documents
from ticket_store.configuration_files import parse_document
from ticket_store.configuration_history import NoSuchVersion, roll_back
from ticket_store.configuration_plan import Plan, plan
from ticket_store.document_kinds import DOCUMENT_KINDS
from ticket_store.documents import Document


def known_kind(kind: str) -> type[Document]:
    """:raises ProblemError: 404, there is no such kind."""
    found = DOCUMENT_KINDS.get(kind)
    if found is None:
        raise _no_document(f"There is no kind {kind!r}; there are {', '.join(DOCUMENT_KINDS)}.")
    return found


async def put_document(
    connection: Connection, kind: str, name: str, body: dict[str, Any], caller: Caller, expected_head: int | None
) -> Applied:
    """Add or replace one document, on top of all others.

    :raises ProblemError: 404 unknown kind, 412 changed meanwhile, 422 with every field that is wrong.
    """
    known_kind(kind)
    document = parsed([{**body, "kind": kind, "name": name}], "body")[0]
    present = await configuration.load(connection)
    others = {key: versioned.document for key, versioned in present.documents.items()}
    return await _apply(connection, {**others, (kind, name): document}.values(), caller, present, expected_head)


async def delete_document(
    connection: Connection, kind: str, name: str, caller: Caller, expected_head: int | None
) -> Applied:
    """Archive one document: its versions stay, and tickets that hold them go on (rule 33).

    :raises ProblemError: 404 it is not in force, 412 changed meanwhile, 422 something still refers to it.
    """
    present = await configuration.load(connection)
    if present.get(known_kind(kind), name) is None:
        raise no_such_document(kind, name)
    others = [versioned.document for key, versioned in present.documents.items() if key != (kind, name)]
    return await _apply(connection, others, caller, present, expected_head)


async def plan_documents(connection: Connection, bodies: list[dict[str, Any]]) -> Plan:
    """:raises ProblemError: 422 with every field that is wrong in any document."""
    documents = parsed(bodies, "body.documents")
    try:
        check_documents([FoundDocument(document) for document in documents])
    except ConfigurationRefused as refused:
        raise _refused(refused.problems, "body.documents") from refused
    return await plan(connection, await configuration.load(connection), documents)


async def roll_back_to(connection: Connection, version: int, caller: Caller, expected_head: int | None) -> Applied:
    """:raises ProblemError: 404 there never was this version, 412 changed meanwhile, 422 no longer accepted."""
    try:
        return await roll_back(connection, version, name_of(caller), expected_head=expected_head)
    except NoSuchVersion as error:
        raise ProblemError(404, "No such version", str(error), type="/problems/no-such-version") from error
    except HeadMoved as error:
        raise _moved(error) from error
    except ConfigurationRefused as refused:
        raise _refused(refused.problems, "documents") from refused


def parsed(bodies: list[dict[str, Any]], where: str) -> list[Document]:
    """:raises ProblemError: 422 with every field that is wrong."""
    found = [each for index, body in enumerate(bodies) for each in parse_document(body, "", index)]
    if problems := [each for each in found if isinstance(each, Problem)]:
        raise _refused(problems, where)
    return [each for each in found if isinstance(each, Document)]


def name_of(caller: Caller) -> str:
    """Return who is named in the history: the key's agent, else the key."""
    return caller.agent or caller.name


def no_such_document(kind: str, name: str) -> ProblemError:
    """Return the 404 of a document."""
    return _no_document(f"There is no {kind} named {name!r} in force.")


async def _apply(
    connection: Connection,
    documents: Iterable[Document],
    caller: Caller,
    present: Configuration,
    expected_head: int | None,
) -> Applied:
    # Without If-Match too: the other documents are those that were read, and must not undo a change made since.
    expected = present.version if expected_head is None else expected_head
    try:
        return await configuration.apply(connection, list(documents), name_of(caller), expected_head=expected)
    except HeadMoved as error:
        raise _moved(error) from error
    except ConfigurationRefused as refused:
        raise _refused(refused.problems, "documents") from refused


def _moved(error: HeadMoved) -> ProblemError:
    return ProblemError(
        412,
        "The configuration has changed",
        f"It is at version {error.head} by now. Read it again and decide anew.",
        type="/problems/configuration-conflict",
        headers={"ETag": f'"{error.head}"'},
    )


def _no_document(detail: str) -> ProblemError:
    return ProblemError(404, "No such document", detail, type="/problems/no-such-document")


def _refused(problems: Iterable[Problem], where: str) -> ProblemError:
    errors = [
        FieldProblem(
            field=".".join(part for part in (where, each.document, each.field) if part),
            message="it does not fit the configuration",
            fix=each.fix,
        )
        for each in problems
    ]
    return ProblemError(
        422,
        "The configuration is not valid",
        "Nothing was changed. See `errors` for each field and its fix.",
        type="/problems/configuration-refused",
        errors=errors,
    )
