"""Reading a JSON body or a query into a model, so that the sender learns which field is wrong.

Models are msgspec's: checking one takes a third of what pydantic's takes, and a request has several.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec
from msgspec import inspect

from ingest_webhook.domain.json_documents import NotJson, decode_json_bytes
from ingest_webhook.rejections import Undecodable, wrong_field
from service_kit.problems import FieldProblem

ModelT = TypeVar("ModelT", bound=msgspec.Struct)

# msgspec says what is wrong and, below the top, where: "Expected `str`, got `int` - at `$.data.items[0].id`".
_PLACE = re.compile(r"(?:(?:`key`|key) in )?`\$(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.+)`", re.DOTALL)
# Followed by what was sent, which may be long and is nobody's business in our logs.
_OTHER_VALUE = re.compile(r"Invalid enum value .*", re.DOTALL)
_INDEX = re.compile(r"\[([0-9]+)\]")
_STEP = re.compile(r"\.([^.\[\]]+)|(\[(?:[0-9]+|\.\.\.)\])")
_ANY_NAME = "[...]"


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
        raise wrong_field("body", "not an object", documentation)
    return document


def decode_model(model: type[ModelT], document: object, documentation: str) -> ModelT:
    """Check a document against its model. Texts that are numbers count as numbers: many platforms write them so.

    :raises Undecodable: with the first field at fault by its path, e.g. `body.data.sender.id`.
    """
    return _validate(model, document, "body", documentation)


def decode_query(model: type[ModelT], query: bytes, documentation: str) -> ModelT:
    """Check the parameters of a query against a model.

    :raises Undecodable: with the first parameter at fault, e.g. `query.crc_token`.
    """
    return _validate(model, query_parameters(query), "query", documentation)


def query_parameters(query: bytes) -> dict[str, str]:
    """Of a parameter that stands twice the first counts."""
    # As text: `parse_qs` fails on bytes that stand for anything but ASCII.
    parameters = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    return {name: values[0] for name, values in parameters.items()}


def _validate(model: type[ModelT], document: object, place: str, documentation: str) -> ModelT:
    try:
        return msgspec.convert(document, model, strict=False)
    except msgspec.ValidationError as error:
        raise wrong_field(*_explain(str(error), place, model), documentation) from error


def _explain(error: str, place: str, model: type[msgspec.Struct]) -> tuple[str, str]:
    """Return field and message of what msgspec found."""
    said, _, where = error.rpartition(" - at ")
    found = _PLACE.fullmatch(where)
    message, path = (said, found[1]) if found is not None else (error, "")
    field = place + _INDEX.sub(r".\1", path.replace(_ANY_NAME, ".*"))
    missing = _MISSING.fullmatch(message)
    if missing is not None:
        return f"{field}.{missing[1]}", "is missing"
    if _OTHER_VALUE.fullmatch(message):
        choices = ", ".join(_choices(model, path))
        return field, f"is none of {choices}" if choices else "is none of the values that there are"
    return field, message


def _choices(model: type[msgspec.Struct], path: str) -> list[str]:
    """Return the words that a model takes at a place such as `.data.items[0].type`; none when it is not found."""
    kinds = _alternatives(inspect.type_info(model))
    for name, _ in _STEP.findall(path):
        kinds = [inner for kind in kinds for inner in _inside(kind, name)]
    words: list[str] = []
    for kind in kinds:
        if isinstance(kind, inspect.EnumType):
            words.extend(str(member.value) for member in kind.cls)
        elif isinstance(kind, inspect.LiteralType):
            words.extend(map(str, kind.values))
    return words


def _alternatives(kind: inspect.Type) -> Sequence[inspect.Type]:
    return kind.types if isinstance(kind, inspect.UnionType) else (kind,)


def _inside(kind: inspect.Type, name: str) -> Iterator[inspect.Type]:
    """What stands in the field of this name, or in any item of a list when there is no name."""
    if name and isinstance(kind, inspect.StructType):
        for field in kind.fields:
            if field.encode_name == name:
                yield from _alternatives(field.type)
    elif not name and isinstance(kind, inspect.ListType | inspect.VarTupleType):
        yield from _alternatives(kind.item_type)
