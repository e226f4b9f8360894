"""Bodies above the limit never reach the application."""

from starlette.types import Message, Receive, Scope, Send

from crm_api.body_limit import MAX_BODY_BYTES, BodyLimit

SCOPE: Scope = {"type": "http", "path": "/v1/tickets", "method": "POST", "headers": []}


async def answer_with_body(chunks: list[bytes]) -> tuple[int, bytes]:
    """Send the chunks through the limit to an application that echoes; return status and echo."""
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": number < len(chunks) - 1}
        for number, chunk in enumerate(chunks)
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message["body"]
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    await BodyLimit(echo)(SCOPE, receive, send)
    return sent[0]["status"], sent[1]["body"]


async def test_a_body_at_the_limit_arrives_whole() -> None:
    half = b"x" * (MAX_BODY_BYTES // 2)
    assert await answer_with_body([half, half]) == (200, half + half)


async def test_one_byte_more_is_refused_with_a_problem_document() -> None:
    status, body = await answer_with_body([b"x" * MAX_BODY_BYTES, b"x"])
    assert status == 413
    assert b"/problems/too-large" in body
