"""The JSON API and the web page of one model. Nothing that is asked is kept or logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from seedbed.core.errors import DataError, MissingExtraError, SeedbedError
from seedbed.core.ledger import EXCERPT_LENGTH, mask, masked
from seedbed.core.run import ModelRecord
from seedbed.core.serving import HEADERS, App, Receive, Scope, Send, bounded, headed
from seedbed.core.task import Chat, Says
from seedbed.core.version import __version__

from .answers import MOST_ROWS, Answers, Asked, AskedInTurns, Value, answered, answered_as, asked_as
from .predictor import Predictor
from .standing import owed

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

#: Most bytes of a request's body, and characters of a value.
MOST_BYTES, MOST_CHARACTERS = 4 << 20, 100_000
_NEEDS = ("fastapi", "uvicorn")
_LONGEST_EXAMPLE = 2_000

_KNOWS = "It knows texts like those that it learned from; of others"
#: What a person should know before believing an answer, by what the task answers.
_LIMITS: Mapping[Says, Sequence[str]] = {
    "label": (
        "It answers with one of {} labels whatever the text says, also where none fits.",
        f"{_KNOWS} its percentages say little.",
    ),
    "labels": ("It knows no other labels than these.", f"{_KNOWS} its percentages say little."),
    "number": (
        "It answers with a number whatever it is asked.",
        "Of rows unlike those that it learned from it knows nothing.",
    ),
    "spans": ("It finds words in the text; whether the text is true, it does not know.", f"{_KNOWS} it finds less."),
    "text": ("What it writes sounds alike, right or wrong.", f"{_KNOWS} its answers say little."),
    "turns": ("What it says sounds alike, right or wrong.", f"{_KNOWS} its answers say little."),
    "itself": ("It says how usual a text is, not whether it is true or good.", f"{_KNOWS} it is surprised."),
}

_SUCH_AS = 'send {"text": "…"} or {"rows": [{COLUMN: value}, …]} as application/json'

_PAGE = {
    "/": ("index.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/style.css": ("style.css", "text/css"),
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


def make_app(predictor: Predictor, *, complain: Callable[[str], None] = lambda _: None) -> FastAPI:
    """The application that serves a model.

    Args:
        predictor: The model.
        complain: Told of failures, in a sentence that holds nothing of what was asked.
    """
    from fastapi import FastAPI

    # The interactive pages of FastAPI load scripts from elsewhere: there are none. The schema stays.
    app = FastAPI(title=f"Seedbed: {predictor.name}", version=__version__, docs_url=None, redoc_url=None)
    _tell_errors(app, complain)
    debts = owed(predictor.run)

    says = predictor.bundle.task.says

    def predict(asked: Asked | AskedInTurns) -> Any:
        """Answer a text or rows."""
        found = predictor.predict(_rows(predictor, asked))
        told = [answered(says, row) for row in found.iter_rows(named=True)]
        return {"model": predictor.name, "predictions": told, "not_for_publication": debts}

    predict.__annotations__["asked"] = asked_as(says)

    def about() -> dict[str, Any]:
        """The model: its labels, inputs, scores and limits."""
        return facts(predictor)

    def healthz() -> dict[str, str]:
        """Whether the server is there."""
        return {"status": "ok"}

    # Plain functions run in threads, so that one long answer holds up no other.
    app.post("/api/predict", response_model=Answers[answered_as(says)])(predict)  # type: ignore[misc]
    app.get("/api/model")(about)
    app.get("/healthz")(healthz)
    for path, (name, kind) in _PAGE.items():
        app.add_route(path, _file(name, kind), include_in_schema=False)
    app.add_middleware(_Guard)
    return app


def _file(name: str, kind: str) -> Callable[[Request], Response]:
    """An endpoint that gives a file of the page."""
    from fastapi.responses import Response

    content = files(__package__).joinpath("page", name).read_bytes()

    def give(_: Request) -> Response:
        return Response(content, media_type=f"{kind}; charset=utf-8")

    return give


def _rows(predictor: Predictor, asked: Asked | AskedInTurns) -> pl.DataFrame:
    if (asked.text is None) == (asked.rows is None):
        raise DataError("give either `text` or `rows`", at="body", hint=_SUCH_AS)
    rows: list[Any] = [asked.text] if asked.rows is None else asked.model_dump(exclude_unset=True)["rows"]
    if len(rows) > MOST_ROWS:
        raise _TooMuchError(
            f"{len(rows):,} rows are more than {MOST_ROWS:,}", at="rows", hint="ask in several requests"
        )
    for place, row in enumerate(rows):
        for value in row.values() if isinstance(row, dict) else [row]:
            if (length := _length(value)) > MOST_CHARACTERS:
                raise _TooMuchError(
                    f"a text of {length:,} characters is longer than {MOST_CHARACTERS:,}",
                    at="text" if asked.rows is None else f"rows.{place}",
                    hint="send a part of it",
                )
    return predictor.table(rows)


def _length(value: Any) -> int:
    """Characters of a value; of turns, of all that is said."""
    if isinstance(value, list | dict):
        return sum(map(_length, value.values() if isinstance(value, dict) else value))
    return len(value) if isinstance(value, str) else 0


def facts(predictor: Predictor) -> dict[str, Any]:
    """What `/api/model` tells."""
    run, bundle = predictor.run, predictor.bundle
    says = bundle.task.says
    record = next((model for model in run.models if model.name == predictor.name), None) if run else None
    return {
        "name": predictor.name,
        "use": bundle.use,
        "task": bundle.task.kind,
        "says": says,
        "turns": bundle.task.messages if isinstance(bundle.task, Chat) and bundle.task.turns is None else None,
        "seedbed": bundle.seedbed,
        "labels": list(predictor.labels),
        "inputs": [one.model_dump(include={"name", "type"}) for one in predictor.preparation.inputs],
        "run": {"name": run.name, "id": run.id, "state": run.state, "dataset": run.dataset.digest} if run else None,
        "trained_on": run.dataset.splits.get("train") if run else None,
        "score": _score(predictor, record),
        "off": _off(predictor, record),
        "scores": record.model_dump(mode="json", include={"scores"})["scores"] if record else {},
        "calibrated": bundle.calibration is not None if says == "label" else None,
        "limits": _limits(predictor),
        "not_for_publication": list(owed(run)),
        "waived": [waived.model_dump() for waived in run.waivers] if run else [],
        "examples": [_example(one.input) for one in bundle.preprocess.golden],
        "most": {"bytes": MOST_BYTES, "rows": MOST_ROWS, "characters": MOST_CHARACTERS},
    }


def _score(predictor: Predictor, record: ModelRecord | None) -> dict[str, Any] | None:
    """The deciding metric, and accuracy if it was measured, on the rows that judge."""
    run = predictor.run
    scores = record.scores.get(run.judging_split, {}) if run and record else {}
    if run is None or run.metric not in scores:
        return None
    accuracy = scores["accuracy"].model_dump(mode="json") if "accuracy" in scores else None
    told = {"metric": run.metric, "split": run.judging_split, "level": run.intervals.get("level")}
    return told | scores[run.metric].model_dump(mode="json") | {"accuracy": accuracy}


def _off(predictor: Predictor, record: ModelRecord | None) -> dict[str, Any] | None:
    """How far numbers were off on the rows that judge."""
    run = predictor.run
    found = record.distances.get(run.judging_split) if run and record else None
    return {"split": run.judging_split, "half": found.half, "most": found.most} if run and found else None


def _limits(predictor: Predictor) -> list[str]:
    """What a person should know before believing an answer."""
    told = list(_LIMITS[predictor.bundle.task.says])
    if predictor.bundle.task.says == "label":
        told[0] = told[0].format(len(predictor.labels))
    if predictor.bundle.task.alike_if_equal:
        told = [one.replace("the text says", "the row holds").replace("texts like", "rows like") for one in told]
    skipped = predictor.preparation.skipped
    told += [f"{name}, its maker's own code, is not run: its warnings are missing." for name in skipped]
    return told


def _example(row: dict[str, Any]) -> dict[str, Value]:
    """A golden example's input, fit to be shown: it comes from somebody's data. Turns become a text."""
    return {name: _shown(value) for name, value in row.items()}


def _shown(value: Any) -> Value:
    if isinstance(value, list | dict):
        said = [turn.get("content", turn.get("value")) for turn in value if isinstance(turn, dict)]
        lone = said[0] if len(value) == 1 and len(said) == 1 else None
        return mask(lone if isinstance(lone, str) else orjson.dumps(value).decode())
    if isinstance(value, str) and len(value) > EXCERPT_LENGTH:
        return str(pl.select(masked(pl.lit(value))).item())[:_LONGEST_EXAMPLE]
    return mask(value) if isinstance(value, str) else value


class _TooMuchError(DataError):
    """A request asks for more than is served."""


def _tell_errors(app: FastAPI, complain: Callable[[str], None]) -> None:
    """Every error is JSON with a problem and a way out, and holds nothing of what was asked but its place."""
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse
    from starlette.exceptions import HTTPException

    def told(status: int, problem: str, at: str = "", hint: str = "") -> JSONResponse:
        return JSONResponse({"error": {"problem": problem, "at": at, "hint": hint}}, status)

    async def of_data(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, SeedbedError)
        if not isinstance(error, DataError):
            complain(f"a request failed: {error.problem}")
            return told(500, error.problem, error.at, error.hint)
        return told(413 if isinstance(error, _TooMuchError) else 422, error.problem, error.at, error.hint)

    async def of_shape(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place = ".".join(str(piece) for piece in first["loc"] if piece != "body")
        return told(422, first["msg"], place[:200] or "body", _SUCH_AS)

    async def of_http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        if error.status_code == 400:
            return told(422, "the body is not JSON that can be read", "body", _SUCH_AS)
        return told(error.status_code, str(error.detail))

    async def of_ours(_: Request, error: Exception) -> JSONResponse:
        complain(f"a request failed with {type(error).__name__}; this is a fault in Seedbed or in a part")
        return told(500, "the server failed on this request")

    app.add_exception_handler(SeedbedError, of_data)
    app.add_exception_handler(RequestValidationError, of_shape)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(Exception, of_ours)


class _Guard:
    """Refuses bodies that are too long before they are held, and gives every answer its headers."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, bounded(receive, MOST_BYTES), headed(send, HEADERS))
