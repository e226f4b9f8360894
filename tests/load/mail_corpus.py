"""Mails to measure with: the sample corpus beside the repository when it is there, else some of our own.

Each pass over them is another set of conversations: ids in `Message-ID`, `In-Reply-To` and `References` are made new,
so that nothing is a repeat and threads stay as long as they were.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from uuid import uuid4

from tests.support.deployment_files import SUPPORT_ADDRESS
from tests.support.partners.mail_sender import write_mail

CORPUS = Path(__file__).parents[3] / "shared" / "data" / "emails"
# What the bare server publishes whole has to fit a Kafka record; two of the corpus's mails are larger.
LARGEST_MAIL = 200 * 1024
OWN_MAILS = 50

_HEADER_BLOCK = re.compile(rb"(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*)+\r?\n")
_USUAL_FIELD = re.compile(rb"^(?:from|to|subject|date|message-id|received|return-path):", re.IGNORECASE | re.MULTILINE)
_ID_FIELD = re.compile(
    rb"^(?:message-id|in-reply-to|references):[^\n]*\n(?:[ \t][^\n]*\n)*", re.IGNORECASE | re.MULTILINE
)
_MESSAGE_ID = re.compile(rb"^message-id:([^\n]*)\n(?:[ \t][^\n]*\n)*", re.IGNORECASE | re.MULTILINE)


def corpus_folder() -> Path | None:
    """Return the sample corpus, None where there is none."""
    return CORPUS if CORPUS.is_dir() else None


def describe_corpus(folder: Path | None) -> str:
    """Say which mails are used."""
    mails = load_mails(folder)
    mean = sum(map(len, mails)) / len(mails)
    return f"{len(mails)} {'mails of the sample corpus' if folder else 'own mails'}, {mean / 1024:.1f} KiB on average"


def fresh_mails(folder: Path | None) -> Iterator[bytes]:
    """Yield mails without an end, none twice."""
    run = uuid4().hex[:12].encode()
    mails = [_split(mail) for mail in load_mails(folder)]
    for passes in count():
        mark = b"%s.%d." % (run, passes)
        for number, (head, body) in enumerate(mails):
            yield _renew(head, mark, number) + body


def load_mails(folder: Path | None) -> Sequence[bytes]:
    """Return what in the folder is a mail at all, in a fixed order."""
    if folder is None:
        return [_own_mail(number) for number in range(OWN_MAILS)]
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size <= LARGEST_MAIL]
    return [raw for path in files if _is_mail(raw := path.read_bytes())]


def _is_mail(raw: bytes) -> bool:
    block = _HEADER_BLOCK.match(raw)
    return block is not None and len(_USUAL_FIELD.findall(block[0])) > 1


def _split(raw: bytes) -> tuple[bytes, bytes]:
    block = _HEADER_BLOCK.match(raw)
    assert block is not None, "only mails come here"
    return block[0], raw[block.end() :]


def _renew(head: bytes, mark: bytes, number: int) -> bytes:
    renewed = _ID_FIELD.sub(lambda field: field[0].replace(b"<", b"<" + mark), head)
    own = _MESSAGE_ID.search(renewed)
    if own is not None and mark in own[0]:
        return renewed
    return b"Message-ID: <%s%d@load.example>\r\n" % (mark, number) + _MESSAGE_ID.sub(b"", renewed)


def _own_mail(number: int) -> bytes:
    text = f"Hello,\n\nthe order {number} has not arrived. 订单还没有到。\n" + "It was promised for Monday.\n" * number
    sender, subject = f"Customer {number} <customer{number}@example.com>", f"Where is order {number}?"
    return write_mail(sender, SUPPORT_ADDRESS, subject, text, message_id=f"<{number}@customer.example>")
