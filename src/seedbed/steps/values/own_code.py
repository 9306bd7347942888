"""Runs a function that a person wrote, over rows, and takes nothing that it returns on trust."""

from __future__ import annotations

import importlib
import re
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

from seedbed.core import digest
from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.core.ledger import mask
from seedbed.core.numbers import things
from seedbed.core.rows import ROW

_REASON = re.compile(r"\w[\w -]{0,39}")


@dataclass(frozen=True)
class OwnFunction:
    """A function by name, with the code that it is defined in. It pickles."""

    place: str
    """File or module, as the recipe names it."""
    name: str
    path: str = ""
    """The file, where `place` is one."""
    code: str | None = None
    """What the file held when the recipe was read."""

    def digest(self) -> str | None:
        """SHA-256 of the code; none where a module is not a file."""
        if self.code is not None:
            return digest.of_json(self.code)
        file = getattr(self.module(), "__file__", None)
        return digest.of_file(Path(file)) if file else None

    def module(self) -> ModuleType:
        """The module, run once a process.

        Raises:
            RecipeError: It cannot be imported or run.
        """
        if self.code is not None:
            return _executed(self.place, self.path, self.code)
        try:
            return importlib.import_module(self.place)
        except ImportError as error:
            raise RecipeError(
                f"the module {self.place!r} cannot be imported: {error}",
                at="python",
                hint="is it installed? For a file beside the recipe write FILE.py:NAME",
            ) from None

    def load(self) -> Callable[[Any], Any]:
        """The function.

        Raises:
            RecipeError: It is not there.
        """
        module = found = self.module()
        for piece in self.name.split("."):
            found = getattr(found, piece, None)  # type: ignore[assignment]
        if not callable(found):
            known = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
            hint = did_you_mean(self.name, known)
            raise RecipeError(f"{self.place} has no function {self.name!r}", at="python", hint=hint)
        return found

    def wrong(self, problem: str, row: str, hint: str = "") -> DataError:
        """The error that says what the function did wrong with a row."""
        return DataError(f"{self.name} {problem}, of row {row}", at=f"{self.place}:{self.name}", hint=hint)

    def failed(self, error: BaseException, rows: str) -> DataError:
        """The error that says where in the function's file another error came from."""
        line = _line(error, self.path or str(getattr(self.module(), "__file__", "")))
        return DataError(
            f"{self.name} failed on {rows}: {_said(error)}",
            at=f"{self.place}:{line}" if line else self.place,
            hint="mend the function, or let it return None for rows that it cannot use",
        )


def row_by_row(own: OwnFunction, reads: Sequence[str], writes: Sequence[str], table: pl.DataFrame) -> pl.DataFrame:
    """Give the function each row as a dict.

    Returns:
        `reason`, and the columns of `writes`, as Python objects.
    """
    function = own.load()
    reasons: list[str | None] = []
    new: dict[str, list[Any]] = {name: [] for name in writes}
    for row, given in zip(table[ROW], table.select(reads).iter_rows(named=True), strict=True):
        before = dict(given)
        try:
            said = function(given)
        except (Exception, SystemExit) as error:  # noqa: BLE001 (a function may raise anything)
            raise own.failed(error, f"row {row}") from None
        reasons.append(_reason(own, said, row))
        after = _after(own, said, before, writes, row) if reasons[-1] is None else {}
        for name, values in new.items():
            values.append(after.get(name))
    columns = [pl.Series(name, values, dtype=pl.Object) for name, values in new.items()]
    return pl.DataFrame([pl.Series("reason", reasons, dtype=pl.String), *columns])


def _reason(own: OwnFunction, said: Any, row: str) -> str | None:
    """Why a row is rejected; none where it stays."""
    if said is None or said is False:
        return own.name
    if said is True or isinstance(said, Mapping):
        return None
    if isinstance(said, str):
        if _REASON.fullmatch(said):
            return said
        raise own.wrong(f"gave the reason {mask(said)[:60]!r}", row, "a reason is a short name, such as 'too_angry'")
    raise own.wrong(f"returned {type(said).__name__}", row, "it returns a dict, True, None, or a reason to reject")


def _after(
    own: OwnFunction, said: Any, before: Mapping[str, Any], writes: Sequence[str], row: str
) -> Mapping[str, Any]:
    new = {} if said is True else said
    for name in new:
        if name not in writes:
            hint = f"name it in `writes`, with its type; {did_you_mean(str(name), writes)}".rstrip("; ")
            raise own.wrong(f"returned a column {str(name)[:40]!r} that the recipe does not say it writes", row, hint)
    for name in writes:
        if name not in new and name not in before:
            raise own.wrong(f"returned no {name!r}", row, f"return {{…, {name!r}: None}} where there is none")
    return {**before, **new}


