"""What a customer sent and we have not got: in words for the agent, and as a file for `ingest-files` to fetch."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from ticket_contracts.messages import RemoteFile
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage

FILE_NAME_LENGTH = 200
LOCATOR_LENGTH, MEDIA_TYPE_LENGTH = 2000, 200
# Telegram's and Slack's own limits of one message are ten and twenty.
MOST_FILES = 20


class LeftBehind(str):
    """The words; and beside them what it takes to fetch the file, where the provider told that."""

    name: str
    media_type: str
    size: int | None
    locator: str


def left_behind(
    keeper: str,
    kind: str,
    where: str,
    *,
    name: str | None = None,
    size: int | None = None,
    locator: str | None = None,
    media_type: str | None = None,
) -> LeftBehind:
    """Name a file that stays with the provider.

    :param where: its link, or the id under which the provider gives it out.
    :param locator: the same for a program, None when there is no way to fetch it.
    """
    named = f"{kind} {one_line(name, FILE_NAME_LENGTH)}" if name else kind
    measured = f", {size} bytes" if size is not None else ""
    words = LeftBehind(f"The {named}{measured} stays at {keeper}: {where}")
    words.name = one_line(name or "", FILE_NAME_LENGTH) or kind
    words.media_type = one_line(media_type or "", MEDIA_TYPE_LENGTH)
    words.size = size if size is not None and size >= 0 else None
    words.locator = locator if locator and len(locator) <= LOCATOR_LENGTH else ""
    return words


def with_files(message: IncomingMessage) -> IncomingMessage:
    """Turn what can be fetched from words for the agent into files that are on their way."""
    files = tuple(_files(message.reading_problems))
    if not files:
        return message
    fetched = [problem for problem in message.reading_problems if _can_be_fetched(problem)][: len(files)]
    words = tuple(problem for problem in message.reading_problems if not any(problem is each for each in fetched))
    return replace(message, reading_problems=words, remote_files=files)


def _can_be_fetched(problem: str) -> bool:
    return isinstance(problem, LeftBehind) and bool(problem.locator)


def _files(problems: Iterable[str]) -> Iterator[RemoteFile]:
    number = 0
    for problem in problems:
        if isinstance(problem, LeftBehind) and problem.locator and number < MOST_FILES:
            yield RemoteFile(
                number=number,
                name=problem.name,
                locator=problem.locator,
                media_type=problem.media_type,
                size=problem.size,
            )
            number += 1
