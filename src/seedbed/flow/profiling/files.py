"""The profile of a file of any kind that `seedbed init` reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from seedbed.core.context import Context, Progress, current, workers_for
from seedbed.core.errors import RecipeError, did_you_mean
from seedbed.core.profile import DatasetProfile, TableProfile
from seedbed.core.rows import ROW
from seedbed.core.version import __version__
from seedbed.engine.jobs import Opened
from seedbed.engine.plan import renames_of
from seedbed.engine.pool import Pool
from seedbed.flow.recognising import Recognised, recognise
from seedbed.profile import ColumnProfile, Roles, column_profile, roles_of
from seedbed.profile.measuring import Measurer, Plan, plan_of

from .jobs import MeasureBlocks, measured, together

_NAME = "file"
#: Columns that are looked at for roles.
_MOST = 1_000
#: Rows, from all over the sample, by which kinds and roles are told.
_LOOKED_AT = 20_000


@dataclass(frozen=True)
class Asked:
    """What a person said of the profile that they want."""

    text: str | None = None
    label: str | None = None
    columns: tuple[str, ...] = ()
    tokenizer: str = ""
    sample: int | None = None
    workers: int | None = None
    progress: Progress | None = None

    def context(self, base: Path) -> Context:
        """For what is read in a folder."""
        return Context(base=base, workers=workers_for(self.workers), progress=self.progress or Context().progress)


def profile_file(file: str, asked: Asked) -> DatasetProfile:
    """Measure a file, in memory that does not grow with it.

    Args:
        file: File, folder, glob or URL, relative to the current folder.
        asked: Columns, sample and workers.

    Raises:
        DataError: It cannot be read.
        RecipeError: There is no such column.
    """
    context = asked.context(Path.cwd())
    with current(context):
        known = recognise(file, context)
        names = known.sample.rows.columns
        refuse_unknown((*asked.columns, *filter(None, (asked.text, asked.label))), names)
        plan, roles = _plan(known, asked)
        rows = _sampled(known, plan, asked.sample) if asked.sample else _all_rows(known, plan, context)
    found = {"read as": known.source.use, **known.scan.found}
    notes = [*known.notes, *known.scan.notes, *_chosen(roles, asked, plan)]
    if asked.sample:
        notes.append(f"a sample of {rows.rows:,} of about {known.sample.records:,} rows, spread over the file")
    whole = rows.model_copy(update={"notes": (*notes, *rows.notes)})
    return DatasetProfile(seedbed=__version__, named=file, found=found, whole=whole)


def refuse_unknown(asked: Sequence[str], names: Sequence[str]) -> None:
    """Refuse columns that are not there.

    Raises:
        RecipeError: One is not.
    """
    for name in asked:
        if name not in names:
            raise RecipeError(f"there is no column {name[:80]!r}", hint=did_you_mean(name, names))


def _plan(known: Recognised, asked: Asked) -> tuple[Plan, Roles | None]:
    rows = known.sample.rows
    rows = rows.gather_every(max(1, rows.height // _LOOKED_AT))
    looked: dict[str, ColumnProfile] = {name: column_profile(rows[name], shown=False) for name in rows.columns[:_MOST]}
    roles = roles_of(tuple(looked.values()), asked.text, asked.label) if looked and rows.height else None
    text, label = (roles.text, roles.label) if roles else (asked.text, asked.label)
    if asked.columns:
        text, label = (
            name if name in asked.columns or name in (asked.text, asked.label) else None for name in (text, label)
        )
    only = (*asked.columns, *filter(None, (asked.text, asked.label))) if asked.columns else ()
    return plan_of(rows, text=text, label=label, tokenizer=asked.tokenizer, only=only, columns=looked), roles


def _chosen(roles: Roles | None, asked: Asked, plan: Plan) -> list[str]:
    """Which columns were taken for the text and the label, where nobody said."""
    if roles is None:
        return []
    told = []
    if plan.text and not asked.text:
        told.append(f"{plan.text!r} is taken for the text ({roles.why_text}); --text says otherwise")
    if plan.label and not asked.label:
        told.append(f"{plan.label!r} is taken for the label ({roles.why_label}); --label says otherwise")
    return told


def _all_rows(known: Recognised, plan: Plan, context: Context) -> TableProfile:
    opened = Opened(known.source, known.scan, known.source.use, _NAME, 0, renames_of(known.source, known.scan, "file"))
    schema = pl.Schema({new: known.scan.schema[old] for new, old in opened.renames.items()})
    size = max(sum(file.size for file in known.scan.files), 1)
    blocks = together(known.source.blocks(known.scan, context), len(plan.columns))
    job = MeasureBlocks(plan, opened, schema, context.batch)
    with context.stage("Measuring", size, "B") as stage, Pool(context.workers) as pool:
        found = measured(plan, job, blocks, pool, stage.advance)
    return _told(found, schema)


def _sampled(known: Recognised, plan: Plan, most: int) -> TableProfile:
    rows = known.sample.rows
    places = pl.Series(ROW, [f"{_NAME}:sample#"]).new_from_index(0, rows.height)
    numbers = pl.int_range(1, rows.height + 1, eager=True).cast(pl.String)
    numbered = pl.DataFrame([places + numbers, *rows.get_columns()])
    chosen = numbered.select(pl.int_range(pl.len()).shuffle(seed=13)).to_series().head(most).sort()
    return _told(Measurer(plan).add(numbered[chosen]), rows.schema)


def _told(found: Measurer, schema: pl.Schema) -> TableProfile:
    if not found.columns:  # no block: columns without rows
        found.add(pl.DataFrame(schema={ROW: pl.String, **schema}))
    return found.profile()
