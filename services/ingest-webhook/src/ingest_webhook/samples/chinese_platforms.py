"""Samples of WeCom, WeChat, DingTalk, Feishu and Weibo: mostly the question that they ask about a new address."""

import secrets as system_random
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from ingest_webhook.domain.dingtalk_signature import robot_signature
from ingest_webhook.domain.feishu_cipher import encrypt_feishu, feishu_keys, feishu_signature
from ingest_webhook.providers.callback_options import ReceiverOptions
from ingest_webhook.providers.dingtalk import DingtalkOptions
from ingest_webhook.samples.sample import CHECK, Sample
from ingest_webhook.samples.signed_bodies import JSON
from ingest_webhook.sources import ConfiguredSource
from ticket_intake.sorted_digest import sorted_digest
from ticket_intake.tencent_callback import ECHO, seal, signed_by, signed_question
from ticket_intake.wecom_cipher import callback_keys


def wecom(source: ConfiguredSource, secret: str, now: datetime) -> Sample:
    receiver = ReceiverOptions.model_validate(source.options).receiver_id
    [key] = callback_keys([secret])
    query = signed_question(key, receiver, now)
    return Sample("WeCom's question, encrypted and signed", query=query, method="GET")


def wechat_official(_: ConfiguredSource, secret: str, now: datetime) -> Sample:
    [key] = callback_keys([secret])
    return _question("WeChat's question, signed", key.token, _seconds(now))


def weibo(_: ConfiguredSource, secret: str, now: datetime) -> Sample:
    return _question("Weibo's question, signed", secret.encode(), _milliseconds(now))


def dingtalk(source: ConfiguredSource, secret: str, now: datetime) -> Sample:
    """A robot's secret signs a message that is none; the keys of a subscription seal its own check."""
    timestamp = _milliseconds(now)
    if ":" not in secret:
        sign = robot_signature(secret.encode(), timestamp.encode()).decode()
        return Sample("a robot's message of no type, signed", b"{}", {**JSON, "timestamp": timestamp, "sign": sign})
    receiver = DingtalkOptions.model_validate(source.options).receiver_id
    [key] = callback_keys([secret])
    content = msgspec.json.encode({"EventType": "check_url"})
    encrypted = seal(content, key, receiver)
    body = msgspec.json.encode({"encrypt": encrypted.decode()})
    query = urlencode(signed_by(key.token, encrypted, timestamp))
    return Sample("a check_url, encrypted and signed", body, JSON, query)


def feishu(_: ConfiguredSource, secret: str, now: datetime) -> Sample:
    [key] = feishu_keys([secret])
    event = {"schema": "2.0", "header": {"event_type": CHECK, "token": key.verification_token}, "event": {}}
    body = msgspec.json.encode({"encrypt": encrypt_feishu(msgspec.json.encode(event), key.encrypt_key)})
    timestamp, nonce = _seconds(now), _nonce()
    signature = feishu_signature(key.encrypt_key, timestamp.encode(), nonce.encode(), body).decode()
    headers = {
        **JSON,
        "x-lark-request-timestamp": timestamp,
        "x-lark-request-nonce": nonce,
        "x-lark-signature": signature,
    }
    return Sample("an unknown event, encrypted and signed", body, headers)


def _question(what: str, token: bytes, timestamp: str) -> Sample:
    nonce = _nonce()
    signature = sorted_digest(token, timestamp.encode(), nonce.encode()).decode()
    query = {"signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": ECHO.decode()}
    return Sample(what, query=urlencode(query), method="GET")


def _nonce() -> str:
    return system_random.token_hex(8)


def _seconds(now: datetime) -> str:
    return str(int(now.timestamp()))


def _milliseconds(now: datetime) -> str:
    return str(int(now.timestamp() * 1000))
