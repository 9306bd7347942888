"""What becomes of a piece of a file that is labelled, in whichever process; and pieces in order."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from seedbed import sources, steps
from seedbed.core.errors import DataError, ModelError, told_as
from seedbed.core.metric import Score
from seedbed.core.rows import NUMBER, ROW, number_rows
from seedbed.core.source import Block
from seedbed.core.values import HAS_TEXT
from seedbed.engine.jobs import Opened, conform
from seedbed.flow.truth import InWords
from seedbed.serve.predictor import BATCH, Predictor
from seedbed.train.threads import one_thread

#: Columns that may come out besides those of the file.
ADDED = ("predicted", "start", "confidence", "probabilities", "nats", "tokens", "warnings")
#: Columns that come besides, where the model's bundle keeps promises or thresholds.
KEPT = ("decided", "set", "low", "high")
#: Bytes of a block that a worker labels at once: a model may be slow.
_PIECE = 256 << 10


@dataclass
class Labelled:
    """What came of labelling a file."""

    rows: int = 0
    """Records of the input, each of which is a row of the output."""
    malformed: int = 0
    """Records that could not be read; they have no label, and a warning says why."""
    warned: int = 0
    """Labelled rows with a warning."""
    empty: int = 0
    """Those of them that leave the model nothing to read: they have a label, as an empty text that is served has."""
    predicted: Counter[str] = field(default_factory=Counter)
    labelled: int = 0
    """Rows that bring a label of their own."""
    strange: int = 0
    """Those of them whose label is none of the model's."""
    right: int = 0
    """Those that the model gave the label that they bring."""
    notes: tuple[str, ...] = ()

    def add(self, more: Labelled) -> None:
        """Count what came of another piece, too."""
        self.predicted.update(more.predicted)
        for name in ("rows", "malformed", "warned", "empty", "labelled", "strange", "right"):
            setattr(self, name, getattr(self, name) + getattr(more, name))

    def accuracy(self, level: float = 0.95) -> Score | None:
        """Share of the rows with a label that got it, with the exact interval of Clopper and Pearson (1934).

        None where there is no such row, or where any has a label that is none of the model's: what is left would be
        no fair sample.
        """
        if not self.labelled or self.strange:
            return None
        from scipy.stats import binomtest

        ends = binomtest(self.right, self.labelled).proportion_ci(level, method="exact")
        return Score(value=self.right / self.labelled, low=float(ends.low), high=float(ends.high), n=self.labelled)


@dataclass(frozen=True)
class Piece:
    """One of the parts of a block, each of which is some of the batches that a model sees at once."""

    number: int
    """Of all pieces of the file."""
    block: Block
    part: int
    parts: int

    @property
    def size(self) -> float:
        """Bytes of input that it stands for."""
        return self.block.size / self.parts


@dataclass(frozen=True)
class Outcome:
    """A piece with its labels."""

    number: int
    size: float
    frames: list[pl.DataFrame]
    """A frame for each batch."""
    counts: Labelled


