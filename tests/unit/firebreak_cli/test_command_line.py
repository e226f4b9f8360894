"""What a person reads when a command cannot do its work, and what scripts read when it can."""

import io
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from firebreak_cli import example_configuration
from firebreak_cli.__main__ import make_app
from firebreak_cli.demo.sample_messages import EMERGENCY, MAILS, TICKETS
from firebreak_cli.demo.tickets_table import tickets_table
from firebreak_cli.local_stack.ports import taken_message
from firebreak_cli.sources import new_sources, read_secrets
from firebreak_cli.stack_layout import PORT_ORDER, StackLayout
from firebreak_cli.stack_lock import exclusive
from ticket_contracts.vocabulary import Metric, Priority
from ticket_store.configuration import load_directory
from ticket_store.documents import Policy, Routing

EXAMPLE = Path(example_configuration.__file__).parent


def test_a_second_stack_on_one_data_directory_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with exclusive(StackLayout(tmp_path, 8080).lock_file):
        result = CliRunner().invoke(make_app(), ["up", "--data-dir", str(tmp_path), "--no-demo"])
    assert result.exit_code == 1
    assert "belongs to a stack that is running" in " ".join(result.output.split())


def test_status_of_a_stack_that_does_not_run_is_an_object_and_exit_code_3(tmp_path: Path) -> None:
    result = CliRunner().invoke(make_app(), ["status", "--json", "--data-dir", str(tmp_path)])
    assert result.exit_code == 3
    status = json.loads(result.output)
    assert status["services"] == []
    wanted = {
        "api",
        "webhooks",
        "console",
        "smtp",
        "lmtp",
        "kafka",
        "postgres",
        "api_key_file",
        "sources_file",
        "pull_sources_file",
        "log_dir",
    }
    assert {name for name, value in status.items() if value is None} == wanted


def test_down_without_a_stack_says_so_and_succeeds(tmp_path: Path) -> None:
    result = CliRunner().invoke(make_app(), ["down", "--data-dir", str(tmp_path)])
    assert result.exit_code == 0
    assert "No stack runs" in result.output


def test_a_taken_port_is_named_with_its_holder_and_another_base() -> None:
    message = taken_message("smtp", 8083, "postfix (pid 77)")
    for word in ("8083", "smtp", "postfix (pid 77)", "--port-base"):
        assert word in message


def test_ports_count_up_from_the_base_and_none_is_used_twice() -> None:
    layout = StackLayout(Path("/data"), 9000)
    assert [layout.port(purpose) for purpose in PORT_ORDER] == list(range(9000, 9000 + len(PORT_ORDER)))
    assert layout.url("crm-api") == "http://127.0.0.1:9000"


def test_every_sources_file_has_secrets_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(new_sources(), encoding="utf-8")
    (tmp_path / "other.yaml").write_text(new_sources(), encoding="utf-8")
    one, other = read_secrets(tmp_path / "one.yaml"), read_secrets(tmp_path / "other.yaml")
    assert len({one.shop, one.slack, one.telephone, other.shop, other.slack, other.telephone}) == 6


def test_the_example_breaches_within_a_minute_for_the_emergency_of_the_demonstration() -> None:
    documents = load_directory(EXAMPLE)
    [policy] = [each for each in documents if isinstance(each, Policy) and each.match.tags == ("danger",)]
    target = policy.targets[Metric.FIRST_RESPONSE][Priority.URGENT]
    assert target.endswith("s")
    assert int(target.removesuffix("s")) < 60
    [routing] = [each for each in documents if isinstance(each, Routing)]
    [rule] = [rule for rule in routing.rules if rule.set.tags == ("danger",)]
    assert rule.set.priority is Priority.URGENT
    assert "冒烟" in EMERGENCY.text
    assert "冒烟" in rule.when


def test_answers_among_the_sample_mails_open_no_ticket_of_their_own() -> None:
    assert sum(mail.answers is not None for mail in MAILS) == 1
    assert TICKETS == 6


NOW = datetime(2026, 11, 23, 9, 0).astimezone()


@pytest.mark.parametrize(
    ("due", "shown"),
    [(None, "–"), (NOW + timedelta(seconds=40), "09:00:40"), (NOW + timedelta(days=1), "24 Nov 09:00")],
)
def test_the_table_shows_when_the_first_response_is_due(due: datetime | None, shown: str) -> None:
    ticket = {
        "number": 12,
        "channel": "email",
        "contact_name": "Ingrid",
        "subject": "E24",
        "team": "after-sales",
        "assignee": "wang",
        "priority": "urgent",
        "first_response_due_at": due and due.isoformat(),
    }
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(tickets_table([ticket], NOW, console.width))
    assert shown in console.export_text()
