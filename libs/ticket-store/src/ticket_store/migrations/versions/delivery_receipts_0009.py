"""What became of messages of ours: receipts by id and by time. The SQL stands beside this file."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Run the file as one script: a prepared statement could hold a single command only."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    connection = op.get_bind().connection.dbapi_connection
    assert connection is not None, "migrations run on an open connection"
    connection.run_async(lambda driver: driver.execute(script))  # SQLAlchemy's bridge to asyncpg
