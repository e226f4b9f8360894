"""A stack's addresses and processes as tables for a person."""

from rich.table import Table

from firebreak_cli.stack_status import StackStatus


def addresses_table(status: StackStatus) -> Table:
    """Return every address that is of use from outside."""
    table = Table(title="Addresses", title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")  # an address that is cut off is of no use
    rows = {
        "REST API": status.api and f"{status.api}/v1",
        "OpenAPI": status.api and f"{status.api}/v1/openapi.json",
        "Webhooks": status.webhooks and f"{status.webhooks}/webhooks/{{source}}",
        "Console": status.console,
        "SMTP": status.smtp,
        "LMTP": status.lmtp,
        "Kafka": status.kafka,
        "PostgreSQL": status.postgres,
        "API key": status.api_key_file,
        "Sources": status.sources_file,
        "Logs": status.log_dir,
    }
    for title, value in rows.items():
        if value is not None:
            table.add_row(f"[bold]{title}[/bold]", value)
    return table


def services_table(status: StackStatus) -> Table:
    """Return the processes, ready or not."""
    table = Table("process", "pid", "port", "ready", title="Processes", title_justify="left")
    for service in status.services:
        table.add_row(
            service.name,
            str(service.pid),
            str(service.port),
            "[green]yes[/green]" if service.ready else "[red]no[/red]",
        )
    return table
