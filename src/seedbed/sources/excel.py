"""Spreadsheets: Excel and OpenDocument."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.core.numbers import things, word
from seedbed.core.part import Example
from seedbed.core.showing import clean
from seedbed.core.source import Block, FileSource, InputFile, Parsed, Scan

from .reading.files import find
from .reading.stream import stored_sha256
from .tables import workbook


@dataclass(frozen=True)
class _Group:
    """Payload of a block: a row group of a sheet."""

    group: int
    rows: int


class Excel(FileSource):
    """Reads sheets of Excel and OpenDocument workbooks.

    ## Why
    A sheet is no table: titles stand above the header, rows are empty, a column holds numbers and a word. Here the
    header is the first of 50 rows that fills more than half of the columns, types come from all cells, and a row is
    known by its number in the sheet (`book.xlsx/Sheet1#17`), so that anybody can find it. All visible sheets are read
    where `sheet` is left out, if they have the same columns.

    ## Limits
    A formula counts as the value that was last computed and saved. A cell that holds an error (`#N/A`, `#DIV/0!`) is
    null, and they are counted. The value of merged cells stands in the first of them; the others are null. Empty rows
    are passed over, and columns without header and values are none; a column without header is named by its letter.
    Whole numbers are those of a column in which all numbers are whole. A column of several kinds is text. A workbook is
    turned into Parquet in the store, in a process of its own that may take 4 GiB; files inside archives are not read.
    """

    extra: ClassVar[str] = "documents"
    needs: ClassVar[tuple[str, ...]] = ("fastexcel",)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A title above the header, and an empty row",
            before={"A": ["Reviews of May", "text", "good", None, "bad"], "B": [None, "stars", 5, None, 1.0]},
            after={"text": ["good", "bad"], "stars": [5, 1]},
        ),
        Example(
            title="A sheet without a header",
            options={"header": 0},
            before={"A": ["good", "bad"], "B": [4.5, "none"]},
            after={"A": ["good", "bad"], "B": ["4.5", "none"]},
        ),
    )

    use: Literal["excel"] = "excel"
    sheet: str | int | None = Field(
        None, description="The sheet, by its name or its number from 1; all visible ones when left out."
    )
    header: int | None = Field(
        None,
        ge=0,
        le=1_048_576,
        description="Row of the header, from 1, or 0 where there is none; found when left out.",
    )

    def scan(self, context: Context) -> Scan:
        """Hash every workbook, and turn its sheets into Parquet where that was not done before."""
        notes: list[str] = []
        found = find(self.path, context, suffixes=workbook.SUFFIXES, use=self.use, notes=notes)
        files: list[InputFile] = []
        told: list[dict[str, Any]] = []
        with context.stage(f"looking at {self.path}", sum(file.size for file in found), "B") as stage:
            for file in found:
                hashed = stored_sha256(file.url)
                book = workbook.converted(file.url, hashed, self.sheet, self.header, context)
                for one in book["sheets"]:
                    name = f"{file.name}/{one['sheet']}"
                    share = file.size // len(book["sheets"])
                    files.append(replace(file, name=name, sha256=hashed, size=share))
                    told.append({**one, "path": str(Path(book["folder"], one["file"]))})
                    self._check(told, files)
                notes += _errors(book["sheets"], file.name)
                if book["bare"]:
                    named = ", ".join(clean(name) for name in book["bare"])
                    notes.append(f"nothing stands under a header in {named} of {file.name}: left out")
                if book["unsaved"]:
                    said = "no saved value, which counts as null, and a row of nothing else is none"
                    formulas, has = things(book["unsaved"], "formula"), word(book["unsaved"], "has", "have")
                    notes.append(f"{formulas} of {file.name} {has} {said}: save it in a spreadsheet program")
                stage.advance(file.size)
        if not sum(one["rows"] for one in told):
            raise DataError("has a header and no rows", at=files[0].url, hint="is this the right file?")
        kept = [{key: one[key] for key in ("path", "groups")} for one in told]
        rows = {f"row {one['header']}" if one["header"] else "none" for one in told}
        return Scan(
            tuple(files),
            workbook.schema_of(told),
            {"sheets": kept},
            found={"sheets": ", ".join(file.name for file in files[:6]), "header": ", ".join(sorted(rows))},
            notes=tuple(notes),
        )

    def _check(self, told: list[dict[str, Any]], files: list[InputFile]) -> None:
        """Refuse a sheet whose columns cannot be told apart, or are not those of the first."""
        columns, at = told[-1]["columns"], f"{files[-1].url}, sheet {told[-1]['sheet']}"
        twice = sorted({name for name in columns if columns.count(name) > 1})
        if twice:
            some = ", ".join(repr(name) for name in twice[:6])
            hint = "mend the header, or say header: 0 (columns are then A, B, … and it is a row)"
            raise DataError(f"the header (row {told[-1]['header']}) names {some} more than once", at=at, hint=hint)
        if columns != told[0]["columns"]:
            differ = sorted(set(columns) ^ set(told[0]["columns"]))[:6]
            some = ", ".join(differ) if differ else "their order"
            hint = "name one with `sheet`; a `header` that was not found can be named, too"
            raise DataError(f"has other columns than {files[0].name}: {some}", at=at, hint=hint)

    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """Row groups."""
        left = self.limit
        for number, (file, sheet) in enumerate(zip(scan.files, scan.settings["sheets"], strict=True)):
            total = max(sum(sheet["groups"]), 1)
            for group, rows in enumerate(sheet["groups"]):
                taken = rows if left is None else min(rows, left)
                if not taken:
                    return
                first = int(workbook.rows_of(sheet["path"], group, scan.schema, at=file.url)[1][0])
                yield Block(number, first, first, file.size * rows // total, _Group(group, taken))
                left = None if left is None else left - taken

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """Rows of a row group.

        Raises:
            DataError: What the store holds of the sheet is damaged.
        """
        wanted, file = block.payload, scan.files[block.file]
        rows, numbers = workbook.rows_of(
            scan.settings["sheets"][block.file]["path"], wanted.group, scan.schema, at=file.url
        )
        return Parsed(rows.head(wanted.rows), numbers.head(wanted.rows))

    def heeds(self, block: Block, scan: Scan) -> Any:
        """The workbook as it was converted, and which rows."""
        path = Path(scan.settings["sheets"][block.file]["path"])
        columns = [[name, str(kind)] for name, kind in scan.schema.items()]
        return [path.parent.name, path.name, block.payload.group, block.payload.rows, columns]


def _errors(sheets: list[dict[str, Any]], name: str) -> list[str]:
    told = []
    for one in sheets:
        *some, count = one["errors"] or ["0"]
        more = ", …" if int(count) > len(some) else ""
        if some:
            told.append(f"{count} cells of {name}/{one['sheet']} hold an error and are null: {', '.join(some)}{more}")
    return told
