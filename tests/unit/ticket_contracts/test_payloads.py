"""Every payload survives its own encoding, fits its schema, and is read by older and newer readers."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.unit.ticket_contracts.payload_strategies import payloads
from ticket_contracts.catalogue import EVENT_TYPES
from ticket_contracts.contract import Payload
from ticket_contracts.generate import schema_of

# A few examples of each of some thirty types; shrinking such large objects takes many times as long as it helps.
QUICK = settings(
    max_examples=5,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
    deadline=None,
    database=None,
)


@pytest.mark.parametrize("name", EVENT_TYPES)
@QUICK
@given(data=st.data())
def test_a_payload_is_what_its_encoding_says_and_what_its_schema_allows(name: str, data: st.DataObject) -> None:
    model = EVENT_TYPES[name]
    payload: Payload = data.draw(payloads(model))

    encoded = payload.encode()

    assert model.model_validate_json(encoded) == payload
    Draft202012Validator(schema_of(model)).validate(json.loads(encoded))


@pytest.mark.parametrize("name", EVENT_TYPES)
@QUICK
@given(data=st.data())
def test_a_field_that_a_newer_writer_added_anywhere_is_ignored(name: str, data: st.DataObject) -> None:
    model = EVENT_TYPES[name]
    payload: Payload = data.draw(payloads(model))

    newer = _with_unknown_fields(json.loads(payload.encode()), free=_free_mappings(model))

    assert model.model_validate_json(json.dumps(newer)) == payload


def _free_mappings(model: type[Payload]) -> set[str]:
    """Fields whose keys are data, such as `causes`: an unknown key there is content."""
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return {
        name for part in parts for name, field in part.get("properties", {}).items() if field.get("type") == "object"
    }


def _with_unknown_fields(node: Any, free: set[str]) -> Any:
    if isinstance(node, list):
        return [_with_unknown_fields(item, free) for item in node]
    if isinstance(node, dict):
        known = {name: value if name in free else _with_unknown_fields(value, free) for name, value in node.items()}
        return known | {"from_tomorrow": {"anything": 1}}
    return node


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_what_may_be_none_is_none_when_absent_because_none_is_not_written(name: str) -> None:
    schema = EVENT_TYPES[name].model_json_schema()
    parts = {"": schema, **schema.get("$defs", {})}

    others = [
        f"{part}.{name}"
        for part, content in parts.items()
        for name, field in content.get("properties", {}).items()
        if {"type": "null"} in field.get("anyOf", ()) and field.get("default", "absent") is not None
    ]
    assert others == []
