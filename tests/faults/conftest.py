"""What fault tests share: lines for the end of the run, and the logs of a stack whose test failed."""

import shutil
import tempfile
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import pytest

from tests.conftest import LEDGER
from tests.support.stack import Stack

Report = Callable[[Sequence[str]], None]


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """Show lines under the test's name at the end of the run, whatever becomes of the test."""

    def show(lines: Sequence[str]) -> None:
        request.node.user_properties.append((LEDGER, list(lines)))

    return show


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the logs of every stack of a failed test, and show their ends."""
    result = yield
    if result.failed and isinstance(item, pytest.Function):
        for stack in item.funcargs.values():
            if isinstance(stack, Stack) and stack.layout.log_dir.is_dir():  # gone where taking it down failed
                kept = Path(tempfile.mkdtemp(prefix="firebreak-fault-logs-"))
                shutil.copytree(stack.layout.log_dir, kept, dirs_exist_ok=True)
                result.sections.append((f"logs, kept whole in {kept}", stack.logs()))
    return result
