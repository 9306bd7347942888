"""How much each of several models counts, so that their mean is best on rows that none of them learned from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import Truth
from seedbed.core.task import Says

_Floats = NDArray[np.float64]

#: A probability is not taken for less: one row that a model was sure of, and wrong, would decide alone.
_SMALLEST = 1e-6
#: A weight below this is none.
_NOTHING = 1e-4


def weigh(says: Says, truth: Truth, answers: _Floats, weights: _Floats | None) -> tuple[float, ...]:
    """Weights of models, none below 0, that add up to 1: those at which the loss of their mean is least.

    The loss is the log loss of a label, the mean log loss over labels where rows have any number, and the squared error
    of a number. All are convex in the weights, so that there is one least value.

    Args:
        says: What is answered: `label`, `labels` or `number`.
        truth: What is right of each row.
        answers: Of each model, to rows that it did not learn from, shape (models, rows, K).
        weights: How much each row counts, shape (rows,); alike when left out.
    """
    from scipy.optimize import minimize

    models, rows = answers.shape[:2]
    each = np.ones(rows) if weights is None else weights
    loss = _LOSSES[says](truth, answers, each / each.sum())
    equal = np.full(models, 1 / models)
    found = minimize(
        loss,
        equal,
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * models,
        constraints=[{"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(models)}],
        options={"maxiter": 500, "ftol": 1e-12},
    )
    chosen = np.where(found.x > _NOTHING, found.x, 0.0)
    chosen = chosen / chosen.sum() if np.isfinite(chosen).all() and chosen.sum() > 0 else equal
    return tuple(float(one) for one in (chosen if loss(chosen)[0] <= loss(equal)[0] else equal))


_Loss = Callable[[_Floats], tuple[float, _Floats]]


def _of_label(truth: NDArray[np.int64], answers: _Floats, each: _Floats) -> _Loss:
    given = answers[:, np.arange(len(truth)), truth].clip(_SMALLEST)

    def loss(weights: _Floats) -> tuple[float, _Floats]:
        mixed = np.maximum(weights @ given, _SMALLEST)
        return -float(each @ np.log(mixed)), -(given / mixed) @ each

    return loss


def _of_labels(truth: NDArray[np.bool_], answers: _Floats, each: _Floats) -> _Loss:
    given = np.where(truth, answers, 1 - answers).clip(_SMALLEST)
    share = each / truth.shape[1]

    def loss(weights: _Floats) -> tuple[float, _Floats]:
        mixed = np.maximum(np.tensordot(weights, given, 1), _SMALLEST)
        return -float((share @ np.log(mixed)).sum()), -np.einsum("mrk,r->m", given / mixed, share)

    return loss


def _of_number(truth: _Floats, answers: _Floats, each: _Floats) -> _Loss:
    scale = float(np.sqrt(each @ (truth - each @ truth) ** 2)) or 1.0
    off = (answers[:, :, 0] - truth) / scale

    def loss(weights: _Floats) -> tuple[float, _Floats]:
        mixed = weights @ off
        return float(each @ mixed**2), 2 * off @ (each * mixed)

    return loss


_LOSSES: dict[Says, Callable[..., _Loss]] = {"label": _of_label, "labels": _of_labels, "number": _of_number}
