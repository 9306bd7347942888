"""What a bundle keeps beside its model: promises, and thresholds.

Thresholds change no probability and no score of a model: log loss and calibration stay what they were. They are data
that whoever decides may heed.
"""

from __future__ import annotations

import numpy as np

from seedbed.core.errors import DataError
from seedbed.core.metric import Answers, Truth
from seedbed.core.scrutiny import CONFORMAL, THRESHOLDS
from seedbed.evaluate.conformal import fit
from seedbed.evaluate.forms import Form, LabelSets, OneLabel
from seedbed.recipe.sections import Evaluate
from seedbed.recipe.sections import Thresholds as Asked
from seedbed.train.thresholds import Thresholds, threshold_of_positive, thresholds_of


def thresholds_for(form: Form, truth: Truth, answers: Answers, evaluate: Evaluate, split: str) -> Thresholds:
    """Thresholds as the recipe asks for them.

    Args:
        form: How answers are held.
        truth: What is right, of rows that may choose.
        answers: A model's that was not trained on these rows.
        evaluate: Says what to aim at.
        split: What the rows are called.

    Raises:
        DataError: There are more than two labels that exclude each other, or no such label.
    """
    asked = evaluate.thresholds if isinstance(evaluate.thresholds, Asked) else Asked()
    labels = form.labels
    if isinstance(form, LabelSets):
        return thresholds_of(truth, answers, labels, split=split, precision=asked.precision)
    if not isinstance(form, OneLabel) or len(labels) != 2:
        raise DataError(f"of {len(labels)} labels that exclude one another, the most probable one is decided")
    positive = asked.positive or labels[int(np.bincount(truth, minlength=2).argmin())]
    if positive not in labels:
        raise DataError(f"the label {positive[:40]!r} is none of the task's ({', '.join(labels)})")
    return threshold_of_positive(truth, answers, labels, positive, split=split, precision=asked.precision)


def beside(evaluate: Evaluate, form: Form, truth: Truth, answers: Answers, split: str, seed: int) -> dict[str, str]:
    """Files that a bundle keeps beside its model, by name: what is asked for and can be told.

    Args:
        evaluate: What is asked for.
        form: How answers are held.
        truth: What is right, of validation rows.
        answers: The model's.
        split: What the rows are called.
        seed: Of what is drawn.
    """
    found = {}
    if evaluate.conformal:
        promise = fit(form, truth, answers, evaluate.conformal, split=split, seed=seed)
        if promise is not None:
            found[CONFORMAL] = promise.model_dump_json(indent=2) + "\n"
    if evaluate.thresholds:
        try:
            chosen = thresholds_for(form, truth, answers, evaluate, split)
        except DataError:  # the run's record says why there are none
            return found
        found[THRESHOLDS] = chosen.model_dump_json(indent=2) + "\n"
    return found
