"""Voicemails and recordings of calls: in words for the agent, and as files for `ingest-files` to fetch.

A link may carry a signature or a token (Aircall's are S3 links), so what is written down of it ends before its query
(docs/decisions/0038).
"""

from typing import Literal
from urllib.parse import urlsplit

from ingest_webhook.providers.left_behind import LeftBehind, left_behind
from ticket_intake.recording_files import SOUNDS

Kind = Literal["voicemail", "recording"]


def recording_left(
    keeper: str, kind: Kind, where: str, locator: str | None = None, *, suffix: str = ".mp3"
) -> LeftBehind:
    """Name a recording that stays with the provider.

    :param where: its page or link as `plain_link`, or what else a person finds it by; may be empty.
    :param locator: the same for a program, None when it is not to be fetched for this message.
    :param suffix: one of `SOUNDS`, as the provider gives it out.
    """
    words = left_behind(keeper, kind, where or "no link given", locator=locator, media_type=SOUNDS.get(suffix))
    words.name = f"{kind}{suffix}"
    return words


def plain_link(link: object) -> str:
    """Return a link without what may be secret in it (user, query, fragment); empty for what is no link."""
    try:
        parts = urlsplit(link) if isinstance(link, str) else None
    except ValueError:
        return ""
    if parts is None or parts.scheme not in ("http", "https") or not parts.netloc:
        return ""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
