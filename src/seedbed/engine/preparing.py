"""Steps after the split, over all rows: what is learned and made is an artefact of the store, and so is every pass."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.errors import BooksError, DataError, told_as
from seedbed.core.ledger import STORED_LEDGER_SCHEMA
from seedbed.core.rows import NUMBER, PARENTS
from seedbed.core.step import Filter, Fitted, Map, Step
from seedbed.core.table import Table
from seedbed.store.store import Store

from .jobs import LEDGER, ROWS, SPARED, Pass, ShardJob, write_parquet
from .kernel import Kernel
from .making import MadeRows, Making
from .provenance import code_of, versions
from .units import Crew, Done, Unit
from .workers import Facts

#: Files of a unit that parts training rows from others.
TRAIN, OTHERS = "train.parquet", "others.parquet"
#: Libraries that parts learn with.
LIBRARIES = ("scikit-learn", "scipy")
_NO_ENTRIES = pl.DataFrame(schema=STORED_LEDGER_SCHEMA)
#: Made rows of a shard, about.
_SHARD = 50_000


@dataclass(frozen=True)
class _PartJob:
    """Parts the rows of a shard."""

    def __call__(self, todo: tuple[Path, NDArray[np.bool_]], folder: Path) -> Facts:
        """Training rows to one file, the others to another."""
        shard, training = todo
        rows, mask = pl.read_parquet(shard, glob=False), pl.Series(training, dtype=pl.Boolean)
        for name, some in ((TRAIN, rows.filter(mask)), (OTHERS, rows.filter(~mask))):
            write_parquet(some, folder / name)
        spared = shard.with_name(SPARED)
        if spared.exists():  # what people rescued stays rescued
            shutil.copyfile(spared, folder / SPARED)
        return {"read": rows.height}


def parted(table: Table, training: Mapping[Path, NDArray[np.bool_]], crew: Crew) -> tuple[Table, Table]:
    """Training rows and others, each in order.

    Args:
        table: All rows.
        training: By shard, whether each row is one to train on.
        crew: Does it.
    """
    code = [code_of(), versions()]
    units = [
        Unit(digest.of_json([_key_of(shard), hashlib.sha256(mask.tobytes()).hexdigest(), code]), (shard, mask))
        for shard, mask in training.items()
    ]
    artefact = Store.of(crew.context).artefact("passes", digest.of_json([unit.key for unit in units]))
    title = "Setting training rows apart"
    done = crew.work(artefact, _PartJob(), units, title=title, total=len(units), unit="shards")
    return Table(done.files(TRAIN)), Table(done.files(OTHERS))


def learn(step: Fitted, name: str, train: Table, context: Context) -> dict[str, Any]:
    """What a part learns from training rows, as it stands in the store.

    Raises:
        DataError: Nothing can be learned from these rows.
        BooksError: What was learned is not plain data.
    """
    place = Store.of(context).artefact("fitted", digest.of_json(["fit", *_asked(step, name, train, context)]))
    file = place.folder / "state.json"
    if not place.intact:
        place.done.unlink(missing_ok=True)  # damaged: learn again
        with context.stage(f"Learning: {name}"), told_as(DataError, name):
            state = step.fit(train.scan(), context.seed)
        file.write_text(plain(state, name), "utf-8")
        place.seal({}, file.name)
    found: dict[str, Any] = json.loads(file.read_bytes())
    return found


def plain(state: dict[str, Any], name: str) -> str:
    """What a part learned, as JSON.

    Raises:
        BooksError: It is not plain data, or holds a number that is none.
    """
    try:
        return json.dumps(state, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise BooksError(f"what {name} learned is not plain data ({error})", at=name) from None


@dataclass(frozen=True)
class _ApplyJob:
    """Applies row-wise steps to a shard, and takes columns away."""

    then: Pass
    drops: tuple[str, ...]

    def __call__(self, shard: Path, folder: Path) -> Facts:
        """Do one shard."""
        facts = ShardJob(self.then)(shard, folder)
        if self.drops:
            rows = pl.read_parquet(folder / ROWS, glob=False)
            write_parquet(rows.drop(self.drops), folder / ROWS)
        return facts


def applied(
    table: Table,
    steps: Sequence[tuple[str, Map | Filter]],
    made_from: Sequence[Any],
    crew: Crew,
    *,
    drops: Sequence[str],
    shown: str | None,
    changes: str,
) -> Done:
    """Rows after steps that learned.

    Args:
        table: The rows.
        steps: With their names in the ledger.
        made_from: What the steps are, as JSON: name, options, and what was learned.
        crew: Does it.
        drops: Columns that go.
        shown: Column whose excerpt stands in the ledger.
        changes: As in `Kernel`.
    """
    kernel = Kernel(tuple(steps), shown, "all" if changes == "all" else "sample")
    of_steps = digest.of_json([made_from, list(drops), shown, changes, code_of(), versions(*LIBRARIES)])
    units = [Unit(digest.of_json([of_steps, _key_of(shard)]), shard) for shard in table.shards]
    artefact = Store.of(crew.context).artefact("passes", digest.of_json([unit.key for unit in units]))
    job = _ApplyJob(Pass(kernel, crew.context.batch), tuple(drops))
    title = f"Applying: {made_from[0]}"
    return crew.work(artefact, job, units, title=title, total=len(units), unit="shards")


@dataclass(frozen=True)
class Made:
    """Rows that a part made, in the store."""

    table: Table
    parents: pl.DataFrame
    """`NUMBER` of each row that stays, and its `PARENTS`."""
    ledger: tuple[Path, ...]
    made: int
    near: int
    """Those of them that were rejected because they are near to a held-out row."""


def make(making: Making, train: Table, made_from: Any, context: Context) -> Made:
    """The rows that a part makes of training rows.

    Raises:
        DataError: The part cannot work on these rows.
        BooksError: It made rows that are none, or without parents.
    """
    asked = ["make", made_from, making.file, making.shown, *_asked(making.step, making.name, train, context)]
    place = Store.of(context).artefact("made", digest.of_json(asked))
    if not place.intact:
        place.done.unlink(missing_ok=True)  # damaged, or killed on the way: make again
        shards = 0
        counts = {"made": 0, "near": 0}
        with context.stage(f"Making rows: {making.name}", None, "rows") as stage:
            for some in _gathered(making(train.scan()), train.schema):
                folder = place.folder / f"{shards:05}"
                folder.mkdir(exist_ok=True)
                write_parquet(some.kept.drop(PARENTS), folder / ROWS)
                write_parquet(some.kept.select(NUMBER, PARENTS), folder / "parents.parquet")
                write_parquet(some.entries, folder / LEDGER)
                counts["made"] += some.made
                counts["near"] += some.near
                shards += 1
                stage.advance(some.made)
        files = [f"{at:05}/{name}" for at in range(shards) for name in (ROWS, "parents.parquet", LEDGER)]
        place.seal({"shards": shards, **counts}, *files)
    facts = place.facts()
    folders = [place.folder / f"{at:05}" for at in range(facts["shards"])]
    empty = pl.DataFrame(schema={NUMBER: pl.UInt64, PARENTS: pl.List(pl.String)})
    return Made(
        table=Table(tuple(folder / ROWS for folder in folders)),
        parents=pl.concat([empty, *(pl.read_parquet(folder / "parents.parquet") for folder in folders)]),
        ledger=tuple(folder / LEDGER for folder in folders),
        made=facts["made"],
        near=facts["near"],
    )


def _gathered(found: Iterator[MadeRows], schema: pl.Schema) -> Iterator[MadeRows]:
    """Made rows in shards of some size, however few a part makes at once; one without rows where it makes none."""
    waiting = [MadeRows(pl.DataFrame(schema={**schema, PARENTS: pl.List(pl.String)}), _NO_ENTRIES, 0, 0)]
    for some in found:
        waiting.append(some)
        if sum(one.made for one in waiting) >= _SHARD:
            yield _together(waiting)
            waiting = []
    if waiting:
        yield _together(waiting)


def _together(found: Sequence[MadeRows]) -> MadeRows:
    kept, entries = pl.concat([one.kept for one in found]), pl.concat([one.entries for one in found])
    return MadeRows(kept, entries, sum(one.made for one in found), sum(one.near for one in found))


def _asked(step: Step, name: str, train: Table, context: Context) -> list[Any]:
    """What comes out depends on the part, its code and the rows."""
    options = [name, step.model_dump(mode="json"), step.made_from(), context.seed]
    return [*options, keys_of(train), code_of(type(step)), versions(*LIBRARIES)]


def _key_of(shard: Path) -> str:
    """The key of what a shard is a file of, and which file it is."""
    inside = shard.parent.name if len(shard.parent.name) > 5 else f"{shard.parent.parent.name}/{shard.parent.name}"
    return f"{inside}/{shard.name}"


def keys_of(table: Table) -> list[str]:
    """The keys of what a table's shards are files of."""
    return [_key_of(shard) for shard in table.shards]
