"""The SLA story in words, in both languages."""

from datetime import UTC, datetime

import pytest

from crm_api.explain_sla import TRANSITIONS
from crm_api.sla_words import Language, choose_language, tell_step
from ticket_contracts.tickets import ClockState
from ticket_contracts.vocabulary import ClockStatus, Metric

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def clock(**changes: object) -> ClockState:
    values: dict[str, object] = {
        "metric": Metric.FIRST_RESPONSE,
        "status": ClockStatus.RUNNING,
        "policy": "standard",
        "policy_version": 1,
        "calendar": "office",
        "target_seconds": 3600,
        "used_seconds": 900,
        "started_at": START,
        "due_at": START.replace(hour=10),
    }
    return ClockState.model_validate({**values, **changes})


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,zh;q=0.5", "en"),
        ("fr, zh;q=0.3, en;q=0.7", "en"),
        ("*", "en"),
        ("", "en"),
        ("zh;q=lots, en", "en"),
        ("zh; q=0.9 , en ;q=0.1", "zh"),
        ("zh;q=0, fr", "en"),
        ("zh;q=nan", "en"),
        ("zh;q=inf, en", "en"),
        ("en;q=0, zh;q=0.1", "zh"),
        ("en, zh", "en"),
        ("zh, en", "zh"),
        ("ZH-Hans-CN", "zh"),
        ("zhx", "en"),
    ],
)
def test_the_language_follows_accept_language(header: str, language: str) -> None:
    assert choose_language(header) == language


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("transition", sorted(set(TRANSITIONS.values())))
def test_every_transition_has_a_sentence(transition: str, language: Language) -> None:
    assert "{" not in tell_step(transition, clock(), language)


def test_the_start_names_target_calendar_and_due_time() -> None:
    assert tell_step("started", clock(), "en") == (
        "The first response clock started: 1:00:00 of business time on calendar office, due 2026-11-23 10:00:00 UTC."
    )
    assert "首次响应" in tell_step("started", clock(), "zh")


def test_a_stop_after_the_breach_is_told_as_late() -> None:
    late = clock(breached_at=START.replace(hour=10), stopped_at=START.replace(hour=11), status=ClockStatus.BREACHED)
    assert tell_step("stopped", late, "en") == (
        "The first response clock stopped 2026-11-23 11:00:00 UTC, after its breach."
    )
