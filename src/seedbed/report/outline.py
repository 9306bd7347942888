"""The page's sections: which a run has something for, in order."""

from __future__ import annotations

from collections.abc import Mapping

from seedbed.core.run import Run
from seedbed.core.scrutiny import Scrutiny

from .facts import judged, mistakes_named, several_labels, trains
from .figure import Figure

Section = tuple[str, str]
"""Anchor and title."""


def sections(run: Run, figures: Mapping[str, Figure]) -> list[Section]:
    """The sections that have something to say, in order."""
    of = judged(run)
    told: list[tuple[str, str, object]] = [
        ("verdict", "Verdict", True),
        ("rows", "Where every row went", True),
        ("classes", "Labels" if several_labels(run) else "Classes", "classes" in figures),
        ("target", "Numbers", "target" in figures),
        ("lengths", "Text lengths", "lengths" in figures),
        ("holds", "What a row holds", run.dataset.measures),
        ("models", "Models", trains(run)),
        ("comparisons", "Comparisons", run.comparisons),
        ("confusion", "Confusions", "confusion" in figures),
        ("curves", "Curves", "roc" in figures or "precision_recall" in figures),
        ("reliability", "How sure, how right", "reliability" in figures or (of and of.model.calibration)),
        ("far_off", "How far off", "scatter" in figures),
        ("slices", "Slices", "slices" in figures),
        ("mistakes", mistakes_named(run), of and of.model.mistakes),
        ("side_by_side", "Models side by side", run.scrutiny and run.scrutiny.side_by_side),
        *closely(run),
        ("paid", "Did it pay?", run.effects or run.learning_curve),
        ("checks", "Checks and gates", True),
        ("certificate", "Certificate", True),
        ("leakage", "What leakage would claim", run.leakage),
        ("ablation", "What each step is worth", run.ablation),
        ("sources", "Sources", run.sources),
        ("columns", "Columns", run.dataset.columns),
        ("timings", "Time", run.timings),
        ("card", "Card and publishing", run.blanks or run.stale or run.published or run.unpublished),
        ("again", "How to reproduce", True),
    ]
    return [(key, title) for key, title, present in told if present]


def closely(run: Run) -> list[tuple[str, str, object]]:
    """Sections of what `evaluate` asked for besides scores."""
    found = run.scrutiny or Scrutiny()
    return [
        ("promises", "What answers promise", found.conformal),
        ("deciding", "Where to decide", found.thresholds),
        ("robustness", "Disturbed texts", found.robustness),
        ("fairness", "How groups fare", found.fairness),
        ("clusters", "Where mistakes lie", found.clusters),
        ("people", "People and the model", found.people),
        ("judged_by", "Whose answers a judge prefers", found.judged_by),
        ("preferences", "Whose answers people prefer", found.preferences),
    ]
