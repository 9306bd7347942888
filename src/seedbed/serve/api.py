"""The JSON API and the web page of one model. Nothing that is asked is kept or logged."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.errors import DataError, MissingExtraError, SeedbedError
from seedbed.core.ledger import mask
from seedbed.core.run import ModelRecord
from seedbed.core.serving import HEADERS, App, Receive, Scope, Send, bounded, headed
from seedbed.core.version import __version__

from .predictor import Predictor, sureness
from .standing import owed

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response

#: Most bytes of a request's body, rows of a request, and characters of a value.
MOST_BYTES, MOST_ROWS, MOST_CHARACTERS = 4 << 20, 1_000, 100_000
_NEEDS = ("fastapi", "uvicorn")

_SUCH_AS = 'send {"text": "…"} or {"rows": [{COLUMN: value}, …]} as application/json'

_PAGE = {
    "/": ("index.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/style.css": ("style.css", "text/css"),
}

Value = str | int | float | bool | None


class Asked(BaseModel):
    """What a request asks: one text, where the model reads one column, or rows."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str | None = Field(None, description="A text, for a model that reads one column.")
    rows: list[dict[str, Value]] | None = Field(None, description=f"Rows, at most {MOST_ROWS:,}: COLUMN to value.")


class Answer(BaseModel):
    """What the model makes of one row."""

    predicted: str
    confidence: float = Field(description="Probability of that label.")
    sure: str = Field(description="The confidence in words.")
    probabilities: dict[str, float] = Field(description="By label, in the task's order.")
    read: str = Field(description="The text that the model read, after the steps.")
    warnings: list[str] = Field(description="What is odd about the row.")


class Answers(BaseModel):
    """Answers in the order of the rows."""

    model: str
    predictions: list[Answer]
    not_for_publication: list[str] = Field(description="What stands in the way of showing this model to others.")


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

    def predict(asked: Asked) -> Answers:
        """Label a text or rows."""
        found = predictor.predict(_rows(predictor, asked))
        return Answers(model=predictor.name, predictions=_answers(found), not_for_publication=list(debts))

    def about() -> dict[str, Any]:
        """The model: its labels, inputs, scores and limits."""
        return facts(predictor)

    def healthz() -> dict[str, str]:
        """Whether the server is there."""
        return {"status": "ok"}

    # Plain functions run in threads, so that one long answer holds up no other.
    app.post("/api/predict")(predict)
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


def _rows(predictor: Predictor, asked: Asked) -> pl.DataFrame:
    if (asked.text is None) == (asked.rows is None):
        raise DataError("give either `text` or `rows`", at="body", hint=_SUCH_AS)
    rows: list[Any] = [asked.text] if asked.rows is None else asked.rows
    if len(rows) > MOST_ROWS:
        raise _TooMuchError(
            f"{len(rows):,} rows are more than {MOST_ROWS:,}", at="rows", hint="ask in several requests"
        )
    for place, row in enumerate(rows):
        for value in row.values() if isinstance(row, dict) else [row]:
            if isinstance(value, str) and len(value) > MOST_CHARACTERS:
                raise _TooMuchError(
                    f"a text of {len(value):,} characters is longer than {MOST_CHARACTERS:,}",
                    at="text" if asked.rows is None else f"rows.{place}",
                    hint="send a part of it",
                )
    return predictor.table(rows)


def _answers(found: pl.DataFrame) -> list[Answer]:
    return [Answer(**row, sure=sureness(row["confidence"])) for row in found.iter_rows(named=True)]


def facts(predictor: Predictor) -> dict[str, Any]:
    """What `/api/model` tells."""
    run, bundle = predictor.run, predictor.bundle
    record = next((model for model in run.models if model.name == predictor.name), None) if run else None
    return {
        "name": predictor.name,
        "use": bundle.use,
        "seedbed": bundle.seedbed,
        "labels": list(predictor.labels),
        "inputs": [one.model_dump(include={"name", "type"}) for one in predictor.preparation.inputs],
        "run": {"name": run.name, "id": run.id, "state": run.state, "dataset": run.dataset.digest} if run else None,
        "trained_on": run.dataset.splits.get("train") if run else None,
        "score": _score(predictor, record),
        "scores": record.model_dump(mode="json", include={"scores"})["scores"] if record else {},
        "calibrated": bundle.calibration is not None,
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


def _limits(predictor: Predictor) -> list[str]:
    """What a person should know before believing an answer."""
    told = [
        f"It answers with one of {len(predictor.labels)} labels whatever the text says, also where none fits.",
        "It knows texts like those that it learned from; of others its percentages say little.",
    ]
    skipped = predictor.preparation.skipped
    told += [f"{name}, its maker's own code, is not run: its warnings are missing." for name in skipped]
    return told


def _example(row: dict[str, Any]) -> dict[str, Value]:
    """A golden example's input, fit to be shown: it comes from somebody's data."""
    return {name: mask(value) if isinstance(value, str) else value for name, value in row.items()}


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
