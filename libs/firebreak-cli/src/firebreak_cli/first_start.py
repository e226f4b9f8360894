"""What a new database and a new data directory get: schema, example configuration, an API key, sources with secrets.

Everything here is safe to run again: what exists is left as it is, so that a second start keeps a person's changes.
"""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from uuid import UUID

import asyncpg

from service_kit.api_keys import generate, hash_key

KEY_NAME = "Local operator"
KEY_AGENT = "lin"  # of the example configuration: replies sent with this key are a person's
SCOPES = ["read", "write", "admin"]

# The writer of api_keys is crm-api; the first key must exist before anyone can ask it for another.
_INSERT_KEY = """
    INSERT INTO api_keys (key_id, key_hash, name, agent, scopes, created_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key_hash) DO NOTHING
"""


def new_key() -> str:
    """Return the text of a key file with a fresh key."""
    return generate() + "\n"


def ensure_file(path: Path, make: Callable[[], str]) -> str:
    """Return the text of a file; one that is missing is made, readable for its owner alone."""
    if not path.exists():
        write_private(path, make())
    return path.read_text(encoding="utf-8")


async def register_key(url: str, key: str, key_id: UUID, now: datetime) -> None:
    """Make sure that the database knows the key; it keeps the hash alone."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_INSERT_KEY, key_id, hash_key(key.strip()), KEY_NAME, KEY_AGENT, SCOPES, now)
    finally:
        await connection.close()


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    new.replace(path)
