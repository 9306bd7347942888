"""Turns the sheets of a workbook into Parquet files, in a process of its own.

A workbook of some kilobytes may ask for any amount of memory (one cell in the last row and column is enough), and the
library then ends the process. So this file is run as a program, which may be ended without harm: it imports nothing
of ours, is given one JSON object on its standard input, and prints another.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

#: Rows in which a header is looked for.
HEAD = 50
_GROUP = 1 << 16
_MOST_ERRORS = 6
#: A cell with a formula and no value, and what tells that the value is the empty text.
_UNSAVED = re.compile(rb"<c\b([^>]*)>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>")
_TEXT = b't="str"'
_PIECE, _MOST_LOOKED_AT = 1 << 20, 1 << 28


def letters(place: int) -> str:
    """The letters of a column, from 0: A to Z, AA, …"""
    found = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        found = chr(65 + rest) + found
    return found


def main() -> None:
    """Read the order, do it, tell."""
    order = json.load(sys.stdin)
    with suppress(ImportError, ValueError, OSError):  # elsewhere than on Unix nothing bounds it
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (order["most_memory"],) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (order["seconds"], order["seconds"] + 5))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        told = _converted(order)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - the library has errors of its own; the one who asked tells them
        told = {"error": type(error).__name__, "said": str(error).partition("\n")[0][:300]}
    json.dump(told, sys.stdout)


def _converted(order: dict[str, Any]) -> dict[str, Any]:
    import fastexcel

    book = fastexcel.read_excel(order["path"])
    wanted, names = order["sheet"], list(book.sheet_names)
    if isinstance(wanted, int):
        wanted = names[wanted - 1] if 0 < wanted <= len(names) else wanted
    if wanted is not None and wanted not in names:
        return {"error": "no_sheet", "names": names}
    found = []
    for number, name in enumerate([wanted] if wanted is not None else names):
        told = _sheet(book, name, order["header"], Path(order["folder"]) / f"{number:04}.parquet")
        # A hidden sheet is read where it is named, not where all are.
        if told and (wanted is not None or told["visible"]):
            found.append(told)
    sheets, bare = [one for one in found if one["rows"]], [one["sheet"] for one in found if not one["rows"]]
    return {"sheets": sheets, "bare": bare, "names": names, "unsaved": _unsaved(order["path"])}


def _unsaved(path: str) -> int:
    """Formulas of a workbook without a value: not every program that writes formulas works them out.

    Of the newer format alone, and at most in its first 256 MiB of sheets.
    """
    found = looked_at = 0
    with suppress(zipfile.BadZipFile, NotImplementedError, OSError), zipfile.ZipFile(path) as book:
        for name in book.namelist():
            if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", name):
                continue
            rest = b""
            with book.open(name) as sheet:
                while looked_at < _MOST_LOOKED_AT and (data := sheet.read(_PIECE)):
                    looked_at += len(data)
                    cells, begun, cell = (rest + data).rpartition(b"<c ")
                    found += sum(_TEXT not in kind for kind in _UNSAVED.findall(cells))
                    rest = (begun + cell)[:_PIECE]
            found += sum(_TEXT not in kind for kind in _UNSAVED.findall(rest))
    return found


def _sheet(book: Any, name: str, header: int | None, path: Path) -> dict[str, Any] | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    head = book.load_sheet(name, header_row=None, skip_rows=0, n_rows=HEAD, dtypes="string")
    if not head.width:
        return None
    at = header if header is not None else _header(head.to_arrow())
    if head.total_height <= at:  # a remark, or a header alone: the library cannot make a table of no rows
        return {"sheet": name, "visible": head.visible == "visible", "rows": 0}
    first = _offset(head)
    titles = _titles(book, name, at) if at else [None] * head.width
    sheet = book.load_sheet(name, header_row=None, skip_rows=at, schema_sample_rows=None)
    batch, errors = sheet.to_arrow_with_errors()
    table = pa.Table.from_batches([batch])
    filled = [column.null_count < table.num_rows for column in table.columns]
    names = [title or letters(first + place) for place, title in enumerate(titles)]
    kept = [place for place, there in enumerate(filled) if there or titles[place]]
    # Rows in which nothing stands are none.
    rows = _with_something(table)
    table = table.add_column(0, "\x01row", pa.array(range(at + 1, at + 1 + table.num_rows), pa.uint64()))
    table = table.select([0, *(place + 1 for place in kept)]).filter(rows)
    pq.write_table(table.rename_columns(["\x01row", *(f"{place}" for place in kept)]), path, row_group_size=_GROUP)
    return {
        "sheet": name,
        "visible": sheet.visible == "visible",
        "file": path.name,
        "header": at,
        "columns": [names[place] for place in kept],
        "kinds": [_kind(column) for column in table.columns[1:]],
        "rows": table.num_rows,
        "groups": [min(_GROUP, table.num_rows - start) for start in range(0, table.num_rows, _GROUP)],
        "errors": _errors(errors, first),
    }


def _offset(sheet: Any) -> int:
    """Place of the first column in the sheet: columns that are empty on the left are not there."""
    columns = sheet.available_columns()
    return int(columns[0].absolute_index) if columns else 0


def _titles(book: Any, name: str, at: int) -> list[str | None]:
    row = book.load_sheet(name, header_row=None, skip_rows=at - 1, n_rows=1, dtypes="string").to_arrow()
    return [(column[0].as_py() or "").strip() or None if len(column) else None for column in row.columns]


def _header(head: Any) -> int:
    """The row that names the columns, from 1: the first that fills more than half of the filled columns."""
    filled = [
        [value is not None and str(value).strip() != "" for value in column.to_pylist()] for column in head.columns
    ]
    wide = sum(map(any, filled))
    for place in range(head.num_rows):
        if 2 * sum(column[place] for column in filled) > wide:
            return place + 1
    return 1


def _kind(column: Any) -> str:
    """What a column holds; numbers of Excel are floating-point, and its dates have a time."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if column.null_count == len(column):
        return "empty"
    if pa.types.is_floating(kind):
        whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), 2.0**53))
        return "whole" if pc.all(whole).as_py() else "number"
    if pa.types.is_timestamp(kind):
        return "date" if pc.all(pc.equal(pc.floor_temporal(column, unit="day"), column)).as_py() else "datetime"
    names = {"is_integer": "whole", "is_boolean": "boolean", "is_date": "date", "is_duration": "duration"}
    return next((name for test, name in names.items() if getattr(pa.types, test)(kind)), "text")


def _with_something(table: Any) -> Any:
    import pyarrow.compute as pc

    found = None
    for column in table.columns:
        there = pc.is_valid(column)
        found = there if found is None else pc.or_(found, there)
    return found


def _errors(errors: Any, first: int) -> list[str]:
    """Cells that hold an error, as B7; the first few, and how many there are in all as the last."""
    found = [one for one in (errors.errors if errors else []) if "Error(" in one.detail]
    some = [f"{letters(first + one.position[1])}{one.position[0] + 1}" for one in found[:_MOST_ERRORS]]
    return [*some, str(len(found))] if found else []


if __name__ == "__main__":
    main()
