"""Doubts of a run's labels, once per content: kept in the store, written to the run's folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core import digest
from seedbed.core.check import SPLIT
from seedbed.core.context import Context
from seedbed.core.doubts import FILES, SUSPECTS, Doubts
from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.core.learner import Learner
from seedbed.core.metric import Score
from seedbed.core.part import labels_of
from seedbed.core.rows import ROW
from seedbed.core.task import TextClassification
from seedbed.engine.provenance import code_of, versions
from seedbed.evaluate import label_errors
from seedbed.evaluate.label_errors import Looked, confident_joint, look, ranks_among_others, share_wrong, thresholds_of
from seedbed.flow.judging.cheap import cheap_learner, quick_learner
from seedbed.flow.known import Known
from seedbed.store.store import Store
from seedbed.train.naive_bayes import NaiveBayes

from .labelled import Labelled
from .near import Neighbours, conflicting_copies, nearest_rows
from .probabilities import Probabilities, of_test_rows, out_of_fold
from .sets_and_numbers import doubts_of_numbers, doubts_of_sets, suspects_among

FOLDS = 5
#: Above so many labels another learner is cheap; and the weights that it may have.
_MANY_LABELS, _WEIGHTS = 100, 20_000_000
_OUR_CODE = ("doubt.py", "labelled.py", "near.py", "probabilities.py", "sets_and_numbers.py")


def learner_for(rows: Labelled) -> Learner:
    """Who learns the task at little cost, whatever the number of labels.

    Raises:
        DataError: Nobody does.
    """
    if not isinstance(rows.task, TextClassification):
        found = quick_learner(rows.task, rows.frame)
        if found is None:
            raise DataError(f"{rows.task.kind} has no labels that could be doubted", at="task")
        return found
    texts = rows.frame[rows.task.text].cast(pl.String).fill_null("")
    cheap = cheap_learner(texts)
    if len(rows.labels) <= _MANY_LABELS:
        return cheap
    # A thousand sets of weights take minutes and gigabytes to fit; counting ranks labels as well where they are many.
    return NaiveBayes(min_df=cheap.min_df, max_features=max(2_000, _WEIGHTS // len(rows.labels)))


def learner_of(learners: Sequence[Learner], name: str | None, rows: Labelled) -> Learner:
    """The learner that a check names; the cheap one where it names none.

    Raises:
        RecipeError: The recipe trains none of that name.
    """
    if name is None:
        return learner_for(rows)
    known = dict(zip(labels_of(list(learners)), learners, strict=True))
    if name not in known:
        problem = f"no learner of the recipe is called {name[:40]!r}"
        raise RecipeError(problem, at="checks", hint=did_you_mean(name, known))
    return known[name]


@dataclass(frozen=True)
class Doubting:
    """Doubts labels when a check asks for it."""

    rows: Callable[[], Labelled]
    """Read when they are needed."""
    learners: Sequence[Learner]
    """The recipe's."""
    context: Context
    folder: Path | None = None
    """Of the run: where suspects are written to."""

    @classmethod
    def of_run(cls, learners: Sequence[Learner], known: Known, context: Context, folder: Path) -> Doubting:
        """Doubts the rows of a run that is going on, as they were before anything was made of them for training."""
        before = known.unprepared
        table = before.curated.table if before else known.curated.table
        split = before.split if before else known.split
        task = known.task
        assert split is not None
        return cls(lambda: Labelled.of_split(table, split, task), learners, context, folder)

    def __call__(self, learner: str | None = None, folds: int = FOLDS) -> Doubts:
        """Doubt the labels of training and validation rows; test rows only for people, in a file of their own.

        Raises:
            DataError: The rows cannot be learned from.
            RecipeError: The recipe has no such learner.
        """
        rows = self.rows()
        who = learner_of(self.learners, learner, rows)
        found, place = doubted(rows, who, self.context, folds)
        if self.folder is not None:
            for name in FILES.values():
                (self.folder / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(place / Path(name).name, self.folder / name)
        return found


def doubted(rows: Labelled, learner: Learner, context: Context, folds: int = FOLDS) -> tuple[Doubts, Path]:
    """What models that did not see the rows make of their labels, and the folder with both files of suspects."""
    store = Store.of(context)
    artefact = store.artefact("doubts", _key(rows, learner, folds, context))
    names = [Path(name).name for name in FILES.values()]
    if not artefact.intact:
        artefact.done.unlink(missing_ok=True)
        with store.workspace("doubts") as work:
            facts, each = _doubt(rows, learner, context, folds, work)
        for name, suspects in zip(names, each, strict=True):
            suspects.write_parquet(artefact.folder / name)
        artefact.seal(facts, *names)
    facts = artefact.facts()
    found = Doubts(
        suspects=pl.read_parquet(artefact.folder / names[0]),
        share=Score.model_validate(facts["share"]),
        joint=facts["joint"],
        accuracy=facts["accuracy"],
        learner=learner.use,
        folds=folds,
        of=cast(Any, rows.task.says),
    )
    return found, artefact.folder


def _key(rows: Labelled, learner: Learner, folds: int, context: Context) -> str:
    told = digest.RowsDigest()
    told.update(rows.frame)
    clusters = digest.of_json([rows.clusters.tolist(), rows.doubted.tolist()])
    here = [digest.of_file(Path(__file__).with_name(name)) for name in _OUR_CODE]
    here.append(digest.of_file(Path(label_errors.__file__)))
    code = [code_of(type(learner)), here, versions("scikit-learn", "scipy")]
    options = [learner.model_dump(mode="json"), learner.made_from()]
    task, alike = rows.task.model_dump(mode="json"), [rows.compared, rows.columns, rows.kind, rows.threshold]
    return digest.of_json([told.hexdigest(), clusters, alike, options, task, folds, context.seed, code])


def _doubt(
    rows: Labelled, learner: Learner, context: Context, folds: int, work: Path
) -> tuple[dict[str, Any], tuple[pl.DataFrame, pl.DataFrame]]:
    """Facts on all doubts, and suspects among the rows that are learned from, and among test rows."""
    places = np.flatnonzero(~rows.held_out)
    held_out = np.flatnonzero(rows.held_out)
    probabilities = out_of_fold(rows, learner, folds, context, work)
    judged = rows.doubted[places]
    if rows.task.says != "label":
        of_test = of_test_rows(rows, learner, context, work)
        doubts = doubts_of_numbers if rows.task.says == "number" else doubts_of_sets
        facts, of_rows, of_tests = doubts(rows, places, held_out, probabilities, of_test)
        all_tests = np.ones(len(held_out), np.bool_)
        each = (
            suspects_among(rows, places, judged, of_rows, context),
            suspects_among(rows, held_out, all_tests, of_tests, context),
        )
        return facts, each
    given = rows.given[places]
    thresholds = thresholds_of(probabilities, given)
    seen = look(probabilities, given, thresholds)
    ranks = ranks_among_others(probabilities, given)[judged]
    joint = confident_joint(given[judged], seen.confident[judged], len(rows.labels))
    agreed = seen.own >= seen.other_probability
    copies = conflicting_copies(rows)
    of_test = of_test_rows(rows, learner, context, work)
    test = look(of_test, rows.given[held_out], thresholds)
    facts = {
        "share": share_wrong(ranks, given[judged], seed=context.seed).model_dump(),
        "joint": float(1 - np.trace(joint)),
        "accuracy": float(agreed[judged].mean()) if judged.any() else 0.0,
    }
    seen = _chosen(_with_copies(rows, places, probabilities, seen, copies), judged)
    test = _with_copies(rows, held_out, of_test, test, copies)
    each = (
        _suspects(rows, places[judged], seen, copies, context),
        _suspects(rows, held_out, test, copies, context),
    )
    return facts, each


def _with_copies(
    rows: Labelled,
    places: NDArray[np.int64],
    probabilities: Probabilities,
    seen: Looked,
    copies: Neighbours,
) -> Looked:
    """What was seen of some rows; the label of a near copy is suggested where no model says otherwise."""
    other, probability = seen.other.copy(), seen.other_probability.copy()
    for at, place in enumerate(places.tolist()):
        if place in copies and seen.own[at] >= probability[at]:
            other[at] = rows.labels.index(copies[place][0]["label"])
            probability[at] = probabilities[at, other[at]]
    return Looked(seen.own, other, probability, seen.confident)


def _chosen(seen: Looked, rows: NDArray[np.bool_]) -> Looked:
    return Looked(seen.own[rows], seen.other[rows], seen.other_probability[rows], seen.confident[rows])


def _suspects(
    rows: Labelled, places: NDArray[np.int64], seen: Looked, copies: Neighbours, context: Context
) -> pl.DataFrame:
    """The doubted of some rows (places), the most suspect first (`SUSPECTS`).

    They are ranked by the probability of their own label: on planted flips no other ranking was better
    (`benchmarks/suspects.py`).
    """
    in_conflict = np.isin(places, np.fromiter(copies, dtype=np.int64, count=len(copies)))
    doubted = np.flatnonzero((seen.other_probability > seen.own) | in_conflict)
    order = doubted[np.lexsort((places[doubted], seen.own[doubted]))]
    at = places[order].tolist()
    near = nearest_rows(rows, [place for place in at if place not in copies], context)
    given = rows.given[places[order]]
    sure_of_other = (seen.confident[order] >= 0) & (seen.confident[order] != given)
    kinds = np.where(in_conflict[order], "near_copy", np.where(sure_of_other, "wrong", "ambiguous"))
    labels = np.asarray(rows.labels, dtype=object)
    neighbours = [copies.get(place) or near.get(place, []) for place in at]
    return pl.DataFrame(
        {
            ROW: rows.frame[ROW][at],
            "split": rows.frame[SPLIT][at],
            "rank": pl.Series(range(1, len(at) + 1), dtype=pl.UInt32),
            "given": pl.Series(labels[given].tolist(), dtype=pl.String),
            "suggested": pl.Series(labels[seen.other[order]].tolist(), dtype=pl.String),
            "self_confidence": seen.own[order],
            "confidence": seen.other_probability[order],
            "margin": seen.own[order] - seen.other_probability[order],
            "kind": pl.Series(kinds.tolist(), dtype=pl.String),
            "neighbours": pl.Series(neighbours, dtype=SUSPECTS["neighbours"]),
        },
        schema=SUSPECTS,
    )
