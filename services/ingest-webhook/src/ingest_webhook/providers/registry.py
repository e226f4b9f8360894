"""The providers that a source can name."""

from collections.abc import Callable, Mapping, Sequence

from ingest_webhook.provider import Provider
from ingest_webhook.providers.freeswitch_cdr import FreeswitchCdr
from ingest_webhook.providers.slack_events import SlackEvents
from ingest_webhook.providers.standard_webhooks import StandardWebhooks

BuildProvider = Callable[[Mapping[str, object], Sequence[str]], Provider]
"""From the source's options and resolved secrets; raises pydantic's ValidationError or SecretMalformed."""

PROVIDERS: Mapping[str, BuildProvider] = {
    "standard-webhooks": StandardWebhooks.build,
    "slack": SlackEvents.build,
    "freeswitch": FreeswitchCdr.build,
}
