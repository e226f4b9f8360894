"""What an operator reads: no secrets, no escape codes, no markup of strangers, and the command that helps."""

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console, RenderableType
from typer.testing import CliRunner

from firebreak_cli.__main__ import make_app
from firebreak_cli.commands.options import DEFAULT_DATA_DIR
from firebreak_cli.configuration_pages import history_table, plan_page
from firebreak_cli.dead_letter_tables import letter_object, letter_page, letters_table, show_troubles
from firebreak_cli.demo.tickets_table import tickets_table
from firebreak_cli.local_stack.errors import LocalStackError
from firebreak_cli.reached_servers import NothingReachedError, reach
from firebreak_cli.record_view import value_view
from firebreak_cli.stack_status import StackStatus
from firebreak_cli.stack_tables import addresses_table
from firebreak_cli.stream_troubles import PausedPartition, Refusal, Troubles
from firebreak_cli.terminal_text import printable
from ticket_store.configuration_history import HeadVersion
from ticket_store.configuration_plan import FieldChange, Plan, PlannedChange
from ticket_store.touched_tickets import Part
from ticket_stream.dead_letter_desk import DeadLetter, WholeDeadLetter

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DATABASE = "postgresql://us:s3cret@db.example:5433/firebreak"
SECRETS = ("s3cret", "fb_" + 36 * "A", "abc.def", "sig-value")


def shown(content: RenderableType, width: int = 80) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(content)
    return console.export_text()


def troubles_shown(troubles: Troubles, width: int = 80) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    show_troubles(troubles, console)
    return console.export_text()


def letter(reason: str = "PoisonRecord: as ordered") -> DeadLetter:
    return DeadLetter(UUID(int=7 << 96), "router", "support.messages.v1", 3, 41, "x.v1", "id-1", AT, reason, AT, "new")


def whole(value: bytes | None, headers: Mapping[str, bytes] | None = None) -> WholeDeadLetter:
    return WholeDeadLetter(letter(f"cannot reach {DATABASE}"), b"k\x1b[2J", list((headers or {}).items()), value, None)


VALUE = {
    "text": "My oven smokes",
    "auth": {"access_token": "abc.def", "password": "s3cret"},
    "note": f"sent with fb_{36 * 'A'} to {DATABASE}",
    "lines": ["\x1b[31mred", "[bold]markup[/oops]"],
}


@pytest.mark.parametrize("with_words", [False, True])
def test_a_page_and_its_object_hold_no_secret_and_no_control_character(with_words: bool) -> None:
    found = whole(json.dumps(VALUE).encode(), {"x-signature": b"v1", "x-auth-token": b"sig-value"})
    page = shown(letter_page(found, with_words))
    script = json.dumps(letter_object(found, with_words), default=str)
    for text in (page, script):
        assert not [secret for secret in SECRETS if secret in text]
        assert "\x1b" not in text
        assert ("My oven smokes" in text) is with_words
    assert "[bold]markup[/oops]" in page
    assert "@db.example:5433" in page


def test_what_is_no_json_shows_its_size_and_only_on_request_its_content() -> None:
    assert "12 bytes that are no JSON" in value_view(b"\xffplain words", with_words=False)
    assert "plain words" in value_view(b"\xffplain words", with_words=True)
    assert value_view(None, with_words=True) is None


def test_json_too_deep_to_read_is_no_reason_to_fail() -> None:
    assert "no JSON" in value_view(b"[" * 100_000, with_words=False)


def test_the_list_names_where_and_why_within_80_columns() -> None:
    text = shown(letters_table([letter("PoisonRecord: " + 30 * "long ")]))
    assert max(map(len, text.splitlines())) <= 80
    for words in ("00000007", "router  support.messages.v1/3@41", "x.v1", "PoisonRecord"):
        assert words in text


def test_a_paused_partition_shows_each_command_unbroken_on_a_narrow_terminal() -> None:
    pause = PausedPartition(
        consumer="sla-engine",
        topic="support.commands.v1",
        partition=3,
        next_offset=5,
        timer_key=None,
        reason="record at offset 5: KeyError: [a bug]",
        paused_at=AT,
        decision=None,
        decided_by=None,
        to_continue="",
    )
    text = troubles_shown(Troubles(paused=[pause]), width=50)
    assert "[a bug]" in text
    for word in ("resume", "skip"):
        assert f"firebreak dead-letters {word} sla-engine support.commands.v1 3" in text
    decided = pause.model_copy(update={"decision": "skip", "decided_by": "Wang"})
    assert "Wang decided: skip" in troubles_shown(Troubles(paused=[decided]))


