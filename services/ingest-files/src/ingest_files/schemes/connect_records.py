"""Amazon Connect: recordings in the bucket that the source names, and in no other, read over S3's own protocol.

The locator is what a contact record calls `Location`, `bucket/key` (docs.aws.amazon.com/connect/latest/adminguide/
ctr-data-model.html, "RecordingInfo"). S3 answers 404 for what is not there only to who may list; to others 403
(docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, "Permissions").
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from ingest_files.errors import GiveUp, NoQuestion, TryLater
from ingest_files.guarded_http import Answer, GuardedClient
from ingest_files.schemes.scheme import Access
from ticket_contracts.messages import RemoteFile
from ticket_intake.recording_files import NotARecording, place_below, sound_type

if TYPE_CHECKING:  # obstore has these names for type checkers only
    from obstore.store import ClientConfig, RetryConfig, S3Config, S3Credential

CREDENTIALS = "access key ID:secret access key"
_FORBIDDEN = "403 Forbidden"
_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
# docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_REFUSED = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthorizationHeaderMalformed", "InvalidSecurity"})
_ARCHIVED = "InvalidObjectState"
# How long one file may take in all, `FIREBREAK_FILE_SECONDS` says; the client's own limit only has to be longer.
_CLIENT: "ClientConfig" = {"connect_timeout": "5s", "timeout": "1h"}
_RETRY: "RetryConfig" = {"max_retries": 2}


async def fetch(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:
    """Get the recording. A token is `access key ID:secret access key`; without one the process's own role is used."""
    try:
        key = _key(access.bucket, file.locator)
    except NotARecording as error:
        raise GiveUp(f"the recording is not asked for: {error} (files.bucket: {access.bucket})") from error
    with _reasons():
        found = await obstore.get_async(_store(access, token), key)
        if found.meta["size"] > client.max_bytes:
            raise GiveUp(f"larger than {client.max_bytes} bytes")
        return Answer(200, sound_type(key) or "", bytes(await found.bytes_async()), is_file=True)


async def ask(_: GuardedClient, access: Access, token: str) -> None:
    """Look at one object, whichever: who may list and read may fetch. Nothing is read of it.

    :raises GiveUp: the credentials may not. :raises TryLater: S3 does not answer. :raises NoQuestion: nothing is there.
    """
    store = _store(access, token)
    try:
        with _reasons():
            async for chunk in obstore.list(store, prefix=_prefix(access.bucket) or None):
                if chunk:
                    await obstore.head_async(store, chunk[0]["path"])
                    return
    except _Denied as error:
        raise GiveUp(str(error)) from error
    raise NoQuestion(f"there is no object below {access.bucket} yet")


class _Denied(TryLater):
    """403, which may mean that the object is not there yet."""


def _key(bucket: str, location: str) -> str:
    """Return the key of a location in the bucket, below the prefix if there is one.

    :raises NotARecording: another bucket, or nothing that Connect would call a recording.
    """
    place = place_below(bucket, location)
    return "/".join(filter(None, (_prefix(bucket), place)))


def _prefix(bucket: str) -> str:
    return bucket.partition("/")[2]


def _store(access: Access, token: str) -> S3Store:
    # All of it is said here: what the environment says of a bucket is about our own storage.
    domain = "amazonaws.com.cn" if access.region.startswith("cn-") else "amazonaws.com"
    api = access.base(f"https://s3.{access.region}.{domain}")
    config: S3Config = {"bucket": access.bucket.partition("/")[0], "region": access.region, "endpoint": api}
    client: ClientConfig = {**_CLIENT, "allow_http": api.startswith("http://")}
    if not token:
        return S3Store(config=config, client_options=client, retry_config=_RETRY)
    key_id, _, secret = token.partition(":")

    def credentials() -> "S3Credential":
        return {"access_key_id": key_id, "secret_access_key": secret, "expires_at": None}

    return S3Store(config=config, client_options=client, retry_config=_RETRY, credential_provider=credentials)


@contextmanager
def _reasons() -> Iterator[None]:
    """Sort S3's refusals by what to do."""
    try:
        yield
    except FileNotFoundError as error:
        raise TryLater("S3 has no such recording yet (404)") from error
    except (BaseError, OSError) as error:
        # Refused to list, obstore raises its general error.
        refused = isinstance(error, PermissionDeniedError | UnauthenticatedError) or _FORBIDDEN in str(error)
        raise _refusal(str(error)) if refused else TryLater(f"S3 does not answer: {type(error).__name__}") from error


def _refusal(words: str) -> Exception:
    found = _CODE.search(words)
    code = found[1] if found else "403"
    if code in _REFUSED:
        return GiveUp(
            f"S3 refuses the credentials ({code}): files.tokens of the source has to be {CREDENTIALS} "
            f"（凭证被拒绝，请核对来源 files.tokens：{CREDENTIALS}）"
        )
    if code == _ARCHIVED:
        return GiveUp("the recording is archived (InvalidObjectState): restore it in S3 to hear it")
    return _Denied(
        f"S3 does not give out the recording ({code}): it is not there yet, or the credentials may not read it; "
        f"allow s3:GetObject and s3:ListBucket, and kms:Decrypt where the bucket has a key "
        f"（无权读取：请授予 s3:GetObject、s3:ListBucket 及所用密钥的 kms:Decrypt）"
    )
