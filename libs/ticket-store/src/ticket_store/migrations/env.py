"""What Alembic runs for every command; the connection comes from `ticket_store.migrations`, in a transaction."""

from alembic import context

from ticket_store.tables import METADATA
from ticket_stream.schema import METADATA as STREAM_METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[METADATA, STREAM_METADATA],
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
