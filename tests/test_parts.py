"""One table over everything a recipe can name: each part is well formed, and its examples are true."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from answering import answered, measured
from seedbed.core.check import Check, View
from seedbed.core.context import Context
from seedbed.core.doubts import SUSPECTS, Doubts
from seedbed.core.errors import MissingExtraError
from seedbed.core.metric import Score
from seedbed.core.part import BASE, FAMILIES, Example, Part, sections
from seedbed.core.rows import NUMBER, ROW, data_columns, number_rows
from seedbed.core.source import Source
from seedbed.core.splitter import ByValue, Dealing, Folding, Splitter
from seedbed.core.step import UNIT, Filter, Fitted, Make, Map, Reduce, Rework, Step
from seedbed.core.task import TextClassification
from seedbed.engine.kernel import Kernel
from serving.examples import asked, placed

ROOMS = {
    "sources": "sources",
    "steps": "steps",
    "checks": "checks",
    "splitters": "splits",
    "learners": "train",
    "metrics": "evaluate",
    "exporters": "publish",
    "trackers": "track",
}
#: Names that stand in people's recipes: a part may gain options, but it never loses its name.
PROMISED = {
    "sources": "csv jsonl json parquet arrow excel text html pdf xml sqlite sql rest web hub generate pickle frame",
    "steps": "fix_text strip_html normalize drop_missing map_values keep_values text_length exact_duplicates "
    "near_duplicates conflicting_labels sample fill_missing lemmatize where derive join cast parse_dates cap_per_class "
    "python decontaminate semantic_duplicates apply_review numeric_outliers scale encode tfidf hash_features "
    "text_features select_features merge_categories augment convert_units language quality_rules toxicity "
    "redact_pii",
    "checks": "row_count no_missing allowed_values class_share no_leakage unique value_range matches text_length_range "
    "license label_errors annotator_agreement foreign_key schema freshness drift pii_left errors_by_group "
    "chat_rules",
    "splitters": "stratified random group time hashed k_fold predefined",
    "learners": "majority rules naive_bayes tfidf_logistic tfidf_svm embedding_logistic tfidf_embedding_logistic "
    "transformer mean tfidf_ridge embedding_ridge tabular_linear decision_tree random_forest gradient_boosting "
    "tuned ensemble best_sentence extractive_qa copy_input nearest ngram language_model",
    "metrics": "accuracy balanced_accuracy macro_f1 micro_f1 weighted_f1 macro_precision macro_recall roc_auc "
    "average_precision log_loss expected_calibration_error rmse mse mae median_absolute_error rmsle r2 "
    "within_10_percent samples_f1 hamming_loss top_3_accuracy cohen_kappa matthews brier exact_match token_f1 "
    "answerable_accuracy exact rouge_l chrf perplexity word_perplexity bits_per_byte",
    "exporters": "folder arrow croissant csv duckdb hub jsonl numpy parquet pickle tf_data tfrecord tokens torch "
    "webdataset openai_chat alpaca sharegpt prompt_completion squad fine_tuning onnx c_header space docker browser",
    "trackers": "mlflow tensorboard",
}
PACKAGES = {family: importlib.import_module(f"seedbed.{room}") for family, room in ROOMS.items()}
# Tests may define parts of their own; these are ours.
PARTS = [
    part
    for family in ROOMS
    for part in FAMILIES[family].catalogue.values()
    if part.__module__.startswith(PACKAGES[family].__name__ + ".")
]
CASES = [(part, example) for part in PARTS for example in part.examples]
FOLDER = TemporaryDirectory(prefix="seedbed-parts-")
TASK = TextClassification(kind="text_classification", text="text", label="label")

every_part = pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.family}-{_use(part)}")


def _use(part: type[Part]) -> str:
    return str(part.model_fields["use"].default)


def _id_of(value: object) -> str:
    return _use(value) if isinstance(value, type) else ""


def _given(part: type[Part], example: Example) -> dict[str, Any]:
    """The example as a recipe would write it."""
    found: dict[str, Any] = {"use": _use(part), **example.options}
    for name, field in part.model_fields.items():
        if field.is_required() and name == "path":
            found.setdefault("path", "somewhere")
    return found


def _made(part: type[Part], example: Example) -> Any:
    try:
        part.check_needs()
    except MissingExtraError as error:
        pytest.skip(str(error))
    return part.model_validate(_given(part, example), context={BASE: _beside(example)}).for_task(TASK.roles)


def _beside(example: Example) -> Path:
    """A folder with the example's files."""
    if not example.files:
        return Path.cwd()
    folder = Path(FOLDER.name) / hashlib.sha256(example.model_dump_json().encode()).hexdigest()
    folder.mkdir(exist_ok=True)
    for name, lines in example.files.items():
        (folder / name).write_text("\n".join(lines), encoding="utf-8")
    return folder


