"""Pickles of plain data."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

import polars as pl

from seedbed.core.errors import DataError
from seedbed.core.exporter import BATCH, Rows
from seedbed.core.part import Example

from .files.described import described
from .files.plain import frame_of_columns, plain
from .files.splits import Splits

#: The last protocol without frames, whose lengths would have to be known before the rows are.
_PROTOCOL = 3
_HEAD = b"\x80\x03]"  # PROTO 3, EMPTY_LIST


class Pickle(Splits):
    """Write each split as a pickled list of dictionaries, and nothing that is not plain data.

    Texts, numbers, true and false, bytes, lists and dictionaries: loading it imports nothing and runs nothing. Points
    in time are texts (ISO 8601), and so are decimals and whole numbers beyond 64 bits; spans of time are counted in
    their unit. `schema.json` beside the files says what they were.

    ## Why
    `pickle.load` gives the rows as Python has them, in one line.

    ## Limits
    Whoever loads it holds all rows in memory. Load no pickle that you do not trust: another program may have put one in
    its place. Categories come back as texts.
    """

    ending: ClassVar[str] = ".pkl"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A list of dictionaries",
            options={"path": "out/pickle"},
            before={"text": ["good", None], "stars": [5, 1]},
            after={"train.pkl": [{"text": "good", "stars": 5}, {"text": None, "stars": 1}]},
        ),
    )

    use: Literal["pickle"] = "pickle"

    def write(self, rows: Rows, target: Path) -> None:
        """Write one list, a batch in memory at a time."""
        with target.open("wb") as file:
            file.write(_HEAD)
            for batch in rows.batches():
                found = plain(batch, binary=True).to_dicts()
                if found:
                    file.write(_appending(found))
            file.write(pickle.STOP)

    @classmethod
    def read(cls, path: Path) -> Rows:
        """Rows as they were given to `write`; a pickle that names anything to import is refused.

        Raises:
            DataError: It is no such pickle.
        """
        schema = described(path, "pickle").schema

        def batches() -> Iterator[pl.DataFrame]:
            found = _loaded(path)
            for start in range(0, len(found), BATCH):
                some = found[start : start + BATCH]
                columns = {name: [one.get(name) for one in some] for name in schema}
                yield frame_of_columns(columns, schema, at=str(path), binary=True)

        return Rows(schema, batches)


def _appending(found: list[dict[str, Any]]) -> bytes:
    """What in a pickle appends items to the list that is there; each batch's memo is numbered over the last one's."""
    return pickle.dumps(found, protocol=_PROTOCOL)[len(_HEAD) : -len(pickle.STOP)]


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it names {module}.{name}"[:200])


def _loaded(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            found = _Plain(file).load()
    except (pickle.UnpicklingError, EOFError, ValueError, IndexError, KeyError, AttributeError) as error:
        raise DataError(f"is no pickle of plain data: {str(error)[:160]}", at=str(path)) from None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise DataError("is no pickled list of dictionaries", at=str(path))
    return found
