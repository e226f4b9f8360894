"""Tries every source of every file, by the rules that the installed services bring along."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ticket_intake.source_checks import Asked, Attempt, Checker, SourcesFile, Trial, failed, passed
from ticket_intake.source_file import SourcesInvalid

Advance = Callable[[float], None]
"""Told how much of the whole is done, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Place:
    """A file of sources, and where the service that has it answers."""

    path: Path
    url: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One attempt at one source; `source` is the file's name where the attempt was at the file."""

    source: str
    provider: str
    attempt: Attempt


class NoSuchSource(Exception):
    """`only` names what no file has; the message lists what there is."""


async def check_sources(
    checkers: Sequence[tuple[str, Checker | Exception]],
    places: Mapping[SourcesFile, Place],
    environment: Mapping[str, str],
    now: datetime,
    *,
    only: Collection[str] = (),
    send: bool = True,
    advance: Advance = lambda _: None,
) -> list[Row]:
    """Return what became of each source; a service, file, entry or trial that fails costs its own rows alone.

    :param send: false reads the files and their secrets, and tries nothing.
    :raises NoSuchSource:
    """
    rows: list[Row] = []
    trials: list[Trial] = []
    async with AsyncExitStack() as opened:
        for service, checker in checkers:
            if isinstance(checker, Exception):
                advice = f"{service} cannot be loaded ({type(checker).__name__}: {checker}): install it anew"
                rows.append(Row(service, "", failed("its sources", "", advice)))
            elif (place := places.get(checker.file)) is not None:
                asked = Asked(place.path, place.url, environment, now)
                try:
                    trials += await opened.enter_async_context(checker.open(asked))
                except SourcesInvalid as error:
                    refused = [Row(place.path.name, "", _wrong(problem)) for problem in error.problems]
                    rows += [row for row in refused if row not in rows]  # two services may read one file
                except Exception as error:  # noqa: BLE001 - a defect of one service's check, as in `_rows`
                    what = f"the check of {service}"
                    rows.append(Row(place.path.name, "", failed(what, type(error).__name__, "report this as a bug")))
        _check_names(only, trials, any_refused=bool(rows))
        chosen = sorted((trial for trial in trials if not only or trial.source in only), key=lambda each: each.source)
        for number, trial in enumerate(chosen):
            advance(number / len(chosen))
            rows += [row async for row in _rows(trial, send=send)]
    return rows


async def _rows(trial: Trial, *, send: bool) -> AsyncIterator[Row]:
    if trial.problems:
        for problem in trial.problems:
            yield Row(trial.source, trial.provider, _wrong(problem))
        return
    if not send:
        yield Row(trial.source, trial.provider, passed("the file and its secrets alone", "right"))
        return
    try:
        async for attempt in trial.attempts():
            yield Row(trial.source, trial.provider, attempt)
    except Exception as error:  # noqa: BLE001 - a defect of one kind's check; the other sources must be checked
        # The error's words are left out: whoever did not foresee it did not see to it that they hold no secret.
        attempt = failed("the check itself", type(error).__name__, "report this as a bug")
        yield Row(trial.source, trial.provider, attempt)


def _wrong(problem: str) -> Attempt:
    return failed("the file", "refused", problem)


def _check_names(only: Collection[str], trials: Sequence[Trial], *, any_refused: bool) -> None:
    known = {trial.source for trial in trials}
    if (unknown := sorted(set(only) - known)) and not any_refused:
        there = ", ".join(sorted(known)) or "none"
        raise NoSuchSource(f"no source {', '.join(unknown)}; there are {there}")
