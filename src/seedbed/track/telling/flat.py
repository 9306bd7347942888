"""A run as trackers want it: options as names and texts, scores as names and numbers, curves as points."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.core.metric import Score
from seedbed.core.run import ModelRecord, Run

#: What a learner that teaches a network leaves beside its weights.
TRAINING = "training.json"


def options(given: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Options by dotted name, as text: texts as they are, all else as JSON; those that are left out are not told."""
    for name, value in given.items():
        if isinstance(value, Mapping) and value:
            yield from options(value, f"{before}{name}.")
        elif value is not None:
            yield f"{before}{name}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def scores(run: Run, model: ModelRecord) -> Iterator[tuple[str, str, float]]:
    """Each number that was measured of a model: the rows that it was measured on, its name and value.

    Names are `SPLIT/METRIC`, and below that `low` and `high` of its interval; `SPLIT/METRIC/minus/MODEL` is the
    difference from another model on the same rows, with its interval and p (after Holm's correction).
    """
    for split, found in model.scores.items():
        for metric, score in found.items():
            yield from _with_ends(split, f"{split}/{metric}", score)
    for metric, folds in model.folds.items():
        name = f"folds/{metric}"
        yield from _numbers("train", {name: folds.mean, f"{name}/low": folds.low, f"{name}/high": folds.high})
    for one in run.comparisons:
        if one.b == model.name:
            name = f"{one.split}/{one.metric}/minus/{one.a}"
            ends = {name: one.difference, f"{name}/low": one.low, f"{name}/high": one.high}
            yield from _numbers(one.split, {**ends, f"{name}/p": one.p if one.p_holm is None else one.p_holm})


def _with_ends(split: str, name: str, score: Score) -> Iterator[tuple[str, str, float]]:
    yield from _numbers(split, {name: score.value, f"{name}/low": score.low, f"{name}/high": score.high})


def _numbers(split: str, named: Mapping[str, float]) -> Iterator[tuple[str, str, float]]:
    # A metric that has no value on some rows is NaN, which no tool can draw.
    return ((split, name, value) for name, value in named.items() if math.isfinite(value))


@dataclass(frozen=True)
class Training:
    """How a network was taught: points of a step, from 1, and a value."""

    curves: dict[str, tuple[tuple[int, float], ...]]
    """`train/loss`, `train/learning_rate`, `validation/MEASURE`."""

    @classmethod
    def of(cls, model: Path) -> Training:
        """What stands beside a model's weights; no curves where its learner teaches no network, or it is damaged."""
        try:
            told = json.loads((model / TRAINING).read_bytes())
            measure = str(told.get("measure") or "value").replace(" ", "_")
            names = {"loss": "train/loss", "rate": "train/learning_rate", "validation": f"validation/{measure}"}
            curves = {name: _points(told.get(key) or ()) for key, name in names.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return cls({})
        return cls({name: points for name, points in curves.items() if points})


def _points(told: Any) -> tuple[tuple[int, float], ...]:
    points = ((int(step), float(value)) for step, value in told)
    return tuple((step, value) for step, value in points if math.isfinite(value))
