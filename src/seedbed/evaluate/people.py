"""People against a model, on the rows that people answered.

A person's answers are judged as a model's are, by the metrics that need no probabilities. Each person is compared with
the model on the rows that this person answered (`paired`), Holm-corrected over all people; `majority` is what most of
them said of rows that two or more answered (of numbers the mean), which is usually better than any of them. How far
people agree is Krippendorff's alpha (`core/statistics`): where they do not agree with each other, no score of a model
means much.

A dataset's labels are themselves what people said. If those were the same people, they are judged by their own words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.metric import Answers as Told
from seedbed.core.metric import Metric, ProbabilityMetric, Score, Truth
from seedbed.core.run import Comparison
from seedbed.core.scrutiny import Difference, People, PersonScore
from seedbed.core.statistics.agreement import krippendorff_alpha

from .forms import Form, LabelSets, Number, OneLabel, Spans, Texts
from .groups import Groups, some_groups
from .holm import with_holm
from .judge import judge
from .paired import Answers, compare
from .taking import some

#: Fewer rows than this are not compared; fewer than `FEWEST` not even scored.
FEWEST, FEWEST_TO_COMPARE = 10, 30
MOST_PEOPLE = 20
MAJORITY = "majority"


@dataclass(frozen=True)
class Said:
    """What somebody answered to a row."""

    who: str
    place: int
    """Of the row."""
    answer: Any
    """The code of a label; for each label whether it is given; a number; a text, or none where there is no answer."""


def held(form: Form, answers: Sequence[Any]) -> Told:
    """People's answers as a model would give them, sure of each.

    Args:
        form: How answers are held.
        answers: As `Said.answer` has them.
    """
    if isinstance(form, OneLabel):
        return np.eye(len(form.labels))[np.asarray(answers, dtype=np.int64)]
    if isinstance(form, LabelSets):
        return np.asarray(answers, dtype=np.float64).reshape(len(answers), len(form.labels))
    if isinstance(form, Number):
        return np.asarray(answers, dtype=np.float64).reshape(-1, 1)
    told = pl.DataFrame({"text": pl.Series(list(answers), dtype=pl.String)})
    if isinstance(form, Spans):
        return told.with_columns(start=pl.lit(None, pl.Int64), confidence=pl.lit(1.0))
    return told


def can_be_judged(form: Form) -> bool:
    """Whether people can answer this at all: how likely a text is, nobody can say."""
    return isinstance(form, OneLabel | LabelSets | Number | Spans | Texts)


@dataclass(frozen=True)
class Panel:
    """What people are judged by, and the model that they are held against."""

    form: Form
    metrics: Sequence[Metric]
    """The recipe's; those that need probabilities are left out."""
    model: str
    split: str
    level: float = 0.95
    resamples: int = 10_000
    seed: int = 13
    groups: Groups = None
    """The group of each row of the split, where rows are no independent draws."""

    @property
    def decided(self) -> list[Metric]:
        """The metrics that decided answers can be judged by."""
        return [metric for metric in self.metrics if not isinstance(metric, ProbabilityMetric)]


def people(panel: Panel, truth: Truth, answers: Told, said: Sequence[Said], notes: Sequence[str] = ()) -> People | None:
    """People's scores, and how the model compares; none where nobody answered rows enough, or no metric is left.

    Args:
        panel: What they are judged by.
        truth: What is right, of each row of the split.
        answers: The model's, of each row of the split.
        said: People's; of one person and row, the last counts.
        notes: What was left out.
    """
    metrics, ranked, judged = panel.decided, _ranked(said), who_answered(said)
    if not metrics or not judged:
        return None
    left = len(ranked) - len(judged)
    most = majority(panel.form, ranked, panel.seed)
    if len(most) >= FEWEST:
        judged[MAJORITY] = most
    told = [_judged(panel, metrics, who, rows, truth, answers) for who, rows in judged.items()]
    more = (
        [f"{left} of {len(ranked)} people answered too few rows, or are beyond the first {MOST_PEOPLE}"] if left else []
    )
    compared = with_holm([found for _, found in told if found], metrics, panel.level)
    verdicts = iter(compared)
    return People(
        model=panel.model,
        split=panel.split,
        metric=metrics[0].use,
        rows=len({place for rows in ranked for place in rows}),
        agreement=agreement(panel.form, ranked, panel.seed),
        people=tuple(_with(one, next(verdicts) if found else None) for one, found in told),
        notes=(*notes, *more),
    )


