"""A roll-out that kills itself once a page is acknowledged, before the cursor moves.

`python -m tests.support.roll_out_process DATABASE_URL KAFKA TOPIC_PREFIX PAGE`
"""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime

from crm_api.roll_out import RollOuts
from ticket_contracts.envelope import Event
from ticket_contracts.topics import Topic
from ticket_store.sessions import open_pool
from ticket_stream.edge_publisher import open_edge_publisher


async def _run(url: str, kafka: str, prefix: str, page: int) -> None:
    acknowledged = 0
    async with open_pool(url, application_name="test") as pool, open_edge_publisher(kafka, prefix) as publisher:

        async def publish(topic: Topic, key: str, event: Event) -> None:
            nonlocal acknowledged
            await publisher.publish(topic, key, event)
            acknowledged += 1
            if acknowledged == 2 * page:  # the first page was told and its cursor moved
                os.kill(os.getpid(), signal.SIGKILL)

        await RollOuts(pool, publish, lambda: datetime.now(UTC), page).run()


if __name__ == "__main__":
    _, _url, _kafka, _prefix, _page = sys.argv
    asyncio.run(_run(_url, _kafka, _prefix, int(_page)))