def all_at_once(own: OwnFunction, reads: Sequence[str], writes: Sequence[str], table: pl.DataFrame) -> pl.DataFrame:
    """Give the function all rows as a DataFrame.

    Returns:
        `reason`, and the columns of `writes`.
    """
    rows = f"rows {table[ROW][0]} to {table[ROW][-1]}"
    given = table.select(reads)
    try:
        said = own.load()(given)
    except (Exception, SystemExit) as error:  # noqa: BLE001 (a file may raise anything)
        raise own.failed(error, rows) from None
    hint = f"it was given {things(table.height, 'row')}; it returns a DataFrame or a Boolean Series of as many"
    if not isinstance(said, pl.DataFrame | pl.Series):
        raise DataError(f"{own.name} returned {type(said).__name__} for {rows}", at=own.place, hint=hint)
    if len(said) != table.height:
        raise DataError(f"{own.name} returned {things(len(said), 'row')} for {rows}", at=own.place, hint=hint)
    if isinstance(said, pl.Series) and said.dtype != pl.Boolean:
        raise DataError(f"{own.name} returned a Series of {said.dtype} for {rows}", at=own.place, hint=hint)
    new = given if isinstance(said, pl.Series) else said
    missing = [name for name in writes if name not in new.columns and name not in given.columns]
    if missing:
        raise DataError(f"{own.name} returned no column {missing[0]!r} for {rows}", at=own.place)
    reasons = pl.Series("reason", [None], dtype=pl.String).new_from_index(0, table.height)
    if isinstance(said, pl.Series):
        told = pl.when(said.is_null()).then(pl.lit("cannot_tell")).when(~said).then(pl.lit(own.name)).alias("reason")
        reasons = pl.select(told).to_series()
    return pl.DataFrame([reasons, *((new if name in new.columns else given)[name] for name in writes)])


def typed(own: OwnFunction, values: pl.Series, dtype: pl.DataType, rows: pl.Series) -> pl.Series:
    """Values that a function returned, as the type that the recipe says.

    Raises:
        DataError: One is not of that type, with its row.
    """
    if values.dtype != pl.Object:
        if values.dtype == dtype:
            return values
        try:
            return values.cast(dtype)
        except pl.exceptions.PolarsError as error:
            raise DataError(
                f"{own.name} returned {values.dtype} as {values.name!r}: {str(error).splitlines()[0][:120]}",
                at=own.place,
                hint=f"the recipe says that it writes {dtype}",
            ) from None
    found = values.to_list()
    try:
        return _series(values.name, found, dtype)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        for value, row in zip(found, rows, strict=True):
            try:
                _series(values.name, [value], dtype)
            except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
                kind = type(value).__name__
                shown = f"{kind} {mask(_text(value))[:40]!r}"
                hint = f"the recipe says that it writes {dtype}: return such a value, or None"
                raise own.wrong(f"returned {shown} as {values.name!r}", row, hint) from None
        raise


def _series(name: str, values: list[Any], dtype: pl.DataType) -> pl.Series:
    made = pl.Series(name, values, dtype=dtype, strict=True)
    return made if made.dtype == dtype else made.cast(dtype)


def _text(value: Any) -> str:
    return str(value).encode("utf-8", "replace").decode()


@cache
def _executed(place: str, path: str, code: str) -> ModuleType:
    """A file's code as a module."""
    name = f"seedbed_recipe_{digest.of_json([path, code])[:12]}"
    module = ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module  # dataclasses and others look themselves up there
    try:
        exec(compile(code, path, "exec"), module.__dict__)
    except (Exception, SystemExit) as error:  # noqa: BLE001 (a file may raise anything)
        line = error.lineno if isinstance(error, SyntaxError) else _line(error, path)
        raise RecipeError(
            f"the file cannot be run: {_said(error)}", at=f"{place}:{line}", hint="does `python` run it?"
        ) from None
    return module


def _line(error: BaseException, path: str) -> int:
    """The last line of a file that an error went through; 0 where it did not."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return lines[-1] or 0 if lines else 0


def _said(error: BaseException) -> str:
    said = (_text(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {mask(said)[:160]}".rstrip(": ")
