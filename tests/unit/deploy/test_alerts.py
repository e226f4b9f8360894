"""The alert rules speak of metrics that the services really have, under labels and values that occur."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from ingest_email.metrics import MailMetrics
from ingest_files.metrics import FileMetrics
from ingest_pull.pull_metrics import PullMetrics
from ingest_webhook.metrics import Metrics as WebhookMetrics
from ingest_webhook.rejections import Outcome
from service_kit.metrics import EventLoopLag
from sla_engine.metrics import EngineMetrics
from tests.support.workspace_services import ROOT
from ticket_router.metrics import RouterMetrics
from ticket_stream.job_metrics import JobMetrics
from ticket_stream.metrics import StreamMetrics

RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy" / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
_METRIC = re.compile(r"\bfirebreak_\w+")
_SELECTOR = re.compile(r"\b(firebreak_\w+)\{(.*?)\}")
_LABEL = re.compile(r"(\w+)(=~|=)\"(.*?)\"")
_SUFFIXES = {"counter": ("_total",), "gauge": ("",), "stateset": ("",), "histogram": ("_bucket", "_sum", "_count")}
# Of the scraping itself: no service has to send them.
_FROM_PROMETHEUS = {"job", "instance"}


def labels_by_series() -> dict[str, set[str]]:
    """Return the series that the processes expose, by name, with their labels."""
    makers = (MailMetrics, WebhookMetrics, FileMetrics, PullMetrics, EngineMetrics, RouterMetrics, EventLoopLag)
    of_streams = (partial(StreamMetrics, "any"), partial(JobMetrics, "any"))
    # A registry each: processes may have series of one name.
    registries = [_filled(make) for make in (*makers, *of_streams)]
    # The library shows labels only of series that were used; which there can be, only its metrics themselves know.
    families = [
        (family, metric) for each in registries for metric in each._collector_to_names for family in metric.collect()
    ]
    return {
        family.name + suffix: {*getattr(metric, "_labelnames", ()), *_added_by(family.type, family.name, suffix)}
        for family, metric in families
        for suffix in _SUFFIXES[family.type]
    }


def _filled(make: Callable[[CollectorRegistry], object]) -> CollectorRegistry:
    registry = CollectorRegistry()
    make(registry)
    return registry


def _added_by(kind: str, name: str, suffix: str) -> list[str]:
    """The label that the library itself adds: a histogram's limit, a state's name."""
    return ["le"] if suffix == "_bucket" else [name] if kind == "stateset" else []


SERIES = labels_by_series()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_every_metric_of_a_rule_exists(rule: dict[str, Any]) -> None:
    assert set(_METRIC.findall(rule["expr"])) - set(SERIES) == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_every_label_of_a_rule_exists(rule: dict[str, Any]) -> None:
    known = set().union(*(SERIES[metric] for metric in _METRIC.findall(rule["expr"]))) | _FROM_PROMETHEUS
    grouped = {label for group in re.findall(r"by \((.*?)\)", rule["expr"]) for label in group.split(", ")}
    shown = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert grouped | shown <= known
    for metric, selector in _SELECTOR.findall(rule["expr"]):
        assert {label for label, _, _ in _LABEL.findall(selector)} <= SERIES[metric]


def test_outcomes_that_rules_wait_for_are_outcomes_of_webhooks() -> None:
    waited = {
        outcome
        for rule in RULES
        for _, selector in _SELECTOR.findall(rule["expr"])
        for label, _, value in _LABEL.findall(selector)
        for outcome in value.split("|")
        if label == "outcome"
    }
    assert waited
    assert waited <= {str(outcome) for outcome in Outcome}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_every_rule_says_how_urgent_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"].keys() == {"summary", "fix"}
