"""Which addresses take mail: deployment configuration, read once at start from a small file.

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

from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest_email.delivery import Mailbox
from ingest_email.hooks.entries import HookEntry
from ingest_email.imap_entries import ImapEntry
from service_kit.start_error import StartError

_FIX = "correct the file that FIREBREAK_MAILBOXES_FILE names; docs/channels/email.md shows an example"


class MailboxEntry(BaseModel):
    """One entry of the file."""

    model_config = ConfigDict(extra="forbid")

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
    """Finds the mailbox of a recipient."""

    def __init__(
        self,
        mailboxes: Iterable[Mailbox],
        imap: Sequence[tuple[Mailbox, ImapEntry]] = (),
        hooks: Sequence[HookEntry] = (),
    ) -> None:
        self._by_address = {mailbox.address: mailbox for mailbox in mailboxes}
        self.imap = imap
        self.hooks = hooks

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


def load_mailboxes(path: Path) -> Mailboxes:
    """Read the file.

    :raises StartError: it cannot be read, or says something that cannot be meant.
    """
    try:
        stated = MailboxFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise StartError(f"mailboxes file {path} cannot be read: {error}", fix=_FIX) from error
    except ValidationError as error:
        raise StartError(f"mailboxes file {path} is wrong: {_first_problem(error)}", fix=_FIX) from error
    mailboxes = [entry.mailbox() for entry in stated.mailboxes]
    twice = {box.address for box in mailboxes if sum(other.address == box.address for other in mailboxes) > 1}
    if twice:
        raise StartError(f"mailboxes file {path} names {sorted(twice)[0]} twice", fix=_FIX)
    brands = {box.account: box.brand for box in mailboxes}
    for box in mailboxes:
        if brands[box.account] != box.brand:  # a mail to both would count as a repeat, and one brand would miss it
            raise StartError(f"mailboxes file {path} gives account {box.account} to two brands", fix=_FIX)
    pairs = zip(mailboxes, stated.mailboxes, strict=True)
    imap = [(mailbox, entry.imap) for mailbox, entry in pairs if entry.imap is not None]
    return Mailboxes(mailboxes, imap, stated.hooks)


def normalised(address: str) -> str:
    """Compared without regard to case: no mail system in use tells `Support@` from `support@`."""
    return address.strip().strip("<>").lower()


def _first_problem(error: ValidationError) -> str:
    detail = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, detail['loc'])) or 'file'}: {detail['msg']}"
