from enum import Enum, IntEnum
from typing import Any, Literal

import msgspec
import pytest

from ingest_webhook.providers.decode_model import decode_model
from ingest_webhook.rejections import Undecodable


class Kind(Enum):
    EMAIL = "email"
    PHONE = "phone"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Item(msgspec.Struct, rename="camel"):
    item_kind: Kind | None = None
    size: Literal["small"] = "small"


class Alarm(msgspec.Struct):
    level: Level = Level.LOW
    items: list[Item] | None = None
    kinds: tuple[Kind, ...] = ()
    by_name: dict[str, Kind] | None = None


@pytest.mark.parametrize(
    ("document", "field", "message"),
    [
        ({"level": 9}, "body.level", "is none of 1, 2"),
        ({"items": [{}, {"itemKind": "x"}]}, "body.items.1.itemKind", "is none of email, phone"),
        ({"items": [{"size": "x"}]}, "body.items.0.size", "is none of small"),
        ({"kinds": ["x"]}, "body.kinds.0", "is none of email, phone"),
        ({"by_name": {"a.b[0]": "x"}}, "body.by_name.*", "is none of the values that there are"),
    ],
)
def test_what_is_none_of_a_list_is_told_its_words_wherever_it_stands(
    document: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(Undecodable) as raised:
        decode_model(Alarm, document, "docs/x.md")
    [problem] = raised.value.errors
    assert (problem.field, problem.message) == (field, message)
