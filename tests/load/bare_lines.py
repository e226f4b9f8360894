"""The limit of a kind that reads files: the file read line by line, and a message's bytes published for each record.

    python -m tests.load.bare_lines FILE KAFKA TOPIC RECORDS

Nothing is parsed and no place in the file is kept. Prints the seconds from opening the file to the last
acknowledgement, as JSON.
"""

import asyncio
import json
import sys
import time
from itertools import cycle, islice
from pathlib import Path

import uvloop

from tests.load.bare_event import bare_producer, sample_event


async def publish_lines(file: Path, kafka: str, topic: str, records: int) -> float:
    """One record for each of the first `records` lines."""
    producer = bare_producer(kafka)
    await producer.start()
    try:
        partitions = cycle(sorted(await producer.partitions_for(topic)))
        key, event = sample_event()
        headers = event.headers()
        began = time.perf_counter()
        with file.open("rb") as lines:
            acknowledged = [
                await producer.send(topic, event.data, key=key, partition=next(partitions), headers=headers)
                for _ in islice(lines, records)
            ]
        await asyncio.gather(*acknowledged)
        return time.perf_counter() - began
    finally:
        await producer.stop()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        seconds = runner.run(publish_lines(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
    print(json.dumps({"seconds": seconds}))
