"""Mails and requests that are built to take long to read, each within the limits of size that our doors have."""

import base64
import io
import json
import time
import zipfile
from collections.abc import Mapping

from tests.support.every_source import (
    DESK_SECRET,
    FORM_SECRET,
    GITHUB_SECRET,
    LINE_SECRET,
    META_SECRET,
    PUBLIC,
    SLACK_SECRET,
    TELEGRAM_SECRET,
    TWILIO_TOKEN,
    WECOM_SECRET,
)
from tests.support.partners.github import GitHubSender
from tests.support.partners.hmac_system import HmacSystem
from tests.support.partners.line import LineSender
from tests.support.partners.signed_request import SignedRequest, Way
from tests.support.partners.slack import SlackSender
from tests.support.partners.telegram import TelegramSender
from tests.support.partners.twilio import TwilioSender
from tests.support.partners.web_form import BOUNDARY, WebFormSender
from tests.support.partners.wecom import WecomSender
from tests.support.partners.whatsapp import WhatsAppSender

_HEAD = b"From: ann@customer.example\r\nTo: support@aurora.example\r\nSubject: pump\r\n"
_READ = (b"Subject", b"From", b"Sender", b"Reply-To", b"To", b"Cc", b"Message-ID", b"In-Reply-To", b"References")
_MAIL_BYTES = 24 * 1024 * 1024  # below what a mail may have
_BODY_BYTES = 1_000_000  # below what a request may have


def hostile_mails() -> Mapping[str, bytes]:
    """By what is wrong with them."""
    return {**_many_parts(), **_long_headers(), **_long_texts()}


def _many_parts() -> dict[str, bytes]:
    return {
        "1,500 levels of multipart": _nested(1_500),
        "40,000 empty parts": _multipart(b"--a\r\n\r\n" * 40_000),
        "20,000 small parts": _multipart(b"--a\r\nContent-Type: text/plain; charset=gbk\r\n\r\nx\r\n" * 20_000),
        "2,000 pages": _multipart(b"--a\r\nContent-Type: text/html\r\n\r\n<p><b>x</b></p>\r\n" * 2_000),
        "400 forwarded mails": _multipart(
            b"--a\r\nContent-Type: message/rfc822\r\n\r\n" + (_HEAD + b"\r\nx\r\n") * 400
        ),
    }


