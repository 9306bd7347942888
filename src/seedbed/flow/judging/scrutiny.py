"""What is found out about models beyond their scores, as far as `evaluate` asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.decision import read_decisions
from seedbed.core.errors import BooksError, DataError, ModelError, RecipeError, SeedbedError, told_as
from seedbed.core.learner import Learner, Model
from seedbed.core.numbers import things
from seedbed.core.part import labels_of
from seedbed.core.preference import ChosenByPeople
from seedbed.core.preference import Judged as JudgedByModel
from seedbed.core.rows import ROW
from seedbed.core.scrutiny import Coverage, Deciding, ErrorClusters, Fairness, People, Robustness, Scrutiny
from seedbed.core.side_by_side import SideBySide
from seedbed.core.task import Task, rows_said
from seedbed.evaluate.conformal import corrected, fit, measured
from seedbed.evaluate.error_clusters import Answered, error_clusters
from seedbed.evaluate.fairness import fairness_of_labels, fairness_of_numbers, labellings
from seedbed.evaluate.forms import LabelSets, Number, OneLabel
from seedbed.evaluate.groups import how_many
from seedbed.evaluate.people import Panel, can_be_judged, people, who_answered
from seedbed.evaluate.slices import by_value
from seedbed.recipe.scrutiny import faults_of_labels
from seedbed.recipe.sections import Evaluate

from .beside import thresholds_for
from .deciding import worth_of
from .disturbed import robustness
from .judge import Judged, Judging, Rows
from .judged_by import MOST_PEOPLE, judged_by, refuse_judge
from .people_file import matched, read_lines, refuse_missing
from .preferences import Verdicts, continue_rows, preferred
from .side_by_side import continued_side_by_side, rows_wanted, said_side_by_side
from .slices import flat

#: Where things are looked at closely, fitted and chosen; and where they are measured, once.
CLOSELY, ONCE = "validation", "test"
#: Of numbers, the share of rows that count as mistakes.
_FURTHEST = 0.2


def wanted(judging: Judging) -> bool:
    """Whether anything is asked for."""
    evaluate = judging.evaluate
    return any(
        (
            evaluate.conformal,
            evaluate.thresholds,
            evaluate.robustness,
            evaluate.fairness,
            evaluate.clusters,
            evaluate.people,
            evaluate.judged_by,
            evaluate.preferences,
            rows_wanted(evaluate, judging.form),
        )
    )


def refuse_before(evaluate: Evaluate, task: Task, context: Context) -> None:
    """Say before anything runs what would only be found out at its end.

    Raises:
        RecipeError: The file of people's answers is not there.
        DataError: That file, or the one of preferences, cannot be read; with the line.
        MissingExtraError: A package that asks the judge is not installed.
    """
    if evaluate.people is not None:
        refuse_missing(context.base / evaluate.people)
        read_lines(context.base / evaluate.people, task)
    if evaluate.preferences is not None:
        read_decisions(context.base / evaluate.preferences)
    if evaluate.judged_by is not None:
        refuse_judge(evaluate.judged_by)


def refuse_unknown(evaluate: Evaluate, task: Task) -> None:
    """Say before anything is trained that a label is none of those that the rows have.

    Raises:
        RecipeError: It is not.
    """
    for fault in faults_of_labels(evaluate, task):
        raise RecipeError(fault.problem, at=".".join(map(str, fault.path)), hint=fault.hint)


def scrutinise(
    judging: Judging, learners: Sequence[Learner], judged: Judged, splits: Mapping[str, Rows], folder: Path
) -> Scrutiny | None:
    """All that `evaluate` asks for besides scores; none where it asks for nothing.

    Args:
        judging: What models are judged by.
        learners: The recipe's.
        judged: How they did.
        splits: Rows by split, with the columns of `evaluate.fairness` among their other ones.
        folder: The run's, which holds what each model answered.
    """
    if judged.best is None or not wanted(judging):
        return None
    looking = _Looking(judging, judged, splits, folder, dict(zip(labels_of(list(learners)), learners, strict=True)))
    with judging.context.stage("Looking closely at the models"):
        found = Scrutiny(
            conformal=looking.tried("conformal", looking.conformal) or (),
            thresholds=looking.tried("thresholds", looking.thresholds),
            robustness=looking.tried("robustness", looking.robustness),
            fairness=looking.tried("fairness", looking.fairness) or (),
            clusters=looking.tried("clusters", looking.clusters),
            people=looking.tried("people", looking.people) or (),
            side_by_side=looking.side_by_side(),
            judged_by=looking.tried("judged_by", looking.judged_by),
            preferences=looking.tried("preferences", looking.preferences),
        )
    return found.model_copy(update={"notes": tuple(looking.notes)})


class _Looking:
    """A look at the models of one run."""

    def __init__(
        self,
        judging: Judging,
        judged: Judged,
        splits: Mapping[str, Rows],
        folder: Path,
        learners: Mapping[str, Learner],
    ) -> None:
        assert judged.best is not None
        self.judging, self.judged, self.splits, self.folder = judging, judged, splits, folder
        self.best, self.learners = judged.best, learners
        self.notes: list[str] = []
        self.verdicts: Verdicts = {}
        self.how: dict[str, Any] = {"level": judging.level, "seed": judging.context.seed}

    def tried(self, what: str, look: Any) -> Any:
        """What is asked for; the run stands without it where it cannot be told."""
        if not getattr(self.judging.evaluate, what):
            return None
        return self._told(what, look)

    def _told(self, what: str, look: Any) -> Any:
        try:
            with _told_in_words(what):
                return look()
        except BooksError:
            raise
        except SeedbedError as error:
            self.notes.append(f"{what}: {error.problem}")
            self.judging.context.progress.say(f"{what} cannot be told: {SeedbedError.in_a_line(error)}")
            return None

    def note(self, what: str, why: str) -> None:
        """Note that something cannot be told."""
        self.notes.append(f"{what}: {why}")

    def answers(self, model: str, split: str) -> Any:
        """What a model answered, as the run wrote it down; none where it did not."""
        path = self.folder / "predictions" / f"{model}-{split}.parquet"
        found = self.judging.form.reread(pl.read_parquet(path)) if path.is_file() else None
        return None if found is None else found[1]

    def conformal(self) -> tuple[Coverage, ...]:
        """Of every model."""
        coverage, form = self.judging.evaluate.conformal, self.judging.form
        assert coverage is not None
        if not {CLOSELY, ONCE} <= set(self.splits):
            self.note("conformal", "there are no validation rows to fit it on")
            return ()
        found = []
        fitted_on, on = self.splits[CLOSELY], self.splits[ONCE]
        for model in self.judged.models:
            told = [self.answers(model.name, split) for split in (CLOSELY, ONCE)]
            if told[0] is None or told[1] is None:
                continue
            one = fit(form, fitted_on.truth, told[0], coverage, split=CLOSELY, seed=self.judging.context.seed)
            if one is None:
                self.note("conformal", f"{len(fitted_on.truth)} validation rows are too few to promise {coverage:g}")
                return ()
            level = self.judging.level
            found.append(measured(form, one, on.truth, told[1], model=model.name, split=ONCE, level=level))
        return corrected(found, self.judging.level)

    def thresholds(self) -> Deciding | None:
        """Of the best model: chosen on validation rows, their worth told by test rows."""
        if not {CLOSELY, ONCE} <= set(self.splits):
            self.note("thresholds", "there are no validation rows to choose them on")
            return None
        rows, other = self.splits[CLOSELY], self.splits[ONCE]
        told = [self.answers(self.best, split) for split in (CLOSELY, ONCE)]
        form, evaluate = self.judging.form, self.judging.evaluate
        chosen = thresholds_for(form, rows.truth, told[0], evaluate, CLOSELY)
        return worth_of(chosen, form, other, told[1], self.judging, self.best)

    def robustness(self) -> Robustness | None:
        """Of the best model."""
        if CLOSELY not in self.splits:
            self.note("robustness", "there are no validation rows to disturb")
            return None
        found = robustness(self.judging, self.best, self.model(self.best), self.splits[CLOSELY])
        if found is None:
            self.note("robustness", "there are too few validation rows")
        return found

    def fairness(self) -> tuple[Fairness, ...]:
        """Of the best model, on test rows."""
        rows, form, columns = self.splits[ONCE], self.judging.form, self.judging.evaluate.fairness
        answers = self.answers(self.best, ONCE)
        if answers is None:
            return ()
        groups = [by_value(column, flat(_column(rows, column))) for column in columns]
        named: dict[str, Any] = {"model": self.best, "split": ONCE, **self.how}
        if isinstance(form, Number):
            return _by_rows(rows, fairness_of_numbers(rows.truth, answers, groups, **named))
        decided = answers >= 0.5 if isinstance(form, LabelSets) else answers.argmax(axis=1)
        return _by_rows(rows, fairness_of_labels(labellings(rows.truth, decided, form.labels), groups, **named))

    def clusters(self) -> ErrorClusters | None:
        """Of the best model's mistakes, on validation rows."""
        rows = self.splits.get(CLOSELY)
        answers = None if rows is None else self.answers(self.best, CLOSELY)
        if rows is None or answers is None:
            self.note("clusters", "there are no validation rows to look at")
            return None
        form, task = self.judging.form, self.judging.task
        wrong, what = _wrong(form, rows.truth, answers)
        said = [("", "")] * len(wrong)
        if isinstance(form, OneLabel):
            said = form.written(rows.truth, answers).select("truth", "predicted").rows()
        of = Answered(rows.frame[ROW], rows_said(task, task.as_asked(rows.frame)), wrong, said)
        found = error_clusters(of, model=self.best, split=CLOSELY, what=what, **self.how)
        if found is None:
            self.note("clusters", "there are too few mistakes, or too few rows with words in common")
        return found

    def people(self) -> tuple[People, ...]:
        """Against the best model: on test rows, and on validation rows."""
        judging = self.judging
        assert judging.evaluate.people is not None
        if not can_be_judged(judging.form):
            return ()
        path = judging.context.base / judging.evaluate.people
        lines, sha256 = read_lines(path, judging.task), digest.of_file(path)
        found: list[People] = []
        for split in (ONCE, CLOSELY):
            answers = self.answers(self.best, split) if split in self.splits else None
            if answers is None:
                continue
            rows = self.splits[split]
            of = matched(lines, rows, judging.task, judging.form)
            resamples = judging.evaluate.intervals.resamples
            given = {"resamples": resamples, "groups": rows.groups, **self.how}
            panel = Panel(judging.form, judging.metrics, self.best, split, **given)
            one = people(panel, rows.truth, answers, of.said, of.notes)
            if one is not None:
                found.append(one.model_copy(update={"file": judging.evaluate.people, "sha256": sha256}))
            else:
                for why in of.notes:
                    self.note("people", why)
        if not found:
            self.note(
                "people", "of test and validation rows too few were answered, or no metric needs no probabilities"
            )
        return tuple(found)

    def side_by_side(self) -> SideBySide | None:
        """Of every model, on validation rows; where nothing is said of it, only what costs nothing."""
        judging = self.judging
        most = rows_wanted(judging.evaluate, judging.form)
        rows = self.splits.get(CLOSELY)
        if not most:
            return None
        if rows is None or not rows.frame.height:
            if judging.evaluate.samples:
                self.note("samples", "there are no validation rows to draw from")
            return None
        names = [model.name for model in self.judged.models]
        if judging.task.says == "itself":
            models = {name: partial(self.model, name) for name in names}
            look = partial(continued_side_by_side, judging, rows, most, models)
        else:
            answers = {name: told for name in names if (told := self.answers(name, CLOSELY)) is not None}
            look = partial(said_side_by_side, judging, rows, most, answers)
        found: SideBySide | None = self._told("samples", look)
        return found

    def judged_by(self) -> JudgedByModel | None:
        """Of every model, on test rows; and of people, where they answered those."""
        asked, rows = self.judging.evaluate.judged_by, self.splits[ONCE]
        assert asked is not None
        names = [model.name for model in self.judged.models]
        told = {name: answers["text"].to_list() for name in names if (answers := self.answers(name, ONCE)) is not None}
        if len(told) < 2:
            self.note("judged_by", "there are no two models to compare")
            return None
        people: dict[str, dict[int, str]] = {}
        if self.judging.evaluate.people is not None:
            lines = read_lines(self.judging.context.base / self.judging.evaluate.people, self.judging.task)
            found = who_answered(matched(lines, rows, self.judging.task, self.judging.form).said)
            people = {who: {at: one or "" for at, one in found[who].items()} for who in list(found)[:MOST_PEOPLE]}
        judged, self.verdicts = judged_by(self.judging, asked, rows, told, people, self.best)
        return judged

    def preferences(self) -> ChosenByPeople:
        """Of every model, on test rows."""
        rows, names = self.splits[ONCE], [model.name for model in self.judged.models]
        file = self.judging.evaluate.preferences
        assert file is not None
        if self.judging.task.says == "itself":
            models = continue_rows(self.judging, rows, names, self.model, self.folder)
        else:
            said = {name: answers for name in names if (answers := self.answers(name, ONCE)) is not None}
            models = {name: dict(enumerate(answers["text"].to_list())) for name, answers in said.items()}
        if len(models) < 2:
            raise DataError("there are no two models to choose between")
        return preferred(self.judging, rows, models, file, self.verdicts)

    def model(self, name: str) -> Model[Any]:
        """A model, out of the store."""
        return self.judging.ask(self.learners[name], dict(self.splits), []).model


