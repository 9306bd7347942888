"""What two runs recorded, side by side: checks, scores, books and the options of their recipes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from seedbed.core.check import Finding
from seedbed.core.difference import BooksPair, CheckPair, Column, Option, Rejected, ScorePair
from seedbed.core.documents import read_document
from seedbed.core.errors import RecipeError
from seedbed.core.run import Run

from .sides import Opened


def schema_changes(a: Opened, b: Opened) -> tuple[Column, ...]:
    """Columns that came, went, or are of another type."""
    names = dict.fromkeys([*a.schema, *b.schema])
    kinds = ((name, a.schema.get(name), b.schema.get(name)) for name in names)
    return tuple(
        Column(column=name, a=None if one is None else str(one), b=None if two is None else str(two))
        for name, one, two in kinds
        if one != two
    )


def checks_of(a: Run, b: Run) -> tuple[CheckPair, ...]:
    """Every check that either ran."""
    one, two = _by_name(a.findings), _by_name(b.findings)
    return tuple(
        CheckPair(check=name, **_told(one.get(name), "a"), **_told(two.get(name), "b"))
        for name in dict.fromkeys([*one, *two])
    )


def _by_name(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    """Findings by check; a check of the same name again gets a number."""
    seen: Counter[str] = Counter()
    found = {}
    for one in findings:
        seen[one.check] += 1
        found[one.check if seen[one.check] == 1 else f"{one.check}#{seen[one.check]}"] = one
    return found


def _told(finding: Finding | None, side: str) -> dict[str, Any]:
    if finding is None:
        return {side: None}
    state = "passed" if finding.passed else "failed"
    return {side: state, f"value_{side}": finding.value, f"limit_{side}": finding.limit}


def scores_of(a: Run, b: Run) -> tuple[ScorePair, ...]:
    """Every score of every model that either has."""
    one, two = _scores(a), _scores(b)
    return tuple(
        ScorePair(model=model, split=split, metric=metric, a=one.get(at), b=two.get(at))
        for at in dict.fromkeys([*one, *two])
        for model, split, metric in [at]
    )


def _scores(run: Run) -> dict[tuple[str, str, str], Any]:
    return {
        (model.name, split, metric): score
        for model in run.models
        for split, scores in model.scores.items()
        for metric, score in scores.items()
    }


def books_of(a: Run, b: Run) -> BooksPair:
    """Where the rows of both went."""
    one, two = a.rows.rejected, b.rows.rejected
    named = dict.fromkeys((part, reason) for books in (one, two) for part, why in books.items() for reason in why)
    return BooksPair(
        read_a=a.rows.read,
        read_b=b.rows.read,
        kept_a=a.rows.kept,
        kept_b=b.rows.kept,
        rejected=tuple(
            Rejected(part=part, reason=reason, a=one.get(part, {}).get(reason, 0), b=two.get(part, {}).get(reason, 0))
            for part, reason in named
        ),
    )


def options_of(a: Run, b: Run) -> tuple[Option, ...]:
    """Options of the two recipes that differ, by their path."""
    one, two = _flat(a.recipe_text), _flat(b.recipe_text)
    return tuple(
        Option(path=path, a=one.get(path), b=two.get(path))
        for path in dict.fromkeys([*one, *two])
        if one.get(path, ...) != two.get(path, ...)
    )


def _flat(recipe: str) -> dict[str, Any]:
    try:
        data = read_document(recipe, at="recipe.yaml").data
    except RecipeError:  # of a version that wrote it otherwise
        return {}
    return dict(_paths(data, ""))


def _paths(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    """Every option with its path; parts of a list go by what they `use`, not by their place, so that one more part
    before them changes nothing."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _paths(inner, f"{at}.{key}" if at else str(key))
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        seen: Counter[str] = Counter()
        names = []
        for one in value:
            use = str(one.get("name") or one.get("use") or one.get("metric") or "")
            seen[use] += 1
            names.append(use if seen[use] == 1 else f"{use}#{seen[use]}")
            yield from _paths(one, f"{at}.{names[-1]}")
        yield f"{at} (order)", names
    else:
        yield at, value
