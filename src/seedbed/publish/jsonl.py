"""JSON lines."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import ClassVar, Literal

import orjson
import polars as pl

from seedbed.core.errors import DataError
from seedbed.core.exporter import BATCH, Rows
from seedbed.core.part import Example

from .files.described import described
from .files.plain import frame_of, records
from .files.splits import Splits


class Jsonl(Splits):
    """Write each split as a file of JSON objects, one a line.

    Every object has every column, in order; what is missing is `null`. What JSON cannot say is said by the rules of
    Protocol Buffers' JSON mapping: numbers that are none as `"NaN"`, `"Infinity"` and `"-Infinity"`, bytes as base64,
    points in time as ISO 8601. Whole numbers beyond 64 bits and decimals are texts, spans of time are counted in their
    unit. `schema.json` beside the files says what the columns were, so that reading them gives the same values.

    ## Why
    Everything reads it, line by line; texts with line breaks, quotes and any other character stay what they are.

    ## Limits
    Without `schema.json` a reader takes points in time and bytes for texts, and columns with numbers that are none for
    columns of numbers and texts. Categories come back as texts.
    """

    ending: ClassVar[str] = ".jsonl"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="What is missing is null",
            options={"path": "out/jsonl"},
            before={"text": ["good", None], "stars": [5, 1]},
            after={"train.jsonl": ['{"text":"good","stars":5}', '{"text":null,"stars":1}']},
        ),
    )

    use: Literal["jsonl"] = "jsonl"

    def write(self, rows: Rows, target: Path) -> None:
        """Write rows, a line each."""
        with target.open("wb") as file:
            for batch in rows.batches():
                file.writelines(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in records(batch))

    def loses(self, rows: Rows, held: Collection[str]) -> bool:
        """Whether there is more than texts, true and false, and whole numbers: what is nested is read as JSON texts.

        A column of nulls alone is read as one of texts, and of no row at all nothing is known.
        """
        plain = (pl.Boolean(), pl.Int64())
        return not held or any(
            kind != pl.String() and (kind not in plain or name not in held) for name, kind in rows.schema.items()
        )

    @classmethod
    def read(cls, path: Path) -> Rows:
        """Rows as they were given to `write`.

        Raises:
            DataError: The schema or the file is damaged.
        """
        schema = described(path, "jsonl").schema

        def batches() -> Iterator[pl.DataFrame]:
            with path.open("rb") as file:
                while lines := list(islice(file, BATCH)):
                    try:
                        found = [orjson.loads(line) for line in lines]
                    except orjson.JSONDecodeError as error:
                        raise DataError(f"is not JSON lines: {error}", at=str(path)) from None
                    yield frame_of(found, schema, at=str(path))

        return Rows(schema, batches)
