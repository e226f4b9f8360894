"""The `firebreak` command. Each group of commands is a module below `commands`; this puts them together."""

import typer

from firebreak_cli.commands import down, status, up


def make_app() -> typer.Typer:
    """Build the command line."""
    app = typer.Typer(help="Runs Firebreak on this machine.", no_args_is_help=True, add_completion=False)
    for group in (up, status, down):
        group.add_to(app)
    return app


def main() -> None:
    """Run one command."""
    make_app()()


if __name__ == "__main__":
    main()
