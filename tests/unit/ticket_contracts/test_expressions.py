"""Conditions of rules: what cannot be decided."""

import cel
import pytest

from ticket_contracts.expressions import FUNCTIONS, Condition, ExpressionFailed


def test_a_function_that_fails_is_told_to_who_asks_and_the_library_logs_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    context = cel.Context(functions=FUNCTIONS)
    context.add_variable("ticket", {"subject": 7})
    with pytest.raises(ExpressionFailed, match="a function that it calls"):
        Condition('lower(ticket.subject) == "seven"', ("ticket",)).holds(context)
    assert caplog.records == []
