"""python: a function of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field, PrivateAttr

from seedbed.core.errors import RecipeError
from seedbed.core.part import Columns, Example, NewColumn, base_of
from seedbed.core.rows import ROW
from seedbed.core.step import Rework

from .values.kinds import DTYPES, Kind
from .values.own_code import OwnFunction, all_at_once, row_by_row, typed


def tidy(row: dict[str, Any]) -> dict[str, Any] | str | None:
    """The function of this page's example: it rejects rants, and rows without a text, and counts words."""
    text = row["text"]
    if text is None:
        return None
    if text.isupper():
        return "shouting"
    return {"text": text.strip(), "words": len(text.split())}


class Python(Rework):
    """Runs a Python function of your own over the rows: it changes columns, makes new ones, and rejects rows.

    `function` is `FILE.py:NAME`, a file beside the recipe, or `MODULE:NAME`, one that can be imported. With
    `takes: row` it is given a dict of the columns that it `reads`, and returns

    * a dict of columns that it `writes`: the row stays with these values, and what the dict leaves out stays as it is,
    * `True`: the row stays as it is,
    * `None` or `False`: the row is rejected, with the function's name as the reason,
    * a short text: the row is rejected for that reason.

    With `takes: rows` it is given a Polars DataFrame of some rows, and returns a DataFrame of as many rows that has the
    columns it `writes`, or a Boolean Series that says which rows stay. The example runs

    ```python
    def tidy(row):
        text = row["text"]
        if text is None:
            return None
        if text.isupper():
            return "shouting"
        return {"text": text.strip(), "words": len(text.split())}
    ```

    ## Why
    No list of steps is long enough. What the function does is counted, told in the ledger and streamed like all else,
    and an edited file runs again, with all that follows it.

    ## Limits
    The function must depend on its rows only: `takes: rows` shows as many at a time as suits the engine, so a mean over
    them is not that of the table, and what it remembers from one call to the next is not shared between processes.
    Only its own file is watched, not what that imports; such imports are not found beside the recipe but must be
    installed. It runs with all rights that you have. `takes: row` costs about 1 µs a row and column, plus your code.
    """

    use: Literal["python"] = "python"
    function: str = Field(
        pattern=r"^.+:[A-Za-z_][\w.]*$", description="`FILE.py:NAME` beside the recipe, or `MODULE:NAME`."
    )
    takes: Literal["row", "rows"] = Field("row", description="What it is given: a row as a dict, or a DataFrame.")
    reads: Columns = Field(description="Columns that it is given.")
    writes: dict[NewColumn, Kind] = Field(
        default_factory=dict, description="Columns that it writes, new or not, as COLUMN: TYPE."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Tidy up, count, reject",
            options={
                "function": "seedbed.steps.python:tidy",
                "reads": ["text"],
                "writes": {"text": "text", "words": "integer"},
            },
            before={"text": [" so good ", "NEVER AGAIN", None, "fine"]},
            after={"text": ["so good", "fine"], "words": [2, 1]},
        ),
    )
    runs_code: ClassVar[bool] = True
    stands: ClassVar[str] = "a function of yours rejects it: let the function keep such rows"

    _own: OwnFunction = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        """Read the code now, so that all processes run the same and a file that is not there is told at once."""
        place, _, name = self.function.rpartition(":")
        if not place.endswith(".py"):
            self._own = OwnFunction(place, name)
            return
        base = base_of(context)
        try:
            code = (base / place).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            said = getattr(error, "strerror", None) or "it is not UTF-8"
            raise RecipeError(
                f"the file {place!r} cannot be read ({said})", hint="its path starts from the recipe's folder"
            ) from None
        self._own = OwnFunction(place, name, str(base / place), code)

    def code(self) -> Mapping[str, str]:
        """The function's file; nothing where it is imported."""
        return {} if self._own.code is None else {self._own.place: self._own.code}

    def made_from(self) -> Any:
        """Digest of the function's file."""
        return self._own.digest()

    def work(self) -> pl.Expr:
        """What the function says of each row."""
        self._own.load()  # that it is not there should be told before rows are read
        columns = {name: DTYPES[kind] for name, kind in self.writes.items()}
        dtype = pl.Struct({"reason": pl.String()} | ({"columns": pl.Struct(columns)} if columns else {}))
        call = partial(_called, self._own, self.takes, self.reads, self.writes)
        return pl.struct(list(dict.fromkeys([ROW, *self.reads]))).map_batches(call, return_dtype=dtype)

    def written(self) -> Sequence[str]:
        """As the options say."""
        return list(self.writes)


def _called(
    own: OwnFunction, takes: str, reads: Sequence[str], writes: Mapping[str, Kind], rows: pl.Series
) -> pl.Series:
    """What a function says of rows (`ROW` and what it reads), as `Rework.work` wants it."""
    table = rows.struct.unnest()
    call = row_by_row if takes == "row" else all_at_once
    if table.height:
        said = call(own, list(dict.fromkeys(reads)), list(writes), table)
    else:  # the plan tries steps on no rows, which no function need understand
        said = pl.DataFrame(schema={"reason": pl.String(), **{name: DTYPES[kind] for name, kind in writes.items()}})
    columns = [typed(own, said[name], DTYPES[kind], table[ROW]) for name, kind in writes.items()]
    parts = [said["reason"]] + ([pl.DataFrame(columns).to_struct("columns")] if columns else [])
    return pl.DataFrame(parts).to_struct()
