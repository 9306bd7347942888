"""Recipes broken at random: each loads, or is refused in five lines; nothing else ever happens."""

from __future__ import annotations

import copy
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.core.documents import read_document, write_document
from seedbed.core.errors import RecipeError
from seedbed.core.part import FAMILIES
from seedbed.recipe import dump, parse

WHOLE = """\
seedbed: 1
name: x
task: {kind: text_classification, text: t, label: l, labels: [a, b]}
sources: [{use: csv, path: x.csv, name: s, license: MIT, limit: 3, columns: {t: x, l: y}}, {use: jsonl, path: y}]
steps:
  - {use: fix_text}
  - {use: map_values, column: l, values: {A: a}}
  - {use: text_length, at_least: 3}
  - {use: sample, rows: 3}
checks: [{use: row_count, at_least: 1, on_fail: stop}, {use: allowed_values, column: l, values: [a]}]
split: {use: stratified, train: 0.8, validation: 0.1, test: 0.1, seed: 1, keep_together: {at_least: 0.7}}
prepare: []
train: [{use: majority}, {use: tfidf_logistic, c: 2}]
evaluate: {metrics: [macro_f1, accuracy], intervals: {level: 0.9, resamples: 100}}
gates: [{metric: accuracy, split: test, at_least: 0.1, model: majority, waive: because}]
publish: [{use: folder, path: out}]
waive: [{what: row_count, reason: b}]
ledger: {changes: all}
"""
NAMES = [use for head in FAMILIES.values() for use in head.catalogue]
KEYS = [
    "use",
    "column",
    "columns",
    "at_least",
    "values",
    "path",
    "train",
    "keep_together",
    "stratified",
    "model",
    "x\ny",
    "",
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats()
    | st.sampled_from(NAMES)
    | st.text(max_size=5)
    | st.sampled_from(["\x1b[2J", "x" * 5000, 10**400, -0.0, "a\nb\nc\nd\ne\nf"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=5,
)


def places(data: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


PLACES = [place for place in places(yaml.safe_load(WHOLE)) if place]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(["replace", "remove", "add"]), VALUES), max_size=3))
def test_a_broken_recipe_loads_or_is_refused(changes: list[tuple[tuple[str | int, ...], str, Any]]) -> None:
    data = copy.deepcopy(read_document(WHOLE, at="x").data)
    for path, what, value in changes:
        change(data, path, what, value)
    try:
        loaded = parse(data)
    except RecipeError as error:
        lines = str(error).splitlines()
        assert len(lines) <= 5
        assert all(line.isprintable() and len(line) < 600 for line in lines), lines
    else:
        again = parse(read_document(dump(loaded.recipe), at="dumped").data)
        assert again.recipe == loaded.recipe


def change(data: Any, path: tuple[str | int, ...], what: str, value: Any) -> None:
    try:
        here = data
        for key in path[:-1]:
            here = here[key]
        if what == "remove":
            del here[path[-1]]
        elif what == "add" and isinstance(here[path[-1]], dict):
            here[path[-1]]["column" if value is None else "extra"] = value
        else:
            here[path[-1]] = value
    except (KeyError, IndexError, TypeError):
        pass  # an earlier change took the place away


def test_the_whole_recipe_loads() -> None:
    recipe = parse(read_document(WHOLE, at="x").data).recipe
    assert parse(read_document(write_document(read_document(dump(recipe), at="x").data), at="x").data).recipe == recipe
