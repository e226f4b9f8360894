"""Telling a person what happens: one line for each finished step, on a terminal and in a log alike."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from firebreak_cli.terminal_text import plain


class Progress:
    """Prints steps. `watched` is told the name of each step as it begins, for whoever looks from another process."""

    def __init__(self, console: Console, watched: Callable[[str], None] = lambda _: None) -> None:
        self.console = console
        self._watched = watched

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show a step while it runs, and how long it took when it succeeded."""
        self._watched(title)
        started = time.monotonic()
        with self.console.status(f"{title} …"):
            yield
        self.console.print(f"[green]✔[/green] {title} [dim]({time.monotonic() - started:.1f} s)[/dim]")

    def warn(self, text: str) -> None:
        """Show what went wrong without stopping."""
        self.console.print(Text.assemble(("! ", "yellow"), plain(text)))
