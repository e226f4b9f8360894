"""Runbooks name only commands, alerts and metrics that exist."""

import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry
from typer.main import get_command

from firebreak_cli.__main__ import make_app
from ticket_stream.metrics import StreamMetrics

ROOT = Path(__file__).parents[3]
PAGES = sorted((ROOT / "docs" / "runbooks").glob("*.md"))


@pytest.fixture(params=PAGES, ids=lambda page: page.stem)
def page(request: pytest.FixtureRequest) -> str:
    text: str = request.param.read_text(encoding="utf-8")
    return text


def test_commands_exist(page: str) -> None:
    app = get_command(make_app())
    for command, below in re.findall(r"firebreak (up|down|status|recover|dead-letters)\b(?: ([a-z]+)\b)?", page):
        known = app.commands[command]  # type: ignore[attr-defined]  # the application is a group
        if command == "dead-letters" and below:
            assert below in known.commands


def test_alerts_exist(page: str) -> None:
    groups = yaml.safe_load((ROOT / "deploy" / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    known = {rule["alert"] for group in groups for rule in group["rules"]}
    assert set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", page)) <= known


def test_metrics_of_streams_exist(page: str) -> None:
    registry = CollectorRegistry()
    StreamMetrics("any", registry)
    known = {metric.name for metric in registry.collect()}
    named = re.findall(r"firebreak_stream_[a-z_]+", page)
    assert {name.removesuffix("_total") for name in named} <= known


def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page):
        assert (ROOT / "docs" / "runbooks" / target).exists(), target
