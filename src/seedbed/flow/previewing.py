"""What a run would do: its passes, what of them the store holds, and an estimate of the rest. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.context import Context, Progress, current
from seedbed.core.errors import NotKept
from seedbed.core.numbers import things
from seedbed.core.source import Source
from seedbed.core.step import Make, Step
from seedbed.engine.cluster import foretold
from seedbed.engine.curate import Curation
from seedbed.engine.foreseen import Foreseen, Sample, foresee
from seedbed.engine.jobs import Opened
from seedbed.engine.passes import Passes
from seedbed.engine.pool import Pool
from seedbed.engine.units import Crew
from seedbed.recipe.loading import Loaded
from seedbed.recipe.recipe import Recipe
from seedbed.recipe.sections import LearningCurve

from .beginning import context_of, later_parts, refuse_what_cannot_run, told_by
from .judging.foretold import JudgeForetold, foretell
from .judging.scrutiny import refuse_before
from .quick_look import limited
from .recognising import looked_at

#: Rows of each source whose texts are looked at.
_LOOKED_AT = 2_000
_NO_SAMPLE = Sample(rows=0, blocks=0, bytes=0, of_bytes=0)


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True)


class Before(_Fact):
    """A source as it was found."""

    name: str
    use: str
    path: str
    files: int
    bytes: int
    columns: tuple[str, ...]


class StepEstimate(_Fact):
    """What a part does to rows."""

    part: str
    rows_in: int
    rows_out: int
    changed: int
    rejected: dict[str, int] = Field(description="Rows by reason.")


class PassEstimate(_Fact):
    """A pass over all rows."""

    steps: tuple[str, ...] = Field(description="Row-wise steps, in order; the task's own filter is called `task`.")
    ends_with: str | None = Field(description="The whole-table step that its rows are compared for afterwards.")
    there: bool = Field(description="Whether the store holds all of it, so that nothing is done.")
    judged: bool = Field(description="Whether the store holds what the whole-table step said.")
    units: int | None = Field(description="Pieces of work; none where that shows only in the pass before.")
    units_there: int | None = Field(description="Those that the store holds.")
    estimates: tuple[StepEstimate, ...]
    cpu_seconds: float = Field(description="Of what is to do; the comparison by a whole-table step not counted.")
    bytes: int = Field(description="What is to come into the store.")


class Preview(_Fact):
    """What a run would do."""

    name: str
    sources: tuple[Before, ...]
    passes: tuple[PassEstimate, ...]
    sample_rows: int = Field(description="Rows that the estimates rest on.")
    sample_blocks: int
    sample_bytes: int
    of_bytes: int
    workers: int = Field(description="Processes of this machine, or cores of a cluster that is started on it.")
    cluster: str = Field("", description="The Ray cluster that would do the work, which was not asked; else empty.")
    store: str
    fetches: tuple[str, ...] = Field(
        (), description="What would be fetched, which a preview never does. Where it is not kept, nothing is estimated."
    )
    judge: JudgeForetold | None = Field(None, description="What `judged_by` would ask, and about what it would cost.")
    then: tuple[str, ...] = Field(description="What else a run does, which is not estimated.")


def preview(
    loaded: Loaded,
    *,
    workers: int | None = None,
    batch: int | None = None,
    progress: Progress | None = None,
    limit: int | None = None,
    refresh: bool = False,
    cluster: str | None = None,
) -> Preview:
    """Do all that a run does before its first pass but fetch, and tell what would come.

    Args:
        loaded: The recipe.
        workers: Worker processes of the run.
        batch: Most rows that a step sees at once.
        progress: Where progress is shown.
        limit: As of a run.
        refresh: Whether what was fetched before would be fetched again.
        cluster: As of a run; no cluster is asked or started.

    Raises:
        RecipeError: The recipe does not fit the data.
        DataError: A source cannot be read.
        ModelError: The cluster's address is none that a run could use.
        MissingExtraError: Packages that a part or the engine needs are not installed.
    """
    with told_by(loaded):
        if limit is not None:
            loaded = limited(loaded, limit)
        recipe = loaded.recipe
        context = replace(context_of(loaded, workers, batch, progress), offline=True)
        refuse_what_cannot_run(recipe)
        refuse_before(recipe.evaluate, recipe.task, context)
        by = "" if cluster is None else foretold(replace(context, address=cluster))
        with current(context):
            fetches, missing = _to_fetch(recipe, context, refresh)
            seen = _Seen() if missing else _look(recipe, context)
    judge = _judge(recipe, seen, context)
    return Preview(
        name=recipe.name,
        sources=seen.sources,
        passes=seen.passes,
        sample_rows=seen.sample.rows,
        sample_blocks=seen.sample.blocks,
        sample_bytes=round(seen.sample.bytes),
        of_bytes=round(seen.sample.of_bytes),
        workers=context.workers,
        cluster=by,
        store=str(context.store),
        fetches=fetches,
        judge=judge,
        then=(*(["read and clean"] if missing else []), *_then(recipe, seen.passes, judge)),
    )


@dataclass(frozen=True)
class _Seen:
    """What was seen of the data: nothing, while some of the sources are not fetched yet."""

    opened: tuple[Opened, ...] = ()
    passes: tuple[PassEstimate, ...] = ()
    sample: Sample = _NO_SAMPLE

    @property
    def sources(self) -> tuple[Before, ...]:
        return tuple(
            Before(
                name=one.name,
                use=one.source.use,
                path=one.source.address,
                files=len(one.scan.files),
                bytes=sum(file.size for file in one.scan.files),
                columns=tuple(one.renames),
            )
            for one in self.opened
        )


def _look(recipe: Recipe, context: Context) -> _Seen:
    """Open the sources, and estimate the passes."""
    curation = Curation(
        recipe.sources, recipe.steps, recipe.task, context, recipe.ledger.changes, also=later_parts(recipe)
    )
    opened, schema, legs = curation.planned()
    passes = Passes(opened, schema, recipe.task, Crew(context, Pool(1)), recipe.ledger.changes)
    found, sample = foresee(passes, legs)
    first = [one.part for one in opened]
    estimates = (_estimate(one, first if place == 0 else []) for place, one in enumerate(found))
    return _Seen(tuple(opened), tuple(estimates), sample)


def _to_fetch(recipe: Recipe, context: Context, refresh: bool) -> tuple[tuple[str, ...], bool]:
    """What a run would fetch, and whether some of it is not kept."""
    told, missing = [], False
    for source in (*recipe.sources, *_seconds_of(recipe.steps)):
        try:
            scan = source.scan(context)
            fetched = bool(scan.fetching) or any(file.origin for file in scan.files)
        except NotKept as error:
            told.append(f"{source.address} ({error.problem})")
            missing = True
            continue
        when = getattr(source, "refresh", "never")
        if fetched and (refresh or when != "never"):
            what = "what is new of it" if when == "new" and not refresh else "again"
            told.append(f"{source.address} ({what})")
    return tuple(told), missing


def _seconds_of(steps: Sequence[Step]) -> Iterator[Source]:
    """The sources that steps name in their options."""
    for step in steps:
        for name in type(step).model_fields:
            held = getattr(step, name)
            yield from (one for one in (held if isinstance(held, list | tuple) else [held]) if isinstance(one, Source))


def _estimate(one: Foreseen, sources: list[str]) -> PassEstimate:
    tried, leg = one.tried, one.leg
    left, estimates = tried.read, []
    names = [*sources, *(name for name, _ in leg.steps)]
    for name in names:
        rejected = tried.rejected.get(name, {})
        out = left - sum(rejected.values())
        estimates.append(
            StepEstimate(
                part=name,
                rows_in=round(left),
                rows_out=round(out),
                changed=round(tried.changed.get(name, 0)),
                rejected={why: round(rows) for why, rows in rejected.items()},
            )
        )
        left = out
    share = 0.0 if one.there else 1 - (one.units_there or 0) / (one.units or 1)
    return PassEstimate(
        steps=tuple(name for name, _ in leg.steps),
        ends_with=leg.ends_with[0] if leg.ends_with else None,
        there=one.there,
        judged=one.judged,
        units=one.units,
        units_there=one.units_there,
        estimates=tuple(estimates),
        cpu_seconds=round(share * tried.seconds, 3),
        bytes=round(share * tried.bytes),
    )


def _paid(recipe: Any) -> Iterator[str]:
    """What `prepare` costs after training."""
    makes = any(isinstance(step, Make) for step in recipe.prepare) or any(one.trains_only for one in recipe.sources)
    if recipe.train and (recipe.prepare or makes) and recipe.evaluate.effect:
        kinds = makes + any(not isinstance(step, Make) for step in recipe.prepare)
        more = "once" if kinds == 1 else "twice"
        yield f"effect of what is made and prepared: the best model {more} more (evaluate.effect=false leaves it out)"
    curve = recipe.evaluate.curve
    if recipe.train and (curve or (curve is None and makes)):
        asked = curve if isinstance(curve, LearningCurve) else LearningCurve()
        with_made = "with and without made rows " if makes else ""
        parts = f"{things(len(asked.shares), 'part')} of the training rows {with_made}"
        yield f"learning curve: {asked.model or 'a quick model'} on {parts}(evaluate.curve=false leaves it out)"


def _judge(recipe: Recipe, seen: _Seen, context: Context) -> JudgeForetold | None:
    """What `judged_by` would ask; none where there is no judge."""
    asked = recipe.evaluate.judged_by
    if asked is None:
        return None
    share = getattr(recipe.split, "test", None)
    last = seen.passes[-1].estimates if seen.passes else ()
    kept = last[-1].rows_out if last else None
    test_rows = kept * share if kept and isinstance(share, float) else None
    sample = [looked_at(one.source, one.scan, context).rows.head(_LOOKED_AT) for one in seen.opened]
    people = recipe.evaluate.people is not None
    return foretell(asked, recipe.task, len(recipe.train), test_rows, sample, people=people)


def _then(recipe: Any, passes: tuple[PassEstimate, ...], judge: JudgeForetold | None) -> list[str]:
    """What no estimate covers, in words and in order."""
    said = [f"compare rows: {one.ends_with}" for one in passes if not one.judged]
    said += [f"split and verify: {recipe.split.use}", *(f"prepare: {step.use}" for step in recipe.prepare)]
    said += [*(f"train: {learner.use}" for learner in recipe.train)]
    if recipe.train and recipe.evaluate.folds:
        said.append(f"folds: each model {recipe.evaluate.folds} times more")
    said += _paid(recipe)
    if recipe.train and recipe.evaluate.leakage:
        said.append("leakage: the best model once more (evaluate.leakage=false leaves it out)")
    if judge is not None:
        said.append(judge.told)
    said += [f"track: {tracker.use}" for tracker in recipe.track]
    return [*said, *(f"publish: {exporter.place}" for exporter in recipe.publish)]
