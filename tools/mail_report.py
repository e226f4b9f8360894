"""What is found in a folder of real mails? `python -m tools.mail_report FOLDER`

One line for each file: its charsets, whether an answer was told from what stands below it, what it says about its
conversation, and what could not be read; then sums. Exit code 1 when reading failed, or when a character was lost
although its charset was known.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest_email.domain.charsets import REPLACEMENT, codecs_of
from ingest_email.mime_tree import OutsideLimits, Part, read_tree
from ingest_email.read_mail import ReadMail, read_mail
from ingest_email.reading_limits import LIMITS

SENDER = "somebody@customer.example"  # the files have no envelope
SUMS = ("charset", "reply", "thread", "written by", "problem")
ADMITTED = "some characters are not"  # the reader's own words for what it could not decode


FAILED = "the text could not be read"  # the same for a body that no parser survived; one header is a smaller loss


@dataclass(frozen=True, slots=True)
class Finding:
    """One file."""

    name: str
    charsets: tuple[str, ...]
    mail: ReadMail | None
    failure: str = ""
    lost: bool = False

    @property
    def split(self) -> str:
        """Whether an answer was told from what stands below it."""
        if self.mail is None or not (self.mail.body.text or self.mail.body.quoted_text):
            return "no text"
        return "answer above a signature or quotation" if self.mail.body.quoted_text else "whole"

    @property
    def thread(self) -> str:
        """What the mail refers to."""
        if self.mail is None or not self.mail.thread.refers_to:
            return "starts one"
        count = len(self.mail.thread.refers_to)
        return f"refers to {count} mail{'s' if count > 1 else ''}"


def read_folder(folder: Path) -> Iterator[Finding]:
    """Yield a finding for each file below the folder, in the order of their names."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield read_file(str(path.relative_to(folder)), path.read_bytes())


def read_file(name: str, raw: bytes) -> Finding:
    """Read one mail as a worker does."""
    try:
        mail = read_mail(raw, SENDER, frozenset(), LIMITS)
    except Exception as error:  # noqa: BLE001 - the report is about exactly these
        return Finding(name, (), None, f"{type(error).__name__}: {error}")
    failure = next((problem for problem in mail.problems if FAILED in problem), "")
    return Finding(name, tuple(_charsets(raw)), mail, failure, _is_lossy(raw, mail))


def _charsets(raw: bytes) -> Iterator[str]:
    """The charsets that a mail's texts state, a mark behind those that nobody knows."""
    try:
        tree = read_tree(raw, LIMITS)
    except (OutsideLimits, Exception):  # noqa: BLE001 - told as a problem of the mail already
        return
    stated = dict.fromkeys(part.charset.lower()[:40] for part in _leaves(tree) if part.charset)
    yield from (name if codecs_of(name) else f"{name} (unknown)" for name in stated)


def _leaves(part: Part) -> Iterator[Part]:
    if not part.children and part.media_type.startswith("text/"):
        yield part
    for child in part.children:
        yield from _leaves(child)


def _is_lossy(raw: bytes, mail: ReadMail) -> bool:
    """Whether a character was replaced although its charset was known, and the sender had not lost it already."""
    words = (mail.summary.subject, mail.summary.sender.name, mail.body.text, mail.body.quoted_text)
    already = REPLACEMENT.encode() in raw or b"=EF=BF=BD" in raw.upper()
    admitted = any(ADMITTED in problem for problem in mail.problems)
    return any(REPLACEMENT in text for text in words) and not already and not admitted


def lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield the report."""
    sums: dict[str, Counter[str]] = {name: Counter() for name in SUMS}
    count = failed = lost = 0
    for each in findings:
        count, failed, lost = count + 1, failed + bool(each.failure or each.mail is None), lost + each.lost
        yield f"{each.name}: {', '.join(each.charsets) or '–'} · {each.split} · {each.thread}{_trouble(each)}"
        sums["charset"].update(each.charsets or ("none stated",))
        sums["reply"][each.split] += 1
        sums["thread"][each.thread if each.thread == "starts one" else "refers to others"] += 1
        if each.mail is not None:
            sums["written by"][each.mail.classification.automation] += 1
            sums["problem"].update(problem.split(":")[0].split("(")[0].strip() for problem in each.mail.problems)
    yield ""
    yield f"{count} mails, {failed} not read, {lost} with a character lost although its charset was known"
    for name, found in sums.items():
        yield f"{name}: " + (", ".join(f"{what} {number}" for what, number in found.most_common()) or "–")


def _trouble(finding: Finding) -> str:
    words = [finding.failure, "a character was lost" if finding.lost else ""]
    said = [word for word in words if word]
    return f" · {'; '.join(said)}" if said else ""


def main() -> int:
    """Print the report of the folder that the command line names."""
    findings = list(read_folder(Path(sys.argv[1])))
    for line in lines(findings):
        print(line)
    return 1 if any(each.failure or each.lost or each.mail is None for each in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
