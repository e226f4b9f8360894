"""Strangers with a key: whatever they send, the answer is a problem document that names the field; never a 500."""

import json
from collections.abc import Iterator
from uuid import uuid4

from tests.integration.crm_api_around import add_key, add_ticket, caller, running_api
from tests.support.servers import SharedKafka
from tests.support.sla_engine import OFFICE, STANDARD, configure
from ticket_store.sessions import open_pool

Case = tuple[str, str, bytes, int, str]
"""Method, path, body, and of the answer status and the field that it names."""

DIGITS = "9" * 5000
DEEP = "[" * 100_000
TEN_MEGABYTES = b'{"type": "note", "text": "' + b"x" * 10_000_000 + b'"}'
COMMANDS = "/tickets/{ticket}/commands"
BRAND, AUTOMATION = "/configuration/documents/brand/x", "/configuration/documents/automation/x"
NEW = {
    "brand": "acme",
    "channel": "phone",
    "contact": {"phone": "+8613800000000"},
    "subject": "水泵",
    "text": "x",
    "public": False,
    "team": "service",
}
CALL = {"direction": "inbound", "answered": False}
TIMES = (
    '"0001-01-01T00:00:00Z"',
    '"9999-12-31T23:59:59-14:00"',
    '"2026-02-30T00:00:00Z"',
    '"2026-02-28T00:00:00"',
    "5",
    '"5"',
)
UNREADABLE = (DEEP.encode(), b"\xff\xfe", f'{{"version": {DIGITS}, "type": "note"}}'.encode(), b"{")
BODIES = (COMMANDS, "/configuration/plan", "/reevaluations")


def cases() -> Iterator[Case]:
    """Give one request for each way to be wrong."""
    yield "POST", COMMANDS, TEN_MEGABYTES, 413, ""
    for path in BODIES:
        yield from (("POST", path, body, 400, "body") for body in UNREADABLE)
        yield from (("POST", path, body, 422, "body") for body in (b"[]", b"5", b'"x"', b"null", b""))
        yield "POST", path, b'{"type": "note", "text": "x", "nope\\ud800": 1}', 422, ""
    for bad in ('"a\\u0000b"', '"a\\ud800b"', "5", '["x"]', '{"a": 1}', '""', '" \\n"', f'"{"x" * 60_001}"', "NaN"):
        yield "POST", COMMANDS, f'{{"type": "note", "text": {bad}}}'.encode(), 422, "body.text"
        yield "POST", COMMANDS, f'{{"type": {bad}}}'.encode(), 422, "body.type"
        reply = f'{{"type": "reply", "text": "x", "provider_id": {bad}}}'
        yield "POST", COMMANDS, reply.encode(), 422, "body.provider_id"
        yield "POST", COMMANDS, f'{{"type": "tags", "add": [{bad}]}}'.encode(), 422, "body.add[0]"
        yield (
            "POST",
            COMMANDS,
            f'{{"type": "link", "other_id": {bad}, "kind": "related"}}'.encode(),
            422,
            "body.other_id",
        )
        yield "POST", "/tickets", json.dumps(NEW | {"channel": "@"}).replace('"@"', bad).encode(), 422, "body.channel"
        yield "POST", "/configuration/plan", f'{{"documents": {bad}}}'.encode(), 422, "body.documents"
        yield "PUT", AUTOMATION, _rule(bad), 422, ""
    for at in TIMES:
        yield "POST", COMMANDS, f'{{"type": "snooze", "until": {at}}}'.encode(), 422, "body.until"
        call = json.dumps(NEW | {"call": CALL | {"started_at": "@"}}).replace('"@"', at)
        yield "POST", "/tickets", call.encode(), 422, "body.call.started_at"
    for at in TIMES[2:]:
        yield "POST", "/reevaluations", f'{{"opened_after": {at}}}'.encode(), 422, "body.opened_after"
    yield "POST", "/reevaluations", _span("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z"), 422, "body"
    yield "POST", "/configuration/rollback", b'{"version": true}', 422, "body.version"
    yield "POST", "/configuration/rollback", b'{"version": "1"}', 422, "body.version"
    yield "PUT", BRAND, b'{"display_name": "x", "nope": 1}', 422, ""
    yield "PUT", "/configuration/documents/brand/%FF", b'{"display_name": "x"}', 422, "path.name"
    for path in ("/tickets/x", "/tickets/%00/sla", "/commands/%FF", "/roll-outs/..%2f", "/tickets/" + "a" * 5000):
        yield "GET", path, b"", 422 if "%2f" not in path else 404, "path." if "%2f" not in path else ""
    yield "GET", f"/tickets/{uuid4()}", b"", 404, ""
    yield "POST", f"/tickets/{uuid4()}/commands", b'{"type": "note", "text": "x"}', 404, ""
    for query in ("limit=99999999999999999999", "limit=-1", "cursor=%00", "status=neu", "team=%00", "spam=maybe"):
        yield "GET", f"/tickets?{query}", b"", 422, f"query.{query.split('=')[0]}"


def _rule(when: str) -> bytes:
    return f'{{"order": 1, "on": ["opened"], "when": {when}, "then": {{"note": "x"}}}}'.encode()


def _span(after: str, before: str) -> bytes:
    return json.dumps({"opened_after": after, "opened_before": before}).encode()


async def test_every_wrong_request_is_answered_by_a_problem_that_names_what_is_wrong(
    kafka: SharedKafka, database_url: str
) -> None:
    async with open_pool(database_url, application_name="test") as pool:
        await configure(pool, OFFICE, STANDARD)
    ticket = await add_ticket(database_url)
    key = await add_key(database_url, ("read", "write", "admin"))
    answered_otherwise = []
    async with running_api(database_url, kafka.bootstrap) as address, caller(address, key) as client:
        for method, path, body, status, field in cases():
            headers = {"Content-Type": "application/json"}
            url = path.format(ticket=ticket)
            answer = await client.request(method, url, content=body or None, headers=headers)
            is_problem = answer.headers["content-type"] == "application/problem+json"
            named = [each["field"] for each in answer.json().get("errors", ())] if is_problem else []
            if answer.status_code != status or not any(each.startswith(field) for each in named or [""]):
                answered_otherwise.append((method, path[:60], body[:80], answer.status_code, answer.text[:300]))
        for languages in ("xx", "zh-TW;q=abc", "*", ",,,", "q=nan;q=inf", "é"):
            sla = await client.get(
                f"/tickets/{ticket}/sla", headers=[(b"Accept-Language", languages.encode("latin-1"))]
            )
            if (sla.status_code, sla.headers.get("content-language")) not in {(200, "en"), (200, "zh")}:
                answered_otherwise.append(("GET", languages, b"", sla.status_code, sla.text[:300]))
    assert answered_otherwise == [], "\n".join(map(str, answered_otherwise))
