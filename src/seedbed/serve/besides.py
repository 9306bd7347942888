"""What a page asks besides answers: why, what is like it in training, and that it is wrong.

Each is offered where it can be given: `/explain` where answers are labels or numbers, `/similar` where the run's own
folder is at hand, `/feedback` where whoever serves the model takes it (`--feedback`).
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

import orjson
import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from seedbed.core.errors import DataError, did_you_mean
from seedbed.core.reported import FACTS, MOST_WHY, FullError, Said
from seedbed.core.task import said_set

from .answers import Value
from .explaining import EXPLAINED, MOST_CHARACTERS, plain, text_of
from .lane import LateError
from .near import MOST, NotReadyError
from .pacing import Few, Pace
from .predictor import Predictor
from .preparation import typed
from .problems import Failed, told
from .requests import is_json, schema, shaped, table_of
from .server_name import is_asked_here
from .service import Service, Version, new_request

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

#: Requests of this kind that are answered or wait at once in a process; the next one is answered 429.
_MOST_AT_ONCE = 4
#: Reports that one may send at once, and seconds after which one more may come.
_REPORTS, _EVERY = 10, 6.0
_Shape = TypeVar("_Shape", bound=BaseModel)


class _AskedOne(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    text: str | None = Field(None, description="A text, for a model that reads one column.")
    row: dict[str, Value] | None = Field(None, description="A row: COLUMN to value.")


class _AskedWhy(_AskedOne):
    label: str | None = None


def _whole(value: Any) -> Any:
    """2.0 is a whole number in JSON, too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class _AskedNear(_AskedOne):
    most: Annotated[int, BeforeValidator(_whole)] = Field(5, ge=1, le=MOST)


class _AskedReport(_AskedOne):
    label: str | list[str] | float | int
    why: str = Field("", max_length=MOST_WHY)


class WordTold(BaseModel):
    """Some characters of `text`, and what they are worth."""

    start: int
    end: int
    weight: float | None = Field(description="Above 0 it speaks for the answer; null where time was up.")


class ColumnTold(BaseModel):
    """A column's value, and what it is worth."""

    column: str
    value: Any = Field(description="As the model read it, after the steps.")
    usual: Any = Field(description="What it was held against: the median or most frequent value of held-out rows.")
    weight: float


class Why(BaseModel):
    """Which words or columns an answer hung on."""

    model: str
    version: str
    label: str | None = Field(description="The label that is explained; null where the answer is a number.")
    method: str = Field(description="`exact` (parts of a linear model's score) or `left_out` (asked again without it).")
    unit: str = Field(description="Of the weights.")
    base: float | None = Field(description="What exact weights add up to the score with.")
    text: str | None = Field(description="What the model read, after the steps; words are places in it.")
    words: list[WordTold]
    columns: list[ColumnTold]


class Similar(BaseModel):
    """A training row that is like what was asked."""

    row: str = Field(description="Its name, as `seedbed explain RUN ROW` takes it.")
    label: str | None
    similarity: float = Field(
        description="From 0 to 1: cosine of TF-IDF of words and of runs of three characters, or Gower's of columns."
    )
    text: str | None = Field(description="Its beginning, personal data masked; null where texts are not shown.")
    values: dict[str, Any] | None = Field(None, description="Of a table: what it holds in the columns compared.")


class Similars(BaseModel):
    """Training rows, the most similar first."""

    model: str
    version: str
    searched: int = Field(description="Training rows that were looked through.")
    rows: list[Similar]


class Kept(BaseModel):
    """Where a report is."""

    kept: str = Field(description="Name of the row, as `seedbed review` shows it.")


def offers(version: Version) -> dict[str, Any]:
    """What a page may ask besides answers."""
    explains = version.predictor.bundle.task.says in EXPLAINED
    near = version.near
    return {
        "explain": explains,
        "similar": None if near is None else {"texts": near.texts, "here": near.here},
        "feedback": explains and version.reports is not None,
        "log": None if version.log is None else "texts" if version.log_texts else "sketches",
    }