def _long_headers() -> dict[str, bytes]:
    return {
        "24 MiB of headers": _HEAD + b"X-Filler: aaaaaaaaaaaaaaaaaaaa\r\n" * (_MAIL_BYTES // 32) + b"\r\nx",
        "one header of 20 MiB": _HEAD + b"X-Filler: " + b"a" * 20_000_000 + b"\r\n\r\nx",
        "a folded header of 300,000 lines": _HEAD + b"References:" + b"\r\n <a@b>" * 300_000 + b"\r\n\r\nx",
        "100,000 recipients": _HEAD
        + b"Cc: "
        + b",\r\n ".join(map(b"a%d@b.example".__mod__, range(100_000)))
        + b"\r\n\r\nx",
        "a sender of 60,000 characters": b"From: " + b"=?" * 30_000 + b"\r\n\r\nx",
        "50,000 encoded words": _HEAD
        + b"Comments: "
        + b"\r\n ".join([b"=?gb2312?B?w6LDog==?="] * 50_000)
        + b"\r\n\r\nx",
        "a subject of 40,000 encoded words": b"Subject: " + _words(40_000) + b"\r\n\r\nx",
        "every header of 4,000 encoded words": b"".join(name + b": " + _words(4_000) + b"\r\n" for name in _READ)
        + b"\r\nx",
        "a file name of 40,000 encoded words": _multipart(
            b'--a\r\nContent-Disposition: attachment; filename="' + _words(40_000) + b'"\r\n\r\nx\r\n'
        ),
        "800 names of 1,000 encoded words": _multipart(
            (b'--a\r\nContent-Disposition: attachment; filename="' + _words(1_000) + b'"\r\n\r\nx\r\n') * 800
        ),
        "10,000 parameters": _HEAD
        + b"Content-Type: text/plain"
        + b"".join(b"; a*%d=b" % n for n in range(10_000))
        + b"\r\n\r\nx",
    }


def _long_texts() -> dict[str, bytes]:
    return {
        "24 MiB of plain text": _HEAD + b"\r\n" + b"My pump leaks. " * (_MAIL_BYTES // 15),
        "24 MiB of base64": _HEAD
        + b"Content-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(b"x" * 17_000_000),
        "24 MiB of a page": _page(b"<p>My pump leaks.</p>" * (_MAIL_BYTES // 21)),
        "100,000 nested elements": _page(b"<div>" * 100_000),
        "a page of open comments": _page(b"<!--" * 200_000),
        "a page of half tags": _page(b"<a href='" * 100_000),
        "60,000 blank lines": _HEAD + b"\r\nStill" + b"\r\n" * 60_000 + b"leaks",
        "200,000 quoted lines": _HEAD + b"\r\n" + b"> said you\r\n" * 200_000,
        "50,000 levels of quotation": _HEAD + b"\r\n" + b">" * 50_000 + b" x\r\n" + b"On Monday wrote:\r\n" * 20_000,
        "spaces before a quotation": _HEAD
        + b"\r\nOn "
        + b" " * 100_000
        + b"\r\n"
        + b"wrote" * 10_000
        + b":\r\n> x\r\n",
        "a zipped bomb": _attached("bomb.zip", _zipped_bomb()),
        "30,000 zipped names": _attached("many.zip", _zipped_names(30_000)),
        "an invitation of 100,000 lines": _invitation(b"ATTENDEE:mailto:a@b.example\r\n" * 100_000),
        "an invitation that recurs each second": _invitation(b"RRULE:FREQ=SECONDLY\r\n" * 5_000),
        "500,000 shifts of a charset": _HEAD
        + b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n"
        + b"\x1b$B\x1b(B" * 500_000,
        "a delivery report of 100,000 fields": _HEAD
        + b"Content-Type: multipart/report; boundary=a\r\n\r\n--a\r\nContent-Type: message/delivery-status\r\n\r\n"
        + b"Original-Message-ID: <a@b>\r\n" * 100_000
        + b"--a--",
    }


def hostile_requests() -> Mapping[str, tuple[str, SignedRequest]]:
    """By what is wrong with them: the provider, and a request that it has really signed."""
    line, whatsapp, telegram = (
        LineSender(LINE_SECRET, time.time),
        WhatsAppSender(META_SECRET, time.time),
        TelegramSender(TELEGRAM_SECRET, time.time),
    )
    wecom, form = WecomSender(WECOM_SECRET, time.time), WebFormSender(FORM_SECRET, time.time)
    twilio = TwilioSender(TWILIO_TOKEN, f"{PUBLIC}/twilio-sms")
    many_keys = json.dumps({f"k{number}": number for number in range(60_000)}).encode()
    fields = {f"F{number}": "%" * 650 for number in range(499)}
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'.encode()
    element = b"<a>x</a>"
    return {
        "500,000 levels of arrays": ("line", line.sign(b"[" * 500_000)),
        "90,000 levels of objects": ("telegram", telegram.sign(b'{"message":' * 90_000)),
        "60,000 keys": ("github", GitHubSender(GITHUB_SECRET).event("issues", many_keys)),
        "a number of 900,000 digits": (
            "hmac",
            HmacSystem(DESK_SECRET, time.time).sign(b'{"note":{"id":' + b"9" * 900_000 + b"}}"),
        ),
        "a batch of 2,500 events": ("line", line.notification([_line_event(line, n) for n in range(2_500)])),
        "a batch of 3,000 messages": ("whatsapp", _whatsapp_batch(whatsapp, 3_000)),
        "1 MB of text": ("telegram", telegram.message("词 " * (_BODY_BYTES // 4))),
        "1 MB of escapes": ("slack", _slack(rb"\ud83d\ude00" * 80_000)),
        "100,000 elements of XML": ("wecom", wecom.document(b"<xml>" + element * 70_000 + b"</xml>")),
        "50,000 levels of XML": ("wecom", wecom.document(b"<xml>" + b"<a>" * 50_000)),
        "1 MB of escapes in a form": ("twilio-sms", twilio.sign(_urlencoded(fields), fields=fields)),
        "10,000 parts of a form": (
            "web-form",
            form.send(f"multipart/form-data; boundary={BOUNDARY}", part * 10_000 + f"--{BOUNDARY}--\r\n".encode()),
        ),
        "a form of bare line breaks": (
            "web-form",
            form.send(f"multipart/form-data; boundary={BOUNDARY}", b"\r\n" * 400_000),
        ),
    }


def _nested(levels: int) -> bytes:
    heads = (b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(levels))
    return _HEAD + b"".join(heads) + b"\r\nhello"


def _words(count: int) -> bytes:
    return b" ".join([b"=?utf-8?q?=E6=B0=B4?="] * count)


def _multipart(parts: bytes) -> bytes:
    return _HEAD + b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + parts + b"--a--"


def _page(content: bytes) -> bytes:
    return _HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + content


def _attached(name: str, content: bytes) -> bytes:
    disposition = f'Content-Disposition: attachment; filename="{name}"\r\n'.encode()
    kind = b"--a\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n"
    return _multipart(kind + disposition + b"\r\n" + base64.encodebytes(content))


def _zipped_bomb() -> bytes:
    """16 files that unpack to 64 MiB each."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(16):
            archive.writestr(f"{number}.exe", bytes(64 * 1024 * 1024))
    return written.getvalue()


def _zipped_names(count: int) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}/{number}.txt", b"")
    return written.getvalue()


def _invitation(lines: bytes) -> bytes:
    start = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261127T080000Z\r\n"
    calendar = start + lines + b"END:VEVENT\r\nEND:VCALENDAR\r\n"
    return _multipart(b"--a\r\nContent-Type: text/calendar; charset=utf-8\r\n\r\n" + calendar)


def _line_event(line: LineSender, number: int) -> dict[str, object]:
    return line.event("message", message={"id": str(number), "type": "text", "text": "where is it?"})


def _whatsapp_batch(whatsapp: WhatsAppSender, count: int) -> SignedRequest:
    said = [whatsapp.said(type="text", text={"body": "where is it?"}) for _ in range(count)]
    return whatsapp.value(messages=said)


def _slack(escaped: bytes) -> SignedRequest:
    body = b'{"type":"event_callback","event":{"type":"message","text":"' + escaped + b'"}}'
    return SlackSender(SLACK_SECRET, time.time).sign(body, Way.GOOD)


def _urlencoded(fields: Mapping[str, str]) -> bytes:
    return "&".join(f"{name}={'%25' * len(value)}" for name, value in fields.items()).encode()
