"""The page of the queues and its JSON API. Whoever asks without a token gets the page's own files and nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seedbed.core.decision import MOST_WHY
from seedbed.core.errors import DataError, MissingExtraError, SeedbedError
from seedbed.core.serving import HEADERS, App, Receive, Scope, Send, bounded, headed, may_be_called

from .card import Answered, Card, Confirmed
from .desk import MOST_ITEMS, MOST_ROWS, Asked, Desk, GoneError, as_action
from .people import People
from .queue import Filters, State

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

MOST_BYTES = 1 << 20
_NEEDS = ("starlette", "uvicorn")
_PAGE = {
    "/": ("index.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/style.css": ("style.css", "text/css"),
    "/card": ("card.html", "text/html"),
    "/card.js": ("card.js", "text/javascript"),
    "/card.css": ("card.css", "text/css"),
}
_HEADERS = {
    **HEADERS,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_Shape = TypeVar("_Shape", bound=BaseModel)


class _Filters(BaseModel):
    label: str
    kind: str
    text: str
    state: State


class Decided(BaseModel):
    """What a person decides about a row, and about others like it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    queue: str
    row: str
    action: Literal["accept", "relabel", "reject", "rescue", "skip", "prefer"]
    label: str | None = None
    why: str = Field("", max_length=MOST_WHY)
    also: list[str] = Field(default_factory=list, max_length=MOST_ROWS - 1)


def check_needs() -> None:
    """Fail with the command to type where the web server is not installed.

    Raises:
        MissingExtraError: It is not.
    """
    import importlib.util

    for name in _NEEDS:
        if importlib.util.find_spec(name) is None:
            raise MissingExtraError(
                f"reviewing on a page needs the package {name!r}, which is not installed",
                hint="pip install 'seedbed[serve]', or review in a table: --export human_input.csv",
            )


def make_app(
    desk: Desk,
    people: People,
    *,
    host: str,
    card: Card | None = None,
    complain: Callable[[str], None] = lambda _: None,
) -> Starlette:
    """The application.

    Args:
        desk: What is decided about.
        people: Who may.
        host: The address that it listens on; it is asked by that name, or by that of this machine.
        card: The card of the run, where it has one.
        complain: Told of failures, in a sentence that holds nothing of the data.
    """
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.routing import Route

    routes = [Route(path, _file(name, kind)) for path, (name, kind) in _PAGE.items()]
    routes += [Route(f"/api/{name}", answer) for name, answer in _looking(desk, card).items()]
    routes += [Route(f"/api/{name}", answer, methods=["POST"]) for name, answer in _deciding(desk).items()]
    routes += [Route(f"/api/{name}", answer, methods=[way]) for name, (way, answer) in _of_card(card).items()]
    guard = Middleware(_Guard, people=people, host=host)
    return Starlette(routes=routes, middleware=[guard], exception_handlers=_handlers(complain))


def _looking(desk: Desk, card: Card | None) -> dict[str, Callable[[Request], Response]]:
    """What is asked with GET. Plain functions run in threads, so that one long answer holds up no other."""

    def view(request: Request) -> Any:
        asked = request.query_params
        filters = _checked(_Filters, {name: asked.get(name, "") for name in _Filters.model_fields})
        return desk.view(asked.get("queue", ""), Filters(**filters.model_dump()), _who(request))

    def window(request: Request) -> Any:
        asked = request.query_params
        at, n = _number(asked.get("at", "0")), _number(asked.get("n", "50"))
        return desk.window(asked.get("view", ""), at, min(max(n, 1), MOST_ITEMS), _who(request))

    def item(request: Request) -> Any:
        return desk.item(request.query_params.get("queue", ""), request.query_params.get("row", ""), _who(request))

    def similar(request: Request) -> Any:
        return desk.similar(request.query_params.get("queue", ""), request.query_params.get("row", ""), _who(request))

    answers: dict[str, Callable[[Request], Any]] = {
        "about": lambda request: desk.about(_who(request)) | {"card": card is not None},
        "view": view,
        "window": window,
        "item": item,
        "similar": similar,
        "news": lambda request: desk.news(_number(request.query_params.get("since", "0")), _who(request)),
    }
    return {name: _as_json(answer) for name, answer in answers.items()}


