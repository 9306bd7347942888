"""Sums of vectors are done in one thread, however many the libraries were given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_info, threadpool_limits

from seedbed.core.context import Context
from seedbed.train.logistic import LogisticOptions
from seedbed.train.ridge import RidgeOptions
from seedbed.train.scale import Scale
from seedbed.train.target import Target
from seedbed.train.target_numbers import Numbers


@pytest.mark.parametrize("solver", [LogisticRegression, Ridge])
def test_weights_are_solved_in_one_thread(solver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[int]] = []
    fit = solver.fit

    def watched(self: Any, *given: Any, **more: Any) -> Any:
        seen.append(_threads())
        return fit(self, *given, **more)

    monkeypatch.setattr(solver, "fit", watched)
    features, codes = np.random.default_rng(1).normal(size=(40, 3)), np.arange(40) % 2
    with threadpool_limits(2):
        if 2 not in _threads():
            pytest.skip("the libraries were built without threads")
        if solver is Ridge:
            RidgeOptions().solve(features, Numbers(codes * 1.0, Scale(log=False), None), Context(), name="ridge")
        else:
            LogisticOptions().solve(features, Target(("a", "b"), codes), Context(), name="logistic")
        assert seen and all(one == {1} for one in seen)
        assert 2 in _threads(), "others have theirs again"


def _threads() -> set[int]:
    return {one["num_threads"] for one in threadpool_info()}
