"""The example configuration: a small maker of household appliances. YAML files beside this module."""

from importlib.resources import as_file, files

import asyncpg

from ticket_store.configuration import apply, load_directory, read_head

APPLIED_BY = "firebreak up"


async def apply_example(url: str) -> bool:
    """Apply the example to a database that was never configured; a person's own configuration is left alone."""
    connection = await asyncpg.connect(url)
    try:
        if await read_head(connection):
            return False
        with as_file(files(__name__)) as directory:
            await apply(connection, load_directory(directory), APPLIED_BY)
        return True
    finally:
        await connection.close()
