"""Hypothesis strategies for payloads; its own `from_type` knows neither aware times nor limits on optional fields."""

from datetime import UTC, datetime
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

_TIMES = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - the zone is added
    timezones=st.just(UTC),
)
_LARGEST = 2**53  # what every JSON parser can hold exactly
_PATTERNS: dict[str, st.SearchStrategy[Any]] = {"^[0-9a-f]{64}$": st.binary(min_size=32, max_size=32).map(bytes.hex)}


def payloads(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Return a strategy for instances of the model: absent, smallest, and full of content."""
    return st.builds(model, **{name: _field(field) for name, field in model.model_fields.items()})


def _field(field: FieldInfo) -> st.SearchStrategy[Any]:
    return _values(field.annotation, field.metadata)


def _values(annotation: Any, limits: list[Any]) -> st.SearchStrategy[Any]:
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _values(arguments[0], [*arguments[1].metadata, *limits])
    if isinstance(annotation, UnionType) or get_origin(annotation) is Union:
        return st.one_of(*(st.none() if kind is type(None) else _values(kind, limits) for kind in arguments))
    fewest = max((limit.min_length for limit in limits if isinstance(limit, MinLen)), default=0)
    if get_origin(annotation) is tuple:
        return st.lists(_values(arguments[0], []), min_size=fewest, max_size=fewest + 2).map(tuple)
    if get_origin(annotation) is dict:
        parts = (_values(arguments[0], []), _values(arguments[1], []))
        return st.dictionaries(*parts, min_size=fewest, max_size=fewest + 2)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return payloads(annotation)
    return _plain(annotation, limits)


def _plain(annotation: Any, limits: list[Any]) -> st.SearchStrategy[Any]:
    if pattern := next((limit.pattern for limit in limits if getattr(limit, "pattern", None)), None):
        return _PATTERNS[pattern]
    if annotation is str:
        longest = min([limit.max_length for limit in limits if isinstance(limit, MaxLen)], default=20)
        shortest = max([limit.min_length for limit in limits if isinstance(limit, MinLen)], default=0)
        return st.text(st.characters(codec="utf-8"), min_size=shortest, max_size=min(longest, 20))
    if annotation is int:
        return _integers(limits)
    if annotation is float:
        return st.floats(allow_nan=False, allow_infinity=False)  # JSON knows neither
    if annotation in (bool, UUID):
        return st.booleans() if annotation is bool else st.uuids()
    if getattr(annotation, "__name__", "") == "AwareDatetime":
        return _TIMES
    return st.from_type(annotation)  # enumerations and literals


def _integers(limits: list[Any]) -> st.SearchStrategy[int]:
    lowest, highest = -_LARGEST, _LARGEST
    for limit in limits:
        match limit:
            case Ge(ge=int(value)):
                lowest = value
            case Gt(gt=int(value)):
                lowest = value + 1
            case Le(le=int(value)):
                highest = value
            case Lt(lt=int(value)):
                highest = value - 1
    return st.integers(lowest, highest)
