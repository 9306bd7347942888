"""Which training rows are most like what is asked about: an index, made once, on disk; of texts one of their terms.

Texts are compared by the cosine of their TF-IDF of words and of runs of three characters, which also finds words that
are spelled or bent otherwise. The matrix and the rows lie in files that are mapped: memory holds what is looked at.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from seedbed.core import digest
from seedbed.core.errors import DataError, SeedbedError
from seedbed.core.ledger import masked
from seedbed.core.rows import ROW
from seedbed.core.task import Task, answers_said
from seedbed.core.version import __version__
from seedbed.store.places import arriving
from seedbed.train.terms import Kind, Terms, features_of

from .nearest import MOST_ROWS, SHOWN, NearRow, first_of

if TYPE_CHECKING:
    from seedbed.monitor.trained import Trained

    from .near_tables import TableIndex

#: Rows of which terms are learned, and those that are cut up together.
_LEARNED, _TOGETHER = 20_000, 5_000
#: Characters of a row that are compared.
_COMPARED = 2_000
#: Rows that are told at most.
MOST = 20
_KINDS: tuple[tuple[Kind, tuple[int, int]], ...] = (("words", (1, 1)), ("characters", (3, 3)))
_MOST_TERMS = 50_000
_PARTS = ("data", "indices", "indptr")
#: Seconds that whoever asks first waits for the index; then it is told to come again.
_PATIENCE = 4.0


class NotReadyError(Exception):
    """The index is just being made."""


@dataclass
class Near:
    """The training rows of a run. The index is made when it is first asked for, by a thread of its own.

    Args:
        files: The Parquet files of the training rows.
        task: What the rows are for.
        store: Where the index is kept.
        texts: Whether texts and values are told, or only the rows' names and labels.
        here: Whether only this machine may ask.
        trained: Of a table, what training rows held of the columns that are compared.
    """

    files: Sequence[Path]
    task: Task
    store: Path
    texts: bool = True
    here: bool = True
    trained: Mapping[str, Trained] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _made: _Index | TableIndex | SeedbedError | None = None
    _making: threading.Thread | None = None

    def to(self, asked: str | pl.DataFrame, most: int) -> tuple[list[NearRow], int]:
        """The rows that are most like what is asked about, the nearest first, and how many were looked through.

        Args:
            asked: A text, or one row of a table as the model reads it.
            most: How many, `MOST` at most.

        Raises:
            NotReadyError: The index is just being made.
            DataError: The rows cannot be read.
        """
        index = self._index()
        if isinstance(asked, pl.DataFrame):
            return cast("TableIndex", index).nearest(asked, min(most, MOST), texts=self.texts), index.rows.height
        places, alike = cast(_Index, index).nearest(asked[:_COMPARED], min(most, MOST))
        rows = index.rows[places]
        shown = rows.select(masked(pl.col("text")).str.slice(0, SHOWN)).to_series()
        told = zip(rows[ROW], rows["label"], alike, shown, strict=True)
        found = [
            NearRow(row, label, round(float(one), 4), text if self.texts else None) for row, label, one, text in told
        ]
        return found, index.rows.height

    def _index(self) -> _Index | TableIndex:
        with self._lock:
            if self._making is None:
                self._making = threading.Thread(target=self._make, name="index", daemon=True)
                self._making.start()
        self._making.join(_PATIENCE)
        if self._made is None:
            raise NotReadyError
        if isinstance(self._made, SeedbedError):
            raise self._made
        return self._made

    def _make(self) -> None:
        try:
            self._made = self._opened()
        except SeedbedError as error:
            self._made = error
        except Exception as error:  # noqa: BLE001 - whoever asks is told; the server goes on
            self._made = DataError(f"the training rows cannot be read ({type(error).__name__})")

    def _opened(self) -> _Index | TableIndex:
        if self.task.shown is not None:
            return _Index.open(self.files, self.task, self.store)
        from .near_tables import TableIndex

        return TableIndex.open(self.files, self.task, self.store, self.trained)


@dataclass(frozen=True)
class _Index:
    terms: tuple[Terms, ...]
    matrix: Any
    """Sparse (CSR), shape (rows, terms); of each kind of terms a row has length 1."""
    rows: pl.DataFrame
    """`ROW`, `label`, `text`, mapped."""

    @classmethod
    def open(cls, files: Sequence[Path], task: Task, store: Path) -> _Index:
        """The index that is kept, or a new one."""
        made_from = [[str(path.name), digest.of_file(path)] for path in files]
        place = store / "near" / digest.of_json([made_from, task.shown, task.answer, MOST_ROWS, __version__])
        if not place.is_dir():
            with arriving(place, replacing=False) as partial:
                partial.mkdir()
                _write(partial, files, task)
        return cls.read(place)

    @classmethod
    def read(cls, place: Path) -> _Index:
        """What `_write` wrote."""
        import pyarrow as pa  # only here: a server that nobody asks about training rows does without
        from scipy.sparse import csr_array

        data, indices, indptr = (np.load(place / f"{part}.npy", mmap_mode="r") for part in _PARTS)
        told = orjson.loads((place / "terms.json").read_bytes())
        terms = tuple(
            Terms(kind, (low, high), tuple(told[kind]), np.load(place / f"idf.{kind}.npy"))
            for kind, (low, high) in _KINDS
            if kind in told
        )
        width = sum(len(one.vocabulary) for one in terms)
        matrix = csr_array((data, indices, indptr), shape=(len(indptr) - 1, width), copy=False)
        with pa.memory_map(str(place / "rows.arrow")) as mapped:
            rows = pl.from_arrow(pa.ipc.open_file(mapped).read_all(), rechunk=False)
        return cls(terms, matrix, cast(pl.DataFrame, rows))

    def nearest(self, text: str, most: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Places of the rows that are most like a text, and how like: those that share no term are not."""
        if not self.terms or not self.rows.height:
            return np.zeros(0, dtype=np.int64), np.zeros(0)
        asked = features_of(self.terms, [text]).toarray()[0]
        return first_of(np.asarray(self.matrix @ asked, dtype=np.float64) / len(self.terms), most)


