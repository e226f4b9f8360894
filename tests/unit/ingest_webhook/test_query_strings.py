"""Query strings as bytes."""

import pytest

from ticket_intake.query_strings import MAX_PARAMETERS, query_values


@pytest.mark.parametrize(
    ("query", "values"),
    [
        (b"", {b"": b""}),
        (b"a=1&b=2&a=3", {b"a": b"1", b"b": b"2"}),
        (b"echostr=a+b%2Bc%3D%3D&flag", {b"echostr": b"a+b+c==", b"flag": b""}),
        (b"a=%zz%ff&b==", {b"a": b"%zz\xff", b"b": b"="}),
    ],
)
def test_pairs_are_read_as_bytes(query: bytes, values: dict[bytes, bytes]) -> None:
    assert query_values(query) == values


def test_only_so_many_pairs_are_looked_at() -> None:
    query = b"&".join(b"%d=x" % number for number in range(MAX_PARAMETERS * 2))
    assert len(query_values(query)) == MAX_PARAMETERS
    assert query_values(query)[b"%d" % (MAX_PARAMETERS - 1)] == b"x"
