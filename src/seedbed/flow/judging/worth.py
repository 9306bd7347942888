"""What made rows and `prepare` were worth, and what more rows would be: all of it on validation rows."""

from __future__ import annotations

from collections.abc import Sequence

from seedbed.core.errors import DataError, ModelError
from seedbed.core.learner import Learner
from seedbed.core.part import labels_of
from seedbed.core.run import Effect, LearningCurve, ModelRecord
from seedbed.evaluate.holm import with_holm
from seedbed.recipe import sections

from .effect import Variants, effects_of
from .learning_curve import curve_of


def what_it_was_worth(
    variants: Variants, learners: Sequence[Learner], best: ModelRecord | None
) -> tuple[tuple[Effect, ...], LearningCurve | None]:
    """The effects on the best model, and the learning curve, as far as the recipe asks for them.

    Args:
        variants: The run's rows.
        learners: The recipe's.
        best: The best model on validation rows.
    """
    judging = variants.judging
    evaluate, say = judging.evaluate, judging.context.progress.say
    named = dict(zip(labels_of(list(learners)), learners, strict=True))
    effects: list[Effect] = []
    if evaluate.effect and best is not None:
        try:
            effects += effects_of(variants, best.name, named[best.name])
        except (DataError, ModelError) as error:  # the result stands without it
            say(f"what made rows are worth cannot be told: {error.problem}")
    curve = None
    if learners and (evaluate.curve or (evaluate.curve is None and variants.makes)):
        asked = evaluate.curve if isinstance(evaluate.curve, sections.LearningCurve) else sections.LearningCurve()
        curve = curve_of(variants, asked, learners)
    return _corrected(effects, variants), curve


def _corrected(effects: Sequence[Effect], variants: Variants) -> tuple[Effect, ...]:
    """With Holm's correction over all that was compared by one metric."""
    judging = variants.judging
    found = iter(with_holm([one for effect in effects for one in effect.comparisons], judging.metrics, judging.level))
    return tuple(
        effect.model_copy(update={"comparisons": tuple(next(found) for _ in effect.comparisons)}) for effect in effects
    )
