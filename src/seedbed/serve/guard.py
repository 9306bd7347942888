"""Stands before the routes: who may ask, how long a request may be and take, what is counted and said of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from seedbed.core.serving import HEADERS, App, ClientDisconnected, Message, Receive, Scope, Send, headed, whole_body

from .keys import Keys
from .lane import FullError
from .limits import MOST_BYTES, MOST_HELD
from .problems import full, told
from .service import Service, new_request

#: What anybody may see, also where others need a key: whether the server is there, and the page's own files.
PAGE = ("/", "/page.js", "/card.js", "/fields.js", "/file.js", "/why.js", "/style.css")
_PROBES = frozenset({"/health", "/healthz", "/ready"})
OPEN = _PROBES | {*PAGE}
_OTHER = "other"


class _FullError(Exception):
    """As many bytes are held as may."""


@dataclass
class _Seen:
    """What is known of a request for counting it."""

    status: int = 500
    key: str | None = None
    bytes: int = 0


class Guard:
    """An ASGI application around another.

    Args:
        app: The other.
        service: What counts.
        routes: Paths that are counted by their names; all others are one.
        keys: Gives those who may ask; None where anybody may.
        said: Takes a line of JSON for each request. Nothing of what was asked or answered is in it.
        refuse: Says why who needs no key may not ask; empty where they may.
    """

    def __init__(
        self,
        app: App,
        *,
        service: Service,
        routes: frozenset[str],
        keys: Callable[[], Keys | None] = lambda: None,
        said: Callable[[str], None] | None = None,
        refuse: Callable[[Scope], str] = lambda _: "",
    ) -> None:
        self.app, self.service, self.routes, self.keys, self.said = app, service, routes, keys, said
        self.refuse = refuse
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it through."""
        if scope["type"] != "http":
            return
        began, request, seen = time.perf_counter(), new_request(), _Seen()
        scope.setdefault("state", {})["request"] = request
        sender = headed(_watched(send, seen), {**HEADERS, "X-Request-Id": request})
        try:
            await self._let_in(scope, receive, sender, seen)
        except ClientDisconnected:
            seen.status = 499
        finally:
            self._tell(scope, request, seen, time.perf_counter() - began)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send, seen: _Seen) -> None:
        keys = self.keys()
        if keys is not None and scope["path"] not in OPEN:
            seen.key = keys.who(_key_of(scope))
            if seen.key is None:
                self.service.metrics.refused.labels("key").inc()
                answer = told(
                    401,
                    "this needs a key",
                    hint="send the header “Authorization: Bearer KEY”",
                    headers={"WWW-Authenticate": "Bearer"},
                )
                return await answer(scope, receive, send)
            scope["state"]["who"] = seen.key
        if keys is None and scope["path"] not in _PROBES and (why := self.refuse(scope)):
            self.service.metrics.refused.labels("name").inc()
            hint = "whoever serves the model can say --allow-origin https://NAME, or give out keys (--keys)"
            return await told(403, why, hint=hint)(scope, receive, send)
        if scope["method"] not in ("POST", "PUT", "PATCH"):
            return await self.app(scope, receive, send)
        await self._with_body(scope, receive, send, seen)

    async def _with_body(self, scope: Scope, receive: Receive, send: Send, seen: _Seen) -> None:
        from starlette.exceptions import HTTPException

        try:
            body = await whole_body(self._counted(receive, seen), MOST_BYTES, self.service.limits.body_seconds)
            await self.app(scope, _again(body, receive), send)
        except _FullError:
            self.service.metrics.refused.labels("full").inc()
            return await full(FullError(1), headers={"Connection": "close"})(scope, receive, send)
        except HTTPException as error:
            self.service.metrics.refused.labels("long" if error.status_code == 413 else "slow").inc()
            answer = told(error.status_code, error.detail, headers={"Connection": "close"} if _slow(error) else None)
            return await answer(scope, receive, send)
        finally:
            self._held -= seen.bytes

    def _counted(self, receive: Receive, seen: _Seen) -> Receive:
        """What is received, counted while it comes: who never sends the end of a body holds it all the same."""

        async def counted() -> Message:
            message = await receive()
            piece = len(message.get("body", b""))
            seen.bytes += piece
            self._held += piece
            if self._held > MOST_HELD:
                raise _FullError
            return message

        return counted

    def _tell(self, scope: Scope, request: str, seen: _Seen, seconds: float) -> None:
        route = scope["path"] if scope["path"] in self.routes else _OTHER
        self.service.metrics.requests.labels(route, str(seen.status)).inc()
        self.service.metrics.seconds.labels(route).observe(seconds)
        if self.said is None:
            return
        line: Mapping[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "event": "request",
            "request": request,
            "method": scope["method"][:10],
            "route": route,
            "status": seen.status,
            "seconds": round(seconds, 6),
            "bytes": seen.bytes,
            "key": seen.key,
            "version": self.service.version.predictor.digest[:12],
        }
        self.said(orjson.dumps(line).decode())


def _slow(error: Any) -> bool:
    return bool(error.status_code == 408)


def _key_of(scope: Scope) -> str:
    """The key that a request brings, empty where it brings none."""
    for name, value in scope["headers"]:
        if name == b"x-api-key":
            return str(value.decode("latin-1"))
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return str(value[7:].decode("latin-1").strip())
    return ""


def _watched(send: Send, seen: _Seen) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.status = message["status"]
        await send(message)

    return sent


def _again(body: bytes, receive: Receive) -> Receive:
    """What was received, once more; then whatever else comes."""
    given = False

    async def received() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return received
