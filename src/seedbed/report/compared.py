"""The page of runs side by side."""

from __future__ import annotations

from collections.abc import Sequence

from seedbed.core import numbers
from seedbed.core.compared import Compared, ComparedModel

from . import facts
from .figure import Figure
from .figures import MOST_MODELS, against_zero
from .lanes import Lane, dot, lanes
from .page import page_of


def render(found: Compared) -> str:
    """One HTML page that loads nothing and runs nothing; every text is escaped, and cut where it is very long.

    Returns:
        The page; it encodes as UTF-8.
    """
    level = numbers.level(found.runs[-1].level)
    why_not = [pair for pair in found.pairs if pair.why_not is not None]
    told: list[tuple[str, str, object]] = [
        ("verdict", "Verdict", True),
        ("scores", "Scores", found.models),
        ("differences", "Differences", found.comparisons),
        ("preferred", "Preferences", found.preferred),
        ("side_by_side", "Side by side", found.side_by_side),
        ("apart", "Not compared", why_not),
    ]
    by = found.metric
    differing = [one for one in found.comparisons if one.verdict != "not distinguishable"]
    return page_of(
        "compared.html",
        told,
        title=_title(found),
        what="comparison of runs",
        c=found,
        by=by,
        level=level,
        differing=differing,
        models=_by_name(found.models),
        metrics=list(dict.fromkeys([by, *(name for one in found.models for name in one.scores)])),
        paired=[pair for pair in found.pairs if pair.why_not is None],
        why_not=why_not,
        ladder=_ladder(found, level),
        figure=against_zero("differences", found.comparisons, by, "the same test rows", level)
        if found.comparisons
        else None,
        facts=facts,
    )


def _title(found: Compared) -> str:
    names = list(dict.fromkeys(run.name for run in found.runs))
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _by_name(models: Sequence[ComparedModel]) -> list[ComparedModel]:
    """Models of one name beside each other, names in the order in which they come."""
    names = list(dict.fromkeys(one.model for one in models))
    return sorted(models, key=lambda one: names.index(one.model))


def _ladder(found: Compared, level: str) -> Figure | None:
    """The deciding metric of every model, those of one name below each other."""
    scored = [(one, score) for one in _by_name(found.models) if (score := one.scores.get(found.metric))]
    if not scored:
        return None
    rows = [
        Lane(
            f"{one.model} of {one.run}",
            f"{numbers.score(score.value)} ({numbers.span(score)})",
            [dot(score, "point" if one.best else "hollow")],
        )
        for one, score in scored[:MOST_MODELS]
    ]
    title = f"{numbers.metric(found.metric)} of each model with its {level}"
    caption = f"{title}{' (lower is better)' if facts.lower_is_better(found.metric) else ''}, each on its own rows."
    if len(scored) > MOST_MODELS:
        caption += f" The first {MOST_MODELS} of {numbers.count(len(scored))}."
    legend = [("dot point", "best of its run"), ("hollow", "another")]
    return Figure("ladder", caption, lanes("ladder", title, rows, (), legend))
