"""The `firebreak` command. Each group of commands is a module below `commands`; this puts them together."""

import logging
import sys

import structlog
import typer

from firebreak_cli.commands import configuration, dead_letters, down, recover, reevaluate, sources, status, up
from firebreak_cli.contributed_commands import add_contributed
from firebreak_cli.said_plainly import said_plainly


def make_app() -> typer.Typer:
    """Build the command line."""
    app = typer.Typer(help="Runs Firebreak on this machine.", no_args_is_help=True, add_completion=False)
    for group in (up, status, down, dead_letters, recover, configuration, reevaluate, sources):
        group.add_to(app)
    add_contributed(app)
    return app


def main() -> None:
    """Run one command. Standard output belongs to its answer; what libraries report is for standard error."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        with said_plainly():
            make_app()()
    except typer.Exit as ended:  # raised outside of the application, which would have turned it into this
        sys.exit(ended.exit_code)


if __name__ == "__main__":
    main()
