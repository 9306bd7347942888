"""The search: Optuna proposes options, some at once; they are tried fold by fold, and poor ones are given up.

What is proposed hangs on the seed and on what was found before, never on who computes it or how fast: proposals come in
rounds, and all of a round are told in their order. A search that was killed goes through the same rounds again, and
takes from the store what it had found.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.context import Stage
from seedbed.core.numbers import score as written
from seedbed.core.search import Space

from .crew import Crew
from .known import Known, Outcome
from .spaces import distributions, every_point, options_at, point_of
from .trying import Setting, Work

#: Trials that are drawn before any are proposed from what was found (TPE), and that are finished before any are pruned.
_DRAWN, _FINISHED = 10, 5


class Trial(BaseModel):
    """Options that were tried."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    options: dict[str, Any] = Field(description="The values that were tried.")
    state: Literal["complete", "pruned", "failed"] = Field(description="Whether it was tried on all folds.")
    score: float | None = Field(None, description="The metric, averaged over the folds that it was tried on.")
    scores: tuple[float | None, ...] = Field((), description="Of each of these folds.")
    seconds: float = Field(0.0, description="Spent on it, now or in an earlier run.")
    error: str = Field("", description="Why it failed.")


@dataclass(frozen=True)
class Plan:
    """What is searched, and for how long."""

    setting: Setting
    spaces: Mapping[str, Space]
    folds: int
    trials: int
    at_once: int
    seconds: float | None


@dataclass
class _Running:
    """A trial that is being tried."""

    asked: Any
    options: dict[str, Any]
    outcomes: list[Outcome] = field(default_factory=list)
    pruned: bool = False
    known: bool = True
    """Whether all that came of it stood in the store."""

    @property
    def goes_on(self) -> bool:
        return not self.pruned and not self.error

    @property
    def error(self) -> str:
        if self.outcomes and self.outcomes[-1].error:
            return self.outcomes[-1].error
        return ""

    @property
    def score(self) -> float | None:
        """The mean of the folds so far."""
        known = [one.score for one in self.outcomes if one.score is not None]
        return sum(known) / len(known) if known else None

    def told(self) -> Trial:
        error = self.error or ("" if self.score is not None else "the metric has no value on any of the folds")
        return Trial(
            options=self.options,
            state="failed" if error else "pruned" if self.pruned else "complete",
            score=None if error else self.score,
            scores=tuple(one.score for one in self.outcomes),
            seconds=round(sum(one.seconds for one in self.outcomes), 3),
            error=error,
        )


def search(plan: Plan, known: Known, crew: Crew, stage: Stage) -> list[Trial]:
    """Try options. The first that are tried are the learner's own, where they lie in the spaces.

    Where all that may be tried are no more than the trials asked for, each is tried, once.

    Args:
        plan: What is searched.
        known: What was found before, and where to put what is found.
        crew: Who tries.
        stage: Told of each trial.
    """
    study = _study(plan)
    every = every_point(plan.setting.learner, plan.spaces, plan.trials)
    wanted = plan.trials if every is None else len(every)
    own = point_of(plan.setting.learner, plan.spaces)
    for point in [*([own] if own else []), *(one for one in every or () if one != own)]:
        study.enqueue_trial(point)
    axes, found, began = distributions(plan.setting.learner, plan.spaces), list[Trial](), time.monotonic()
    while len(found) < wanted and not _late(plan, found, began):
        study.sampler = _sampler(plan.setting.context.seed, len(found))
        asked = [study.ask(axes) for _ in range(min(plan.at_once, wanted - len(found)))]
        running = [_Running(one, options_at(plan.spaces, one.params)) for one in asked]
        _try(plan, running, known, crew)
        for one in running:
            _tell(study, one)
            found.append(one.told())
            stage.advance(1, _best_so_far(plan, found), found=one.known)
    return found


def best_of(trials: Sequence[Trial], *, lower_is_better: bool) -> Trial | None:
    """The best of those that were tried on all folds, of equals the first; none where there are none."""
    complete = [one for one in trials if one.state == "complete"]
    sign = 1 if lower_is_better else -1
    return min(complete, key=lambda one: sign * (one.score or 0.0), default=None)


def _try(plan: Plan, running: Sequence[_Running], known: Known, crew: Crew) -> None:
    for fold in range(plan.folds):
        here = [one for one in running if one.goes_on]
        there = {place: found for place, one in enumerate(here) if (found := known.get(one.options, fold))}
        new = [place for place in range(len(here)) if place not in there]
        for nth, outcome in crew([Work(plan.setting, here[place].options, fold) for place in new]):
            one = here[new[nth]]
            known.put(one.options, fold, outcome)
            there[new[nth]], one.known = outcome, False
        for place, one in enumerate(here):
            one.outcomes.append(there[place])
            if one.goes_on and one.score is not None:
                one.asked.report(one.score, fold)
                one.pruned = fold + 1 < plan.folds and one.asked.should_prune()


def _tell(study: Any, one: _Running) -> None:
    import optuna

    told = one.told()
    if told.state == "complete":
        study.tell(one.asked, told.score)
    else:
        state = optuna.trial.TrialState
        study.tell(one.asked, state=state.PRUNED if told.state == "pruned" else state.FAIL)


def _study(plan: Plan) -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(
        direction="minimize" if plan.setting.metric.lower_is_better else "maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_FINISHED),
    )


def _sampler(seed: int, done: int) -> Any:
    """TPE (Bergstra et al. 2011), told in advance of the others of a round; a new seed for each round."""
    import numpy as np
    import optuna

    drawn = int(np.random.SeedSequence([seed, done]).generate_state(1)[0])
    return optuna.samplers.TPESampler(seed=drawn, n_startup_trials=_DRAWN)


def _late(plan: Plan, found: Sequence[Trial], began: float) -> bool:
    if plan.seconds is None or time.monotonic() - began < plan.seconds:
        return False
    return any(one.state == "complete" for one in found)


def _best_so_far(plan: Plan, found: Sequence[Trial]) -> str:
    metric = plan.setting.metric
    best = best_of(found, lower_is_better=metric.lower_is_better)
    return f"best {metric.use} {written(best.score)}" if best and best.score is not None else ""
