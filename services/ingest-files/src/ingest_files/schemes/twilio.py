"""Twilio: media of messages (twilio.com/docs/messaging/api/media-resource) and recordings of calls.

The link to media redirects to a store that wants no credentials. Recordings: twilio.com/docs/voice/api/recording,
"Fetch a Recording's media file"; …/voice/twiml/record says that one may be told before it can be had.
"""

from urllib.parse import urlsplit

from ingest_files.errors import GiveUp
from ingest_files.guarded_http import Answer, GuardedClient
from ingest_files.schemes.recordings import basic, checked_recording
from ingest_files.schemes.scheme import Access
from ticket_contracts.messages import RemoteFile

_STORES = ("twiliocdn.com", "s3-external-1.amazonaws.com")
# twilio.com/docs/global-infrastructure: accounts outside of the United States have API hosts of their region.
_API = ("api.twilio.com", "us1.twilio.com", "ie1.twilio.com", "au1.twilio.com")
_FORMATS = (".mp3", ".wav")


async def fetch(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:
    """Get the file. A token is `account SID:auth token` or `API key SID:secret`."""
    hosts = access.hosts("api.twilio.com", *_STORES)
    return await client.get(file.locator, hosts, basic(token))


async def fetch_recording(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:
    """Get the recording as MP3; tokens as above. The locator is the `RecordingUrl`: bare, it would give a WAV."""
    try:
        is_api = access.hosts(*_API).allow(urlsplit(file.locator))
    except ValueError as error:
        raise GiveUp("the link is malformed") from error
    if not is_api:
        raise GiveUp("the link leads to none of Twilio's API hosts: a store of your own is not asked")
    url = file.locator if file.locator.endswith(_FORMATS) else f"{file.locator}.mp3"
    answer = await client.get(url, access.hosts(*_API, *_STORES), basic(token), told_refusals=True)
    return checked_recording(answer, "Twilio", "account SID:auth token, or API key SID:secret")
