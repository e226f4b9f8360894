"""Finding free TCP ports, and naming who holds one that is not free."""

import secrets
import socket
from collections.abc import Iterable

import psutil

from firebreak_cli.local_stack.errors import PortTakenError

LOOPBACK = "127.0.0.1"
# Below what Linux gives to outgoing connections (32768 and up): while a server is down, a client that tries to reach it
# must not be given the server's own port.
LOWEST, HIGHEST = 12_000, 30_000


def free_ports(count: int) -> list[int]:
    """Return distinct ports that are free now, drawn at random so that two runs on one machine do not meet."""
    chosen: set[int] = set()
    while len(chosen) < count:
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        if is_free(port):
            chosen.add(port)
    return list(chosen)


def is_free(port: int) -> bool:
    """Say whether a server could listen on the port now; connections in TIME_WAIT do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def require_free(ports: Iterable[tuple[str, int]]) -> None:
    """Raise `PortTakenError` for the first (purpose, port) that is in use."""
    for purpose, port in ports:
        if not is_free(port):
            raise PortTakenError(taken_message(purpose, port, holder_of(port)))


def taken_message(purpose: str, port: int, holder: str | None) -> str:
    """Say who is in the way and what to do about it."""
    by = f" by {holder}" if holder else ""
    return f"Port {port} ({purpose}) is already in use{by}. Stop that process, or choose other ports with --port-base."


def holder_of(port: int) -> str | None:
    """Name the process that listens on the port, when this user may know it."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:  # macOS lets only root look at other processes
        return None
    for connection in connections:
        if connection.status != psutil.CONN_LISTEN or not connection.laddr:
            continue
        if connection.laddr.port == port and connection.pid:
            try:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.NoSuchProcess:
                return None
    return None
