"""From somebody's JSON to a message, by pointers that the sources file names."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ingest_webhook.domain.json_pointer import parse_pointer, resolve_pointer
from ingest_webhook.rejections import Undecodable, wrong_field

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
    """One document, read by pointers. Where one may be absent, None of the map stands for "not there" too."""

    def __init__(self, document: Mapping[str, Any], documentation: str) -> None:
        self._document = document
        self._documentation = documentation

    def identifier(self, pointer: str) -> str:
        """Return a text or number that names something.

        :raises Undecodable: it is missing, or too long to be a name.
        """
        return self._named(pointer, self._value(pointer))

    def optional_identifier(self, pointer: str | None) -> str:
        """Return the same, empty when the map or the document has none."""
        value = self._value(pointer)
        return "" if pointer is None or value is None else self._named(pointer, value)

    def words(self, pointer: str | None) -> str:
        """Return a text, empty when the map or the document has none."""
        value = self._value(pointer)
        if pointer is None or value is None:
            return ""
        if not isinstance(value, str):
            raise self._wrong(pointer, "is no text")
        return value

    def instant(self, pointer: str | None) -> datetime | None:
        value = self._value(pointer)
        if pointer is None or value is None:
            return None
        try:
            if isinstance(value, bool):
                raise self._wrong(pointer, "is no time")
            if isinstance(value, int | float):
                return datetime.fromtimestamp(value, UTC)
            return _TIME.validate_python(value)
        except (ValidationError, ValueError, OverflowError, OSError) as error:
            message = "is neither ISO 8601 with an offset nor Unix seconds"
            raise self._wrong(pointer, message) from error

    def _named(self, pointer: str, value: object) -> str:
        named = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if not 1 <= len(named) <= MAX_ID_LENGTH:
            raise self._wrong(pointer, f"is missing, no text or number, or longer than {MAX_ID_LENGTH} characters")
        return named

    def _wrong(self, pointer: str, message: str) -> Undecodable:
        field = "body" + pointer.replace("/", ".")
        return wrong_field(field, message, self._documentation)

    def _value(self, pointer: str | None) -> Any:
        return None if pointer is None else resolve_pointer(self._document, parse_pointer(pointer))
