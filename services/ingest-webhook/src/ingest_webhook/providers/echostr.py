"""The question that opens a registration at WeCom, WeChat and Weibo: a GET whose `echostr` is to be sent back."""

import re

from ingest_webhook.provider import Handshake
from ingest_webhook.rejections import wrong_field

# What is to be echoed is a number. Whoever repeats a captured message as an `echostr` (its signature is the same)
# would otherwise be told the plain text, and a page of ours would show what a stranger wrote into a link.
_ECHO = re.compile(rb"[0-9A-Za-z_-]{1,64}")


def echo(content: bytes, documentation: str) -> Handshake:
    """Answer with the content, to the byte.

    :raises Undecodable: it is no such question.
    """
    if not _ECHO.fullmatch(content):
        raise wrong_field("query.echostr", "is no challenge", documentation)
    return Handshake("text/plain; charset=utf-8", content)
