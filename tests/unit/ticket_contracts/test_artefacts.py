"""The committed contract is what the models say, keeps every promise of a release, and is well-formed."""

import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from ticket_contracts import generate
from ticket_contracts.catalogue import EVENT_TYPES, EVENTS_BY_TOPIC
from ticket_contracts.topics import TOPICS

with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)  # asyncapi3 names a field `schema`, which pydantic warns of
    from asyncapi3 import AsyncAPI3  # type: ignore[import-untyped] # it has models, but no py.typed

DOCS = Path(__file__).parents[3] / "docs"


def test_committed_artefacts_are_what_the_models_say() -> None:
    assert generate.differences(DOCS) == [], "run `make schemas` and look at the difference"


def test_no_promise_of_a_release_is_broken() -> None:
    assert generate.broken_promises(DOCS) == []


def test_the_schemas_of_every_release_are_kept() -> None:
    released = [folder.name for folder in (DOCS / generate.RELEASES_FOLDER).iterdir()]

    assert "0.1.0" in released


def test_every_topic_has_events_and_every_type_names_its_version() -> None:
    assert set(EVENTS_BY_TOPIC) == set(TOPICS)
    assert all(re.fullmatch(r"firebreak\.[a-z-]+\.[a-z-]+\.v1", name) for name in EVENT_TYPES)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_each_schema_is_a_valid_open_schema(name: str) -> None:
    schema = generate.schema_of(EVENT_TYPES[name])

    Draft202012Validator.check_schema(schema)
    assert '"additionalProperties": false' not in json.dumps(schema), "readers ignore fields they do not know"


def test_a_changed_missing_or_surplus_file_is_found(tmp_path: Path) -> None:
    assert generate.main(["--docs", str(tmp_path), "--write"]) == 0
    folder = tmp_path / generate.SCHEMA_FOLDER
    (folder / "firebreak.ticket.opened.v1.json").write_text("{}")
    (folder / "firebreak.ticket.assigned.v1.json").unlink()
    (folder / "firebreak.ticket.imagined.v1.json").write_text("{}")

    assert {line.split(":")[0].split("/")[-1] for line in generate.differences(tmp_path)} == {
        "firebreak.ticket.opened.v1.json",
        "firebreak.ticket.assigned.v1.json",
        "firebreak.ticket.imagined.v1.json",
    }
    assert generate.main(["--docs", str(tmp_path)]) == 1


def test_a_release_is_written_once(tmp_path: Path) -> None:
    assert generate.main(["--docs", str(tmp_path), "--write", "--release", "0.1.0"]) == 0
    assert generate.main(["--docs", str(tmp_path), "--release", "0.1.0"]) == 1


def test_an_event_type_that_disappears_breaks_the_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate.main(["--docs", str(tmp_path), "--write", "--release", "0.1.0"])
    fewer = {name: payload for name, payload in EVENT_TYPES.items() if "warned" not in name}
    monkeypatch.setattr(generate, "EVENT_TYPES", fewer)

    assert generate.broken_promises(tmp_path) == ["0.1.0/firebreak.ticket.clock-warned.v1: the event type was removed"]


def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DOCS / "asyncapi.yaml").read_text())
    return loaded


def test_the_asyncapi_document_is_one_by_an_independent_reader() -> None:
    read = AsyncAPI3.model_validate(document())

    assert set(read.channels) == {"messages", "commands", "tickets", "alerts", "deadLetters"}


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    whole = document()
    references = [value for value in _values(whole, "$ref") if isinstance(value, str)]
    assert len(references) > len(EVENT_TYPES)
    for reference in references:
        if reference.startswith("#/"):
            node: Any = whole
            for step in reference.removeprefix("#/").split("/"):
                node = node[step]
        else:
            assert (DOCS / reference).is_file(), reference


def test_each_channel_says_how_kafka_carries_it() -> None:
    for topic in TOPICS:
        (channel,) = (each for each in document()["channels"].values() if each["address"] == topic.name)
        kafka = channel["bindings"]["kafka"]
        assert (kafka["partitions"], kafka["bindingVersion"]) == (topic.partitions_production, "0.5.0")
        assert set(channel["messages"]) == {payload.__name__ for payload in EVENTS_BY_TOPIC[topic].values()}


def _values(node: Any, name: str) -> list[Any]:
    if isinstance(node, dict):
        below = [found for value in node.values() for found in _values(value, name)]
        return [node[name], *below] if name in node else below
    return [found for item in node for found in _values(item, name)] if isinstance(node, list) else []
