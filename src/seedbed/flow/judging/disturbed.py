"""What disturbed texts do to a model: typing errors, other case, other white space, half of the text.

The texts are those that the model reads, after the recipe's steps: a step that lowers all letters has then run already,
so that what it would have mended counts against the model. Validation rows alone: what one sees here one will act on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.learner import Model
from seedbed.core.metric import Metric
from seedbed.core.rows import ROW
from seedbed.core.run import Comparison
from seedbed.core.scrutiny import Difference, Disturbed, Robustness
from seedbed.evaluate.forms import Form, LabelSets, OneLabel
from seedbed.evaluate.groups import some_groups
from seedbed.evaluate.holm import with_holm
from seedbed.evaluate.judge import judge
from seedbed.evaluate.paired import Answers, compare
from seedbed.evaluate.taking import some
from seedbed.steps.augmenting.chance import Chance
from seedbed.steps.augmenting.edits import with_typos

from .judge import Judging, Rows

#: Rows that are disturbed at most, and fewer that tell nothing.
MOST_ROWS, FEWEST_ROWS = 1_000, 30
#: Share of the words that get a typing error.
TYPOS = 0.1

Disturb = Callable[[str, Chance], str]


def _typos(text: str, chance: Chance) -> str:
    return with_typos(text, TYPOS, chance) or text


def _white_space(text: str, chance: Chance) -> str:
    return "  " + re.sub(r"\s+", lambda _: chance.one(("  ", "\n", "\t", " \u00a0")), text) + "\n"


def _half(text: str) -> int:
    """The character in the middle, or after the next blank from there if one is near."""
    middle = (len(text) + 1) // 2
    blank = text.find(" ", middle, middle + 20)
    return blank + 1 if blank >= 0 else middle


KINDS: Mapping[str, Disturb] = {
    "typing errors": _typos,
    "lower case": lambda text, _: text.lower(),
    "capitals": lambda text, _: text.upper(),
    "white space": _white_space,
    "first half": lambda text, _: text[: _half(text)].rstrip(),
    "second half": lambda text, _: text[_half(text) :],
}


def disturbed(texts: pl.Series, rows: pl.Series, kind: str, seed: int) -> pl.Series:
    """Texts with one kind of disturbance; the same for a row whatever other rows there are.

    Args:
        texts: What models read; none stays none.
        rows: Row ids.
        kind: One of `KINDS`.
        seed: Of what is drawn.
    """
    disturb = KINDS[kind]
    found = [
        None if text is None else disturb(text, Chance(kind, row, seed=seed))
        for text, row in zip(texts.cast(pl.String).to_list(), rows.to_list(), strict=True)
    ]
    return pl.Series(texts.name, found, dtype=pl.String)


def robustness(judging: Judging, name: str, model: Model[Any], rows: Rows) -> Robustness | None:
    """How a model does on disturbed rows against the same rows as they were; none for too few rows.

    Args:
        judging: What models are judged by; the deciding metric alone is looked at.
        name: The model's name.
        model: Calibrated, where it could be.
        rows: Rows that may be looked at.
    """
    column = judging.task.shown
    if rows.frame.height < FEWEST_ROWS or column is None:
        return None
    rows = _sample(rows, judging.context.seed)
    plain = judging.predict(model, rows.frame)
    look = _Look(judging, judging.metrics[0], rows, plain)
    found: list[tuple[Disturbed, Comparison]] = []
    with judging.context.stage(f"Disturbing what {name} reads", len(KINDS), "kinds") as stage:
        for kind in KINDS:
            texts = disturbed(rows.frame[column], rows.frame[ROW], kind, judging.context.seed)
            one = look.at(kind, model, texts)
            if one is not None:
                found.append(one)
            stage.advance(1, kind)
    compared = with_holm([comparison for _, comparison in found], [look.metric], judging.level)
    score = look.score(plain)
    if score is None:
        return None
    return Robustness(
        model=name,
        metric=look.metric.use,
        split=rows.name,
        rows=rows.frame.height,
        score=score,
        kinds=tuple(_with(one, comparison) for (one, _), comparison in zip(found, compared, strict=True)),
    )


def _sample(rows: Rows, seed: int) -> Rows:
    if rows.frame.height <= MOST_ROWS:
        return rows
    places = np.sort(np.random.default_rng(seed).choice(rows.frame.height, MOST_ROWS, replace=False))
    groups = some_groups(rows.groups, places)
    return replace(
        rows, frame=rows.frame[places], truth=some(rows.truth, places), more=rows.more[places], groups=groups
    )


@dataclass(frozen=True)
class _Look:
    """Rows as they were, and what a model says of them."""

    judging: Judging
    metric: Metric
    rows: Rows
    plain: Any

    @property
    def how(self) -> dict[str, Any]:
        intervals = self.judging.evaluate.intervals
        of = {"groups": self.rows.groups, "seed": self.judging.context.seed}
        return {"level": intervals.level, "resamples": intervals.resamples, **of}

    def score(self, answers: Any) -> Any:
        """The metric; none where it has no value on these rows."""
        return judge(self.judging.form, self.rows.truth, answers, [self.metric], **self.how).scores.get(self.metric.use)

    def at(self, kind: str, model: Model[Any], texts: pl.Series) -> tuple[Disturbed, Comparison] | None:
        """What one kind of disturbance does; none where the metric has no value."""
        form, truth, column = self.judging.form, self.rows.truth, texts.name
        answers = self.judging.predict(model, self.rows.frame.with_columns(texts))
        before = Answers("as it was", self.plain, right=form.right(truth, self.plain))
        after = Answers(kind, answers, right=form.right(truth, answers))
        comparison = compare(truth, before, after, self.metric, split=self.rows.name, **self.how)
        score = self.score(answers)
        if comparison is None or score is None:
            return None
        changed = (texts != self.rows.frame[column].cast(pl.String)).fill_null(False)
        return (
            Disturbed(
                kind=kind,
                changed=int(changed.sum()) / changed.len(),
                score=score,
                difference=_apart(comparison),
                answers_changed=_moved(form, self.plain, answers),
                verdict=comparison.verdict,
            ),
            comparison,
        )


def _apart(of: Comparison) -> Difference:
    return Difference(
        value=of.difference, low=of.low, high=of.high, p=of.p, p_holm=of.p if of.p_holm is None else of.p_holm
    )


def _with(one: Disturbed, comparison: Comparison) -> Disturbed:
    return one.model_copy(update={"difference": _apart(comparison), "verdict": comparison.verdict})


def _moved(form: Form, before: Any, after: Any) -> float | None:
    """Share of rows that get another answer; none where answers are numbers, which always move a little."""
    if isinstance(form, OneLabel):
        apart: NDArray[np.bool_] = before.argmax(axis=1) != after.argmax(axis=1)
    elif isinstance(form, LabelSets):
        apart = ((before >= 0.5) != (after >= 0.5)).any(axis=1)
    elif isinstance(before, pl.DataFrame) and "text" in before.columns:
        apart = before["text"].ne_missing(after["text"]).to_numpy()
    else:
        return None
    return float(apart.mean())
