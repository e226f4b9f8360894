"""CEL conditions of routing and automation: compiled once, bounded before they run, and never the end of a message when
they fail.

CEL has no loops but its comprehensions and no side effects; its regular expressions take linear time. What is left to
bound is nesting of comprehensions and the compilation of a regular expression, which happens at every evaluation.
"""

import logging
import re
import time
import unicodedata
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any

import cel

# The library warns at each failure and may quote the message; whoever asks hears of it as `ExpressionFailed`.
logging.getLogger("cel").setLevel(logging.ERROR)

MAX_REGEX_SECONDS = 0.002
"""CPU time one regular expression may take to compile; ordinary ones take 0.00002."""


def folded(text: str) -> str:
    """Return `text` so that width and case make no difference: `ＶＩＰ`, `VIP` and `vip` are one word."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return text.casefold()


def mentions(text: str, words: list[str]) -> bool:
    """Say whether a folded text contains any of the words, whatever their width and case."""
    return any(word in text for word in _folded_words(tuple(words)))


@lru_cache(maxsize=1024)  # lists in rules are constants; the bound is for those that are not
def _folded_words(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(folded(word) for word in words if word)


FUNCTIONS: dict[str, Callable[..., Any]] = {"lower": folded, "mentions": mentions}
"""Ours beside CEL's own (`contains`, `startsWith`, `endsWith`, `matches`, `size`, `has`, `exists`, …)."""

_COMPREHENSION = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*(\w+)")
_MATCHES = re.compile(r"\bmatches\s*\(")
_MATCHES_LITERAL = re.compile(
    r"""\bmatches\s*\(\s*(?P<pattern>[rR]?(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'))\s*\)""", re.DOTALL
)

# What each error of the library means to the author of a rule. Its own text may quote the message.
_FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (KeyError, "a field that it names is absent"),
    (TypeError, "the types of its values do not fit"),
    (ArithmeticError, "its arithmetic has no result"),
    (RuntimeError, "a function that it calls is unknown or failed"),
)


class UnusableExpression(ValueError):
    """The condition cannot be used; the message says why, for its author."""


class ExpressionFailed(Exception):
    """The condition gave no answer for this message; the text says why, without the message's content."""


class Condition:
    """One compiled condition over the variables in `names`."""

    def __init__(self, expression: str, names: Collection[str]) -> None:
        """:raises UnusableExpression: it does not compile, looks at something else, or might take too long."""
        self._program = _compile(expression)
        bound_names = _COMPREHENSION.findall(expression)
        if len(bound_names) > 1:
            raise UnusableExpression("more than one of all, exists, exists_one, map, filter: nested they take too long")
        self.variables = frozenset(self._program.variables())
        if unknown := self.variables - {*names, *bound_names}:
            known = ", ".join(f"`{name}`" for name in names)
            raise UnusableExpression(f"there is only {known}, not {', '.join(sorted(unknown))[:100]}")
        self.expression = expression
        _check_patterns(expression)

    def holds(self, context: cel.Context) -> bool:
        """:raises ExpressionFailed: it cannot be decided."""
        try:
            answer = self._program.execute(context)
        except Exception as error:
            raise ExpressionFailed(_explain(error)) from error
        if not isinstance(answer, bool):
            raise ExpressionFailed("it gives neither true nor false")
        return answer


def _compile(expression: str) -> cel.Program:
    try:
        return cel.compile(expression)
    except ValueError as error:
        raise UnusableExpression("it is not valid CEL: " + str(error).replace("\n", " ")[:200]) from error


def _check_patterns(expression: str) -> None:
    literals = [match["pattern"] for match in _MATCHES_LITERAL.finditer(expression)]
    if len(literals) != len(_MATCHES.findall(expression)):
        raise UnusableExpression("the regular expression of `matches` must be written out, not computed")
    for literal in literals:
        program = _compile(f'"".matches({literal})')
        began = time.thread_time()
        try:
            program.execute()
        except Exception as error:
            raise UnusableExpression(f"not a usable regular expression: {literal[:100]}") from error
        if time.thread_time() - began > MAX_REGEX_SECONDS:
            raise UnusableExpression(f"this regular expression takes too long to prepare: {literal[:100]}")


def _explain(error: Exception) -> str:
    return next((text for kind, text in _FAILURES if isinstance(error, kind)), type(error).__name__)
