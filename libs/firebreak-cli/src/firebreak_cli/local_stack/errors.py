"""What a person must put right before the local stack can run. The message is shown as it stands."""


class LocalStackError(Exception):
    """The stack cannot run here as things are; the message names the way out."""


class PortTakenError(LocalStackError):
    """Another process listens where the stack wants to."""


class RegistryUnreachableError(LocalStackError):
    """Kafka's jars are not on this machine and cannot be fetched."""


class ChecksumError(LocalStackError):
    """A jar is not the file that the lock names."""


class ServerFailedError(LocalStackError):
    """A server ended, or did not answer in time."""
