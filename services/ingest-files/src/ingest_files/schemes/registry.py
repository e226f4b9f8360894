"""The providers whose files can be fetched, by their names in the sources file."""

from collections.abc import Mapping

from ingest_files.schemes import line, meta_link, slack, telegram, twilio, whatsapp
from ingest_files.schemes.scheme import Fetch

SCHEMES: Mapping[str, Fetch] = {
    "slack": slack.fetch,
    "telegram": telegram.fetch,
    "whatsapp": whatsapp.fetch,
    "line": line.fetch,
    "twilio-sms": twilio.fetch,
    "messenger": meta_link.fetch,
    "instagram": meta_link.fetch,
}

WITHOUT_TOKEN = frozenset({"messenger", "instagram"})
