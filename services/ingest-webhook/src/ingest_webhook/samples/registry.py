"""How to make a sample for each provider of `providers.registry`."""

from collections.abc import Mapping

from ingest_webhook.samples import chinese_platforms, shared_tokens, signed_bodies
from ingest_webhook.samples.sample import MakeSample

SAMPLES: Mapping[str, MakeSample] = {
    "standard-webhooks": signed_bodies.standard_webhooks,
    "slack": signed_bodies.slack,
    "freeswitch": shared_tokens.freeswitch,
    "messenger": signed_bodies.meta,
    "instagram": signed_bodies.meta,
    "whatsapp": signed_bodies.meta,
    "line": signed_bodies.line,
    "telegram": shared_tokens.telegram,
    "x": signed_bodies.x,
    "twilio-sms": shared_tokens.twilio_sms,
    "twilio-voice": shared_tokens.twilio_voice,
    "aircall": shared_tokens.aircall,
    "dialpad": shared_tokens.dialpad,
    "hmac": signed_bodies.generic_hmac,
    "github": signed_bodies.github,
    "web-form": shared_tokens.web_form,
    "wecom": chinese_platforms.wecom,
    "wechat-official": chinese_platforms.wechat_official,
    "dingtalk": chinese_platforms.dingtalk,
    "feishu": chinese_platforms.feishu,
    "douyin": signed_bodies.douyin,
    "weibo": chinese_platforms.weibo,
}

# For each of a source's `tokens`, which prove the answer to a question and no message.
TOKEN_SAMPLES: Mapping[str, MakeSample] = {
    "messenger": signed_bodies.meta_question,
    "instagram": signed_bodies.meta_question,
    "whatsapp": signed_bodies.meta_question,
}
