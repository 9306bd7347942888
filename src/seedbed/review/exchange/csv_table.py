"""A queue as a table that a spreadsheet opens: `human_input.csv` goes out, `human_output.csv` comes back.

A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula. Such cells go out with an apostrophe
before them (numbers aside), and so do those that begin with an apostrophe, so that exactly what was there comes back.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from seedbed.core.errors import DataError
from seedbed.core.rows import ROW
from seedbed.review.desk import Desk
from seedbed.store.places import arriving

from .answers import BESIDE, Answer, items_of, key_of, told_of_other

#: Of two answers, what stands where.
_SIDES = ("left", "right")
_SHOWN = (ROW, "queue", "split", "text", "label", "suggested", "score", "kind", "part")
#: What a person fills in.
_ASKED = ("action", "new_label", "why", "who")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_LONGEST_CELL = 1 << 30


def guarded(cell: str) -> str:
    """A cell that no spreadsheet runs; a number stays one."""
    if _NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}" if cell.lstrip(" ").startswith((*_FORMULA, "'")) else cell


def unguarded(cell: str) -> str:
    """The cell as it was before `guarded`."""
    return cell[1:] if cell[:1] == "'" and cell[1:].lstrip(" ").startswith((*_FORMULA, "'")) else cell


def write_csv(desk: Desk, path: Path, who: str) -> int:
    """Write all queues as one table; the rows that it holds. With a byte order mark, by which Excel knows UTF-8."""
    n, shown = 0, (*_SHOWN, *(_SIDES if any(queue.asks == "pairs" for queue in desk.queues.values()) else ()), *BESIDE)
    with arriving(path) as partial, partial.open("w", encoding="utf-8-sig", newline="", errors="replace") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow([*shown, "key", *_ASKED])
        for queue, item, state in items_of(desk, who):
            mine = next((one for one in state["words"] if one["who"] == who), None) if state else None
            told = {**item, **told_of_other(item), "queue": queue.name, "key": key_of(item)}
            cells = ["" if told[name] is None else str(told[name]) for name in (*shown, "key")]
            cells += [mine["action"], mine["label"] or "", mine["why"], who] if mine else ["", "", "", ""]
            writer.writerow([guarded(cell) for cell in cells])
            n += 1
    return n


def read_csv(path: Path) -> Iterator[Answer]:
    """The answers of a table.

    Raises:
        DataError: It is no such table.
    """
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _answers(path, csv.DictReader(file, dialect=_dialect(file.readline()), fieldnames=None), file)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", at=str(path)) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"is no CSV in UTF-8 ({str(error)[:80]})", at=str(path), hint="save it as `CSV UTF-8`, not as a workbook"
        ) from None
    finally:
        csv.field_size_limit(before)


def _dialect(head: str) -> type[csv.Dialect]:
    """Excel's, with the separator that this place's spreadsheets write."""

    class Found(csv.excel):
        delimiter = max((",", ";", "\t"), key=head.count)

    return Found


def _answers(path: Path, reader: csv.DictReader[str], file: object) -> Iterator[Answer]:
    assert hasattr(file, "seek")
    file.seek(0)
    names = set(reader.fieldnames or [])
    lacking = [name for name in (ROW, "action") if name not in names]
    if lacking:
        raise DataError(
            f"has no column {lacking[0]!r}",
            at=str(path),
            hint="a table of Label Studio's does not say what was cancelled: export it from there as JSON"
            if "annotation_id" in names
            else "export it with `seedbed review RUN --export human_input.csv`, fill it in, and keep its columns",
        )
    for line in reader:
        told = {name: unguarded(cell) for name, cell in line.items() if isinstance(name, str) and isinstance(cell, str)}
        yield Answer(
            at=f"{path.name}, line {reader.line_num}",
            row=told.get(ROW, ""),
            queue=told.get("queue", ""),
            key=told.get("key", ""),
            action=told.get("action", ""),
            label=told.get("new_label", ""),
            why=told.get("why", ""),
            who=told.get("who", "").strip(),
        )
