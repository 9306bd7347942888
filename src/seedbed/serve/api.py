"""The JSON API and the web page of one model. What is asked is kept nowhere, unless a log was asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import orjson

from seedbed.core.errors import MissingExtraError
from seedbed.core.version import __version__

from .about import facts
from .answers import Answers, answered_as
from .besides import add_besides, describe, offers
from .guard import OPEN, PAGE, Guard
from .keys import Keys
from .limits import Limits
from .predictor import Predictor
from .problems import Failed, tell_errors, told
from .requests import is_json, read, schema, table
from .server_name import stranger
from .service import Log, Service, Version

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

_NEEDS = ("fastapi", "uvicorn", "prometheus_client")
_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
_ASK = ("/predict", "/api/predict")
_WHY = {
    401: "The key is missing, or is none.",
    403: "A page of another site asked, or it was asked by a name that is not the server's.",
    408: "The request did not come to its end in time.",
    413: "The request asks for more than is served at once.",
    415: "The body is no JSON by its media type.",
    422: "The body is not what is wanted.",
    429: "Too many requests wait; `Retry-After` says when to ask again.",
    500: "The model failed.",
    503: "The answer took too long.",
}


def check_needs() -> None:
    """Fail with the command to type where the web server is not installed.

    Raises:
        MissingExtraError: It is not.
    """
    import importlib.util

    for name in _NEEDS:
        if importlib.util.find_spec(name) is None:
            raise MissingExtraError(
                f"serving needs the package {name!r}, which is not installed", hint="pip install 'seedbed[serve]'"
            )


def make_app(
    model: Predictor | Service,
    *,
    complain: Callable[[str], None] = lambda _: None,
    log: Log | None = None,
    limits: Limits | None = None,
    keys: Callable[[], Keys | None] = lambda: None,
    host: str = "",
    origins: Sequence[str] = (),
    said: Callable[[str], None] | None = None,
) -> FastAPI:
    """The application that serves a model.

    Args:
        model: The model, or what serves it already; then `complain`, `log` and `limits` are the service's.
        complain: Told of failures, in a sentence that holds nothing of what was asked.
        log: Given a frame after each answered request (see `service.Log`).
        limits: How much is taken on.
        keys: Gives the keys of those who may ask, each time anew; None where anybody may.
        host: The address that is listened on. At one of this machine alone, who needs no key asks by no name but such
            as are its own; any name will do where it is left out.
        origins: Web pages that may ask from a browser, such as `https://example.org`.
        said: Takes a line of JSON for each request, without anything of what was asked or answered.
    """
    from fastapi import FastAPI

    service = model if isinstance(model, Service) else Service(Version(model, log), limits or Limits(), complain)
    predictor = service.version.predictor
    # The interactive pages of FastAPI load scripts from elsewhere: there are none. The schema stays.
    app = FastAPI(
        title=f"Seedbed: {predictor.name}", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.state.service = service
    tell_errors(app, service.complain)
    _add_asking(app, service)
    _add_looking(app, service)
    add_besides(app, service)
    for path in PAGE:
        app.add_route(path, _file(path.strip("/") or "index.html"), include_in_schema=False)
    _describe(app, predictor, locked=keys() is not None)
    routes = frozenset(str(route.path) for route in app.routes if hasattr(route, "path"))
    app.add_middleware(
        Guard, service=service, routes=routes, keys=keys, said=said, refuse=lambda asked: stranger(asked, host, origins)
    )
    if origins:
        from starlette.middleware.cors import CORSMiddleware

        headers = ["Authorization", "Content-Type", "X-API-Key"]
        app.add_middleware(
            CORSMiddleware, allow_origins=list(origins), allow_methods=["GET", "POST"], allow_headers=headers
        )
    return app


def _add_asking(app: FastAPI, service: Service) -> None:
    from fastapi import Request
    from fastapi.responses import Response

    async def predict(request: Request) -> Response:
        """Answer a text or rows, in their order."""
        version = service.version
        predictor = version.predictor
        if not is_json(request.headers.get("content-type", "")):
            return told(
                415, "the body must be JSON", "content-type", "send the header “Content-Type: application/json”"
            )
        rows = table(predictor, read(await request.body(), predictor.bundle.task.says))
        name = request.state.request
        answers = await service.ask(version, rows, name) if rows.height else []
        whole = {
            "model": predictor.name,
            "version": predictor.digest,
            "request": name,
            "predictions": list(answers),
            "not_for_publication": version.debts,
        }
        return Response(orjson.dumps(whole), media_type="application/json")

    predict.__annotations__ |= {"request": Request, "return": Response}
    says = service.version.predictor.bundle.task.says
    documented: dict[int | str, dict[str, Any]] = {
        status: {"model": Failed, "description": why} for status, why in _WHY.items()
    }
    documented[200] = {"model": Answers[answered_as(says)], "description": "Answers."}  # type: ignore[misc]
    for path in _ASK:
        app.add_api_route(
            path,
            predict,
            methods=["POST"],
            response_class=Response,
            responses=documented,
            include_in_schema=path == _ASK[0],
        )


def _add_looking(app: FastAPI, service: Service) -> None:
    from fastapi.responses import Response

    def json(content: Mapping[str, Any], status: int = 200) -> Response:
        return Response(orjson.dumps(content), status, media_type="application/json")

    def model() -> Any:
        """The model: its labels, inputs, scores, limits and card."""
        return json(facts(service.version.predictor) | {"offers": offers(service.version)})

    async def health() -> dict[str, str]:
        """Whether the server is there."""
        return {"status": "ok"}

    async def ready() -> Any:
        """Whether the model can be asked now."""
        state = {"version": service.version.predictor.digest, "waiting": service.lane.waiting}
        if service.lane.alive and service.lane.waiting < service.limits.waiting:
            return json({"status": "ready", **state})
        return json({"status": "busy" if service.lane.alive else "ending", **state}, 503)

    def metrics() -> Any:
        """What was counted, as Prometheus reads it."""
        text, kind = service.metrics.text()
        return Response(text, media_type=kind)

    object_: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {"schema": {"type": "object"}}}}}
    plain: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
    app.add_api_route("/model", model, response_class=Response, responses=object_)
    app.add_api_route("/health", health)
    app.add_api_route("/ready", ready, response_class=Response, responses={**object_, 503: object_[200]})
    app.add_api_route("/metrics", metrics, response_class=Response, responses=plain)
    app.add_api_route("/api/model", model, include_in_schema=False)
    app.add_api_route("/healthz", health, include_in_schema=False)


def _describe(app: FastAPI, predictor: Predictor, *, locked: bool) -> None:
    """Say in the OpenAPI schema what this model is asked, and with what key."""
    whole = app.openapi()
    asked = {"required": True, "content": {"application/json": {"schema": schema(predictor)}}}
    whole["paths"][_ASK[0]]["post"]["requestBody"] = asked
    describe(whole, predictor)
    if not locked:
        for ways in whole["paths"].values():
            for way in ways.values():
                way["responses"].pop("401", None)
        return
    failed = {"application/json": {"schema": {"$ref": "#/components/schemas/Failed"}}}
    whole["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path, ways in whole["paths"].items():
        for way in ways.values() if path not in OPEN else ():
            way["security"] = [{"key": []}]
            way["responses"]["401"] = {"description": _WHY[401], "content": failed}


def _file(name: str) -> Callable[[Request], Response]:
    """An endpoint that gives a file of the page."""
    from fastapi.responses import Response

    content, kind = files(__package__).joinpath("page", name).read_bytes(), _TYPES[name.rpartition(".")[2]]

    def give(_: Request) -> Response:
        return Response(content, media_type=f"{kind}; charset=utf-8")

    return give
