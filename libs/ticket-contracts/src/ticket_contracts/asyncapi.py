"""The AsyncAPI 3.0 document: topics, messages and how Kafka carries them, generated from the table and the models.

Kafka bindings 0.5.0 (asyncapi.com/docs/reference/bindings/kafka). Payloads are references to the JSON Schema files.
"""

from collections.abc import Iterator
from typing import Any

from ticket_contracts.catalogue import EVENTS_BY_TOPIC
from ticket_contracts.contract import Payload
from ticket_contracts.envelope import CONTENT_TYPE
from ticket_contracts.topics import ALERTS, COMMANDS, DEAD_LETTERS, MESSAGES, TICKETS, Topic

Node = dict[str, Any]

BINDING_VERSION = "0.5.0"
SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
REPLICAS_PRODUCTION = 3  # architecture §2: replication 3, min.insync.replicas 2

OPERATIONS = {
    "receiveMessages": ("receive", MESSAGES, "The router turns every message into a command for its ticket."),
    "publishMessages": ("send", MESSAGES, "An ingestor publishes what a channel delivered."),
    "receiveCommands": ("receive", COMMANDS, "The sla-engine decides every command in the order of its ticket."),
    "publishCommands": ("send", COMMANDS, "Router and API ask something of one ticket."),
    "publishTickets": ("send", TICKETS, "The sla-engine tells what became of a ticket: subscribe here."),
    "publishAlerts": ("send", ALERTS, "The sla-engine tells what a team lead must know now: subscribe here."),
    "publishDeadLetters": ("send", DEAD_LETTERS, "Any service tells of a record that it could not process."),
}

_ATTRIBUTES = {
    "ce_id": "unique within the source; the same event published again has the same id",
    "ce_source": "/firebreak/<generation>/<consumer>/<topic>/<partition>",
    "ce_time": "when it happened, RFC 3339 with an offset",
    "ce_subject": "the ticket id where there is one",
    "ce_partitionkey": "the key of the record",
    "ce_sequence": "19 digits; rises within a partition and source, with gaps; not higher than the last seen: a repeat",
    "ce_traceparent": "W3C trace that the chain of events began with",
    "ce_correlationid": "id of the first event of the chain",
    "ce_causationid": "id of the event that caused this one",
}
_REQUIRED = ("content-type", "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time")


def asyncapi_document(version: str, schema_folder: str) -> Node:
    """Return the document for a release; schema files stand in `schema_folder`, relative to the document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Firebreak events",
            "version": version,
            "description": "CloudEvents 1.0 in Kafka's binary content mode, JSON. Readers ignore fields and fact types "
            "that they do not know. An installation may put one prefix before all topic names.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": CONTENT_TYPE.decode(),
        "channels": {_channel_id(topic): _channel(topic) for topic in EVENTS_BY_TOPIC},
        "operations": {name: _operation(action, topic, why) for name, (action, topic, why) in OPERATIONS.items()},
        "components": {
            "messages": {payload.__name__: _message(payload, topic, schema_folder) for topic, payload in _payloads()},
            "schemas": {"CloudEventHeaders": _headers()},
        },
    }


def _payloads() -> Iterator[tuple[Topic, type[Payload]]]:
    return ((topic, payload) for topic, events in EVENTS_BY_TOPIC.items() for payload in events.values())


def _channel_id(topic: Topic) -> str:
    """`support.dead-letters.v1` is the channel `deadLetters`."""
    first, *others = topic.name.split(".")[1].split("-")
    return first + "".join(word.title() for word in others)


def _channel(topic: Topic) -> Node:
    configuration: Node = topic.configuration()
    configuration["cleanup.policy"] = [configuration["cleanup.policy"]]
    for name in ("retention.ms", "max.message.bytes"):
        configuration[name] = int(configuration[name])
    return {
        "address": topic.name,
        "description": f"{topic.purpose}. Key: {topic.key}; partition: CRC-32 of the key modulo the partitions.",
        "messages": {
            payload.__name__: {"$ref": f"#/components/messages/{payload.__name__}"}
            for payload in EVENTS_BY_TOPIC[topic].values()
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions_production,
                "replicas": REPLICAS_PRODUCTION,
                "topicConfiguration": configuration,
                "bindingVersion": BINDING_VERSION,
            }
        },
    }


def _operation(action: str, topic: Topic, why: str) -> Node:
    return {"action": action, "channel": {"$ref": f"#/channels/{_channel_id(topic)}"}, "summary": why}


def _message(payload: type[Payload], topic: Topic, schema_folder: str) -> Node:
    return {
        "name": payload.event_type,
        "title": payload.__name__,
        "summary": " ".join((payload.__doc__ or "").split("\n\n")[0].split()),
        "contentType": CONTENT_TYPE.decode(),
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/CloudEventHeaders"},
                {"type": "object", "properties": {"ce_type": {"type": "string", "const": payload.event_type}}},
            ]
        },
        "payload": {
            "schemaFormat": SCHEMA_FORMAT,
            "schema": {"$ref": f"{schema_folder}/{payload.event_type}.json"},
        },
        "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}, "bindingVersion": BINDING_VERSION}},
    }


def _headers() -> Node:
    words = {name: {"type": "string", "description": meaning} for name, meaning in _ATTRIBUTES.items()}
    return {
        "type": "object",
        "description": "Attributes of CloudEvents as UTF-8 record headers (Kafka protocol binding, binary mode).",
        "required": list(_REQUIRED),
        "properties": {
            "content-type": {"type": "string", "const": CONTENT_TYPE.decode()},
            "ce_specversion": {"type": "string", "const": "1.0"},
            "ce_type": {"type": "string", "description": "names the payload and its major version"},
            **words,
        },
    }
