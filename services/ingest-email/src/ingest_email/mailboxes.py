"""Which addresses take mail: deployment configuration in a small file, read again when it changes.

mailboxes:
  - address: support@example.com   # or "*@example.com" for all of a domain
    brand: acme
    source: mail-support           # what rules and reports call it
    account: support@example.com   # optional: conversations and repeats are told apart by it; default the address;
                                   # mailboxes of one brand may share it
    subaddress_separator: "+"      # optional: support+anything@example.com counts as support@; "" switches it off
    imap: {host: imap.example.com, user: support@example.com, password: "file:/run/secrets/mail"}
                                   # optional: read this mailbox where it is; more in imap_entries.py
hooks: []                          # optional: providers that bring mail over HTTP; more in hooks/entries.py
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest_email.delivery import Mailbox
from ingest_email.hooks.entries import HookEntry
from ingest_email.imap_entries import ImapEntry
from ticket_intake.source_file import SourcesInvalid, explain, read_document

FindMailbox: TypeAlias = Callable[[str], Mailbox | None]
"""The mailbox of a recipient, as the file says at the time of the question; `Mailboxes.find`."""


class MailboxEntry(BaseModel):
    """One entry of the file."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    address: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=200)
    brand: str = Field(min_length=1, max_length=200)
    source: str = Field(min_length=1, max_length=200)
    account: str = Field(default="", max_length=200)
    subaddress_separator: str = Field(default="+", max_length=1)
    imap: ImapEntry | None = None

    def mailbox(self) -> Mailbox:
        address = normalised(self.address)
        return Mailbox(address, self.brand, self.account or address, self.source, self.subaddress_separator)


class MailboxFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid")

    mailboxes: list[MailboxEntry] = Field(min_length=1)
    hooks: list[HookEntry] = Field(default_factory=list)


class Mailboxes:
    """One reading of the file: finds the mailbox of a recipient. `files` are those that it came from."""

    def __init__(
        self,
        mailboxes: Iterable[Mailbox],
        imap: Sequence[tuple[Mailbox, ImapEntry]] = (),
        hooks: Sequence[HookEntry] = (),
        files: tuple[Path, ...] = (),
    ) -> None:
        self._by_address = {mailbox.address: mailbox for mailbox in mailboxes}
        self.imap = imap
        self.hooks = hooks
        self.files = files

    def find(self, recipient: str) -> Mailbox | None:
        """Return the mailbox: by exact address, then without the subaddress (RFC 5233), then by domain."""
        address = normalised(recipient)
        local, _, domain = address.rpartition("@")
        exact = self._by_address.get(address)
        if exact is not None:
            return exact
        for at, character in enumerate(local):
            shorter = self._by_address.get(f"{local[:at]}@{domain}")
            if shorter is not None and shorter.subaddress_separator == character:
                return shorter
        return self._by_address.get(f"*@{domain}") if local else None

    def addresses(self) -> list[str]:
        """All addresses that are ours."""
        return list(self._by_address)


def read_mailboxes(path: Path, *, has_database: bool = True) -> Mailboxes:
    """Read and check the whole file.

    :param has_database: whether there is one for the cursors of IMAP folders.
    :raises SourcesInvalid: with every problem found.
    """
    document = read_mailboxes_document(path)
    try:
        stated = MailboxFile.model_validate(document)
    except ValidationError as error:
        raise SourcesInvalid(list(explain(error, ""))) from error
    mailboxes = [entry.mailbox() for entry in stated.mailboxes]
    pairs = zip(mailboxes, stated.mailboxes, strict=True)
    imap = [(mailbox, entry.imap) for mailbox, entry in pairs if entry.imap is not None]
    if problems := [*confused(mailboxes), *unreadable([entry for _, entry in imap], has_database)]:
        raise SourcesInvalid(problems)
    return Mailboxes(mailboxes, imap, stated.hooks, (path,))


def read_mailboxes_document(path: Path) -> object:
    """Read YAML.

    :raises SourcesInvalid:
    """
    return read_document(path, "FIREBREAK_MAILBOXES_FILE")


def confused(mailboxes: Sequence[Mailbox]) -> Iterator[str]:
    """What makes it unclear whose a mail is."""
    addresses = [box.address for box in mailboxes]
    for address in sorted(set(addresses)):
        if addresses.count(address) > 1:
            yield f"mailboxes: the file names {address} twice; give each address one entry"
    brands = {box.account: box.brand for box in mailboxes}
    for account in sorted({box.account for box in mailboxes if brands[box.account] != box.brand}):
        # a mail to both would count as a repeat, and one brand would miss it
        yield f"mailboxes: the file gives account {account} to two brands; give each brand an account of its own"


def unreadable(entries: Sequence[ImapEntry], has_database: bool) -> Iterator[str]:
    """What keeps folders from being read each once."""
    places = [entry.place for entry in entries]
    for place in sorted(set(places)):
        if places.count(place) > 1:
            yield f"mailboxes: two of them read the IMAP folder {place}; name each folder once"
    if entries and not has_database:
        yield "mailboxes: the cursors of IMAP folders need a database; set FIREBREAK_POSTGRES, or leave `imap` out"


def normalised(address: str) -> str:
    """Compared without regard to case: no mail system in use tells `Support@` from `support@`."""
    return address.strip().strip("<>").lower()