def _write(folder: Path, files: Sequence[Path], task: Task) -> None:
    """Write the index of some files, a few thousand rows at a time."""
    height = sum(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item() for path in files)
    step = max(1, -(-height // MOST_ROWS))
    every = max(1, -(-height // step // _LEARNED))
    sample = [text for piece in _pieces(files, task, step) for text in piece["compared"].gather_every(every).to_list()]
    learned = [Terms.learn(kind, lengths, sample, min_df=1, max_features=_MOST_TERMS) for kind, lengths in _KINDS]
    terms = [one[0] for one in learned if one is not None]
    for one in terms:
        np.save(folder / f"idf.{one.kind}.npy", one.idf)
    (folder / "terms.json").write_bytes(orjson.dumps({one.kind: one.vocabulary for one in terms}))
    ends, kept = [np.zeros(1, dtype=np.int64)], []
    with (folder / "data.raw").open("wb") as data, (folder / "indices.raw").open("wb") as indices:
        for piece in _pieces(files, task, step):
            kept.append(piece.drop("compared"))
            if not terms:
                continue
            found = features_of(terms, piece["compared"].to_list())
            data.write(found.data.astype(np.float32).tobytes())
            indices.write(found.indices.astype(np.int32).tobytes())
            ends.append(ends[-1][-1] + found.indptr[1:].astype(np.int64))
    np.save(folder / "indptr.npy", np.concatenate(ends))
    for name, kind in (("data", np.float32), ("indices", np.int32)):
        _as_array(folder / f"{name}.raw", folder / f"{name}.npy", kind)
    rows = pl.concat(kept) if kept else pl.DataFrame(schema={ROW: pl.String, "label": pl.String, "text": pl.String})
    rows.write_ipc(folder / "rows.arrow", compression="uncompressed", compat_level=pl.CompatLevel.newest())


def _pieces(files: Sequence[Path], task: Task, step: int) -> Iterator[pl.DataFrame]:
    """Every so manieth row: `ROW`, `label`, `text`, `compared`."""
    for path in files:
        whole = pl.scan_parquet(path, glob=False)
        names = whole.collect_schema().names()
        if task.shown not in names:
            raise DataError(f"the training rows have no column {task.shown!r}", at=path.name)
        wanted = [name for name in (ROW, task.shown, task.answer) if name in names]
        height = whole.select(pl.len()).collect().item()
        for start in range(0, height, _TOGETHER * step):
            rows = whole.select(wanted).slice(start, _TOGETHER * step).gather_every(step).collect()
            text = rows[task.shown].cast(pl.String).fill_null("")
            answer = answers_said(task, rows[task.answer]) if task.answer in names else pl.Series([None] * len(rows))
            yield pl.DataFrame(
                {
                    ROW: rows[ROW],
                    "label": answer.cast(pl.String),
                    "text": text.str.slice(0, 2 * SHOWN),  # masked before it is cut, so that no number is shown in part
                    "compared": text.str.slice(0, _COMPARED),
                }
            )


def _as_array(raw: Path, place: Path, kind: Any) -> None:
    """What was written piece by piece, as a file of NumPy."""
    size = raw.stat().st_size // np.dtype(kind).itemsize
    with place.open("wb") as file, raw.open("rb") as values:
        header = {"descr": np.lib.format.dtype_to_descr(np.dtype(kind)), "fortran_order": False, "shape": (size,)}
        np.lib.format.write_array_header_1_0(file, header)
        shutil.copyfileobj(values, file)
    raw.unlink()
