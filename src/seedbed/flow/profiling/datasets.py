"""The profile of a dataset: of a run, or of a folder with Parquet files; as a whole and by split."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from seedbed.core.context import Context
from seedbed.core.profile import VERSION, DatasetProfile
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.run import Run
from seedbed.core.task import AnyTask, Task
from seedbed.core.version import __version__
from seedbed.engine.pool import Pool
from seedbed.flow.versions.sides import open_side
from seedbed.profile import roles_of
from seedbed.profile.columns import column_profile
from seedbed.profile.measuring import Measurer, Plan, plan_of

from .files import Asked, refuse_unknown
from .jobs import MeasurePiece, measured, pieces_of

PROFILE_FILE = "profile.json"
#: Rows of each split by which kinds of columns are told.
_LOOKED_AT = 20_000


def profile_dataset(named: str, asked: Asked) -> DatasetProfile:
    """The profile of a run's dataset, or of a folder with Parquet files.

    What the run wrote is read where nothing else was asked for.

    Args:
        named: A run, however it is named, or a folder.
        asked: Columns and workers.

    Raises:
        DataError: There is no dataset, or it is damaged.
        RecipeError: There is no such column.
    """
    side = open_side(named)
    plain = Asked(workers=asked.workers, progress=asked.progress)
    if side.run and asked == plain and (kept := read_profile(side.folder, side.run)):
        return kept.model_copy(update={"named": named})
    context = asked.context(Path.cwd())
    refuse_unknown((*asked.columns, *filter(None, (asked.text, asked.label))), list(side.schema))
    text, label = asked.text or side.text, asked.label or side.label
    task = TypeAdapter[Task](AnyTask).validate_python(side.run.task) if side.run else None
    plan = plan_for(side.files, text=text, label=label, asked=asked, task=task)
    found = by_split(side.files, plan, context)
    digest_of = side.run.dataset.digest if side.run else ""
    return found.model_copy(update={"named": named, "digest": digest_of})


def read_profile(folder: Path, run: Run) -> DatasetProfile | None:
    """What a run wrote about its dataset; none where it is not there, of another version, or of another dataset."""
    try:
        found = DatasetProfile.model_validate_json((folder / PROFILE_FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    return found if found.version == VERSION and found.digest == run.dataset.digest else None


def plan_for(
    files: Mapping[str, Sequence[Path]],
    *,
    text: str | None,
    label: str | None,
    asked: Asked | None = None,
    task: Task | None = None,
) -> Plan:
    """What is measured of a dataset: kinds are told from the first rows of each split."""
    heads = [pl.scan_parquet(list(some), glob=False).head(_LOOKED_AT).collect() for some in files.values() if some]
    rows = pl.concat(heads, how="diagonal_relaxed") if heads else pl.DataFrame()
    rows = pl.DataFrame([column for column in rows if column.name not in (ROW, NUMBER)])
    asked = asked or Asked()
    if task is None and (text is None or label is None):
        looked = tuple(column_profile(column, shown=False) for column in rows.get_columns()[:1_000])
        roles = roles_of(looked, text, label) if looked and rows.height else None
        text, label = (roles.text, roles.label) if roles else (text, label)
    measures = task.measures() if task else {}
    return plan_of(rows, text=text, label=label, tokenizer=asked.tokenizer, only=asked.columns, measures=measures)


def by_split(files: Mapping[str, Sequence[Path]], plan: Plan, context: Context, *, near: bool = True) -> DatasetProfile:
    """Measure each split, and put the whole together from them."""
    heights = {name: [pq.read_metadata(file).num_rows for file in some] for name, some in files.items()}
    total = sum(map(sum, heights.values()))
    whole, splits = Measurer(plan), {}
    with context.stage("Measuring the dataset", total, "rows") as stage, Pool(context.workers) as pool:
        for name, some in files.items():
            pieces = (piece for file, rows in zip(some, heights[name], strict=True) for piece in pieces_of(file, rows))
            found = measured(plan, MeasurePiece(plan), pieces, pool, stage.advance)
            if len(files) > 1:
                splits[name] = found.profile(near=False, brief=True)
            whole.merge(found)
    return DatasetProfile(seedbed=__version__, whole=whole.profile(near=near), splits=splits)


def write_profile(folder: Path, profile: DatasetProfile) -> None:
    """Write a run's `profile.json`."""
    text = json.dumps(profile.model_dump(mode="json"), ensure_ascii=False)
    (folder / PROFILE_FILE).write_text(text + "\n", "utf-8")
