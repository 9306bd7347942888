"""Which of two models people prefer on test rows, from the decisions of a review (`evaluate.preferences`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from seedbed.core import digest
from seedbed.core.decision import read_decisions, standing_of
from seedbed.core.errors import DataError
from seedbed.core.learner import Continues
from seedbed.core.numbers import things, word
from seedbed.core.preference import ChosenByPeople
from seedbed.core.rows import ROW
from seedbed.evaluate.choices import chosen
from seedbed.evaluate.judge import measure
from seedbed.evaluate.taking import some

from .judge import Judging, Rows
from .pairs import MOST, USUAL, asked_of, continued_at, two_answers
from .side_by_side import SHOWN_WRITTEN, beginnings, drawn

#: What the model of `judged_by` prefers on a row, by the two models and the row's place: 1, -1 or 0.
Verdicts = Mapping[tuple[str, str], Mapping[int, float]]


def preferred(
    judging: Judging, rows: Rows, models: Mapping[str, Mapping[int, str]], name: str, verdicts: Verdicts
) -> ChosenByPeople:
    """What people chose of the answers of these models.

    Args:
        judging: What models are judged by.
        rows: The test rows.
        models: What each model answered, by the place of the row, in the recipe's order.
        name: The file of decisions, as the recipe has it.
        verdicts: Of the model that judges, where there is one.

    Raises:
        DataError: There is no such file yet, it cannot be read, or nobody chose between these answers.
    """
    path = judging.context.base / name
    if not path.is_file():
        raise DataError(f"there is no file {name!r} yet: nobody has chosen; seedbed review RUN --queue pairs")
    decisions, damaged = read_decisions(path)
    ids = rows.frame[ROW].to_list()
    gain = partial(_gain, judging, rows, models) if judging.task.says != "itself" else None
    pairs, stale = asked_of(
        two_answers(ids, models, MOST, judging.context.seed),
        standing_of(decisions),
        gain,
        lambda a, b, place: verdicts.get((a, b), {}).get(place, float("nan")),
    )
    notes = [f"{things(damaged, 'line')} of {name} cannot be read"] if damaged else []
    if stale:
        notes.append(f"{things(stale, 'decision')} {word(stale, 'is', 'are')} about answers that no model gives now")
    if not any(pair.asked for pair in pairs):
        raise DataError("; ".join(["nobody has chosen between answers of these models", *notes]))
    found = chosen(
        pairs,
        split=rows.name,
        of=rows.frame.height,
        metric=judging.metrics[0].use if gain else None,
        level=judging.level,
        seed=judging.context.seed,
    )
    judging.context.read_test("people", "judging", max(one.rows for one in found.pairs))
    return found.model_copy(update={"file": name, "sha256": digest.of_file(path), "notes": tuple(notes)})


def rows_shown(evaluate: Any) -> int:
    """Test rows that people are shown: those that the judge is, where there is one."""
    return evaluate.judged_by.rows if evaluate.judged_by else USUAL


def continue_rows(
    judging: Judging, rows: Rows, names: Sequence[str], model: Any, folder: Path
) -> dict[str, dict[int, str]]:
    """How language models go on after the beginnings of some test rows; written beside their predictions, too.

    Args:
        judging: What models are judged by.
        rows: The test rows.
        names: Of the models.
        model: Gives the model of a name.
        folder: The run's.
    """
    seed = judging.context.seed
    places = drawn(rows.frame[ROW].to_list(), rows_shown(judging.evaluate), seed)
    frame = rows.frame[places]
    texts, _ = beginnings(judging.form.truth(frame).to_list())
    found: dict[str, dict[int, str]] = {}
    with judging.context.stage("Continuing test rows for people", len(names), "models") as stage:
        for name in names:
            one = model(name)
            if isinstance(one, Continues):
                judging.context.read_test(name, "judging", len(places))
                told = one.go_on(texts, SHOWN_WRITTEN, seed % 2**32)
                found[name] = dict(zip(places, told, strict=True))
                written = pl.DataFrame({ROW: frame[ROW], "text": texts, "predicted": told})
                written.write_parquet(continued_at(folder, name))
            stage.advance(1, name)
    return found


def _gain(judging: Judging, rows: Rows, models: Mapping[str, Mapping[int, str]], a: str, b: str, place: int) -> float:
    """How much better the answer of `b` to a row is than that of `a`, by the deciding metric."""
    metric = judging.metrics[0]
    truth = some(rows.truth, np.array([place]))
    scores = [
        measure(metric, truth, pl.DataFrame({"text": [models[name][place]]}, schema={"text": pl.String}))
        for name in (a, b)
    ]
    return (scores[0] - scores[1]) if metric.lower_is_better else (scores[1] - scores[0])