def pieces_of(blocks: Iterable[Block]) -> Iterator[Piece]:
    """The pieces of blocks, in order."""
    number = 0
    for block in blocks:
        parts = max(1, -(-block.size // _PIECE))
        for part in range(parts):
            yield Piece(number, block, part, parts)
            number += 1


@dataclass(frozen=True)
class Labelling:
    """How the records of a file are labelled. It pickles."""

    opened: Opened
    reading: Mapping[str, str]
    """The model's inputs by the columns that they are read from."""
    model: Path
    """The bundle's folder."""
    digest: str
    """Of the model."""
    trust: bool
    call: str
    """Tells this file from others that a process has labelled."""
    probabilities: int | None = None
    """How many labels come with their probability, the most probable first; all in a fixed order when left out."""

    def __call__(self, piece: Piece) -> Outcome:
        """Label a piece in a process that opens the model for itself.

        Raises:
            DataError: The file cannot be read.
            ModelError: The model is not there, is another one, or failed.
        """
        with one_thread():  # workers, not threads, share the cores
            return self.outcome(_opened(self.model, self.digest, self.trust), piece)

    def outcome(self, predictor: Predictor, piece: Piece) -> Outcome:
        """Label a piece with a model that is open."""
        rows, counts = _LAST.rows(self, piece.block), Labelled()
        batches = -(-rows.height // BATCH)
        first, end = (batches * place // piece.parts for place in (piece.part, piece.part + 1))
        frames = [labelled(predictor, rows.slice(batch * BATCH, BATCH), self, counts) for batch in range(first, end)]
        return Outcome(piece.number, piece.size, frames, counts)


class _Last:
    """The block that was parsed last: its pieces come one after the other."""

    def __init__(self) -> None:
        self.key: tuple[str, int, int] = ("", 0, 0)
        self.parsed = pl.DataFrame()

    def rows(self, labelling: Labelling, block: Block) -> pl.DataFrame:
        key = labelling.call, block.file, block.first_record
        if key != self.key:
            self.parsed = records_of(labelling.opened, block)
            self.key = key
        return self.parsed


_LAST = _Last()


@lru_cache(maxsize=1)
def _opened(folder: Path, digest: str, trust: bool) -> Predictor:
    if not folder.is_dir():
        raise ModelError(
            "a node of the cluster does not see the model",
            at=str(folder),
            hint="put the run onto a file system that all nodes share, under one path",
        )
    for package, one in ((sources, "Csv"), (steps, "Normalize")):
        getattr(package, one)  # a worker imports parts when one is asked for, and a bundle's steps are known by name
    found = Predictor.open(folder, trust=trust)
    if found.digest != digest:
        raise ModelError("a worker found another model here", at=str(folder), hint="do not change a model in use")
    found.check_golden()
    return found


def in_order(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Outcomes by their numbers, from 0 on; those that come before their turn wait on disk."""
    following = 0
    with TemporaryDirectory(prefix="seedbed-") as place:
        early = {}
        for outcome in outcomes:
            if outcome.number != following:
                early[outcome.number] = Path(place) / str(outcome.number)
                early[outcome.number].write_bytes(pickle.dumps(outcome))
                continue
            yield outcome
            following += 1
            while following in early:
                path = early.pop(following)
                yield pickle.loads(path.read_bytes())
                path.unlink()
                following += 1


def records_of(opened: Opened, block: Block) -> pl.DataFrame:
    """The records of a block, in order: rows, and those that are none with what is wrong in `BAD`."""
    name = opened.scan.files[block.file].name
    with told_as(DataError, name, about=f"records from {block.first_record}"):
        parsed = opened.source.parse(block, opened.scan)
    schema = pl.Schema({new: opened.scan.schema[old] for new, old in opened.renames.items()})
    rows = number_rows(
        conform(parsed.table, opened.renames, schema),
        file_number=block.file, source=opened.name, file=name, records=parsed.records,
    ).with_columns(pl.lit(None, pl.String).alias(BAD))  # fmt: skip
    bad = parsed.malformed
    if bad.height:
        lost = number_rows(
            bad.select(pl.format("it could not be read: {}, line {}", "reason", "line").alias(BAD)),
            file_number=block.file, source=opened.name, file=name, records=bad["record"],
        )  # fmt: skip
        rows = pl.concat([rows, lost], how="diagonal").sort(NUMBER)
    return rows


BAD = "\x00bad"


def labelled(predictor: Predictor, rows: pl.DataFrame, how: Labelling, done: Labelled) -> pl.DataFrame:
    """Rows with their labels; malformed ones without. What came of them is counted."""
    good = rows[BAD].is_null()
    given = rows.filter(good)
    found = predictor.predict(given.select(pl.col(column).alias(name) for name, column in how.reading.items()))
    _count(predictor, rows, given, found, done)
    if how.probabilities is not None:
        found = _with_fewer(found, how.probabilities)
    if given.height < rows.height:
        places = pl.DataFrame({"at": good.arg_true()}).hstack(found)
        found = pl.DataFrame({"at": pl.int_range(rows.height, eager=True, dtype=pl.UInt32)})
        found = found.join(places, on="at", how="left", maintain_order="left").drop("at")
        said = pl.concat_list(rows[BAD])
        found = found.with_columns(pl.when(good).then("warnings").otherwise(said).alias("warnings"))
    added = [name for name in (*ADDED[:-1], *KEPT, ADDED[-1]) if name in found.columns]
    taken = {ROW, *ADDED, *added}
    own = [name for name in rows.columns if name not in (NUMBER, ROW, BAD)]
    names = {name: _free(name, own) if name in taken else name for name in own}
    return rows.select(ROW, **{new: pl.col(old) for old, new in names.items()}).hstack(found.select(added))


def _with_fewer(found: pl.DataFrame, most: int) -> pl.DataFrame:
    """Answers with the probabilities of so many labels, the most probable first, each as `label` and `probability`."""
    if not isinstance(found.schema.get("probabilities"), pl.Struct):
        return found
    if most == 0:
        return found.drop("probabilities")
    shares = found["probabilities"].struct.unnest()
    labels, values, most = np.array(shares.columns), shares.to_numpy(), min(most, shares.width)
    order = np.argsort(-values, axis=1, kind="stable")[:, :most]
    kept = {"label": labels[order].ravel(), "probability": np.take_along_axis(values, order, axis=1).ravel()}
    pairs = pl.DataFrame(kept, schema={"label": pl.String, "probability": pl.Float64})
    return found.with_columns(pairs.to_struct("probabilities").reshape((found.height, most)))


def _free(name: str, taken: list[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _count(predictor: Predictor, rows: pl.DataFrame, given: pl.DataFrame, found: pl.DataFrame, done: Labelled) -> None:
    done.rows += rows.height
    done.malformed += rows.height - given.height
    done.warned += int((found["warnings"].list.len() > 0).sum())
    done.empty += int((~found["read"].str.contains(HAS_TEXT)).sum())
    task = predictor.bundle.task
    if task.says != "label":
        return
    done.predicted.update(found["predicted"].to_list())
    if task.answer in given.columns and not given[task.answer].dtype.is_nested():
        said = _words(predictor).of_source(given)
        assert said is not None
        brought = given[task.answer].is_not_null()
        done.labelled += int(brought.sum())
        done.strange += int((brought & said.told.is_null()).sum())
        done.right += int((said.told == found["predicted"]).sum())


@lru_cache(maxsize=4)
def _words(predictor: Predictor) -> InWords:
    """What makes a file's labels the model's: the steps that wrote them in training."""
    return InWords.of(predictor)
