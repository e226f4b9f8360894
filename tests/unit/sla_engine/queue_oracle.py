"""The queue of a team minute by minute: slow, and plain enough to be believed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

MINUTE = 60_000_000  # microseconds


@dataclass(eq=False)
class Job:
    """One wait in whole minutes. `after` is the job whose end it follows by `gap`; without one it begins at `gap`."""

    team: str
    rank: int
    gap: int
    after: int | None = None
    begun: int | None = None
    ended: int | None = None
    started: int = -1  # as the how manieth of all
    left: int = 0


def answer(
    jobs: Sequence[Job], agents: Callable[[str, int], int], handling: Callable[[Job], int], minutes: int, ordered: bool
) -> None:
    """Let agents work every minute. In each the work that was begun first goes on,
    then the most pressing is begun: as many as there are agents."""
    count = 0
    for now in range(minutes + 1):
        for job in jobs:
            if job.begun is None and _begins(job, jobs) == now:
                job.begun, job.left = now, handling(job)
        for team in {job.team for job in jobs}:
            there = [job for job in jobs if job.team == team and job.begun is not None and job.ended is None]
            begun = sorted((job for job in there if job.started >= 0), key=lambda job: job.started)
            waiting = [(job.rank if ordered else 0, job.begun, jobs.index(job)) for job in there if job.started < 0]
            begun += [jobs[number] for *_, number in sorted(waiting)]
            for job in begun[: agents(team, now)]:
                if job.started < 0:
                    job.started = count
                    count += 1
                if now < minutes:
                    job.left -= 1
                    if job.left == 0:
                        job.ended = now + 1


def _begins(job: Job, jobs: Sequence[Job]) -> int | None:
    if job.after is None:
        return job.gap
    ended = jobs[job.after].ended
    return None if ended is None else ended + job.gap
