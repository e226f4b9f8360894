"""The providers that a source can name."""

from collections.abc import Callable, Mapping, Sequence

from ingest_webhook.provider import Provider
from ingest_webhook.providers import instagram, messenger, whatsapp
from ingest_webhook.providers.aircall import Aircall
from ingest_webhook.providers.dialpad import Dialpad
from ingest_webhook.providers.dingtalk import Dingtalk
from ingest_webhook.providers.douyin import Douyin
from ingest_webhook.providers.feishu import Feishu
from ingest_webhook.providers.freeswitch_cdr import FreeswitchCdr
from ingest_webhook.providers.github_issues import GitHubIssues
from ingest_webhook.providers.hmac_sender import HmacSender
from ingest_webhook.providers.line import Line
from ingest_webhook.providers.slack_events import SlackEvents
from ingest_webhook.providers.standard_webhooks import StandardWebhooks
from ingest_webhook.providers.telegram import Telegram
from ingest_webhook.providers.twilio_sms import TwilioSms
from ingest_webhook.providers.twilio_voice import TwilioVoice
from ingest_webhook.providers.web_form import WebForm
from ingest_webhook.providers.wechat_official import WechatOfficial
from ingest_webhook.providers.wecom import Wecom
from ingest_webhook.providers.weibo import Weibo
from ingest_webhook.providers.x_activity import XActivity

BuildProvider = Callable[[Mapping[str, object], Sequence[str]], Provider]
"""From the source's options and resolved secrets; raises pydantic's ValidationError or SecretMalformed.

The resolved `tokens:` of a source are the option `tokens`: a provider that takes some has `TokenOptions`, and to any
other they are an option that does not exist.
"""

PROVIDERS: Mapping[str, BuildProvider] = {
    "standard-webhooks": StandardWebhooks.build,
    "slack": SlackEvents.build,
    "freeswitch": FreeswitchCdr.build,
    "messenger": messenger.build,
    "instagram": instagram.build,
    "whatsapp": whatsapp.build,
    "line": Line.build,
    "telegram": Telegram.build,
    "x": XActivity.build,
    "twilio-sms": TwilioSms.build,
    "twilio-voice": TwilioVoice.build,
    "aircall": Aircall.build,
    "dialpad": Dialpad.build,
    "hmac": HmacSender.build,
    "github": GitHubIssues.build,
    "web-form": WebForm.build,
    "wecom": Wecom.build,
    "wechat-official": WechatOfficial.build,
    "dingtalk": Dingtalk.build,
    "feishu": Feishu.build,
    "douyin": Douyin.build,
    "weibo": Weibo.build,
}

REPEATING = frozenset(
    {
        "standard-webhooks",  # its schedule goes on for a day
        "messenger",  # Meta repeats for hours to days
        "instagram",
        "whatsapp",
        "freeswitch",  # repeats, then keeps a file of each call that was not taken
    }
)
"""Providers that repeat what was not answered with 2xx for longer than a Kafka is away: they get 503 and lose nothing.

Requests of any other are spooled. GitHub, Twilio, Aircall and a web form do not repeat at all; Slack, X, WeCom, WeChat
and Douyin give up after three tries within minutes, Dialpad after seconds; LINE repeats only where that was switched
on; Telegram, Feishu, DingTalk and Weibo promise nothing definite (facts §1; pages in docs/channels).
"""

GIVE_UP_ON_4XX = frozenset({"dialpad"})
"""Providers that repeat after 5xx and never after 4xx, 429 included (docs/channels/dialpad.md)."""
