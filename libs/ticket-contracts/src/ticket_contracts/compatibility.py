"""Whether a schema may take the place of a released one: only optional fields may be added.

Two readers must go on. A subscriber with the released schema reads new events, so what it relies on must stay there;
our own new reader reads old events (topics keep 30 days, `ticket_events` all), so nothing may become narrower.
New words of an enumeration and wider limits are allowed: subscribers are told to expect them (docs/subscribe.md).
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_MUST_STAY = ("type", "const", "format", "pattern", "default", "additionalProperties", "discriminator")
_MAY_GROW = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_MAY_SHRINK = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_ABSENT = "absent"


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """Return what would break a reader of either schema, each with the path of the field; empty when nothing does."""
    return list(_Comparison(old, new).compare(old, new, "$", frozenset()))


class _Comparison:
    """Walks two schemas side by side, each with its own `$defs`."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old_definitions = old.get("$defs", {})
        self._new_definitions = new.get("$defs", {})

    def compare(self, old: Schema, new: Schema, path: str, seen: frozenset[str]) -> Iterator[str]:
        reference = old.get("$ref", "")
        if reference and reference in seen:
            return  # a model that contains itself: compared already, one level up
        seen |= {reference}
        old, new = _resolve(old, self._old_definitions), _resolve(new, self._new_definitions)
        yield from _changed_rules(old, new, path)
        yield from _narrowed(old, new, path)
        yield from self._properties(old, new, path, seen)
        yield from self._parts(old, new, path, seen)

    def _properties(self, old: Schema, new: Schema, path: str, seen: frozenset[str]) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in before:
            if name in after:
                yield from self.compare(before[name], after[name], f"{path}.{name}", seen)
            else:
                yield f"{path}.{name}: was removed; readers rely on it (a rename is a removal)"
        required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(required_after - required_before):
            yield f"{path}.{name}: is required now; events written before do not have it"
        for name in sorted((required_before - required_after) & set(after)):
            yield f"{path}.{name}: is optional now; readers rely on it being there"

    def _parts(self, old: Schema, new: Schema, path: str, seen: frozenset[str]) -> Iterator[str]:
        for name in ("items", "additionalProperties", "propertyNames"):
            before, after = old.get(name), new.get(name)
            if isinstance(before, Mapping) and isinstance(after, Mapping):
                yield from self.compare(before, after, f"{path}[]", seen)
            elif before != after and name != "additionalProperties":
                yield f"{path}: {name} was added or removed"
        for name in ("anyOf", "oneOf", "allOf", "prefixItems"):
            before, after = old.get(name, ()), new.get(name, ())
            if len(before) != len(after):
                yield f"{path}: the alternatives of {name} changed from {len(before)} to {len(after)}"
            for left, right in zip(before, after, strict=False):
                yield from self.compare(left, right, path, seen)


def _resolve(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    if "$ref" not in schema:
        return schema
    beside = {name: value for name, value in schema.items() if name != "$ref"}
    return {**definitions[schema["$ref"].removeprefix("#/$defs/")], **beside}


def _changed_rules(old: Schema, new: Schema, path: str) -> Iterator[str]:
    for name in _MUST_STAY:
        before, after = old.get(name, _ABSENT), new.get(name, _ABSENT)
        if isinstance(before, Mapping) and isinstance(after, Mapping) and name == "additionalProperties":
            continue  # compared as a schema
        if before != after:
            yield f"{path}: {name} changed from {before} to {after}"


def _narrowed(old: Schema, new: Schema, path: str) -> Iterator[str]:
    if "enum" in new:
        gone = [value for value in old.get("enum", [_ABSENT]) if value not in new["enum"]]
        if gone:
            yield f"{path}: the enumeration lost {', '.join(map(str, gone))}"
    elif "enum" in old:
        yield f"{path}: the enumeration was removed"
    for names, sign in ((_MAY_GROW, 1), (_MAY_SHRINK, -1)):
        for name in names:
            if name in new and (name not in old or sign * new[name] < sign * old[name]):
                yield f"{path}: {name} became narrower, {old.get(name, _ABSENT)} to {new[name]}"
