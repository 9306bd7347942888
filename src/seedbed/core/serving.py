"""What the servers of this package share: where they listen, how they end, what they refuse, what each answer says."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import cache
from typing import Any, cast

from .errors import RecipeError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Pages run nothing but their own files, are shown in no other page, and are kept by nobody.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
#: Seconds that a client may take to say what it wants; who trickles longer holds a connection and nothing else.
HEAD_SECONDS = 10.0
#: Connections that a process holds at once; the next one is closed.
MOST_CONNECTIONS = 800


def listen(host: str, port: int) -> socket.socket:
    """A socket that connections can queue at from now on.

    Raises:
        RecipeError: There is no such address, or the port is taken.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=512)
    except (OSError, UnicodeError) as error:
        taken = getattr(error, "errno", None) == errno.EADDRINUSE
        why = getattr(error, "strerror", None) or str(error)
        problem = f"port {port} is in use" if taken else f"cannot listen there ({why})"
        hint = f"--port {port + 1}, or --port 0 for any free one" if taken else "--host 127.0.0.1 --port 0 always works"
        raise RecipeError(problem, at=f"{host}:{port}", hint=hint) from None
    # Else an answer waits some 40 ms for the client to acknowledge its head.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def address_of(listening: socket.socket) -> str:
    """The page's address."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def serve_app(app: Any, listening: socket.socket, *, grace: int, head_seconds: float = HEAD_SECONDS) -> None:
    """Serve an app until Ctrl-C, or a signal to end.

    Args:
        app: An ASGI application.
        listening: From `listen`.
        grace: Seconds that requests under way get then.
        head_seconds: Seconds that a client may take for the head of a request.

    Raises:
        KeyboardInterrupt: It was told to stop, and has.
    """
    make_server(app, grace=grace, head_seconds=head_seconds).run(sockets=[listening])
    raise KeyboardInterrupt  # that is how it ends, whether or not asyncio said so in time


def make_server(app: Any, *, grace: int, head_seconds: float = HEAD_SECONDS) -> Any:
    """The server of an app, a `uvicorn.Server`; see `serve_app`."""
    import uvicorn

    settings = uvicorn.Config(
        app,
        http=_patient(head_seconds),
        ws="none",
        access_log=False,  # what people ask and see is somebody's data
        log_level="critical",
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=grace,
    )
    return uvicorn.Server(settings)


@cache
def _patient(head_seconds: float) -> type[asyncio.Protocol]:
    """uvicorn's own protocol, which alone would wait for the end of a request's head for ever."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    return cast("type[asyncio.Protocol]", type("Patient", (_Patience, H11Protocol), {"head_seconds": head_seconds}))


class _Patience:
    """What a protocol of uvicorn lacks: a clock that runs while a client owes the head of a request."""

    head_seconds: float
    conn: Any
    loop: asyncio.AbstractEventLoop
    transport: Any
    connections: set[Any]
    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """As uvicorn does, while there are not too many."""
        super().connection_made(transport)  # type: ignore[misc]
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        """As uvicorn does."""
        super().data_received(data)  # type: ignore[misc]
        self._watch()

    def connection_lost(self, error: Exception | None) -> None:
        """As uvicorn does."""
        self._stop()
        super().connection_lost(error)  # type: ignore[misc]

    def _watch(self) -> None:
        """The clock runs from the first byte of a head to its last, however slowly they come."""
        if not self._owed():
            self._stop()
        elif self._clock is None:
            self._clock = self.loop.call_later(self.head_seconds, self._give_up)

    def _owed(self) -> bool:
        """Whether a head is awaited, or the rest of a body that was refused already."""
        import h11

        refused = self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY
        return refused or self.conn.their_state is h11.IDLE

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _give_up(self) -> None:
        self._clock = None
        if self._owed():
            self.transport.close()


async def whole_body(receive: Receive, most_bytes: int, seconds: float) -> bytes:
    """A request's body, once it is there.

    Raises:
        HTTPException: It is longer than that (413), or took longer (408); then the connection can be used no more.
        ClientDisconnected: Whoever sent it is gone.
    """
    from starlette.exceptions import HTTPException

    pieces, taken = [], 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnected
                piece = message.get("body", b"")
                taken += len(piece)
                if taken > most_bytes:
                    raise HTTPException(413, f"the request is longer than {most_bytes:,} bytes")
                pieces.append(piece)
                if not message.get("more_body", False):
                    return b"".join(pieces)
    except TimeoutError:
        raise HTTPException(408, f"the request was not whole after {seconds:g} seconds") from None


class ClientDisconnected(Exception):
    """Nobody waits for the answer any more."""


def bounded(receive: Receive, most_bytes: int) -> Receive:
    """A request that is refused (413) once its body is longer, before it is held."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most_bytes:
            from starlette.exceptions import HTTPException

            raise HTTPException(413, f"the request is longer than {most_bytes:,} bytes")
        return message

    return counted


def headed(send: Send, headers: Mapping[str, str]) -> Send:
    """Answers with some headers, where they do not have their own."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message["headers"]}
            more = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
            message["headers"] = [*message["headers"], *(one for one in more if one[0] not in given)]
        await send(message)

    return sent
