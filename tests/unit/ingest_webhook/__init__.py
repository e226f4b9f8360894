"""ingest-webhook without sockets."""
