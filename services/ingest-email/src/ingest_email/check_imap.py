"""Whether an IMAP folder can be read: log in, open it without the right to change anything, count, leave."""

import asyncio
import ssl
from collections.abc import AsyncIterator

from ingest_email.imap_mailbox import Account, Secret, open_mailbox
from ingest_email.imap_wire import ImapRefused
from ingest_email.secret_references import SecretMissing
from ticket_intake.source_checks import Attempt, failed, passed

SECONDS = 30.0  # for all of it; a busy server opens a large folder in some seconds
_ANSWER_BYTES = 64 * 1024  # no mail is fetched
_TOLD = ("IDLE", "UIDPLUS", "CONDSTORE", "QRESYNC", "UTF8=ACCEPT", "AUTH=PLAIN", "AUTH=XOAUTH2")


async def imap_attempts(account: Account, secret: Secret, tls: ssl.SSLContext) -> AsyncIterator[Attempt]:
    """One attempt: all of it, or how far it came."""
    what = f"log in as {account.user} at {account.host}:{account.port}, EXAMINE {account.folder}"
    try:
        async with asyncio.timeout(SECONDS), open_mailbox(account, secret, tls, _ANSWER_BYTES) as box:
            unseen = await box.count_unseen()
            known = [ability for ability in _TOLD if ability in box.abilities]
            idles = "" if "IDLE" in box.abilities else "; no IDLE, so it is asked every poll_seconds"
            answer = f"mails: {box.folder.mails}, unseen: {unseen}; {' '.join(known)}{idles}"
    except ssl.SSLCertVerificationError as error:
        advice = "let `host` be the name in the server's certificate, and its authority one that this machine trusts"
        yield failed(what, f"the certificate is refused: {error.verify_message}", advice)
    except SecretMissing as error:
        yield failed(what, str(error), "put the secret there, or correct its reference in the mailboxes file")
    except ImapRefused as error:
        yield failed(what, str(error), _refused_advice(account))
    except TimeoutError:
        yield failed(
            what, f"nothing within {SECONDS:.0f} s", "check host, port and security; is a firewall in between?"
        )
    except (OSError, UnicodeError) as error:  # UnicodeError: no name of a host
        yield failed(what, str(error) or type(error).__name__, "check host, port and security; is the server up?")
    else:
        yield passed(what, answer)


def _refused_advice(account: Account) -> str:
    if account.method == "xoauth2":
        return "check user, token and scope, and that the account allows IMAP; correct `folder` if that was refused"
    return "check user and password (providers may want an app password), and `folder` as the server spells it"
