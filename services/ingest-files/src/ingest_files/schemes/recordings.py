"""What fetching a recording of a call has in common, whichever system keeps it."""

from base64 import b64encode

from ingest_files.errors import GiveUp, TryLater
from ingest_files.guarded_http import Answer

_PAGES = (b"<!doctype html", b"<html")


def basic(token: str) -> dict[str, str]:
    """Return basic authentication (RFC 7617) with a token that is `user:password`."""
    return {"authorization": f"Basic {b64encode(token.encode()).decode()}"}


def checked_recording(answer: Answer, provider: str, credentials: str) -> Answer:
    """Return the answer if it is a recording.

    :param credentials: what has to stand under `files.tokens`.
    :raises TryLater: it is not there; providers tell of a recording before it can be had.
    :raises GiveUp: the credentials are refused, by a status or by a page where a person would log in.
    """
    if answer.status == 404:
        raise TryLater(f"{provider} has no such recording yet (404)")
    if answer.status in (401, 403) or _is_page(answer):
        raise credentials_refused(provider, credentials)
    if answer.status >= 400:
        raise GiveUp(f"{provider} does not give out the recording ({answer.status})")
    return answer


def credentials_refused(provider: str, credentials: str) -> GiveUp:
    return GiveUp(
        f"{provider} refuses the credentials: files.tokens of the source has to be {credentials} "
        f"（凭证被拒绝，请核对来源 files.tokens：{credentials}）"
    )


def _is_page(answer: Answer) -> bool:
    return answer.media_type.startswith("text/html") or answer.body[:64].lstrip().lower().startswith(_PAGES)
