"""The mailboxes file entry by entry, for who checks it: a wrong one hides no other.

ingest-email itself takes such a file only when all of it is right.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from ingest_email.delivery import Mailbox
from ingest_email.hooks.entries import HookEntry
from ingest_email.hooks.load_hooks import HookLoader, name_taken
from ingest_email.imap_entries import ImapEntry
from ingest_email.mailboxes import MailboxEntry, MailboxFile, confused, read_mailboxes_document, unreadable
from ticket_intake.source_file import SourcesInvalid, explain_each

_SAYABLE = re.compile(r"[\w.*+-]{1,64}(@[\w.-]{1,200})?")
"""What an entry may be called by though it is wrong; anything else is called by its place."""

EntryT = TypeVar("EntryT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class WrongEntry:
    """`name` is the entry's, or its place where it has none; `kind` a provider, `imap` or `mailbox`."""

    name: str
    kind: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JudgedEntries:
    """`imap` and `hooks` are right, each by itself; `problems` are of entries that do not go together, or of none."""

    imap: list[tuple[Mailbox, ImapEntry]]
    hooks: list[HookEntry]
    wrong: list[WrongEntry]
    problems: list[str]


def judge_entries(path: Path, loader: HookLoader) -> JudgedEntries:
    """Judge each entry for itself.

    :param loader: tells whether a hook's secrets are there and are what they should be.
    :raises SourcesInvalid: it is no file with entries.
    """
    document = read_mailboxes_document(path)
    problems = _problems(document)
    wrong = [_wrong_entry(document, place, told) for place, told in problems.items() if len(place) > 1]
    boxes = [(entry.mailbox(), entry.imap) for _, entry in _right(document, "mailboxes", MailboxEntry, problems)]
    imap = [(mailbox, entry) for mailbox, entry in boxes if entry is not None]
    hooks: dict[str, HookEntry] = {}
    for number, entry in _right(document, "hooks", HookEntry, problems):
        place = f"hooks.{number} ({entry.name})"
        if told := [*([name_taken(place)] if entry.name in hooks else ()), *_unusable(loader, place, entry)]:
            wrong.append(WrongEntry(entry.name, entry.provider, tuple(told)))
        else:
            hooks[entry.name] = entry
    whole = [problem for place, told in problems.items() if len(place) < 2 for problem in told]
    whole += [*confused([mailbox for mailbox, _ in boxes]), *unreadable([entry for _, entry in imap], True)]
    return JudgedEntries(imap, list(hooks.values()), wrong, whole)


_Place = tuple[int | str, ...]
_Problems = Mapping[_Place, list[str]]
"""By section and number of an entry, or less where it is no entry's."""


def _problems(document: object) -> _Problems:
    found: defaultdict[_Place, list[str]] = defaultdict(list)
    try:
        MailboxFile.model_validate(document)
    except ValidationError as error:
        for place, problem in explain_each(error, ""):
            found[place[:2]].append(problem)
    return found


def _right(document: object, section: str, kind: type[EntryT], problems: _Problems) -> Iterator[tuple[int, EntryT]]:
    listed = document.get(section) if isinstance(document, dict) else None
    for number, entry in enumerate(listed if isinstance(listed, list) else ()):
        if (section, number) not in problems:
            yield number, kind.model_validate(entry)


def _wrong_entry(document: object, place: _Place, told: list[str]) -> WrongEntry:
    section, number = place
    assert isinstance(document, dict), "else no place is so long"
    entry = document[section][number]
    stated = entry if isinstance(entry, dict) else {}
    kind = stated.get("provider") if section == "hooks" else ("imap" if "imap" in stated else "mailbox")
    name = stated.get("name" if section == "hooks" else "address")
    return WrongEntry(_sayable(name) or f"{section}.{number}", _sayable(kind), tuple(told))


def _sayable(stated: object) -> str:
    return stated if isinstance(stated, str) and _SAYABLE.fullmatch(stated) else ""


def _unusable(loader: HookLoader, place: str, entry: HookEntry) -> list[str]:
    try:
        loader.load_one(place, entry)
    except SourcesInvalid as error:
        return error.problems
    return []
