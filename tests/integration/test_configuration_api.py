"""The configuration over HTTP: who may change it, what is refused and how, and the way back."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from tests.integration.crm_api_around import add_key, caller, running_api
from tests.integration.test_configuration_history import ADD_TICKET
from tests.integration.test_store_configuration import ALL
from tests.support.servers import SharedKafka
from ticket_store import configuration
from ticket_store.sessions import open_pool

DOCUMENTS = "/configuration/documents"
BRAND = {"display_name": "Aurora 极光"}
NEVER_RUNNING = {"order": 1, "calendar": "hours", "targets": {"resolution": {"normal": "4h"}}, "pause_on": ["new"]}


@pytest_asyncio.fixture
async def address(database_url: str, kafka: SharedKafka, topic_prefix: str) -> AsyncIterator[str]:
    """An API without topics: the configuration needs none, and no ticket is told anything."""
    async with open_pool(database_url, application_name="test") as pool, pool.acquire() as connection:
        await configuration.apply(connection, ALL, "anna")
    async with running_api(database_url, kafka.bootstrap, topic_prefix) as address:
        yield address


@pytest_asyncio.fixture
async def client(address: str, database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    key = await add_key(database_url, ("read", "write", "admin"), agent="anna")
    async with caller(address, key) as client:
        yield client


def kind(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json", response.text
    return response.status_code, response.json()["type"]


def errors(response: httpx.Response) -> list[str]:
    return [each["field"] for each in response.json()["errors"]]


async def test_what_is_in_force_is_read_whole_by_kind_and_one_by_one(client: httpx.AsyncClient) -> None:
    whole = await client.get(DOCUMENTS)
    assert whole.headers["etag"] == '"1"'
    assert [(each["kind"], each["name"]) for each in whole.json()["items"]] == sorted(
        (each.kind, each.name) for each in ALL
    )
    for path in (f"{DOCUMENTS}?kind=policy", "/policies"):
        [policy] = (await client.get(path)).json()["items"]
        assert (policy["name"], policy["version"], policy["document"]["calendar"]) == ("fast", 1, "hours")
    assert (await client.get(f"{DOCUMENTS}/policy/fast")).json() == policy


@pytest.mark.parametrize("path", ["agents", "calendars", "policies", "rules", "taxonomy", "teams"])
async def test_each_short_name_lists_its_kind(client: httpx.AsyncClient, path: str) -> None:
    found = await client.get(f"/{path}")

    assert (found.status_code, found.json()["version"]) == (200, 1)


async def test_a_document_is_added_changed_and_archived_each_as_a_version(client: httpx.AsyncClient) -> None:
    added = await client.put(f"{DOCUMENTS}/brand/aurora", json=BRAND, headers={"If-Match": '"1"'})
    assert (added.status_code, added.headers["etag"]) == (200, '"2"')
    assert added.json()["changed"] == ["brand/aurora"]
    await client.put(f"{DOCUMENTS}/brand/aurora", json={"display_name": "Aurora"})
    archived = await client.delete(f"{DOCUMENTS}/brand/aurora")
    assert (archived.json()["version"], archived.json()["archived"]) == (4, ["brand/aurora"])

    items = (await client.get("/configuration/versions")).json()["items"]
    assert [(each["version"], each["applied_by"]) for each in items] == [(n, "anna") for n in (4, 3, 2, 1)]
    page = (await client.get("/configuration/versions", params={"limit": 2})).json()
    assert page["next_cursor"] == "3"
    assert [each["added"] for each in items] == [[], [], ["brand/aurora"], items[3]["changed"]]


async def test_a_rollback_is_one_request_and_a_version_of_its_own(client: httpx.AsyncClient) -> None:
    await client.put(f"{DOCUMENTS}/brand/aurora", json=BRAND)

    rolled = await client.post("/configuration/rollback", json={"version": 1})

    assert (rolled.json()["version"], rolled.json()["archived"]) == (3, ["brand/aurora"])
    newest = (await client.get("/configuration/versions")).json()["items"][0]
    assert (newest["version"], newest["rolled_back_to"]) == (3, 1)
    assert kind(await client.post("/configuration/rollback", json={"version": 9})) == (404, "/problems/no-such-version")


async def test_a_changed_calendar_answers_where_its_roll_out_stands(client: httpx.AsyncClient) -> None:
    changed = await client.put(f"{DOCUMENTS}/calendar/hours", json={"week": {"friday": ["09:00-12:00"]}})

    found = (await client.get(changed.json()["roll_out"].removeprefix("/v1"))).json()
    assert (found["kind"], found["scope"], found["requested_by"]) == ("recalculate", {"calendars": ["hours"]}, "anna")


@pytest.mark.parametrize("scopes", [["read"], ["write"], ["read", "write"]], ids=str)
async def test_only_the_scope_admin_changes_the_configuration(
    address: str, database_url: str, scopes: list[str]
) -> None:
    async with caller(address, await add_key(database_url, scopes)) as client:
        refused = [
            await client.put(f"{DOCUMENTS}/brand/aurora", json=BRAND),
            await client.delete(f"{DOCUMENTS}/policy/fast"),
            await client.post("/configuration/rollback", json={"version": 1}),
            await client.post("/reevaluations", json={"everything": True}),
        ]
    assert {kind(answer) for answer in refused} == {(403, "/problems/forbidden")}
    assert "scope `admin`" in refused[0].json()["detail"]


async def test_a_change_on_an_old_view_is_412_with_the_present_version(client: httpx.AsyncClient) -> None:
    await client.put(f"{DOCUMENTS}/brand/aurora", json=BRAND)
    old = {"If-Match": '"1"'}

    for answer in (
        await client.put(f"{DOCUMENTS}/brand/aurora", json={"display_name": "Other"}, headers=old),
        await client.delete(f"{DOCUMENTS}/brand/aurora", headers=old),
        await client.post("/configuration/rollback", json={"version": 1}, headers=old),
    ):
        assert kind(answer) == (412, "/problems/configuration-conflict")
        assert answer.headers["etag"] == '"2"'


@pytest.mark.parametrize(
    ("path", "body", "wrong"),
    [
        ("brand/x", {}, ["body.brand/x.display_name"]),
        ("brand/x", {"display_name": "X", "colour": "red"}, ["body.brand/x.colour"]),
        ("team/x", {"display_name": "X", "members": ["nobody"], "leads": ["no one"]}, [
            "documents.team/x.members", "documents.team/x.leads",
        ]),
        ("calendar/hours", {"week": {}}, ["documents.calendar/hours.week"]),
        ("policy/fast", NEVER_RUNNING, ["documents.policy/fast.pause_on"]),
        ("brand/x", {"display_name": "a\x00b"}, ["documents.brand/x.display_name"]),
    ],
)  # fmt: skip
async def test_a_refused_document_is_422_with_every_field_and_changes_nothing(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], wrong: list[str]
) -> None:
    refused = await client.put(f"{DOCUMENTS}/{path}", json=body)

    assert kind(refused) == (422, "/problems/configuration-refused")
    assert errors(refused) == wrong
    assert (await client.get(DOCUMENTS)).json()["version"] == 1


async def test_what_others_refer_to_cannot_be_archived(client: httpx.AsyncClient) -> None:
    refused = await client.delete(f"{DOCUMENTS}/calendar/hours")

    assert kind(refused) == (422, "/problems/configuration-refused")
    assert errors(refused) == ["documents.policy/fast.calendar"]


@pytest.mark.parametrize("path", ["brand/none", "brnd/x"])
async def test_a_document_or_kind_that_is_not_there_is_404(client: httpx.AsyncClient, path: str) -> None:
    for answer in (await client.get(f"{DOCUMENTS}/{path}"), await client.delete(f"{DOCUMENTS}/{path}")):
        assert kind(answer) == (404, "/problems/no-such-document")


async def test_a_plan_shows_what_would_change_and_changes_nothing(client: httpx.AsyncClient) -> None:
    whole = [{"kind": each["kind"], **each["document"]} for each in (await client.get(DOCUMENTS)).json()["items"]]
    policy = next(each for each in whole if each["kind"] == "policy")
    policy["warnings"] = [80]

    planned = (await client.post("/configuration/plan", json={"documents": whole})).json()

    [change] = planned["changes"]
    assert (planned["head"], planned["unchanged"], change["name"], change["change"]) == (1, 3, "fast", "changed")
    assert change["fields"] == [{"field": "warnings", "before": "[50, 75, 90]", "after": "[80]"}]
    assert (change["open_tickets"], change["at_least"], change["parts"]) == (0, False, [])
    assert (await client.get(DOCUMENTS)).json()["version"] == 1


async def test_a_plan_tells_how_many_open_tickets_it_touches_and_what_is_particular_to_some(
    client: httpx.AsyncClient, database_url: str
) -> None:
    async with open_pool(database_url, application_name="test") as pool:
        await pool.execute(ADD_TICKET, uuid4(), "open", "triage")
        await pool.execute(ADD_TICKET, uuid4(), "open", "triage")
        await pool.execute("UPDATE tickets SET assignee = 'anna' WHERE number = 1001")
    whole = [{"kind": each["kind"], **each["document"]} for each in (await client.get(DOCUMENTS)).json()["items"]]
    next(each for each in whole if each["kind"] == "team")["members"] = []

    [change] = (await client.post("/configuration/plan", json={"documents": whole})).json()["changes"]

    assert (change["name"], change["open_tickets"], change["at_least"]) == ("triage", 2, False)
    assert change["note"] == "they stand in it"
    assert change["parts"] == [{"open_tickets": 1, "note": "they stay assigned to agents who are members no more"}]


async def test_a_plan_of_wrong_documents_names_them_all(client: httpx.AsyncClient) -> None:
    refused = await client.post(
        "/configuration/plan", json={"documents": [{"kind": "brand", "name": "x"}, {"kind": "brnd"}]}
    )

    assert kind(refused) == (422, "/problems/configuration-refused")
    assert errors(refused) == ["body.documents.brand/x.display_name", "body.documents.document 1.kind"]
