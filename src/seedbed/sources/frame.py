"""Tables that Python holds already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainSerializer, ValidationInfo, WithJsonSchema, field_validator

from seedbed.core.context import Context
from seedbed.core.errors import DataError, SeedbedError
from seedbed.core.numbers import things
from seedbed.core.part import BASE, Example
from seedbed.core.source import Block, InputFile, Parsed, Scan, Source

from .frames.blocks import ROWS, blocks_of, rows_of
from .frames.held import Held
from .frames.tables import KNOWN, table_of

#: A table in Python; written down, it is its digest, its number of rows and its columns.
Handed = Annotated[
    Any,
    PlainSerializer(Held.as_json, when_used="json"),
    WithJsonSchema({"type": ["object", "array"], "title": "Frame"}),
]


class Frame(Source):
    """Takes rows that Python holds: a frame of pandas or Polars, a table of Arrow, a list of dicts, a dict of lists.

    ## Why
    In a notebook the data is there already. Handed over, it gets what every source gets: row ids, a ledger, checks, a
    split that does not leak. The digest of its content stands for the file, so what was done with the same rows is not
    done again.

    A frame of pandas keeps its index as a column if it has a name or holds no whole numbers; NaN is null. Lists and
    dicts in columns of objects become JSON text, as do the values of a column that holds several kinds.

    ## Limits
    From Python only: a recipe file cannot hold it. What is written down of a run names its digest, rows and columns,
    not the rows, so the run can be made again only where the frame is. A frame that is changed after it was handed
    over stays as it was. Its rows are in memory, those of pandas twice.
    """

    block_rows: ClassVar[int] = ROWS
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A dict of lists",
            options={"frame": {"text": ["good", None], "by": [{"name": "Ada"}, {}]}},
            before={"text": ["good", None], "by": [{"name": "Ada"}, {}]},
            after={"text": ["good", None], "by": ['{"name":"Ada"}', "{}"]},
        ),
    )

    use: Literal["frame"] = "frame"
    frame: Handed = Field(description="The rows, in Python: " + KNOWN + ".")

    @field_validator("frame", mode="plain")
    @classmethod
    def _held(cls, value: Any, info: ValidationInfo) -> Held:
        if isinstance(value, Held):
            return value
        if isinstance(value, Mapping) and (known := Held.written(dict(value))):
            return known
        in_a_file = isinstance(info.context, Mapping) and BASE in info.context
        if isinstance(value, str) or (in_a_file and isinstance(value, Mapping | list)):
            raise ValueError(
                "is handed over from Python: seedbed.sources.Frame(frame=df); for a recipe file, save it with "
                "df.to_parquet('rows.parquet') and use: parquet"
            )
        try:
            return Held.of(table_of(value, "frame"))
        except SeedbedError as error:
            raise ValueError(error.in_a_line()) from None

    @property
    def address(self) -> str:
        """What it is, in words."""
        return f"a frame of {things(self.frame.rows, 'row')}, handed over in Python"

    def scan(self, context: Context) -> Scan:
        """Look at the columns.

        Raises:
            RecipeError: The frame is not there any more.
            DataError: It has no rows.
        """
        table = self.frame.table
        if not table.height:
            raise DataError("has no rows", at=self.address, hint="is this the right frame?")
        file = InputFile("frame", self.address, max(int(table.estimated_size()), 1), self.frame.sha256)
        return Scan((file,), table.schema)

    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """Slices of the frame, with their rows."""
        return blocks_of(self.frame.table, 0, scan.files[0].size, self.limit, self.block_rows)

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """Rows of a slice."""
        return rows_of(block, scan.schema)

    @classmethod
    def write_example(cls, before: Mapping[str, list[Any]], path: Path) -> None:
        """Nothing: the options of an example hold its rows."""
