"""AWS's addresses, for a process that really asks them: a proxy that speaks for sns.eu-west-1.amazonaws.com."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.mail_service import self_signed
from tests.support.partners.amazon_ses import CERTIFICATE_URL, AmazonSes

HOST = "127.0.0.1"


@asynccontextmanager
async def aws_addresses(folder: Path, ses: AmazonSes) -> AsyncIterator[Mapping[str, str]]:
    """Answer as `ses` does while the block lasts; gives the variables by which a process asks here and believes it."""
    host = urlsplit(CERTIFICATE_URL).hostname or ""
    certificate, key = self_signed(folder, host)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            asked = (await reader.readuntil(b"\r\n\r\n")).split(b" ")
            assert asked[:2] == [b"CONNECT", f"{host}:443".encode()], asked
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.start_tls(context)
            target = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
            content = await ses.fetch(f"https://{host}{target}")
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + content)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield {
            **dict.fromkeys(("HTTPS_PROXY", "https_proxy"), f"http://{HOST}:{port}"),
            **dict.fromkeys(("NO_PROXY", "no_proxy"), ""),
            "SSL_CERT_FILE": str(certificate),
        }
    finally:
        server.close()
        await server.wait_closed()
