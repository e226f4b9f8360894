"""What ingest-email counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class MailMetrics:
    """One per process; `answer` and `reason` are closed sets, never a sender's words."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.mails = Counter("firebreak_mails", "Mails by the answer to DATA", ["answer"], registry=registry)
        self.deliveries = Counter(
            "firebreak_mail_deliveries", "Message events acknowledged by Kafka", registry=registry
        )
        self.refused = Counter("firebreak_mail_refused", "Refusals before DATA", ["reason"], registry=registry)
        self.hooks = Counter("firebreak_mail_hooks", "Requests of mail hooks", ["hook", "status"], registry=registry)
        self.unread = Counter("firebreak_mails_unread", "Mails accepted that nothing could read", registry=registry)
        self.connections = Gauge("firebreak_smtp_connections", "Open SMTP connections", registry=registry)
        self.worker_ends = Counter(
            "firebreak_reading_worker_ends", "Workers that had to be replaced", ["reason"], registry=registry
        )
        self.reloads = Counter(
            "firebreak_sources_reloads",
            "Readings of the mailboxes file after the first",
            ["result"],
            registry=registry,
        )
        self.seconds = Histogram(
            "firebreak_mail_seconds",
            "From the last byte of a mail to its answer",
            buckets=_SECONDS,
            registry=registry,
        )
