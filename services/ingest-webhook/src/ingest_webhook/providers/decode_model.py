"""Reading a JSON body or a query into a model, so that the sender learns which field is wrong."""

from typing import Any, TypeVar
from urllib.parse import parse_qs

from pydantic import BaseModel, ValidationError

from ingest_webhook.domain.json_documents import NotJson, decode_json_bytes
from ingest_webhook.rejections import Undecodable
from service_kit.problems import FieldProblem

ModelT = TypeVar("ModelT", bound=BaseModel)


def decode_object(body: bytes, documentation: str) -> dict[str, Any]:
    """Read a JSON object within our limits, its strings cleaned.

    :raises Undecodable:
    """
    try:
        document = decode_json_bytes(body)
    except NotJson as error:
        raise Undecodable(
            FieldProblem(field="body", message=str(error), fix=f"Send JSON; see {documentation}")
        ) from error
    if not isinstance(document, dict):
        raise Undecodable(FieldProblem(field="body", message="not an object", fix=f"See {documentation}"))
    return document


def decode_model(model: type[ModelT], document: object, documentation: str) -> ModelT:
    """Check a document against its model.

    :raises Undecodable: with each field at fault by its path, e.g. `body.data.sender.id`.
    """
    return _validate(model, document, "body", documentation)


def decode_query(model: type[ModelT], query: bytes, documentation: str) -> ModelT:
    """Check the parameters of a query against a model.

    :raises Undecodable: with each parameter at fault, e.g. `query.crc_token`.
    """
    return _validate(model, query_parameters(query), "query", documentation)


def query_parameters(query: bytes) -> dict[str, str]:
    """Of a parameter that stands twice the first counts."""
    # As text: `parse_qs` fails on bytes that stand for anything but ASCII.
    parameters = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    return {name: values[0] for name, values in parameters.items()}


def _validate(model: type[ModelT], document: object, place: str, documentation: str) -> ModelT:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
        problems = [
            FieldProblem(
                field=".".join((place, *map(str, detail["loc"]))),
                message=detail["msg"],
                fix=f"See {documentation}",
            )
            for detail in details
        ]
        raise Undecodable(*problems) from error