def test_a_refusal_shows_its_reason_and_the_way_out() -> None:
    refusal = Refusal(
        consumer="router", topic="t", partition=0, reason="the topic was deleted", command="c", refused_at=AT
    )
    text = " ".join(troubles_shown(Troubles(refusals=[refusal])).split())
    for words in ("the topic was deleted", "--data-dir OTHER", "docs/runbooks/refusal.md"):
        assert words in text


def test_a_plan_shows_where_two_long_values_differ() -> None:
    before, after = (json.dumps([{"name": "one", "when": 300 * "x"}, {"name": name}]) for name in ("two", "three"))
    change = PlannedChange("routing", "rules", "changed", (FieldChange("rules", before, after),))
    text = shown(plan_page(Plan(7, (change,), 3)), 400)

    assert '"two"}] → …xxx' in text
    assert '"three"}]' in text


def test_a_plan_shows_how_many_open_tickets_each_document_touches_and_when_there_may_be_more() -> None:
    parts = (Part(3, "by the new condition"),)
    rule = PlannedChange("automation", "vip", "changed", (), 12, True, "only the newest 20,000 were asked", parts)
    team = PlannedChange("team", "triage", "archived", (), 1, False, "they stay in it")
    text = shown(plan_page(Plan(7, (rule, team), 3)), 120)

    assert "    at least 12 open tickets: only the newest 20,000 were asked" in text
    assert "      3 of them: by the new condition" in text
    assert "    1 open ticket: they stay in it" in text


def test_the_history_marks_what_was_added_changed_and_archived() -> None:
    version = HeadVersion(2, AT, "anna", None, ("brand/a", "team/b"), ("team/b",), ("agent/c",))
    assert "+ team/b; ~ brand/a; - agent/c" in shown(history_table([version]), 120)


@pytest.mark.parametrize(("raw", "safe"), [("\x1b[2J", "\\x1b[2J"), ("a\u202eb", "a\\u202eb"), ("冒烟 ok", "冒烟 ok")])
def test_what_is_not_visible_is_shown_as_an_escape(raw: str, safe: str) -> None:
    assert printable(raw) == safe


def test_servers_of_the_environment_come_before_the_stack_and_are_never_mixed(tmp_path: Path) -> None:
    servers = reach(tmp_path, {"FIREBREAK_POSTGRES": DATABASE, "FIREBREAK_TOPIC_PREFIX": "p."})
    assert (servers.postgres, servers.kafka, servers.topic_prefix) == (DATABASE, None, "p.")
    assert servers.place == "db.example:5433/firebreak"
    with pytest.raises(NothingReachedError, match="FIREBREAK_KAFKA"):
        servers.need_kafka()
    with pytest.raises(NothingReachedError, match="firebreak up"):
        reach(tmp_path, {"FIREBREAK_KAFKA": "127.0.0.1:9092"})


def test_a_database_that_is_no_url_is_refused_without_repeating_it(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError) as caught:
        reach(tmp_path, {"FIREBREAK_POSTGRES": "us:s3cret@db"})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("command", [["recover"], ["dead-letters", "list"], ["dead-letters", "skip", "c", "t", "0"]])
def test_a_command_that_reaches_nothing_says_how_to_name_servers(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FIREBREAK_POSTGRES", raising=False)
    result = CliRunner().invoke(make_app(), [*command, "--data-dir", str(tmp_path / DEFAULT_DATA_DIR)])
    assert result.exit_code == 1
    assert "FIREBREAK_POSTGRES" in " ".join(result.output.split())


def test_the_api_is_shown_with_the_paths_that_it_serves() -> None:
    text = shown(addresses_table(StackStatus(running=True, api="http://127.0.0.1:8080")))
    assert "http://127.0.0.1:8080/v1/openapi.json" in text
    assert "/docs" not in text


@pytest.mark.parametrize(("width", "columns"), [(80, ("team/assignee", "reply due")), (120, ("channel", "assignee"))])
def test_tickets_take_one_line_each_whatever_the_width(width: int, columns: tuple[str, ...]) -> None:
    ticket: dict[str, Any] = {
        "number": 1007,
        "channel": "email",
        "contact_name": "A rather long name of somebody",
        "subject": "三号仓的洗衣机有两台漏水，外箱完好" + 20 * "[/x]",
        "team": "after-sales",
        "assignee": "wang",
        "priority": "urgent",
        "first_response_due_at": AT.isoformat(),
    }
    lines = shown(tickets_table([ticket, ticket], AT, width), width).splitlines()
    assert sum("1007" in line and "wang" in line and "urgent" in line and "三号" in line for line in lines) == 2
    assert sum("1007" in line or "…" in line for line in lines) == 2
    assert all(column in " ".join(lines) for column in columns)
