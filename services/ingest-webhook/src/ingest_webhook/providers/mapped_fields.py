"""From somebody's JSON to a message, by pointers that the sources file names."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ingest_webhook.domain.json_pointer import parse_pointer, resolve_pointer
from ingest_webhook.rejections import Undecodable
from service_kit.problems import FieldProblem

# As `Name` in the contracts.
MAX_ID_LENGTH = 200
_TIME: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


def _is_pointer(text: str) -> str:
    parse_pointer(text)
    return text


JsonPointer = Annotated[str, AfterValidator(_is_pointer)]


class FieldMap(BaseModel):
    """Where the parts of a message stand; RFC 6901, e.g. `/ticket/id`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: JsonPointer = Field(description="What names the message; a repeated delivery has the same")
    sender: JsonPointer = Field(description="What identifies who wrote, of the kind in `identity`")
    conversation: JsonPointer | None = Field(
        default=None, description="What it belongs to; default: the message itself"
    )
    revision: JsonPointer | None = Field(default=None, description="What tells one edit from the next, e.g. its time")
    sender_name: JsonPointer | None = None
    subject: JsonPointer | None = None
    text: JsonPointer | None = None
    sent_at: JsonPointer | None = Field(default=None, description="ISO 8601 with an offset, or Unix seconds")


class MappedDocument:
    """One document, read by a map."""

    def __init__(self, document: Mapping[str, Any], fields: FieldMap, documentation: str) -> None:
        self._document = document
        self._fields = fields
        self._documentation = documentation

    def identifier(self, pointer: str) -> str:
        """Return a text or number that names something.

        :raises Undecodable: it is missing, or too long to be a name.
        """
        value = self._value(pointer)
        named = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if not 1 <= len(named) <= MAX_ID_LENGTH:
            raise self.wrong(pointer, f"is missing, no text or number, or longer than {MAX_ID_LENGTH} characters")
        return named

    def optional(self, pointer: str | None, read: Callable[[str], str]) -> str:
        """Return what `read` makes of it, empty when the map or the document has none."""
        return "" if pointer is None or self._value(pointer) is None else read(pointer)

    def words(self, pointer: str) -> str:
        value = self._value(pointer)
        if not isinstance(value, str):
            raise self.wrong(pointer, "is no text")
        return value

    def instant(self, pointer: str | None) -> datetime | None:
        if pointer is None or (value := self._value(pointer)) is None:
            return None
        try:
            if isinstance(value, bool):
                raise self.wrong(pointer, "is no time")
            if isinstance(value, int | float):
                return datetime.fromtimestamp(value, UTC)
            return _TIME.validate_python(value)
        except (ValidationError, ValueError, OverflowError, OSError) as error:
            message = "is neither ISO 8601 with an offset nor Unix seconds"
            raise self.wrong(pointer, message) from error

    def wrong(self, pointer: str, message: str) -> Undecodable:
        field = "body" + pointer.replace("/", ".")
        return Undecodable(FieldProblem(field=field, message=message, fix=f"See {self._documentation}"))

    def _value(self, pointer: str) -> Any:
        return resolve_pointer(self._document, parse_pointer(pointer))
