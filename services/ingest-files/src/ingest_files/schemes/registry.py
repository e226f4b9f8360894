"""The providers whose files can be fetched, by their names in the sources file."""

from collections.abc import Mapping

from ingest_files.schemes import (
    aircall,
    connect_records,
    dialpad,
    dingtalk,
    douyin,
    feishu,
    freeswitch,
    line,
    meta_link,
    slack,
    telegram,
    twilio,
    wechat_official,
    wecom,
    weibo,
    whatsapp,
    x,
)
from ingest_files.schemes.scheme import Fetch

SCHEMES: Mapping[str, Fetch] = {
    "slack": slack.fetch,
    "telegram": telegram.fetch,
    "whatsapp": whatsapp.fetch,
    "line": line.fetch,
    "twilio-sms": twilio.fetch,
    "twilio-voice": twilio.fetch_recording,
    "aircall": aircall.fetch,
    "dialpad": dialpad.fetch,
    "freeswitch": freeswitch.fetch,
    "connect-records": connect_records.fetch,
    "messenger": meta_link.fetch,
    "instagram": meta_link.fetch,
    "feishu": feishu.fetch,
    "dingtalk": dingtalk.fetch,
    "wecom": wecom.fetch,
    "wecom-service": wecom.fetch,
    "wechat-official": wechat_official.fetch,
    "douyin": douyin.fetch,
    "weibo": weibo.fetch,
    "x": x.fetch,
}

WITHOUT_TOKEN = frozenset({"messenger", "instagram"})
EXCHANGING = frozenset({"feishu", "dingtalk", "wecom", "wecom-service", "wechat-official", "douyin"})
"""They give an access token for `app_id` and a secret."""
WITHOUT_SOMETIMES = frozenset({"wechat-official", "douyin", "x"})
"""Some of their files are given out without credentials; the others fail and say what is missing."""
BY_ROLE = frozenset({"connect-records"})
"""Without a token they are asked as whoever this process is in the cloud."""
