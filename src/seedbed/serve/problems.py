"""Every error is JSON with a problem and a way out, and holds nothing of what was asked but its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import orjson
from pydantic import BaseModel, Field

from seedbed.core.errors import DataError, SeedbedError
from seedbed.core.serving import ClientDisconnected

from .lane import FullError, LateError
from .requests import TooMuchError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request, Response


class Problem(BaseModel):
    """What is wrong, where, and the way out."""

    problem: str
    at: str = Field(description="Where in the request; empty where it is no matter of place.")
    hint: str


class Failed(BaseModel):
    """What a request is answered that is not answered."""

    error: Problem


def told(
    status: int, problem: str, at: str = "", hint: str = "", *, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer that says what is wrong."""
    from fastapi.responses import Response

    body = orjson.dumps({"error": {"problem": problem, "at": at, "hint": hint}})
    return Response(body, status, dict(headers or {}), media_type="application/json")


def full(error: FullError, *, headers: Mapping[str, str] | None = None) -> Response:
    """Too many wait, or somebody comes too often."""
    after = error.after
    again = {"Retry-After": str(after), **(headers or {})}
    return told(429, error.problem, hint=f"ask again in {after} s", headers=again)


def tell_errors(app: FastAPI, complain: Callable[[str], None]) -> None:
    """Have an application answer errors like that."""
    from starlette.exceptions import HTTPException

    async def of_data(_: Request, error: Exception) -> Response:
        assert isinstance(error, SeedbedError)
        if not isinstance(error, DataError):
            problem = error.problem.partition(": ")[0]  # what a library says after that may quote the row
            complain(f"a request failed: {error.at + ': ' if error.at else ''}{problem}")
            return told(500, problem, error.at, error.hint)
        return told(413 if isinstance(error, TooMuchError) else 422, error.problem, error.at, error.hint)

    async def of_many(_: Request, error: Exception) -> Response:
        assert isinstance(error, FullError)
        return full(error)

    async def of_time(_: Request, error: Exception) -> Response:
        return told(503, "it took too long", hint="ask for fewer rows, or later", headers={"Retry-After": "1"})

    async def of_http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        hint = "GET /openapi.json tells what can be asked" if error.status_code in (404, 405) else ""
        return told(error.status_code, str(error.detail), hint=hint, headers=error.headers)

    async def of_nobody(_: Request, error: Exception) -> Response:
        return told(499, "nobody waits for the answer")

    async def of_ours(_: Request, error: Exception) -> Response:
        complain(f"a request failed with {type(error).__name__}; this is a fault in Seedbed or in a part")
        return told(500, "the server failed on this request")

    app.add_exception_handler(SeedbedError, of_data)
    app.add_exception_handler(FullError, of_many)
    app.add_exception_handler(LateError, of_time)
    app.add_exception_handler(ClientDisconnected, of_nobody)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(Exception, of_ours)