def _frame(columns: Mapping[str, list[Any]]) -> pl.DataFrame:
    table = pl.DataFrame(dict(columns), strict=False)
    return number_rows(
        table, file_number=0, source="0", file="t", records=pl.Series(range(1, table.height + 1), dtype=pl.UInt64)
    )


# Form


def test_every_promised_part_is_there() -> None:
    missing = {
        family: left
        for family, names in PROMISED.items()
        if (left := set(names.split()) - {_use(part) for part in PARTS if part.family == family})
    }
    assert not missing


def test_a_family_holds_only_parts_that_a_recipe_can_name() -> None:
    importlib.import_module("seedbed.engine.kernel")
    assert [part for family in FAMILIES.values() for name, part in family.catalogue.items() if not name] == []


@every_part
def test_page(part: type[Part]) -> None:
    page = sections(part)
    assert page[""], "no summary"
    assert part.summary().endswith(("?", ".", "…")), "the first line is a sentence"
    assert page.get("why"), "no '## Why'"
    assert page.get("limits"), "no '## Limits'"
    assert part.examples


@every_part
def test_every_option_is_described(part: type[Part]) -> None:
    bare = [name for name, field in part.model_fields.items() if name != "use" and not field.description]
    for title, inner in part.model_json_schema().get("$defs", {}).items():
        bare += [f"{title}.{name}" for name, at in inner.get("properties", {}).items() if not at.get("description")]
    assert bare == []


@every_part
def test_place(part: type[Part]) -> None:
    package = PACKAGES[part.family]
    assert part.__module__ == f"{package.__name__}.{_use(part)}"
    assert part.__name__ in package.__all__
    assert getattr(package, part.__name__) is part


@every_part
def test_schema(part: type[Part]) -> None:
    schema = part.model_json_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["required"][0] == "use"
    for example in part.examples:
        asked = {k: v for k, v in _given(part, example).items() if not _has_python_keys(v)}
        errors = [e.message for e in Draft202012Validator(schema).iter_errors(asked) if e.validator != "required"]
        assert errors == []


def _has_python_keys(value: object) -> bool:
    # YAML may have numbers as keys, JSON may not.
    return isinstance(value, dict) and not all(isinstance(key, str) for key in value)


@every_part
def test_round_trip(part: type[Part]) -> None:
    for example in part.examples:
        context = {BASE: _beside(example)} if example.files else None  # a frame is handed over by Python alone
        made = part.model_validate(_given(part, example), context=context)
        assert part.model_validate(made.model_dump(), context=context) == made
        assert part.model_validate_json(made.model_dump_json(), context=context) == made


@every_part
def test_unknown_option_is_refused(part: type[Part]) -> None:
    with pytest.raises(ValidationError, match="no_such_option"):
        part.model_validate({**_given(part, part.examples[0]), "no_such_option": 1})


# Examples, run as the engine would


