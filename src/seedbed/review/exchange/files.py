"""Which format a file is of: by its name where it is written, by what it holds where it is read."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from seedbed.core.errors import DataError, RecipeError
from seedbed.core.rows import ROW
from seedbed.review.desk import Desk

from .answers import Answer
from .argilla import read_argilla, write_argilla
from .csv_table import read_csv, write_csv
from .label_studio import read_label_studio, write_label_studio

_HINT = "name it human_input.csv, label_studio.json, or argilla.json (argilla.jsonl for a record a line)"
_AGAIN = "export it from the tool once more"
_TOOLS = "export JSON from Label Studio, `records.to_json` from Argilla; a table has the columns `row` and `action`"
_OURS = "import what `seedbed review RUN --export FILE` wrote into the tool, decide there, and export that"
#: How a ZIP file begins, which a workbook is; bytes that are looked at.
_WORKBOOK, _HEAD = b"PK\x03\x04", 4_096


def write_queues(desk: Desk, path: Path, who: str) -> int:
    """Write all queues to a file; the rows that it holds.

    Raises:
        RecipeError: The name says no format.
        DataError: It cannot be written.
    """
    writer: Callable[[Desk, Path, str], int]
    if path.suffix != ".csv" and any(queue.asks == "pairs" for queue in desk.queues.values()):
        hint = "name it pairs.csv; the tools label single rows"
        raise RecipeError("two answers are exported as a table", at=f"--export {path.name}", hint=hint)
    if path.suffix == ".csv":
        writer = write_csv
    elif "argilla" in path.stem and path.suffix in (".json", ".jsonl"):
        writer = write_argilla
    elif path.suffix == ".json":
        writer = write_label_studio
    else:
        raise RecipeError("this name says no format", at=f"--export {path.name}", hint=_HINT)
    try:
        return writer(desk, path, who)
    except OSError as error:
        raise DataError(f"cannot be written ({error.strerror})", at=str(path)) from None


def read_answers(path: Path) -> Iterator[Answer]:
    """The answers of a file, whatever its name: what it holds says which tool wrote it.

    Raises:
        DataError: It cannot be read, is damaged, or was written by none of the tools.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD).removeprefix(BOM_UTF8).lstrip()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", at=str(path)) from None
    if not head:
        raise DataError("is empty", at=str(path), hint=_AGAIN)
    if head.startswith(_WORKBOOK):
        raise DataError("is a workbook, and no CSV", at=str(path), hint="save it as `CSV UTF-8` from the spreadsheet")
    return _of_tool(path, _json(path)) if head.startswith((b"[", b"{")) else read_csv(path)


def _of_tool(path: Path, held: list[Any]) -> Iterator[Answer]:
    """The answers of a list that Label Studio or Argilla wrote."""
    objects = [one for one in held if isinstance(one, dict)]
    if any("annotation_id" in one for one in objects):
        problem = "is Label Studio's JSON-MIN, which does not say what was cancelled"
        raise DataError(problem, at=str(path), hint="export it as JSON")
    tasks = [one["data"] for one in objects if isinstance(one.get("data"), dict)]
    records = [one for one in objects if "fields" in one]
    if not tasks and not records:
        raise DataError("holds neither tasks of Label Studio nor records of Argilla", at=str(path), hint=_TOOLS)
    if tasks and not any(ROW in one for one in tasks):
        raise DataError(f"none of its tasks says which row it is (`data.{ROW}`)", at=str(path), hint=_OURS)
    if not tasks and not any("/" in str(one.get("id", "")) for one in records):
        raise DataError("none of its records says which row it is (`id`)", at=str(path), hint=_OURS)
    return read_label_studio(held) if tasks else read_argilla(held)


def _json(path: Path) -> list[Any]:
    """What a JSON file holds, as a list; or the lines of one that holds an object a line."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", at=str(path)) from None
    except UnicodeDecodeError:
        raise DataError("is not UTF-8", at=str(path), hint=_AGAIN) from None
    if path.suffix == ".jsonl":
        lines = enumerate(text.split("\n"), start=1)
        return [_parsed(path, line, number) for number, line in lines if line.strip()]
    held = _parsed(path, text, 1)
    if not isinstance(held, list):
        raise DataError("holds no list", at=str(path), hint=_TOOLS)
    return held


def _parsed(path: Path, text: str, first: int) -> Any:
    """The JSON that begins in a line of a file."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        at = f"{path}, line {first + error.lineno - 1}, column {error.colno}"
        said = "ends in the middle" if error.pos >= len(text.rstrip()) else f"is not JSON ({error.msg})"
        raise DataError(said, at=at, hint=_AGAIN) from None
    except (ValueError, RecursionError):
        raise DataError("is not JSON that can be read", at=str(path), hint=_AGAIN) from None