def add_besides(app: FastAPI, service: Service) -> None:
    """Add the routes that a model's version offers."""
    from fastapi.responses import Response

    offered = offers(service.version)
    besides = _Besides(service, Few(_MOST_AT_ONCE), Pace(_REPORTS, _EVERY))
    ways: list[tuple[str, bool, Callable[[Any], Any], type[BaseModel], str]] = [
        ("/explain", offered["explain"], besides.explain, Why, "Why an answer is what it is."),
        ("/similar", offered["similar"] is not None, besides.similar, Similars, "Training rows that are like a row."),
        ("/feedback", offered["feedback"], besides.report, Kept, "Say that an answer is wrong, for people to review."),
    ]
    for path, there, answer, shape, what in ways:
        if not there:
            continue
        documented: dict[int | str, dict[str, Any]] = {
            status: {"model": Failed, "description": why} for status, why in _WHY.items()
        }
        documented[200] = {"model": shape, "description": what}
        if path == "/feedback":
            documented[507] = {"model": Failed, "description": "No more reports are taken."}
        app.add_api_route(
            path,
            _endpoint(answer, path[1:], what),
            methods=["POST"],
            response_class=Response,
            responses=documented,
        )


def _endpoint(answer: Callable[[Any], Any], name: str, what: str) -> Callable[[Any], Any]:
    from fastapi import Request
    from fastapi.responses import Response

    async def give(request: Any) -> Any:
        found = await answer(request)
        return found if isinstance(found, Response) else Response(orjson.dumps(found), media_type=_JSON)

    give.__doc__, give.__name__ = what, name
    give.__annotations__ = {"request": Request, "return": Response}
    return give


_JSON = "application/json"
_WHY = {
    401: "The key is missing, or is none.",
    403: "A page of another site asked, or by a name that is not the server's, or for what is not shown elsewhere.",
    408: "The request did not come to its end in time.",
    413: "The request asks for more than is served at once.",
    415: "The body is no JSON by its media type.",
    422: "The body is not what is wanted.",
    429: "Too many such requests; `Retry-After` says when to ask again.",
    500: "The model failed.",
    503: "The answer took too long, or is not ready yet.",
}


def describe(whole: dict[str, Any], predictor: Predictor) -> None:
    """Say in the OpenAPI schema what these routes are asked."""
    rows = schema(predictor)["oneOf"][0]["properties"]["rows"]["items"]
    text = {"type": "string", "maxLength": MOST_CHARACTERS, "description": "A text, for a model of one column."}
    one: dict[str, Any] = {"row": rows}
    label: dict[str, Any] = {"enum": list(predictor.labels)} if predictor.labels else {"type": "number"}
    right = label
    if predictor.bundle.task.says == "labels":
        right = {"type": "array", "items": label}
    more: dict[str, dict[str, Any]] = {
        "/explain": {"label": label} if predictor.labels else {},
        "/similar": {"most": {"type": "integer", "minimum": 1, "maximum": MOST}},
        "/feedback": {"label": right, "why": {"type": "string", "maxLength": MOST_WHY}},
    }
    for path, extra in more.items():
        if path not in whole["paths"]:
            continue
        shapes = [one, {"text": text}] if len(predictor.inputs) == 1 else [one]
        must = ["label"] if path == "/feedback" else []
        asked = [
            {
                "type": "object",
                "properties": {**shape, **extra},
                "required": [*shape, *must],
                "additionalProperties": False,
            }
            for shape in shapes
        ]
        body = {"required": True, "content": {_JSON: {"schema": {"oneOf": asked}}}}
        whole["paths"][path]["post"]["requestBody"] = body