class InMemory:
    """What a `Reduce` asks for, with keys in three pieces."""

    def __init__(self, step: Reduce, rows: pl.DataFrame) -> None:
        self._rows = rows
        sums = step.survey()
        self._survey = {name: int(rows.select(sum_.sum()).item()) for name, sum_ in sums.items()}
        half = rows.height // 2
        seen = [*step.reads(), NUMBER, ROW]
        batches = [batch.select(list(dict.fromkeys(seen))) for batch in (rows[:half], rows[half:])]
        self._keys = pl.concat([step.keys(batch, self.survey) for batch in batches])

    @property
    def survey(self) -> Mapping[str, int]:
        return self._survey

    @property
    def context(self) -> Context:
        return Context(store=Path(FOLDER.name) / "store")

    def partitions(self) -> Iterator[pl.DataFrame]:
        piece = self._keys["key"].rank("dense").fill_null(0) % 3
        for i in range(3):
            yield self._keys.filter(piece == i)

    def lookup(self, numbers: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
        return self._rows.filter(pl.col(NUMBER).is_in(numbers.implode())).select(NUMBER, ROW, *columns).sort(NUMBER)

    def over(
        self, work: Callable[[pl.DataFrame], pl.DataFrame], units: pl.DataFrame, columns: Sequence[str]
    ) -> Iterator[pl.DataFrame]:
        for _, unit in units.group_by(UNIT, maintain_order=True):
            yield work(self.lookup(unit[NUMBER], columns).select(NUMBER, *columns))


def _run_step(step: Step, rows: pl.DataFrame) -> pl.DataFrame:
    if isinstance(step, Map | Filter):
        return Kernel(((step.use, step),))(rows).kept
    if isinstance(step, Reduce):
        verdicts = list(step.judge(InMemory(step, rows)))
        rejected = pl.concat([verdict.select(NUMBER, "reason") for verdict in verdicts]) if verdicts else rows[:0]
        assert rejected[NUMBER].is_unique().all()
        return rows.join(rejected, on=NUMBER, how="anti", maintain_order="left")
    if isinstance(step, Fitted):
        return _prepared(step, _learned(step, rows), rows, train=True)
    if isinstance(step, Make):
        return pl.concat([made.select(*data_columns(rows), "parents") for made in step.make(rows.lazy(), 13)])
    pytest.fail(f"how is an example of {type(step).__name__} run?")


def _learned(step: Fitted, rows: pl.DataFrame) -> dict[str, Any]:
    """What a part learns of training rows, as it is read from where it was kept."""
    state = step.fit(rows.lazy(), 13)
    kept = json.loads(json.dumps(state, allow_nan=False))
    assert kept == state, "the state is not plain data"
    return dict(kept)


def _prepared(step: Fitted, state: dict[str, Any], rows: pl.DataFrame, *, train: bool) -> pl.DataFrame:
    keep = step.keep(state) if train else None
    rows = rows if keep is None else rows.filter(keep)
    done = rows.with_columns(step.train_columns(state) if train else step.columns(state))
    return done.drop(step.drops(state))


def _source(part: type[Source], example: Example, folder: Path) -> dict[str, list[Any]]:
    try:
        part.check_needs()
    except MissingExtraError as error:
        pytest.skip(str(error))
    with placed(part, example, folder) as options:
        source = part.model_validate({**_given(part, example), **options})
        context = Context(base=folder, store=folder / "store")
        scan = source.scan(context)
    tables = [source.parse(block, scan).table for block in source.blocks(scan, context)]
    return pl.concat(tables).to_dict(as_series=False)


def _check(check: Check, example: Example) -> dict[str, list[Any]]:
    about_split = check.when == "split" and "messages" not in example.options
    rows = pl.DataFrame() if about_split else _frame(example.before)
    certificate = {name: values[0] for name, values in example.before.items()} if about_split else {}
    licences = {f"source {place}": licence for place, licence in enumerate(example.before.get("licence", []))}
    doubts = _doubts(example.before) if "suspect" in example.before else None
    finding = check.find(View(rows=rows.lazy(), task=TASK, certificate=certificate, licences=licences, doubts=doubts))
    assert finding.check == check.use
    assert finding.message.endswith(".")
    return {"passed": [finding.passed], "value": [finding.value], "limit": [finding.limit]}


def _doubts(before: dict[str, list[Any]]) -> Callable[[str | None, int], Doubts]:
    rows = pl.Series(before["suspect"], dtype=pl.String)
    empty = pl.DataFrame({name: [None] * len(rows) for name in SUSPECTS}, schema=SUSPECTS)
    suspects = empty.with_columns(rows.alias(ROW), kind=pl.lit("wrong"))
    share = Score(value=before["share"][0], low=before["low"][0], high=before["high"][0], n=1000)
    return lambda learner, folds: Doubts(suspects, share, 0.2, 0.8, learner or "tfidf_logistic", folds)


def _splitter(splitter: Splitter, example: Example) -> dict[str, list[Any]]:
    labels = np.unique(example.before["label"], return_inverse=True)[1].astype(np.int64)
    clusters = np.asarray(example.before.get("cluster", range(len(labels))), dtype=np.int64)
    if isinstance(splitter, ByValue):
        said = pl.Series(splitter.says or "", example.before[splitter.says or "source"])
        placed = splitter.place(said, clusters, labels, np.zeros(len(labels), dtype=np.bool_))
        assert [reason is None for reason in placed.reasons] == (placed.places >= 0).tolist()
        dealt = {name: [int((placed.places == i).sum())] for i, name in enumerate(placed.splits or splitter.splits)}
        return {**dealt, "rejected": [int((placed.places < 0).sum())]}
    assert isinstance(splitter, Dealing)
    dealt = splitter.assign(clusters, labels)
    found: dict[str, list[Any]] = {name: [int((dealt == i).sum())] for i, name in enumerate(splitter.splits)}
    if isinstance(splitter, Folding):
        train = dealt == 0
        found["folds"] = [np.bincount(splitter.deal_folds(clusters[train], labels[train])).tolist()]
    return found


@pytest.mark.parametrize(
    ("part", "example"),
    [
        pytest.param(part, example, id=f"{part.family}-{_use(part)}-{i}")
        for part in PARTS
        if part.family not in ("exporters", "trackers")  # they need a whole run: tests/publish, tests/track
        for i, example in enumerate(part.examples)
    ],
)
def test_example(part: type[Part], example: Example, tmp_path: Path) -> None:
    match part.family:
        case "sources":
            found = _source(part, example, tmp_path)  # type: ignore[arg-type]
        case "steps":
            found = _run_step(_made(part, example), _frame(example.before)).to_dict(as_series=False)
        case "checks":
            found = _check(_made(part, example), example)
        case "splitters":
            found = _splitter(_made(part, example), example)
        case "metrics":
            found = measured(_made(part, example), example)
        case "learners":
            with asked(part, example) as options:  # type: ignore[arg-type]
                found = answered(_made(part, example).model_copy(update=options), example)
        case family:
            pytest.fail(f"how is an example of the {family} run?")
    assert {name: found[name] for name in example.after} == example.after


# What no row-wise step may do, whatever the rows

STEPS = [(part, example) for part, example in CASES if issubclass(part, Map | Filter)]
every_step = pytest.mark.parametrize(("part", "example"), STEPS, ids=_id_of)
# Polars holds UTF-8: no surrogates.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    [
        "",
        " ",
        "\x00",
        "\n\r\t",
        "👩‍👩‍👧 <b>x</b>",
        "&amp;&lt;",
        "<",
        "&",
        "\ufeff",
        "e\u0301",
        "\u00e2\u20ac\u2122",
        "@a http://b.c",
    ]
)
VALUES = {
    pl.String: TEXTS,
    pl.Int64: st.integers(-(2**62), 2**62),
    pl.Float64: st.floats(width=64),
    pl.Boolean: st.booleans(),
}


