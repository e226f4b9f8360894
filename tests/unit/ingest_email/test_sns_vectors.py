"""Four messages that AWS itself sent and published with the certificate: both signatures, with a subject and without.

Source: aws/aws-php-sns-message-validator, tests/FunctionalValidationsTest.php (Apache-2.0), `getHttpFixtures`.
"""

import json
from datetime import datetime, timedelta

import pytest

from ingest_email.hooks.provider import HookRejected
from ingest_email.hooks.sns import SnsTopics

TOPICS = "arn:aws:sns:us-east-2:295079676684:publish-and-verify-"
CERTIFICATE_URL = "https://sns.us-east-2.amazonaws.com/SimpleNotificationService-7ff5318490ec183fbaddaa2a969abfda.pem"
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIF1zCCBL+gAwIBAgIQB9pYWG3Mi7xej22g9pobJTANBgkqhkiG9w0BAQsFADBG
MQswCQYDVQQGEwJVUzEPMA0GA1UEChMGQW1hem9uMRUwEwYDVQQLEwxTZXJ2ZXIg
Q0EgMUIxDzANBgNVBAMTBkFtYXpvbjAeFw0yMTA5MDcwMDAwMDBaFw0yMjA4MTcy
MzU5NTlaMBwxGjAYBgNVBAMTEXNucy5hbWF6b25hd3MuY29tMIIBIjANBgkqhkiG
9w0BAQEFAAOCAQ8AMIIBCgKCAQEAutFqueT3XgP13udzxE6UpbdjOtVO5DwoMpSM
iDNMnGzF1TYH5/R2LPUOBeTB0SkKnR4kpNcUZhicpGD4aKciz/GEZ6wu65xncfT9
H/KBOQwoXYTuClHwp6fYpGzcGFaFoEYMnijL/o4qmTSd+ukglQUgKpsDw4ofw6rU
m2CttJo+GQSNQ9NfGR1h/0J+zsApkeSYrXRx5wNlu87z8os1C/6PBrUHwt3xXeaf
Xzfwut8aRRYsS8BySOA9DAgLfNHlfdQCjKPXKrG/ussgReyWD6n/HH+j7Uha3xos
TzQqJifcxlTq6MxWdPR6fDaJNvqw6DOE7UjUNxHguXHlVfxhlQIDAQABo4IC6TCC
AuUwHwYDVR0jBBgwFoAUWaRmBlKge5WSPKOUByeWdFv5PdAwHQYDVR0OBBYEFAqz
C+vyouneE7mWWLbi9i0UsWUbMBwGA1UdEQQVMBOCEXNucy5hbWF6b25hd3MuY29t
MA4GA1UdDwEB/wQEAwIFoDAdBgNVHSUEFjAUBggrBgEFBQcDAQYIKwYBBQUHAwIw
OwYDVR0fBDQwMjAwoC6gLIYqaHR0cDovL2NybC5zY2ExYi5hbWF6b250cnVzdC5j
b20vc2NhMWIuY3JsMBMGA1UdIAQMMAowCAYGZ4EMAQIBMHUGCCsGAQUFBwEBBGkw
ZzAtBggrBgEFBQcwAYYhaHR0cDovL29jc3Auc2NhMWIuYW1hem9udHJ1c3QuY29t
MDYGCCsGAQUFBzAChipodHRwOi8vY3J0LnNjYTFiLmFtYXpvbnRydXN0LmNvbS9z
Y2ExYi5jcnQwDAYDVR0TAQH/BAIwADCCAX0GCisGAQQB1nkCBAIEggFtBIIBaQFn
AHYAKXm+8J45OSHwVnOfY6V35b5XfZxgCvj5TV0mXCVdx4QAAAF7vfDVkQAABAMA
RzBFAiEA2XfHuy36aqRFiaL8c3md2mH451go8707+fRE0pEdSRACIE/g5FXTUXUZ
PFcmOhm9TZ+uMY1i4CIQ/CKVWln6C3t+AHYAUaOw9f0BeZxWbbg3eI8MpHrMGyfL
956IQpoN/tSLBeUAAAF7vfDVjAAABAMARzBFAiBF1MhhFP0+FQt3daDFfMYoWwnr
muTInrjNpwfzlvQBugIhAPYadFzr+LaxSJoiZEbEHBvTts7bT0M3eCQONA2O7w6n
AHUAQcjKsd8iRkoQxqE6CUKHXk4xixsD6+tLx2jwkGKWBvYAAAF7vfDVdAAABAMA
RjBEAiAtPapmFAuA71ih4NoSd5hJelzAltNQpxDMcDfDyHyU8gIgWxmaa6+2KbBu
9xdv379zvnJACFR7jc+4asl08Dn4aagwDQYJKoZIhvcNAQELBQADggEBAA54QX0u
oFWXfMmv02CGZv4NWo5TapyeeixQ2kKpZHRdVZjxZrw+hoF6HD7P3kGjH8ztyJll
tDxB0qgMltbPhQdScwhA6iTgoaBYqEUC/VHKd4PmmPT6yIsM36NBZVmkGlzl5uNo
/dBgBaG0SsVJnhr5zro3c2quC7n6fVGEZhf/UgQwRnnvThnvbNKguglDMq4uEqv8
njKyleht+glkcmXO0m9qLKt6BOS0amy6U2GlAwRn0Wx02ndJtnRCSC6kPuRWK/SQ
FEjB7gCK4hdKaAOuWdZpI55vF6ifOeM8toC3g7ofO8qLTnJupAG+ZitY5J3cvHWr
HqOUdKigPDHYLRo=
-----END CERTIFICATE-----
"""
# Version, MessageId, end of the topic, time, subject, signature. Each says "Hello world".
MESSAGES = [
    (
        "1",
        "792cda85-518f-5dd3-9163-81d851212f3a",
        "892f85fe-4836-424d-8188-ab85bef0f362",
        "2022-07-28T21:23:58.317Z",
        None,
        "ghtf+deOBAzHJJZ6s6CdRLfTQAlcGzq9naoFM1wi0CJiq//uVRuZnamrkWNF0fhouMFvuLVRwcz8PZLUMSfnmd5VpdTKpTyiKmy1"
        "qJAZXma0w+yi7G+I33hD1Jyk1Nbym2n0kqp3fVu2aoooiN2ZeLAT2bH0/BtjLSfN1yAOKNoprco4qV9gGUZinXJdj9a1YdNhDR2j"
        "Ki33ldlsVtEXAtiaDklGEk7DgRKX38GerBPiLg3FdtgY6KC7cdeGpU/dGK+4hjc83Ive1HoFkAwqhpgInM2sMytBosoiXfCmOKmU"
        "4xeGD0gHDNZTlJUJQDlzw8Eag0H9f/5zXF9d3uy0YQ==",
    ),
    (
        "2",
        "17dea24b-55c2-540b-8362-f916557af765",
        "62674b1d-4295-426b-88e7-5fb75652a04e",
        "2022-07-28T21:24:08.324Z",
        None,
        "CXVqp9PfZAL+4JHS3Zxo1PFbQsvnOjvmYhtIf17TWpwc+iIVas8kZ8GopuzVzVMdatE7rCl/O4P91Zp05Dwz8lk8dLhfp8gSu3Nj"
        "lzxlyrmzo9x3va3Jb7zFnedgS2GKnZWHGBdwTXho+TosNUE+3e10OMSlwN5XGDwX7+R3WL+rn+AXmFAqp3alg27sYa55h1dLE9cG"
        "szGPjScPdtF3BmZsUDMx9wSdNKsCk+vSvE8yBjnCmUl7laSFj3LzPVrlSwgNYCF3kYnNAkah7NplK4SFhJYLwS0HCVCQJKa8rVbQ"
        "Lf9cBTu60U402mrgy0bN8xWoyimzbYbrOMJjalqkUg==",
    ),
    (
        "1",
        "11405cc3-9ac7-56d5-b45d-079e8f7a8edf",
        "6e11fed2-fcdf-4c52-9dc4-36ef43f37f84",
        "2022-07-28T22:53:49.654Z",
        "Hello world",
        "AItkS26d8yvnIKJevdirIPW7eM/yKbZy3/CF2EreCHmXWB3etWaV5Fb7SYpGABMpugpDZzNyGY1wCVWaopDoQ+7Q/kI2TpDu8bw1"
        "eExbi8U3kduvc/2m2fIrI4gDEY8/v3nzoLcr8pPodqMzrX6SzQou4klfaqbNK+rFmH0LVf2Q1VyOROODoSXmo4jg2Yu12jfxccBl"
        "96Drr/ihq4MJ4OcrWh6UzXXlVYjJHx2Ui4anNwNEb+Z4C2CAF1DjQUbhDtaoajDBPY+4d9C1OwbqwQpXsd6tyVcI9nFyEsVK8lfn"
        "AV+/3GZQcdXHbIUYBRGcBa4X5TlWJku5nDH2ERtHHw==",
    ),
    (
        "2",
        "4504e649-d933-5aa9-8199-bd14ccf05f0b",
        "530b26da-0687-4fe4-9f71-780bad3181e2",
        "2022-07-28T22:53:55.086Z",
        "Hello world",
        "cETcSvmmkt+My05qCLKexyl0+RyG83mSryKPqTfS+tYcxDJWVcjPJAr+qdpElzVaBl1aTGYVWMY64i9JqZ/JES8pylNj8LGvdhuN"
        "QKO59/WCoIimZAsNhn0xEgOeeDU+W/0BU4sdpCGMNjo0S/FuIiWaRe4E0YWRVrxeQevaQ70euDdfWgd5v1eCKQz8b367b9XBmMzt"
        "L/CWUFI6YaKK/MV21eyvJe3Y7CtVYiOKEYiAZnAEkynK7gUGO5TsgDjGNYhj6U3xYsWgI03bmioSl7kdFSUj+AZ7ugas5fghqxgo"
        "DsdfqsjMYKRm5KKHQWsgzI619yIzpNKUiSMHxdZXpQ==",
    ),
]


async def fetch(url: str) -> bytes:
    assert url == CERTIFICATE_URL
    return CERTIFICATE.encode()


def message(
    version: str, message_id: str, topic: str, time: str, subject: str | None, signature: str
) -> tuple[dict[str, str], datetime]:
    """As it came, and when."""
    fields = {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": TOPICS + topic,
        "Message": "Hello world",
        "Timestamp": time,
        "SignatureVersion": version,
        "Signature": signature,
        "SigningCertURL": CERTIFICATE_URL,
    }
    return fields | ({} if subject is None else {"Subject": subject}), datetime.fromisoformat(time)


@pytest.mark.parametrize("stated", MESSAGES, ids=["SHA-1", "SHA-256", "SHA-1 with subject", "SHA-256 with subject"])
async def test_a_message_that_aws_signed_is_genuine_and_one_changed_in_any_signed_field_is_not(
    stated: tuple[str, str, str, str, str | None, str],
) -> None:
    fields, moment = message(*stated)
    sns = SnsTopics([fields["TopicArn"], TOPICS + "other"], fetch)
    assert await sns.check(json.dumps(fields).encode(), moment + timedelta(seconds=1)) == fields
    changes = {
        "Message": "Hello World",
        "MessageId": "1" + fields["MessageId"],
        "Subject": "Hello",
        "Timestamp": moment.isoformat(),
        "TopicArn": TOPICS + "other",
    }
    for name, value in changes.items():
        with pytest.raises(HookRejected):
            await sns.check(json.dumps(fields | {name: value}).encode(), moment)
