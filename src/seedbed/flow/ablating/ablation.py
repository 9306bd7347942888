"""Did it pay? The whole recipe against the recipe without one step, judged on the same rows by cross-validation.

For each step the sources are curated once more without it; what stands before it comes from the store. Both arms are
cross-validated with one cheap learner over training and validation rows, in folds that no rows which belong together
straddle, over both arms (`arms`). Test rows, and all that belongs to them, are in neither arm: they are not for
choosing. The rows that both arms have judge both, paired. Where there are other labels without a step, the task is
another one: then nothing is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from seedbed.core import numbers
from seedbed.core.context import Context
from seedbed.core.errors import DataError, MissingExtraError, ModelError, RecipeError
from seedbed.core.learner import Learner
from seedbed.core.numbers import things
from seedbed.core.part import labels_of
from seedbed.core.rows import NUMBER, ROW, data_columns
from seedbed.core.run import Ablated, AblationRecord
from seedbed.core.statistics.holm import holm
from seedbed.core.step import Map, Step
from seedbed.core.task import Task
from seedbed.engine.curate import Curated, Curation
from seedbed.evaluate.groups import Groups
from seedbed.evaluate.holm import verdict
from seedbed.evaluate.judge import judge
from seedbed.evaluate.paired import Answers, compare
from seedbed.evaluate.taking import same
from seedbed.flow.judging.cheap import quick_learner
from seedbed.flow.judging.judge import Judging
from seedbed.flow.preparing.in_memory import Preparation
from seedbed.flow.preparing.unprepared import Unprepared
from seedbed.flow.splitting.deciding import clusters_of
from seedbed.flow.splitting.made import Made
from seedbed.recipe.recipe import Recipe

from .answering import Answering, Said
from .arms import OPEN, Arm, Numbers, deal_over, judged_by_both

#: Parts of the training and validation rows; each judges once.
FOLDS = 5
#: What a step that cannot be left out, or whose arm cannot be learned from, is told with.
_TOLD = (RecipeError, DataError, MissingExtraError, ModelError)
_UNREAD = "the cheap learner reads the same with it and without it"
#: Labels that are named where a step changes which there are.
_NAMED = 3


def ablate(recipe: Recipe, unprepared: Unprepared, judging: Judging, context: Context) -> AblationRecord:
    """Leave out one part of `steps` and `prepare` after the other, and say what that does to the cheap learner.

    Args:
        recipe: The recipe.
        unprepared: The run's rows as they were split, before `prepare`.
        judging: What models are judged by; its first metric decides.
        context: Of the run.
    """
    ablation = _Ablation(recipe, unprepared, judging, context)
    return ablation.record()


@dataclass(frozen=True)
class _Ablation:
    recipe: Recipe
    unprepared: Unprepared
    judging: Judging
    context: Context

    @cached_property
    def learner(self) -> Learner:
        """That of both arms."""
        found = quick_learner(self.task, self.whole.rows)
        if found is None:
            raise DataError(
                f"nobody learns {self.task.kind} quickly enough to tell what steps are worth", at="--ablate"
            )
        return found

    @cached_property
    def answering(self) -> Answering:
        """Cross-validates it."""
        return Answering(self.judging, self.learner, self.whole)

    @cached_property
    def quiet(self) -> Context:
        """Without progress of its own: the steps are counted."""
        return replace(self.context, progress=Context().progress)

    @property
    def task(self) -> Task:
        """With its labels."""
        return self.judging.task

    @cached_property
    def whole(self) -> Arm:
        """The arm of the whole recipe, test rows included."""
        rows, split = self.unprepared, self.unprepared.split
        read = self._read(rows.curated)
        at = np.searchsorted(split.numbers, read[NUMBER].to_numpy())
        only_train = None if split.only_train is None else split.only_train[at]
        return Arm(read, split.clusters[at], only_train, self.preparation)

    @cached_property
    def preparation(self) -> Preparation:
        """What is done to rows after the split."""
        return self.unprepared.preparation(self.context.seed, self.task)

    @cached_property
    def held_out(self) -> Numbers:
        """Rows that neither arm may see."""
        split = self.unprepared.split
        open_places = [place for place, name in enumerate(split.names) if name in OPEN]
        found: Numbers = split.numbers[~np.isin(split.places, open_places)]
        return found

    def record(self) -> AblationRecord:
        """All parts, one after the other."""
        blanks = [self._blank("steps", place) for place in range(len(self.recipe.steps))]
        blanks += [self._blank("prepare", place) for place in range(len(self.recipe.prepare))]
        to_do = [one for one in blanks if not one[1].note]
        self._announce(len(to_do))
        found = {}
        with self.context.stage("What each step is worth", len(to_do), "steps") as stage:
            for place, blank in to_do:
                found[blank.where, place] = self._part(place, blank)
                stage.advance(1, blank.part)
        metric, level = self.judging.metrics[0], self.judging.evaluate.intervals.level
        parts = [found.get((blank.where, place), blank) for place, blank in blanks]
        return AblationRecord(
            learner=told_of(self.learner),
            metric=metric.use,
            folds=FOLDS,
            level=level,
            parts=tuple(_corrected(parts, level, lower_is_better=metric.lower_is_better)),
        )

    def _announce(self, parts: int) -> None:
        """Say what it costs, before it is paid: a fold is tried."""
        if not parts:
            return
        folds = deal_over((self.whole,), self.held_out, FOLDS, self.context.seed)
        try:
            seconds = self.answering.seconds(folds)
        except _TOLD:  # each part will say why
            return
        about = numbers.duration(seconds * FOLDS * (1 + parts))
        self.context.progress.say(
            f"what each step is worth: {told_of(self.learner)} learns {FOLDS} times with all steps and {FOLDS} times "
            f"without each of {things(parts, 'step')}, about {about}; what follows a step is done once more without it"
        )

    def _blank(self, where: str, place: int) -> tuple[int, Ablated]:
        """A part before it is compared; with a note where it need not be tried."""
        steps: Sequence[Step] = getattr(self.recipe, where)
        part, step = labels_of(list(steps))[place], steps[place]
        note = ""
        if where == "steps" and self._was_idle(part, step):
            note = "it changed and rejected nothing here"
        elif where == "prepare":
            note = self.unprepared.needed_by(place) or (_UNREAD if place in self.preparation.skipped else "")
        return place, Ablated(where=where, part=part, use=step.use, note=note)

    def _part(self, place: int, blank: Ablated) -> Ablated:
        try:
            without = self._without_step(place) if blank.where == "steps" else self._without_preparing(place)
            note = self._other_labels(without)
            return blank.model_copy(update={"note": note}) if note else self._compared(blank, without)
        except _TOLD as error:
            return blank.model_copy(update={"note": f"it cannot be left out: {error.problem}"})

    def _was_idle(self, part: str, step: Step) -> bool:
        """Whether a step left every row as it was. Values of a new column are not counted as changed."""
        counted = next((one for one in self.unprepared.curated.parts if one.part == part), None)
        if counted is None or counted.rows_in != counted.rows_out or counted.changed:
            return False
        known = self.unprepared.curated.schema
        return not isinstance(step, Map) or all(
            one.meta.output_name(raise_if_undetermined=False) in known for one in step.columns()
        )

    def _without_step(self, place: int) -> Arm:
        """Curate without a step."""
        recipe, steps = self.recipe, tuple(step for at, step in enumerate(self.recipe.steps) if at != place)
        also = (("split", recipe.split), *((f"prepare.{at}", step) for at, step in self._named_at_once()))
        curated = Curation(recipe.sources, steps, recipe.task, self.quiet, recipe.ledger.changes, also=also).run()
        made = Made.of(curated.opened, curated.ledger)
        similarity = self.unprepared.split.similarity
        clusters = clusters_of(curated.table, recipe.split, self.task, similarity, self.quiet, curated.key, made)
        rows = self._read(curated)
        only_train = made.only_train(rows[NUMBER].to_numpy()) if made else None
        return Arm(rows, clusters, only_train, self.preparation)

    def _named_at_once(self) -> Iterator[tuple[int, Step]]:
        """Parts of `prepare` that name columns of the rows as they were split, and not what an earlier part brings."""
        there = set(data_columns(self.unprepared.curated.table.schema))
        for place, step in enumerate(self.recipe.prepare):
            if there.issuperset(column for _, column in step.columns_used()):
                yield place, step

    def _without_preparing(self, place: int) -> Arm:
        left = self.unprepared.preparation(self.context.seed, self.task, without=place)
        return replace(self.whole, preparation=left)

    def _read(self, curated: Curated) -> pl.DataFrame:
        columns = [NUMBER, ROW, *data_columns(curated.table.schema)]
        return pl.concat(list(curated.table.batches(self.preparation.columns(columns))))

    def _other_labels(self, without: Arm) -> str:
        """What labels there are without a step that are not there with it, and the other way round, in words."""
        if self.task.says != "label" or self.task.answer is None:
            return ""
        label = self.task.answer
        with_it, without_it = (set(arm.rows[label].cast(pl.String).unique()) for arm in (self.whole, without))
        more, fewer = sorted(without_it - with_it), sorted(with_it - without_it)
        told = [f"also {_listed(more)}"] if more else []
        told += [f"no {_listed(fewer)}"] if fewer else []
        return f"it changes which labels there are: without it {' and '.join(told)}" if told else ""

    def _compared(self, blank: Ablated, without: Arm) -> Ablated:
        """Cross-validate both arms and compare their answers."""
        arms = (self.whole, without)
        folds = deal_over(arms, self.held_out, FOLDS, self.context.seed)
        judged = judged_by_both(arms, folds)
        if not len(judged):
            raise DataError("no row is in both arms")
        whole, other = (self.answering(arm, folds, judged) for arm in arms)
        if same(whole.answers, other.answers):
            return blank.model_copy(update={"note": _UNREAD})
        return self._judged(blank, whole, other, folds.groups(judged) if self._groups else None)

    @property
    def _groups(self) -> bool:
        """Whether rows that belong together are no independent draws: the recipe says so. That rows are alike may be
        what a step did."""
        return bool(self.recipe.split.group or self.recipe.split.whole_files)

    def _judged(self, blank: Ablated, whole: Said, without: Said, groups: Groups) -> Ablated:
        metric, how = self.judging.metrics[0], self.judging.evaluate.intervals
        given: dict[str, Any] = {"level": how.level, "resamples": how.resamples, "seed": self.context.seed}
        given["groups"] = groups
        truth, answers = whole.truth, (Answers("with", whole.answers), Answers("without", without.answers))
        difference = compare(truth, answers[1], answers[0], metric, split="folds", **given)
        if difference is None:
            raise DataError(f"{metric.use} has no value on these rows")
        scores = [judge(self.judging.form, truth, one.told, [metric], **given).scores[metric.use] for one in answers]
        return blank.model_copy(
            update={
                "rows_with": whole.learned_from,
                "rows_without": without.learned_from,
                "judged": len(truth),
                "relabelled": _differ(without.truth, truth),
                "score": scores[0],
                "score_without": scores[1],
                "difference": difference.difference,
                "low": difference.low,
                "high": difference.high,
                "p": difference.p,
            }
        )


def _differ(a: Any, b: Any) -> int:
    """Rows of which two say something else."""
    if isinstance(a, np.ndarray):
        other = a != b
        return int((other.any(axis=1) if other.ndim > 1 else other).sum())
    return (
        int((a != b).fill_null(False).sum())
        if not a.dtype.is_nested()
        else sum(x != y for x, y in zip(a, b, strict=True))
    )


def told_of(learner: Learner) -> str:
    """A learner and the options that are not its defaults, for a person."""
    options = learner.model_dump(mode="json", exclude_defaults=True, exclude={"use"})
    return f"{learner.use} ({', '.join(f'{name}: {value}' for name, value in options.items())})".replace("None", "none")


def _listed(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - _NAMED:,} more" if len(labels) > _NAMED else ""
    return ", ".join(repr(label[:40]) for label in labels[:_NAMED]) + more


def _corrected(parts: Sequence[Ablated], level: float, *, lower_is_better: bool) -> Iterator[Ablated]:
    """With Holm's correction over all parts that were compared, and the verdict that goes by it."""
    tried = [one for one in parts if one.p is not None]
    corrected = iter(holm([one.p for one in tried if one.p is not None]))
    sign: Callable[[float], float] = (lambda x: -x) if lower_is_better else (lambda x: x)
    for one in parts:
        if one.difference is None or one.low is None or one.high is None:
            yield one
            continue
        p = next(corrected)
        said = verdict(sign(one.difference), one.low, one.high, p, level)
        worth = {"better": "helps", "worse": "hurts"}.get(said, said)
        yield one.model_copy(update={"p_holm": p, "verdict": worth})
