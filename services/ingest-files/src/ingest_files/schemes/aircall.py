"""Aircall: the call is asked for, and tells a link that is signed for some minutes.

developer.aircall.io/api-references, "Retrieve a Call" and "Call": `recording` and `voicemail`. The link that the
webhook told is not used: nobody signed the webhook, and the link may be over by now (docs/decisions/0038).
"""

import re

from ingest_files.errors import GiveUp, TryLater
from ingest_files.guarded_http import Answer, GuardedClient
from ingest_files.schemes.recordings import basic, credentials_refused
from ingest_files.schemes.scheme import Access, read_json
from ticket_contracts.messages import RemoteFile

_LOCATOR = re.compile(r"([0-9]{1,18})/(voicemail|recording)", re.ASCII)
# Whose buckets and regions Aircall uses it does not say; the link is Aircall's own word and no credentials go along.
_STORES = ("aircall.io", "amazonaws.com")
_CREDENTIALS = "API ID:API token"


async def fetch(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:
    """Get the recording. A token is `API ID:API token`, a locator `812/voicemail` or `812/recording`."""
    if (named := _LOCATOR.fullmatch(file.locator)) is None:
        raise GiveUp("no recording of a call at Aircall")
    call_id, kind = named.groups()
    url = f"{access.base('https://api.aircall.io')}/v1/calls/{call_id}"
    answer = await client.call(url, access.hosts("api.aircall.io"), basic(token))
    if answer.status in (401, 403):
        raise credentials_refused("Aircall", _CREDENTIALS)
    if answer.status >= 400:
        raise GiveUp(f"Aircall does not give out the call ({answer.status})")
    call = read_json(answer, "Aircall").get("call")
    link = call.get(kind) if isinstance(call, dict) else None
    if not isinstance(link, str) or not link:
        raise TryLater(f"Aircall tells no link to the {kind} yet")
    recording = await client.get(link, access.hosts(*_STORES), told_refusals=True)
    if recording.status >= 400:  # not there yet, or the link is over: the next attempt asks for another
        raise TryLater(f"Aircall's store does not give out the {kind} ({recording.status})")
    return recording
