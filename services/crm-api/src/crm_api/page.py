"""One page of rows that may be long: bounded by their number and by their size (OWASP API4:2023)."""

from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, func
from sqlalchemy.ext.asyncio import AsyncConnection

PAGE_BYTES = 2 * 1024 * 1024
"""A text may have 240,000 bytes: two hundred of them would be an answer of 48 MB. A page ends before, but has a row."""

FETCH_ROWS = 20
"""Rows that are on their way at once, so that no more of a page is read than is sent."""


def bytes_of(*columns: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the column that `read_page` measures rows by."""
    return func.octet_length(func.concat(*columns)).label("bytes")


async def read_page(connection: AsyncConnection, query: Select[Any], limit: int) -> tuple[list[RowMapping], bool]:
    """Return the rows of one page and whether there are more. `query` has a column `bytes`."""
    rows: list[RowMapping] = []
    size = 0
    async with connection.stream(query.limit(limit + 1), execution_options={"yield_per": FETCH_ROWS}) as result:
        async for row in result.mappings():
            size += row["bytes"]
            if len(rows) == limit or (rows and size > PAGE_BYTES):
                return rows, True
            rows.append(row)
    return rows, False