@contextmanager
def _told_in_words(what: str) -> Iterator[None]:
    """Failures of numbers and libraries in words: no look at models that are trained is worth the run.

    A fault in Seedbed itself (an index, a name, a type) passes: it is to be found, and the models are in the store. So
    do errors of files, which would meet whatever comes next, too.
    """
    try:
        yield
    except (ArithmeticError, ValueError, MemoryError, RuntimeError, PolarsError) as error:
        if isinstance(error, NotImplementedError | RecursionError):
            raise
        with told_as(ModelError, what):
            raise


def _by_rows(rows: Rows, found: Sequence[Fairness]) -> tuple[Fairness, ...]:
    """With a warning where rows are no independent draws."""
    groups = how_many(rows.groups)
    if groups is None:
        return tuple(found)
    said = f"intervals and p take the rows for independent, though they are of {things(groups, 'group')}: too sure"
    return tuple(one.model_copy(update={"warnings": (*one.warnings, said)}) for one in found)


def _column(rows: Rows, column: str) -> pl.Series:
    return rows.more[column] if column in rows.more.columns else rows.frame[column]


def _wrong(form: Any, truth: Any, answers: Any) -> tuple[Any, str]:
    """Which rows count as mistakes, and why, in words."""
    if isinstance(form, Number):
        off = np.abs(answers[:, 0] - truth)
        return off > np.quantile(off, 1 - _FURTHEST), f"the {_FURTHEST:.0%} of rows that are furthest off"
    right = form.right(truth, answers)
    if isinstance(form, LabelSets):
        return ~right, "other labels than the right ones"
    return ~right, f"another {'label' if isinstance(form, OneLabel) else 'answer'} than the right one"
