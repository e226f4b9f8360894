"""FreeSWITCH: recordings below one folder of the switch, which a web server beside it gives out for a password.

The locator is a place in that folder (`ticket_intake.recording_files`). Which server it is does not matter: it answers
GET and knows basic authentication (RFC 7617).
"""

from dataclasses import replace
from urllib.parse import quote, urlsplit

from ingest_files.errors import GiveUp
from ingest_files.guarded_http import Answer, GuardedClient
from ingest_files.schemes.recordings import basic, checked_recording, credentials_refused
from ingest_files.schemes.scheme import Access
from ticket_contracts.messages import RemoteFile
from ticket_intake.recording_files import NotARecording, checked_place, sound_type

CREDENTIALS = "user:password"
_SERVER = "The switch's web server"
_NO_FILE = "firebreak-sources-check.wav"  # servers may give out sounds only


async def fetch(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:
    """Get the recording. A token is `user:password`."""
    try:
        place = checked_place(file.locator)
    except NotARecording as error:
        raise GiveUp(f"the recording is not asked for: {error}") from error
    answer = checked_recording(await _get(client, access, place, basic(token)), _SERVER, CREDENTIALS)
    # Servers name sounds in many ways, or not at all; the name's end is what the switch wrote the file by.
    return replace(answer, media_type=sound_type(place) or answer.media_type)


async def ask(client: GuardedClient, access: Access, token: str) -> None:
    """Ask for a file that is not there: without a password it must not even say so.

    :raises GiveUp: the password is wrong, or nobody is asked for one.
    """
    if (await _get(client, access, _NO_FILE, {})).status not in (401, 403):
        raise GiveUp("the web server asks for no password: anybody who reaches it hears your customers")
    if (await _get(client, access, _NO_FILE, basic(token))).status in (401, 403):
        raise credentials_refused(_SERVER, CREDENTIALS)


def is_base(api: str) -> bool:
    """Whether recordings may be fetched from there: the password goes along."""
    parts = urlsplit(api)
    encrypted = parts.scheme == "https" or (parts.scheme, parts.hostname) == ("http", "127.0.0.1")
    return encrypted and not parts.query and not parts.fragment


async def _get(client: GuardedClient, access: Access, place: str, headers: dict[str, str]) -> Answer:
    # No name of a provider is allowed, only the address that was written down.
    return await client.get(f"{access.base('')}/{quote(place)}", access.hosts(), headers, told_refusals=True)