class _Besides:
    def __init__(self, service: Service, few: Few, pace: Pace) -> None:
        self.service, self.few, self.pace = service, few, pace

    async def explain(self, request: Request) -> Any:
        version, asked, rows = await self._asked(request, _AskedWhy)
        seconds = min(5.0, self.service.limits.seconds / 2)
        found = await self._apart(lambda: version.explainer.explain(rows, asked.label, seconds=seconds))
        return {
            **_named(version),
            "label": found.label,
            "method": found.method,
            "unit": found.unit,
            "base": found.base,
            "text": found.text,
            "words": [vars(one) for one in found.words],
            "columns": [vars(one) for one in found.columns],
        }

    async def similar(self, request: Request) -> Any:
        version, asked, rows = await self._asked(request, _AskedNear)
        near = version.near
        if near is None or (near.here and not is_asked_here(request.scope)):
            return told(
                403,
                "training rows are shown on the server's own machine only",
                hint="whoever serves the model can say --similar names, or texts",
            )
        predictor, shown = version.predictor, version.predictor.bundle.task.shown

        def search() -> Any:
            read = predictor.preparation(rows).rows
            return near.to(read if shown is None else text_of(read, shown), asked.most)

        try:
            found, searched = await self._apart(search)
        except NotReadyError:
            return told(
                503,
                "the index of training rows is just being made",
                hint="ask again in 2 s",
                headers={"Retry-After": "2"},
            )
        return {**_named(version), "searched": searched, "rows": [vars(one) for one in found]}

    async def report(self, request: Request) -> Any:
        version, asked, rows = await self._asked(request, _AskedReport)
        reports = version.reports
        if reports is None or FACTS in rows.columns:
            return told(403, "this model takes no reports", hint="whoever serves it can say --feedback auto")
        label = right(version.predictor, asked.label)
        who = request.scope["state"].get("who")
        self.pace.take(f"key {who}" if who else f"at {request.client.host if request.client else ''}")
        answer = (await self.service.lane.ask(version, rows))[0]
        predictor, run = version.predictor, version.predictor.run
        predicted = answer["predicted"]
        said = Said(
            id=new_request(),
            when=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            who=who or "page",
            model=predictor.digest,
            run=run.id if run else "",
            predicted=said_set(predicted) if isinstance(predicted, list) else str(predicted),
            confidence=answer.get("confidence"),
            label=label,
            why=asked.why,
        )
        try:
            return {"kept": await self._apart(lambda: reports.add(as_reported(predictor, rows), said))}
        except FullError as error:
            self.service.complain(f"a report of a wrong answer was not kept: {error.problem}")
            return told(507, error.problem, hint=error.hint)

    async def _asked(self, request: Request, shape: type[_Shape]) -> tuple[Version, _Shape, pl.DataFrame]:
        from starlette.exceptions import HTTPException

        if not is_json(request.headers.get("content-type", "")):
            raise HTTPException(415, "the body must be JSON: send the header “Content-Type: application/json”")
        version = self.service.version
        asked = shaped(shape, await request.body(), such_as=_SUCH_AS)
        one = cast(_AskedOne, asked)
        if (one.text is None) == (one.row is None):
            raise DataError("give either `text` or `row`", at="body", hint=_SUCH_AS)
        return version, asked, table_of(version.predictor, [one.text if one.row is None else one.row])

    async def _apart(self, do: Callable[[], Any]) -> Any:
        """Something that takes its time, by a thread that answers nobody else meanwhile."""
        leave = self.few.enter()
        begun = threading.Event()

        def done() -> Any:
            begun.set()
            try:
                return do()
            finally:
                leave()

        try:
            async with asyncio.timeout(self.service.limits.seconds):
                return await asyncio.to_thread(done)
        except TimeoutError:
            raise LateError from None
        finally:
            if not begun.is_set():  # nobody will begin it any more
                leave()


_SUCH_AS = 'send {"text": "…"} or {"row": {COLUMN: value}} as application/json'


def _named(version: Version) -> dict[str, str]:
    return {"model": version.predictor.name, "version": version.predictor.digest}


def right(predictor: Predictor, label: str | list[str] | float) -> str:
    """What somebody says is right, as text.

    Raises:
        DataError: The model could not answer that.
    """
    says, labels = predictor.bundle.task.says, predictor.labels
    if says == "number":
        if isinstance(label, bool) or not isinstance(label, int | float) or not math.isfinite(label):
            raise DataError("the right answer is a number", at="label", hint="such as 12.5")
        return repr(float(label))
    given = label if isinstance(label, list) else [label]
    if isinstance(label, list) != (says == "labels"):
        raise DataError("the right answer is " + _SHAPES[says], at="label")
    for one in given:
        if one not in labels:
            raise DataError(f"{str(one)[:80]!r} is no label", at="label", hint=did_you_mean(str(one), labels))
    return said_set([one for one in labels if one in given]) if says == "labels" else str(label)


def as_reported(predictor: Predictor, rows: pl.DataFrame) -> dict[str, Any]:
    """A row as it is kept: its columns in the types that they had in training, so that it reads again as it did."""
    return {one.name: plain(typed(rows[one.name], one.type)) for one in predictor.preparation.inputs}


_SHAPES = {"label": "one of the labels", "labels": "a list of labels"}
