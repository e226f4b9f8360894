"""The encrypted callback against the vectors that others publish, and each way of being wrong."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_intake.signatures import SecretMalformed, SignatureInvalid, SignatureStale
from ticket_intake.wecom_cipher import Envelope, Opened, callback_keys, decrypt, encrypt, open_envelope

# wechatpy/wechatpy, tests/test_crypto.py
CORPORATION = b"wx49f0ab532d5d035a"
[KEY] = KEYS = callback_keys(["123456:kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"])
CHALLENGE = Envelope(
    signature=b"dd6b9c95b495b3f7e2901bfbc76c664930ffdb96",
    timestamp=b"1411443780",
    nonce=b"437374425",
    encrypted=b"4ByGGj+sVCYcvGeQYhaKIk1o0pQRNbRjxybjTGblXrBaXlTXeOo1+bXFXDQQb1o6co6Yh9Bv41n7hOchLF6p+Q==",
)
MESSAGE = Envelope(
    signature=b"74d92dfeb87ba7c714f89d98870ae5eb62dff26d",
    timestamp=b"1411525903",
    nonce=b"461056294",
    encrypted=b"RgqEoJj5A4EMYlLvWO1F86ioRjZfaex/gePD0gOXTxpsq5Yj4GNglrBb8I2BAJVODGajiFnXBu7mCPatfjsu6IHCrsTyeDXzF6Bv283d"
    b"Gymzxh6ydJRvZsryDyZbLTE7rhnus50qGPMfp2wASFlzEgMW9z1ef/RD8XzaFYgm7iTdaXpXaG4+BiYyolBug/gYNx410cvkKR2/nPwBiT+P4hIi"
    b"OAQqGp/TywZBtDh1yCF2KOd0gpiMZ5jSw3e29mTvmUHzkVQiMS6td7vXUaWOMZnYZlF3So2SjHnwh4jYFxdgpkHHqIrH/54SNdshoQgWYEvccTKe"
    b"7FS709/5t6NMxuGhcUGAPOQipvWTT4dShyqio7mlsl5noTrb++x6En749zCpQVhDpbV6GDnTbcX2e8K9QaNWHp91eBdCRxthuL0=",
)
# The same file, test_encrypt_message: its random bytes are 1234567890123456.
REPLY = (
    b"<xml>\n<MsgType><![CDATA[text]]></MsgType>\n<Content><![CDATA[test]]></Content>\n"
    b"<FromUserName><![CDATA[wx49f0ab532d5d035a]]></FromUserName>\n<ToUserName><![CDATA[messense]]></ToUserName>\n"
    b"<AgentID>1</AgentID>\n<CreateTime>1411525903</CreateTime>\n</xml>"
)
SEALED_REPLY = (
    b"9s4gMv99m88kKTh/H8IdkOiMg6bisoy3ypwy9H4hvSPe9nsGaqyw5hhSjdYbcrKk+j3nba4HMOTzHrluLBYqxgNcBqGsL8GqxlhZgURnAtObvesE"
    b"l5nZ+uBE8bviY0LWke8Zy9V/QYKxNV2FqllNXcfmstttyIkMKCCmVbCFM2JTF5wY0nFhHZSjPUL2Q1qvSUCUld+/WIXrx0oyKQmpB6o8NRrrNrsD"
    b"f03oxI1p9FxUgMnwKKZeOA/uu+2IEvEBtb7muXsVbwbgX05UPPJvFurDXafG0RQyPR+mf1nDnAtQmmNOuiR5MIkdQ39xn1vWwi1O5oazPoQJz0nT"
    b"YjxxEE8kv3kFxtAGVRe3ypD3WeK2XeFYFMNMpatF9XiKzHo3"
)


def opened(envelope: Envelope, *, receiver_id: bytes = CORPORATION, late: int = 0, tolerance: int = 300) -> Opened:
    others = callback_keys(["another:" + "B" * 43])
    now = int(envelope.timestamp or b"0") + late
    return open_envelope(envelope, [*others, KEY], receiver_id=receiver_id, now=now, tolerance_seconds=tolerance)


def test_the_challenge_of_wechatpy_is_opened() -> None:
    assert opened(CHALLENGE) == Opened(b"5927782489442352469", KEY)


def test_the_message_of_wechatpy_is_opened() -> None:
    content = opened(MESSAGE).content
    assert b"<Content><![CDATA[test]]></Content>" in content
    assert b"<FromUserName><![CDATA[messense]]></FromUserName>" in content


def test_the_reply_of_wechatpy_is_sealed_to_the_same_bytes() -> None:
    assert encrypt(REPLY, KEY.aes_key, CORPORATION, b"1234567890123456") == SEALED_REPLY


# open-dingtalk/DingTalk-Callback-Crypto, DingCallbackCrypto3.py
def test_the_vector_of_dingtalk_is_opened() -> None:
    envelope = Envelope(
        signature=b"03044561471240d4a14bb09372dfcfd4fd0e40cb",
        timestamp=b"1608001896814",
        nonce=b"WL4PK6yA",
        encrypted=b"0vJiX6vliEpwG3U45CtXqi+m8PXbQRARJ8p8BbDuD1EMTDf0jKpQ79QS93qEk7XHpP6u+oTTrd15NRPvNvmBKyDCYxxOK+HZeKju4yhE"
        b"LOFchzNukR+t8SB/qk4ROMu3",
    )
    keys = callback_keys(["mryue:Yue0EfdN5900c1ce5cf6A152c63DDe1808a60c5ecd7"])
    arguments = {"receiver_id": b"ding6ccabc44d2c8d38b", "tolerance_seconds": 300}
    assert open_envelope(envelope, keys, now=1608001896, **arguments).content == b'{"EventType":"check_url"}'  # type: ignore[arg-type]  # two types in one table


@pytest.mark.parametrize(
    "changed",
    [
        {"signature": b""},
        {"signature": b"74d92dfeb87ba7c714f89d98870ae5eb62dff26e"},
        {"signature": "签名".encode()},
        {"timestamp": b"1411525904"},
        {"timestamp": b""},
        {"nonce": b"461056295"},
        {"encrypted": b""},
        {"encrypted": MESSAGE.encrypted[:-24] + b"AAAAAAAAAAAAAAAAAAAAAAA="},
    ],
)
def test_anything_changed_after_signing_is_refused(changed: dict[str, bytes]) -> None:
    with pytest.raises(SignatureInvalid):
        opened(MESSAGE._replace(**changed))


@pytest.mark.parametrize("receiver_id", [b"wx49f0ab532d5d035b", b"a", b"wx49f0ab532d5d035a2", b"x49f0ab532d5d035a"])
def test_a_callback_for_another_corporation_is_refused(receiver_id: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        opened(MESSAGE, receiver_id=receiver_id)


@pytest.mark.parametrize("late", [301, -301])
def test_a_right_signature_from_another_time_is_stale(late: int) -> None:
    with pytest.raises(SignatureStale):
        opened(MESSAGE, late=late)
    assert opened(MESSAGE, late=late, tolerance=301) == opened(MESSAGE)


@given(encrypted=st.binary(max_size=400), encode=st.booleans())
def test_what_is_not_encrypted_with_the_key_is_refused(encrypted: bytes, encode: bool) -> None:
    with pytest.raises(SignatureInvalid):
        decrypt(base64.b64encode(encrypted) if encode else encrypted, KEY.aes_key, CORPORATION)


@given(content=st.binary(max_size=400), random=st.binary(min_size=16, max_size=16))
def test_what_is_sealed_can_be_opened(content: bytes, random: bytes) -> None:
    assert decrypt(encrypt(content, KEY.aes_key, CORPORATION, random), KEY.aes_key, CORPORATION) == content


@pytest.mark.parametrize(
    ("secret", "fix"),
    [
        ("kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR", "no colon"),
        (":kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR", "no token"),
        ("my secret:kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR", "no token"),
        ("123456:kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1a", "43"),
        ("123456:kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR=", "43"),
    ],
)
def test_a_secret_that_cannot_be_one_is_named_without_showing_it(secret: str, fix: str) -> None:
    with pytest.raises(SecretMalformed, match=fix) as raised:
        callback_keys([secret])
    assert "kWxPEV2U" not in str(raised.value)
    assert "my secret" not in str(raised.value)
