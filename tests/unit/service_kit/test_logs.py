"""What reaches stdout, and what must never."""

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from service_kit.api_keys import generate
from service_kit.log_setup import configure_logging
from service_kit.redaction import REDACTED, redact
from service_kit.settings import LogLevel
from service_kit.tracing import bound_trace, new_trace

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()  # `force=True` would close pytest's own
    yield
    logging.captureWarnings(False)
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def lines() -> Lines:
    output = io.StringIO()
    with redirect_stdout(output):  # pytest's own capture is another stream when the test runs
        configure_logging("router")
    return lambda: [json.loads(line) for line in output.getvalue().splitlines()]


def test_our_events_and_those_of_libraries_have_the_same_fields(lines: Lines) -> None:
    structlog.get_logger("ours").info("ticket opened", number=7)
    logging.getLogger("theirs").info("joined %s", "group")
    ours, theirs = lines()
    assert (ours["event"], ours["number"], ours["logger"]) == ("ticket opened", 7, "ours")
    assert (theirs["event"], theirs["logger"]) == ("joined group", "theirs")
    for line in (ours, theirs):
        assert (line["service"], line["level"]) == ("router", "info")
        assert line["timestamp"].endswith("Z")


def test_each_line_carries_the_trace_that_it_belongs_to(lines: Lines) -> None:
    with bound_trace(new_trace()) as trace:
        structlog.get_logger().info("inside")
        logging.getLogger("theirs").info("inside")
    structlog.get_logger().info("outside")
    assert [line.get("trace_id") for line in lines()] == [trace.trace_id, trace.trace_id, None]


@pytest.mark.parametrize("logger", [structlog.get_logger("ours"), logging.getLogger("theirs")])
def test_an_exception_is_one_structured_line_without_the_values_of_its_frames(lines: Lines, logger: Any) -> None:
    password = "hunter2"
    try:
        raise ValueError(f"a password of {len(password)} characters")
    except ValueError:
        logger.exception("failed")
    (line,) = lines()
    assert line["exception"][0]["exc_value"] == "a password of 7 characters"
    assert line["exception"][0]["frames"]
    assert "hunter2" not in json.dumps(line)


@pytest.mark.parametrize("name", ["authorization", "secret", "password", "token", "key", "body", "text"])
def test_secrets_and_what_people_wrote_do_not_reach_the_log(lines: Lines, name: str) -> None:
    fields = {name: "leak", f"smtp_{name}": "leak", f"X-Auth-{name.title()}": "leak", "deep": [{name: ["leak"]}]}
    structlog.get_logger().info("received", **fields)
    (line,) = lines()
    assert line[name] == REDACTED
    assert "leak" not in json.dumps(line)


def test_names_that_only_contain_a_secret_word_stay_readable() -> None:
    harmless = {"token_count": 3, "keyboard": "us", "body_bytes": 12, "context": "retry"}
    assert redact(harmless) == harmless


def test_secrets_inside_of_texts_are_cut_out(lines: Lines) -> None:
    try:
        raise OSError("cannot reach postgresql://firebreak:hunter2@db/x")
    except OSError:
        logging.getLogger("theirs").exception("refused key %s", generate())
    (line,) = lines()
    assert "postgresql://firebreak:[redacted]@db/x" in line["exception"][0]["exc_value"]
    assert line["event"] == f"refused key {REDACTED}"


def test_raw_bytes_and_secret_values_are_named_not_shown(lines: Lines) -> None:
    structlog.get_logger().info("received", raw=b"Dear support", database=SecretStr("hunter2"))
    (line,) = lines()
    assert line["raw"] == "[12 bytes]"
    assert "hunter2" not in json.dumps(line)


def test_a_structure_that_contains_itself_does_not_stop_the_logging(lines: Lines) -> None:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    structlog.get_logger().info("circle", value=circle)
    assert lines()[0]["event"] == "circle"


@pytest.mark.parametrize(
    ("level", "expected"), [("info", ["uvicorn: trouble"]), ("debug", ["uvicorn: chat", "uvicorn: trouble"])]
)
def test_chatty_libraries_speak_only_when_asked(
    capsys: pytest.CaptureFixture[str], level: LogLevel, expected: list[str]
) -> None:
    configure_logging("router", level)
    logging.getLogger("uvicorn.error").info("chat")
    logging.getLogger("uvicorn.error").warning("trouble")
    written = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert [f"uvicorn: {event}" for event in written] == expected


def test_warnings_of_python_go_the_same_way(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)  # again, because `catch_warnings` has put the original back
        warnings.warn("old call", DeprecationWarning, stacklevel=1)
    assert "old call" in lines()[0]["event"]


def test_the_console_format_is_for_people_and_redacts_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("router", "info", "console")
    password = "".join(["hunter", "2"])  # put together, because a stack trace shows lines of source
    try:
        raise RuntimeError("lost")
    except RuntimeError:
        structlog.get_logger().exception("failed", password=password)
    written = capsys.readouterr().out
    assert "RuntimeError: lost" in written
    assert "hunter2" not in written