def _ranked(said: Sequence[Said]) -> list[dict[int, Any]]:
    """What each person answered by row, whoever answered most first."""
    of_person: dict[str, dict[int, Any]] = {}
    for one in said:
        of_person.setdefault(one.who, {})[one.place] = one.answer
    return sorted(of_person.values(), key=lambda rows: -len(rows))


def who_answered(said: Sequence[Said]) -> dict[str, dict[int, Any]]:
    """What each person answered by the place of the row, under names that tell nobody; of those who answered enough."""
    enough = [rows for rows in _ranked(said) if len(rows) >= FEWEST][:MOST_PEOPLE]
    return {f"annotator {place}": rows for place, rows in enumerate(enough, 1)}


def _judged(
    panel: Panel, metrics: Sequence[Metric], who: str, rows: dict[int, Any], truth: Truth, answers: Told
) -> tuple[PersonScore, Comparison | None]:
    places = np.array(sorted(rows), dtype=np.int64)
    right, of_model = some(truth, places), some(answers, places)
    of_person = held(panel.form, [rows[place] for place in places.tolist()])
    how: dict[str, Any] = {"level": panel.level, "resamples": panel.resamples, "seed": panel.seed}
    how["groups"] = some_groups(panel.groups, places)
    scores = [judge(panel.form, right, one, metrics, **how).scores for one in (of_person, of_model)]
    found = None
    if len(places) >= FEWEST_TO_COMPARE:
        person = Answers(who, of_person, right=panel.form.right(right, of_person))
        model = Answers(panel.model, of_model, right=panel.form.right(right, of_model))
        found = compare(right, person, model, metrics[0], split=panel.split, **how)
    return PersonScore(who=who, rows=len(places), scores=scores[0], model_scores=scores[1]), found


def _with(one: PersonScore, found: Comparison | None) -> PersonScore:
    if found is None:
        return one
    assert found.p_holm is not None
    apart = Difference(value=found.difference, low=found.low, high=found.high, p=found.p, p_holm=found.p_holm)
    return one.model_copy(update={"difference": apart, "verdict": found.verdict})


def majority(form: Form, people_: Sequence[dict[int, Any]], seed: int) -> dict[int, Any]:
    """What most people said of each row that two or more answered: a label, the labels that more than half gave, the
    mean of numbers. Of labels that equally many said, one is drawn. Of texts there is no such thing.
    """
    of_row: dict[int, list[Any]] = {}
    for rows in people_:
        for place, answer in rows.items():
            of_row.setdefault(place, []).append(answer)
    asked = {place: answers for place, answers in sorted(of_row.items()) if len(answers) > 1}
    random = np.random.default_rng(seed)
    if isinstance(form, OneLabel):
        return {place: _most(answers, random) for place, answers in asked.items()}
    if isinstance(form, LabelSets):
        return {place: np.mean(answers, axis=0) > 0.5 for place, answers in asked.items()}
    if isinstance(form, Number):
        return {place: float(np.mean(answers)) for place, answers in asked.items()}
    return {}


def _most(answers: Sequence[Any], random: np.random.Generator) -> Any:
    counted = Counter(answers)
    most = max(counted.values())
    return random.choice(sorted(answer for answer, n in counted.items() if n == most)).item()


def agreement(form: Form, people_: Sequence[dict[int, Any]], seed: int) -> Score | None:
    """Krippendorff's alpha: of numbers by their distances, of all else by whether answers are the same."""
    places = sorted({place for rows in people_ for place in rows})
    at = {place: i for i, place in enumerate(places)}
    ratings: NDArray[np.float64] = np.full((len(places), len(people_)), np.nan)
    known: dict[str, int] = {}
    for column, rows in enumerate(people_):
        for place, answer in rows.items():
            if isinstance(form, Number):
                ratings[at[place], column] = answer
            else:
                named = "".join("1" if one else "0" for one in answer) if isinstance(form, LabelSets) else str(answer)
                ratings[at[place], column] = known.setdefault(named.strip(), len(known))
    if not ((~np.isnan(ratings)).sum(axis=1) > 1).any():
        return None
    return krippendorff_alpha(ratings, level="interval" if isinstance(form, Number) else "nominal", seed=seed)
