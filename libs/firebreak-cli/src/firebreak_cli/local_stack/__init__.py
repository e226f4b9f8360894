"""Real Apache Kafka and PostgreSQL on one machine, for a first run and for tests. Production never imports it."""