def _tables(example: Example) -> st.SearchStrategy[pl.DataFrame]:
    """Tables of the example's columns and types with any values."""
    kinds = _frame(example.before).drop(ROW, NUMBER).schema
    any_row = st.tuples(*(st.none() | VALUES.get(kind.base_type(), st.none()) for kind in kinds.values()))
    return st.lists(any_row, max_size=8).map(
        lambda rows: _frame(pl.DataFrame(rows, schema=kinds, orient="row").to_dict(as_series=False)).cast(dict(kinds))
    )


@every_step
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_rows_are_kept_or_rejected_and_batches_do_not_matter(
    part: type[Step], example: Example, data: st.DataObject
) -> None:
    step = _made(part, example)
    rows = data.draw(_tables(example))
    cut = data.draw(st.integers(0, rows.height))
    halves = [rows[:cut], rows[cut:]]
    if isinstance(step, Rework):
        kernel = Kernel(((step.use, step),), changes="all")
        outcome, parts = kernel(rows), [kernel(half) for half in halves]
        gone = outcome.entries.filter(action="rejected")
        assert sorted([*outcome.kept[NUMBER], *gone[NUMBER]]) == rows[NUMBER].to_list()
        assert gone["reason"].null_count() == 0
        assert set(step.written()) <= set(outcome.kept.columns)
        assert pl.concat([part.kept for part in parts]).equals(outcome.kept)
        assert pl.concat([part.entries for part in parts]).sort(pl.all()).equals(outcome.entries.sort(pl.all()))
        # What a Filter and a Map say of themselves is the same.
        assert rows.filter(step.keep()).with_columns(step.columns()).equals(outcome.kept)
    elif isinstance(step, Map):
        whole = rows.with_columns(step.columns())
        assert whole.height == rows.height
        assert whole.select(NUMBER, ROW).equals(rows.select(NUMBER, ROW))
        assert set(data_columns(rows)) <= set(data_columns(whole))
        assert pl.concat([half.with_columns(step.columns()) for half in halves]).equals(whole)
    else:
        assert isinstance(step, Filter)
        keep = rows.select(keep=step.keep())["keep"]
        assert keep.dtype == pl.Boolean
        assert keep.len() == rows.height
        assert pl.concat([half.select(keep=step.keep())["keep"] for half in halves]).equals(keep)
        gone = rows.filter(keep.eq_missing(False))
        told = gone.with_columns(step.reason().alias("reason"), **step.evidence())
        assert told.height == gone.height
        assert told["reason"].null_count() == 0


