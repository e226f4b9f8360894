"""Weibo 粉丝服务: `mss/msget` by file id, for an access token of the account, made by hand and not exchanged.

open.weibo.com/wiki, "Receive_General_Message" (`tovfid` is the file for its receiver); codes: "Error_code".
"""

from urllib.parse import urlencode

from ingest_files.errors import GiveUp, TryLater
from ingest_files.guarded_http import Answer, GuardedClient
from ingest_files.schemes.scheme import Access, number_of, refusal_of
from ticket_contracts.messages import RemoteFile

_TOKEN_OVER = frozenset({21314, 21315, 21316, 21317, 21319, 21327, 21332})
_TOO_OFTEN = frozenset({10022, 10023, 10024})


async def fetch(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:
    base = access.base("https://upload.api.weibo.com")
    query = urlencode({"access_token": token, "fid": file.locator})
    hosts = access.hosts("upload.api.weibo.com", "sinaimg.cn")
    answer = await client.get(f"{base}/2/mss/msget?{query}", hosts, told_refusals=True)
    refusal = refusal_of(answer, "error_code")
    if refusal is None:
        return answer
    code = number_of(refusal, "error_code")
    if code in _TOO_OFTEN:
        raise TryLater(f"Weibo is asked too often ({code})")
    if code in _TOKEN_OVER:
        raise GiveUp(
            f"Weibo does not take the access token ({code}): make another and put it under `files.tokens` "
            f"（access_token 已失效，请重新获取并填入 files.tokens）"
        )
    raise GiveUp(f"Weibo does not give out the file ({code or answer.status})")
