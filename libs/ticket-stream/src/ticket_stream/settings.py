"""What a streaming service can set about its stream; wiring fills it from the process's settings."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """Every value has a unit in its name or comment, and a default that suits a service of ours.

    `guarded_tables` are tables of the service in which a violated key proves a second writer and not a bad record:
    the partition pauses instead of losing the record to the dead letters (the runtime's own tables always do).
    """

    kafka: str  # bootstrap servers, host:port, separated by commas
    topic_prefix: str = ""
    batch_size: int = 1000  # records; larger gains little (facts §4.3c), and a bisection starts from here
    max_unpublished: int = 20_000  # rows; about 20 MB of memory at 1 KB, some seconds of work
    dead_letters_per_hour: int = 100  # more means that the code is at fault, not the records
    compression: Literal["zstd"] | None = None  # zstd: a quarter of the bytes for some CPU; for slow networks
    guarded_tables: frozenset[str] = frozenset()
    lease_seconds: float = 3.0  # a killed process's partitions wait this long; below 2 a slow moment loses leases
    renew_seconds: float = 1.0  # a third of the lease, so that one lost call costs nothing
    stop_seconds: float = 5.0  # aiokafka's own stop may hang for ever (facts §4.3b)
    # A broker that was killed tells the high watermark of its last checkpoint until it, and its followers, have caught
    # up; a dead follower counts for replica.lag.time.max.ms (30 s). A log that is too short for longer is refused.
    catch_up_seconds: float = 35.0
    watchdog_seconds: float = 15.0  # records wait and none came for this long: the consumer is made anew
