"""Two datasets side by side in a database on disk: which rows are the same, and what happened to the others.

Rows never come into memory: DuckDB reads the Parquet files and keeps, of each row, a hash of what makes it the same row
(128 bits), its id, its split, its label and a hash of each column (64 bits). Values are read again for examples only.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from seedbed.core.difference import ChangedColumn, Moved, Shown, Was
from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.core.ledger import mask
from seedbed.core.numbers import things, word
from seedbed.core.rows import ROW

from .sides import Opened

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: What DuckDB may hold in memory before it goes to disk.
MEMORY = "500MB"
#: Rows that are shown of a kind, and changed values of a column.
EXAMPLES = 5
_VALUES = 3


@dataclass(frozen=True)
class Identity:
    """What makes a row of one dataset and a row of the other the same row."""

    by: Literal["row", "content", "key"]
    columns: tuple[str, ...]
    words: str


def identity_of(a: Opened, b: Opened, by: str | None) -> Identity:
    """How rows are told to be the same.

    Row ids (`SOURCE:FILE#RECORD`) say it where both read the same bytes: a file that has changed may hold another
    record at that place. Otherwise the content does.

    Args:
        a: What was before.
        b: What is now.
        by: `row`, `content` or a column; None to have it decided.

    Raises:
        RecipeError: There is no such column on both sides.
    """
    common = [name for name in a.schema if name in b.schema]
    if by == "row" and not (a.has_ids and b.has_ids):
        raise RecipeError("one of the two has no row ids", at="--by row", hint="--by content, or a column")
    if by not in (None, "row", "content"):
        if by not in common:
            hint = did_you_mean(str(by), ["row", "content", *common])
            raise RecipeError("this is no column of both", at=f"--by {str(by)[:80]}", hint=hint)
        return Identity("key", (str(by),), f"rows are the same where their {by!r} is")
    why = why_not_by_row(a, b) if by is None else ""
    if by == "row" or (by is None and not why):
        said = "as asked" if by else "both read the same files"
        return Identity("row", (ROW,), f"rows are the same where their id is ({said})")
    text = a.text if a.text == b.text or not b.text else None
    text = text or (b.text if not a.text else None)
    because = f" ({why})" if why else ""
    if text in common:
        return Identity("content", (str(text),), f"rows are the same where their {text!r} is{because}")
    return Identity("content", tuple(common), f"rows are the same where all their values are{because}")


def why_not_by_row(a: Opened, b: Opened) -> str:
    """Why row ids do not say which rows are the same; empty where they do."""
    if not (a.has_ids and b.has_ids):
        return "one of the two has no row ids"
    shared = a.inputs.keys() & b.inputs.keys()
    if not shared:
        return "they read no file of the same name" if a.inputs and b.inputs else "what they read is not recorded"
    changed = sorted(f"{source}:{file}" for source, file in shared if a.inputs[source, file] != b.inputs[source, file])
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    return f"{changed[0]}{more} changed in between, so that ids may mean other rows" if changed else ""


@contextmanager
def side_by_side(a: Opened, b: Opened, identity: Identity) -> Iterator[Tables]:
    """Both datasets in a database that goes with the body.

    Raises:
        DataError: A Parquet file cannot be read, or the key is no key.
    """
    import duckdb

    with (
        tempfile.TemporaryDirectory(prefix="seedbed-diff-") as folder,
        duckdb.connect(str(Path(folder, "diff.duckdb"))) as connection,
    ):
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute(f"SET temp_directory = {quoted(str(Path(folder, 'spill')))}")
        connection.execute("SET preserve_insertion_order = false")
        try:
            tables = Tables(connection, a, b, identity)
            tables.fill()
            yield tables
        except duckdb.Error as error:
            said = str(error).splitlines()[0][:200]
            raise DataError(f"the datasets cannot be compared: {said}", at=f"{a.named}, {b.named}") from None


@dataclass(frozen=True)
class Tables:
    """Two datasets side by side: views `a` and `b` of the rows, tables of what became of them."""

    connection: DuckDBPyConnection
    a: Opened
    b: Opened
    identity: Identity

    @property
    def columns(self) -> list[str]:
        """Columns that both have."""
        return [name for name in self.a.schema if name in self.b.schema]

    @property
    def label(self) -> str | None:
        """The column with the label, where both have it; where no run says which, one that is called `label`."""
        wanted = self.b.label or self.a.label or "label"
        return wanted if wanted in self.columns and self.a.label in (None, wanted) else None

    def text(self, side: Opened) -> str | None:
        """The column that shows what a row is about: the task's text, else the first column of strings."""
        other = self.b if side is self.a else self.a
        if (side.text or other.text) in side.schema:
            return side.text or other.text
        return next((name for name, kind in side.schema.items() if str(kind) == "String"), None)

    def fill(self) -> None:
        """Bring both sides together.

        Raises:
            DataError: A key is missing or stands for several rows.
        """
        for name, side in (("a", self.a), ("b", self.b)):
            self.connection.execute(f"CREATE VIEW {name} AS {_view(side)}")
            self.connection.execute(f"CREATE TABLE k{name} AS {self._keys(name, side)}")
            distinct, rows = self._one(f"SELECT count(DISTINCT k), count(*) FROM k{name}")
            if distinct < rows and self.identity.by == "key":
                raise DataError(
                    f"{things(rows - distinct, 'row shares its', 'rows share their')} "
                    f"{self.identity.columns[0]!r} with another, or "
                    f"{word(rows - distinct, 'has', 'have')} none",
                    at=side.named,
                    hint="choose a column whose values are all different, or --by content",
                )
            if distinct == rows:
                self.connection.execute(f"CREATE VIEW n{name} AS SELECT *, 1 AS n FROM k{name}")
            else:  # equal rows are told apart by their order
                self.connection.execute(
                    f"CREATE VIEW n{name} AS SELECT *, row_number() OVER (PARTITION BY k ORDER BY split, id) AS n "
                    f"FROM k{name}"
                )
        changed = "".join(f", a.h{i} <> b.h{i} AS c{i}" for i in range(len(self.columns)))
        self.connection.execute(
            "CREATE TABLE both_rows AS SELECT a.id AS id_a, b.id AS id_b, a.split AS split_a, b.split AS split_b, "
            f"a.label AS label_a, b.label AS label_b{changed} FROM na a JOIN nb b USING (k, n)"
        )
        for name, one, other in (("added", "nb", "na"), ("removed", "na", "nb")):
            self.connection.execute(
                f"CREATE TABLE {name} AS SELECT id, split FROM {one} x WHERE NOT EXISTS "
                f"(SELECT 1 FROM {other} y WHERE y.k = x.k AND y.n = x.n)"
            )

    def _keys(self, name: str, side: Opened) -> str:
        if self.identity.by == "row":
            key = column(ROW)
        elif len(self.identity.columns) == 1:
            key = f"CAST({column(self.identity.columns[0])} AS VARCHAR)"
        else:
            values = ", ".join(self._comparable(one) for one in self.identity.columns)
            key = f"CAST(row({values}) AS VARCHAR)"
        hashes = "".join(f", hash({self._comparable(one)}) AS h{i}" for i, one in enumerate(self.columns))
        label = f"CAST({self._comparable(self.label)} AS VARCHAR)" if self.label else "NULL::VARCHAR"
        return (
            f"SELECT md5_number(coalesce('=' || {key}, '')) AS k, {column(ROW)} AS id, {column(_SPLIT)} AS split, "
            f"{label} AS label{hashes} FROM {name}"
        )

    def _comparable(self, name: str) -> str:
        kinds = self.a.schema[name], self.b.schema[name]
        if kinds[0] == kinds[1]:
            return column(name)
        if all(kind.is_numeric() or kind == pl.String for kind in kinds):
            return _as_number(f"CAST({column(name)} AS VARCHAR)")
        return f"CAST({column(name)} AS VARCHAR)"

    def _one(self, query: str) -> Any:
        return self.connection.execute(query).fetchone()

    def all(self, query: str) -> list[Any]:
        """All rows of the answer to a query."""
        return self.connection.execute(query).fetchall()

    @property
    def _any_changed(self) -> str:
        return " OR ".join(f"c{i}" for i in range(len(self.columns))) or "false"

    def counts(self) -> dict[str, int]:
        """Rows that are the same, added, removed, changed, moved; and those with a label on both sides."""
        same, changed, moved, labelled = self._one(
            f"SELECT count(*) FILTER (NOT ({self._any_changed}) AND split_a = split_b), "
            f"count(*) FILTER ({self._any_changed}), count(*) FILTER (split_a <> split_b), "
            "count(*) FILTER (label_a IS NOT NULL AND label_b IS NOT NULL) FROM both_rows"
        )
        (added,), (removed,) = self._one("SELECT count(*) FROM added"), self._one("SELECT count(*) FROM removed")
        return {
            "same": same, "added": added, "removed": removed, "changed": changed, "moved": moved,
            "both_labelled": labelled,
        }  # fmt: skip

    def differing(self, name: str) -> int:
        """Rows of both sides whose values of a column differ; none where a side lacks it."""
        if name not in self.columns:
            return 0
        ((rows,),) = self.all(f"SELECT count(*) FILTER (c{self.columns.index(name)}) FROM both_rows")
        return int(rows)

    def examples(self, table: Literal["added", "removed"]) -> tuple[Shown, ...]:
        """Some rows that only one side has; which ones hangs on their ids alone."""
        name, side = ("b", self.b) if table == "added" else ("a", self.a)
        text = self.text(side)
        shown = f"CAST({column(text)} AS VARCHAR)" if text else "''"
        found = self.all(
            f"SELECT x.id, x.split, {shown} FROM (SELECT * FROM {table} ORDER BY hash(id), id LIMIT {EXAMPLES}) x "
            f"JOIN {name} ON {name}.{column(ROW)} = x.id ORDER BY hash(x.id), x.id"
        )
        return tuple(Shown(row=row, split=split, excerpt=mask(words or "")) for row, split, words in found)

    def because(self, table: Literal["added", "removed"]) -> dict[str, int]:
        """Why the side that lacks rows rejected them, by `PART: REASON`; empty where nobody can tell."""
        other = self.a if table == "added" else self.b
        files = sorted((other.folder / "ledger").glob("*.parquet"))
        if self.identity.by != "row" or not files:
            return {}
        found = self.all(
            f"SELECT part || ': ' || reason, count(*) FROM {_parquet(files)} WHERE action = 'rejected' "
            f"AND {column(ROW)} IN (SELECT id FROM {table}) GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        return dict(found)

    def changed(self) -> tuple[ChangedColumn, ...]:
        """Columns in which rows changed, those with the most first."""
        if not self.columns:
            return ()
        sums = self._one("SELECT " + ", ".join(f"count(*) FILTER (c{i})" for i in range(len(self.columns)))
                         + " FROM both_rows")  # fmt: skip
        found = [
            ChangedColumn(column=name, rows=rows, examples=self._changes(i, name))
            for i, (name, rows) in enumerate(zip(self.columns, sums, strict=True))
            if rows
        ]
        return tuple(sorted(found, key=lambda one: (-one.rows, one.column)))

    def _changes(self, place: int, name: str) -> tuple[Was, ...]:
        value = f"CAST({{}}.{column(name)} AS VARCHAR)"
        found = self.all(
            f"SELECT x.id_b, {value.format('a')}, {value.format('b')} FROM (SELECT id_a, id_b FROM both_rows "
            f"WHERE c{place} ORDER BY hash(id_b), id_b LIMIT {_VALUES}) x "
            f"JOIN a ON a.{column(ROW)} = x.id_a JOIN b ON b.{column(ROW)} = x.id_b ORDER BY hash(x.id_b), x.id_b"
        )
        plain = self.a.schema[name].is_float() and self.b.schema[name].is_float()
        return tuple(Was(row=row, a=_shown(a, plain), b=_shown(b, plain)) for row, a, b in found)

    def moved(self, what: Literal["split", "label"]) -> tuple[Moved, ...]:
        """Rows that went from one split or label to another."""
        found = self.all(
            f"SELECT {what}_a, {what}_b, count(*) FROM both_rows WHERE {what}_a IS DISTINCT FROM {what}_b "
            "GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
        )
        return tuple(Moved(a=a, b=b, rows=rows) for a, b, rows in found)

    def common(self, split: str) -> list[tuple[str, str]]:
        """Ids of the rows that are in a split on both sides."""
        return self.all(
            f"SELECT id_a, id_b FROM both_rows WHERE split_a = {quoted(split)} AND split_b = {quoted(split)} "
            "ORDER BY id_a"
        )


def _shown(value: str | None, plain: bool) -> str | None:
    """A value that may be shown; a fraction is no telephone number, however many figures it has."""
    if value is None:
        return None
    return f"{float(value):.6g}" if plain else mask(value)


def _as_number(text: str) -> str:
    """A query for a text, where it is a number written as every equal number is: `3`, `3.0` and ` 3` alike.

    Whole numbers from 2**53 on stay as they are: a fraction of 64 bits does not tell them apart.
    """
    number = f"TRY_CAST({text} AS DOUBLE)"
    whole = f"regexp_matches({text}, '^-?[0-9]+$') AND abs({number}) >= 9007199254740992"
    plain = f"regexp_replace(CAST({number} AS VARCHAR), '\\.0$', '')"
    return f"CASE WHEN {number} IS NULL OR ({whole}) THEN {text} ELSE {plain} END"


_SPLIT = "\x01split"


def _view(side: Opened) -> str:
    """A query for all rows of a dataset, with `ROW` and the split."""
    pieces = []
    for split, files in side.files.items():
        for place, file in enumerate(files):
            own = "" if side.has_ids else f"{quoted(f'{split}-{place}#')} || (file_row_number + 1) AS {column(ROW)}, "
            skip = "" if side.has_ids else " EXCLUDE (file_row_number)"
            more = "" if side.has_ids else ", file_row_number = true"
            source = f"read_parquet({quoted(str(file))}, hive_partitioning = false{more})"
            pieces.append(f"SELECT {own}{quoted(split)} AS {column(_SPLIT)}, *{skip} FROM {source}")
    return " UNION ALL BY NAME ".join(pieces)


def _parquet(files: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join(quoted(str(file)) for file in files)}], hive_partitioning = false)"


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def column(name: str | None) -> str:
    """A name as SQL writes it."""
    return '"' + str(name).replace('"', '""') + '"'
