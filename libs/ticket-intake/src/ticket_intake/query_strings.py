"""Query strings of callbacks, as bytes: what is signed must not pass through a character set."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import unquote_to_bytes

# The busiest callback here has seven parameters; a longer list is nobody's signed request.
MAX_PARAMETERS = 20


@lru_cache(1)  # read once to verify a request, once to understand it
def query_values(query: bytes) -> Mapping[bytes, bytes]:
    """Read `name=value` pairs, the first of each name.

    A plus stays a plus: base64 has it, a space it never has, and some platforms do not escape it.
    """
    values: dict[bytes, bytes] = {}
    for pair in query.split(b"&", MAX_PARAMETERS)[:MAX_PARAMETERS]:
        name, _, value = pair.partition(b"=")
        values.setdefault(name, unquote_to_bytes(value))
    return MappingProxyType(values)
