"""Exactly once from Kafka through Postgres to Kafka."""