LEARNING = [(part, example) for part, example in CASES if issubclass(part, Fitted)]


@pytest.mark.parametrize(("part", "example"), LEARNING, ids=_id_of)
def test_what_was_learned_says_the_same_of_a_row_whatever_stands_around_it(
    part: type[Fitted], example: Example
) -> None:
    step = _made(part, example)
    state = _learned(step, _frame(example.before))
    keep = step.keep(state)

    @given(rows=_tables(example), cut=st.integers(0, 8))
    @settings(max_examples=25, deadline=None)
    def holds(rows: pl.DataFrame, cut: int) -> None:
        halves = [rows[:cut], rows[cut:]]
        whole = _prepared(step, state, rows, train=False)
        assert whole.select(NUMBER, ROW).equals(rows.select(NUMBER, ROW))
        assert pl.concat([_prepared(step, state, half, train=False) for half in halves]).equals(whole)
        assert rows.with_columns(step.train_columns(state)).drop(step.drops(state)).schema == whole.schema
        if keep is not None:
            told = rows.with_columns(step.reason(state).alias("reason"), **step.evidence(state), keep=keep)
            assert told.height == rows.height
            assert told["keep"].null_count() == 0
            assert told["reason"].null_count() == 0

    holds()


@pytest.mark.parametrize(
    ("part", "example"),
    [case for case in STEPS if issubclass(case[0], Filter) and not issubclass(case[0], Rework)],
    ids=_id_of,
)
def test_a_row_of_nothing_is_never_kept(part: type[Filter], example: Example) -> None:
    rows = _frame(example.before)
    nothing = pl.DataFrame({name: [None] for name in rows.columns}, schema=rows.schema)
    keep = nothing.select(keep=_made(part, example).keep())["keep"]
    assert keep.to_list() in ([None], [False])