def _deciding(desk: Desk) -> dict[str, Callable[[Request], Awaitable[Response]]]:
    """What is asked with POST."""
    from starlette.concurrency import run_in_threadpool

    async def decide(request: Request) -> Response:
        one = _checked(Decided, await _body(request))
        told = Asked(one.queue, one.row, as_action(one.action), one.label, one.why, tuple(one.also))
        return _json(await run_in_threadpool(desk.decide, told, _who(request)))

    async def undo(request: Request) -> Response:
        return _json(await run_in_threadpool(desk.undo, _who(request)))

    return {"decide": decide, "undo": undo}


def _of_card(card: Card | None) -> dict[str, tuple[str, Callable[[Request], Any]]]:
    """What is asked about the card; nothing where there is none."""
    from starlette.concurrency import run_in_threadpool

    if card is None:
        return {}

    async def answer(request: Request) -> Response:
        one = _checked(Answered, await _body(request))
        return _json((await run_in_threadpool(card.answer, one.key, one.text, one.was)).model_dump(mode="json"))

    async def confirm(request: Request) -> Response:
        one = _checked(Confirmed, await _body(request))
        return _json((await run_in_threadpool(card.confirm, [one.key])).model_dump(mode="json"))

    state = _as_json(lambda _: card.state().model_dump(mode="json"))
    return {"card": ("GET", state), "answer": ("POST", answer), "confirm": ("POST", confirm)}


async def _body(request: Request) -> Any:
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise DataError("the body is not JSON that can be read", at="body") from None


def _checked(shape: type[_Shape], told: Any) -> _Shape:
    try:
        return shape.model_validate(told)
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(first["msg"], at=".".join(map(str, first["loc"]))[:200]) from None


def _number(text: str) -> int:
    try:
        return int(text[:18])
    except ValueError:
        raise DataError("this is no number", at=text[:20]) from None


def _json(told: Any, status: int = 200) -> Response:
    from starlette.responses import Response

    return Response(orjson.dumps(told), status, media_type="application/json")


def _as_json(answer: Callable[[Request], Any]) -> Callable[[Request], Response]:
    def give(request: Request) -> Response:
        return _json(answer(request))

    return give


def _who(request: Request) -> str:
    who: str = request.scope["seedbed_who"]
    return who


def _file(name: str, kind: str) -> Callable[[Request], Response]:
    from starlette.responses import Response

    content = files(__package__).joinpath("page", name).read_bytes()

    def give(_: Request) -> Response:
        return Response(content, media_type=f"{kind}; charset=utf-8")

    return give


def _handlers(complain: Callable[[str], None]) -> dict[Any, Any]:
    """Every error is JSON with a problem and a way out, and holds nothing of the data."""
    from starlette.exceptions import HTTPException

    def told(status: int, problem: str, at: str = "", hint: str = "") -> Response:
        return _json({"error": {"problem": problem, "at": at, "hint": hint}}, status)

    async def of_data(_: Request, error: SeedbedError) -> Response:
        return told(410 if isinstance(error, GoneError) else 422, error.problem, error.at, error.hint)

    async def of_http(_: Request, error: HTTPException) -> Response:
        return told(error.status_code, str(error.detail))

    async def of_ours(_: Request, error: Exception) -> Response:
        complain(f"a request failed with {type(error).__name__}; this is a fault in Seedbed")
        return told(500, "the server failed on this request")

    return {SeedbedError: of_data, HTTPException: of_http, Exception: of_ours}


class _Guard:
    """Who asks, by which name, from where, and how much: refused before anything is looked at.

    The token travels in a header that no other site can set, so that a page elsewhere can neither read nor decide; the
    host's name is looked at, because a name that somebody else owns may be pointed at this machine.
    """

    def __init__(self, app: App, people: People, host: str) -> None:
        self.app, self.people, self.host = app, people, host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        answer, refused = headed(send, _HEADERS), self._refused(scope)
        if refused is None:
            await self.app(scope, bounded(receive, MOST_BYTES), answer)
        else:
            await refused(scope, receive, answer)

    def _refused(self, scope: Scope) -> Any:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get("host", ""), headers.get("origin")
        if not may_be_called(host, self.host) or (origin is not None and origin.partition("://")[2] != host):
            return _json({"error": {"problem": "asked by a name that is not this server's"}}, 403)
        if scope["path"].startswith("/api/"):
            kind, _, token = headers.get("authorization", "").partition(" ")
            who = self.people.who(token.strip()) if kind.lower() == "bearer" else None
            if who is None:
                hint = "open the link that `seedbed review` printed for you"
                return _json({"error": {"problem": "nobody is known by this token", "hint": hint}}, 401)
            scope["seedbed_who"] = who
        return None
