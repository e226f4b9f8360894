"""ingest-pull without sockets."""
