"""Delimited text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import orjson
import polars as pl
import pyarrow as pa
from pydantic import Field

from seedbed.core.errors import DataError
from seedbed.core.exporter import Rows
from seedbed.core.part import Example

from .files.described import described
from .files.plain import frame_of_columns, plain, plain_kind, typed, values
from .files.splits import Splits

#: How a cell begins that a spreadsheet would reckon, after any apostrophes; numbers are let be.
_BEGINS = r"[=+\-@\t\r\n＝＋－＠]"
_NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
_LARGEST_ROW = 32 << 20
#: A name for columns that are worked on: Polars would take one called `^.*$` for a pattern.
_OWN = "v"

#: Types of Table Schema (https://specs.frictionlessdata.io/table-schema/).
_TYPES = {
    pl.Boolean: {"type": "boolean"},
    pl.Float32: {"type": "number"},
    pl.Float64: {"type": "number"},
    pl.Decimal: {"type": "number"},
    pl.Date: {"type": "date"},
    pl.Datetime: {"type": "datetime", "format": "any"},
    pl.List: {"type": "array"},
    pl.Array: {"type": "array"},
    pl.Struct: {"type": "object"},
}


class Csv(Splits):
    """Write each split as comma-separated values, with a data package that says what the columns are.

    UTF-8 with a header, as RFC 4180 has it: texts stand in quotes, so that they may hold anything; what is missing is
    an empty cell without them. Lists and structs are JSON. `datapackage.json` beside the files is a Frictionless data
    package with a Table Schema.

    A text that a spreadsheet would take for a formula, because it begins with `=`, `+`, `-`, `@`, a tab, a carriage
    return or a line feed (or one of the first four in full width), gets an apostrophe before it; so does one that
    begins with apostrophes and then such a character, so that taking one apostrophe away from each of these gives back
    what was there. Numbers, such as `-5` or `+1.5e3`, are let be.

    ## Why
    Spreadsheets and every language read it. A cell `=HYPERLINK(…)` out of a scraped text runs on the machine of whoever
    opens the file (https://owasp.org/www-community/attacks/CSV_Injection), so none is written.

    ## Limits
    Without the data package a reader guesses types, and most take an empty text for one that is missing. A file of one
    column cannot say a missing value to readers that pass over empty lines. A row is at most 32 MiB when it is read
    back. Categories come back as texts.
    """

    ending: ClassVar[str] = ".csv"
    described_in: ClassVar[str] = "datapackage.json"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="No formulas",
            options={"path": "out/csv"},
            before={"text": ["=1+1", None, "it's"], "stars": [5, 1, -2]},
            after={"train.csv": ['"text","stars"', '"\'=1+1",5', ",1", '"it\'s",-2']},
        ),
    )

    use: Literal["csv"] = "csv"
    escape_formulas: bool = Field(True, description="Whether texts that begin like a formula get an apostrophe.")

    def write(self, rows: Rows, target: Path) -> None:
        """Write the header and the rows."""
        import pyarrow.csv

        kinds = {name: _cell_kind(kind) for name, kind in rows.schema.items()}
        schema = pl.DataFrame(schema=kinds).to_arrow(compat_level=pl.CompatLevel.oldest()).schema
        options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
        with target.open("wb") as file:
            header = ",".join('"' + name.replace('"', '""') + '"' for name in self._header(rows.schema))
            file.write(f"{header}\n".encode())
            with pyarrow.csv.CSVWriter(file, schema, write_options=options) as writer:
                for batch in rows.batches():
                    cells = self._cells(batch).to_arrow(compat_level=pl.CompatLevel.oldest())
                    writer.write_table(cells.cast(schema))

    def _header(self, schema: pl.Schema) -> list[str]:
        names = pl.Series(schema.names(), dtype=pl.String)
        return (_escaped(names) if self.escape_formulas else names).to_list()

    def _cells(self, batch: pl.DataFrame) -> pl.DataFrame:
        cells = []
        for column in plain(batch):
            if column.dtype.is_nested():
                said = [None if value is None else orjson.dumps(value).decode() for value in values(column)]
                cells.append(pl.Series(column.name, said, dtype=pl.String))
            elif column.dtype == pl.Null:
                cells.append(column.cast(pl.String))
            else:
                text = column.dtype == pl.String and self.escape_formulas
                cells.append(_escaped(column) if text else column)
        return pl.DataFrame(cells)

    def description(self, files: Mapping[str, Rows], holds: tuple[str, ...] = ()) -> dict[str, Any]:
        """A Frictionless data package, with what only Seedbed reads under a key of its own."""
        return {
            "profile": "tabular-data-package",
            "name": "dataset",
            "resources": [self._resource(name, rows) for name, rows in files.items()],
            **super().description(files, holds),
        }

    def more(self, files: Mapping[str, Rows]) -> dict[str, Any]:
        """Whether formulas have an apostrophe."""
        return {"escaped": self.escape_formulas}

    def _resource(self, name: str, rows: Rows) -> dict[str, Any]:
        fields = [
            {"name": said, **_table_type(kind)}
            for said, kind in zip(self._header(rows.schema), rows.schema.values(), strict=True)
        ]
        return {
            "profile": "tabular-data-resource",
            "name": re.sub(r"[^a-z0-9._-]+", "-", Path(name).stem.lower()) or "rows",
            "path": name,
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "schema": {"fields": fields, "missingValues": [""]},
        }

    @classmethod
    def read(cls, path: Path) -> Rows:
        """Rows as they were given to `write`.

        Raises:
            DataError: The data package or the file is damaged.
        """
        known = described(path, "csv")

        def batches() -> Iterator[pl.DataFrame]:
            for cells in _texts(path):
                if cells.width != len(known.schema):
                    raise DataError("does not have the columns of its data package", at=str(path))
                yield _rows_of(cells, known.schema, escaped=bool(known.more.get("escaped")), at=str(path))

        return Rows(known.schema, batches)


def _table_type(kind: pl.DataType) -> dict[str, str]:
    return {"type": "integer"} if kind.is_integer() else _TYPES.get(kind.base_type(), {"type": "string"})


def _cell_kind(kind: pl.DataType) -> pl.DataType:
    own = plain_kind(kind)
    return pl.String() if own.is_nested() or own == pl.Null else own


def _escaped(column: pl.Series) -> pl.Series:
    texts = column.alias(_OWN)
    risky = texts.str.contains(f"^'*{_BEGINS}") & ~texts.str.contains(_NUMBER)
    return texts.zip_with(~risky.fill_null(False), "'" + texts).alias(column.name)


def _unescaped(column: pl.Series) -> pl.Series:
    return column.alias(_OWN).str.replace(f"^'('*{_BEGINS})", "${1}").alias(column.name)


def _texts(path: Path) -> Iterator[pl.DataFrame]:
    """The cells of a file as texts, null where there is nothing, not even quotes."""
    import pyarrow.csv

    reading = pyarrow.csv.ReadOptions(block_size=_LARGEST_ROW)
    parsing = pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
    try:
        with path.open("rb") as file:
            names = pyarrow.csv.open_csv(file, reading, parsing).schema.names
        converting = pyarrow.csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        )
        with path.open("rb") as file, pyarrow.csv.open_csv(file, reading, parsing, converting) as reader:
            for batch in reader:
                yield pl.DataFrame(pl.from_arrow(batch))
    except pa.ArrowException as error:
        said = str(error).splitlines()[0][:160]
        raise DataError(f"is not what the csv format wrote: {said}", at=str(path)) from None


def _rows_of(cells: pl.DataFrame, schema: pl.Schema, *, escaped: bool, at: str) -> pl.DataFrame:
    told: list[pl.Series] = []
    for column, (name, kind) in zip(cells, schema.items(), strict=True):
        own = plain_kind(kind)
        if own.is_nested():
            found = [None if text is None else orjson.loads(text) for text in column.to_list()]
            told.append(frame_of_columns({name: found}, pl.Schema({name: own}), at=at)[name])
        else:
            text = _unescaped(column) if escaped and own == pl.String else column
            told.append(_cast(text, own, at).alias(name))
    return typed(pl.DataFrame(told), schema)


def _cast(texts: pl.Series, kind: pl.DataType, at: str) -> pl.Series:
    try:
        return texts.alias(_OWN) == "true" if kind == pl.Boolean else texts.cast(kind)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"is not what its data package says: {str(error).splitlines()[0][:160]}", at=at) from None
