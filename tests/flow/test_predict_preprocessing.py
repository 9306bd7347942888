"""What a bundle carries of a recipe's steps: found by what expressions read and write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import polars as pl
import polars.selectors as cs
import pytest

import seedbed
import seedbed.steps
from predicting_sample import STEPS, rows, small_run
from seedbed.core.errors import DataError, ModelError
from seedbed.core.part import BASE
from seedbed.core.rows import ROW
from seedbed.core.step import Filter, Map, Step
from seedbed.core.task import TextClassification
from seedbed.flow.judging.preprocessing import carried_steps
from seedbed.serve.preparation import Preparation

SCHEMA = pl.Schema({"title": pl.String(), "body": pl.String(), "label": pl.String(), "year": pl.Int64()})


class Shout(Map):
    """Writes all columns of text in capitals."""

    use: Literal["shout_for_tests"] = "shout_for_tests"

    def columns(self) -> Sequence[pl.Expr]:
        return [cs.string().str.to_uppercase()]


class Both(Map):
    """Writes the text from two columns through Python, and the label beside it."""

    use: Literal["both_for_tests"] = "both_for_tests"

    def columns(self) -> Sequence[pl.Expr]:
        joined = pl.struct("title", "body").map_batches(
            lambda both: both.struct.field("title") + "/" + both.struct.field("body"),
            return_dtype=pl.String,
            is_elementwise=True,
        )
        return [joined.alias("text"), pl.col("label").str.to_lowercase()]


class Recent(Filter):
    """Keeps rows of this century."""

    use: Literal["recent_for_tests"] = "recent_for_tests"

    def keep(self) -> pl.Expr:
        return pl.col("year") >= 2000


def part(**options: Any) -> Step:
    return Step.catalogue[options["use"]].model_validate(options)


def carry(*steps: Step, text: str = "text") -> dict[str, Any]:
    found = carried_steps(steps, SCHEMA, reads=[text], answer="label")
    return {
        "inputs": [one.name for one in found.inputs],
        "unseen": [one.name for one in found.unseen],
        "steps": {one.name: list(one.writes) for one in found.steps},
    }


def test_maps_are_followed_back_to_the_columns_of_a_row() -> None:
    clean = [part(use="normalize", column=name) for name in ("title", "body", "label")]
    assert carry(*clean, Both()) == {
        "inputs": ["title", "body"],
        "unseen": [],
        "steps": {"normalize": ["title"], "normalize.2": ["body"], "both_for_tests": ["text"]},
    }


def test_a_served_row_needs_nothing_but_the_inputs() -> None:
    carried = carried_steps([Both()], SCHEMA, reads=["text"], answer="label")
    task = TextClassification(text="text", label="label")
    found = Preparation.of(carried, task, at="x")(pl.DataFrame({"body": ["b"], "title": ["a"]}))
    assert found.rows.to_dict(as_series=False) == {"text": ["a/b"]}


def test_the_order_of_steps_counts() -> None:
    later = carry(Both(), part(use="normalize", column="title"), part(use="normalize", column="text"))
    assert later["steps"] == {"both_for_tests": ["text"], "normalize.2": ["text"]}


def test_a_selector_is_resolved_by_the_columns_that_are_there() -> None:
    assert carry(Shout(), text="body") == {"inputs": ["body"], "unseen": [], "steps": {"shout_for_tests": ["body"]}}


def test_a_filter_warns_if_it_sees_what_a_row_brings() -> None:
    missing = part(use="drop_missing", columns=["body", "label"])
    length = part(use="text_length", column="body", at_least=3)
    assert carry(missing, Recent(), length, text="body")["steps"] == {"text_length": []}
    assert carry(part(use="text_length", column="title", at_least=3), Both())["steps"] == {
        "text_length": [],
        "both_for_tests": ["text"],
    }


def test_a_map_comes_along_for_a_filter_alone() -> None:
    steps = [Both(), part(use="normalize", column="title"), part(use="text_length", column="title", at_least=3)]
    assert carry(*steps)["steps"] == {"both_for_tests": ["text"], "normalize": ["title"], "text_length": []}


def test_the_label_is_never_an_input() -> None:
    leaking = part(use="derive", column="text", template="{label}: {body}")
    assert carry(leaking) == {"inputs": ["body"], "unseen": ["label"], "steps": {"derive": ["text"]}}


def test_one_piece_of_work_is_narrowed_to_the_columns_that_are_needed() -> None:
    cast = part(use="cast", types={"year": "integer", "label": "text", "title": "text"})
    found = carry(cast, part(use="derive", column="text", template="{body} ({year})"))
    assert found == {"inputs": ["body", "year"], "unseen": [], "steps": {"cast": ["year"], "derive": ["text"]}}


@pytest.mark.parametrize("options", [example.options for example in Step.catalogue["derive"].examples])
def test_derived_texts(options: dict[str, Any]) -> None:
    step = part(use="derive", **options)
    schema = pl.Schema(dict.fromkeys([name for _, name in step.columns_used()], pl.String())) | {"stars": pl.Int64()}
    found = carried_steps([step], pl.Schema(schema), reads=[options["column"]], answer="none")
    assert {one.name for one in found.inputs} == {name for _, name in step.columns_used()}


def test_a_run_with_two_inputs_serves_what_it_trained_on(tmp_path: Path) -> None:
    steps = [
        {"use": "normalize", "column": "title", "lowercase": True},
        {"use": "fill_missing", "columns": ["said"], "with": "nothing"}
        if "with" in Step.catalogue["fill_missing"].model_fields
        else {"use": "normalize", "column": "said"},
        {"use": "derive", "column": "text", "template": "{title} {said} ({stars})"},
        {"use": "cast", "types": {"stars": "integer", "mood": "text"}},
        {"use": "where", "condition": "stars < 4"},
    ]
    task = {"kind": "text_classification", "text": "text", "label": "mood"}
    done = small_run(tmp_path, steps=steps, task=task)
    model = seedbed.load_model(done.folder)
    assert sorted(model.inputs) == ["said", "stars", "title"]
    assert model.check_golden() == 0
    kept = pl.read_parquet(done.folder / "dataset/data/*.parquet")
    again = model.predict(kept.select("title", "said", "stars"))
    assert again["read"].to_list() == kept["text"].to_list()
    assert again["warnings"].list.len().sum() == 0
    (odd,) = model.predict([{"title": "A", "said": "fine", "stars": 4}])["warnings"].to_list()
    assert odd == ["training left out rows like this one (where: not_kept)"] or "where" in odd[0]
    (wrong,) = model.predict([{"title": "A", "said": "fine", "stars": "many"}])["warnings"].to_list()
    assert wrong[0] == "stars: 'many' is no integer: taken as missing"


CODE = """
def tidy(row):
    if row["said"] is None:
        return "nothing_said"
    return {"said": row["said"].strip().replace("great", "GREAT"), "mood": row["mood"].lower()}
"""
OWN = {
    "use": "python",
    "function": "clean.py:tidy",
    "reads": ["said", "mood"],
    "writes": {"said": "text", "mood": "text"},
}


def test_own_code_needs_trust_and_travels_with_the_model(tmp_path: Path) -> None:
    code = CODE.replace('"mood": row["mood"].lower()', '"mood": row["mood"]')
    (tmp_path / "clean.py").write_text(code)
    done = small_run(tmp_path, steps=[OWN])
    (tmp_path / "clean.py").unlink()
    with pytest.raises(ModelError, match=r"a function of whoever made this model[^\n]*\n.*--trust"):
        seedbed.load_model(done.folder)
    model = seedbed.load_model(done.folder, trust=True)
    assert model.inputs == ("said",)
    assert [one.name for one in model.preparation.unseen] == ["mood"]
    assert model.predict(["  so great a film "])["read"].to_list() == ["so GREAT a film"]
    assert model.predict([None])["warnings"].to_list() == [
        ["training left out rows like this one (python: nothing_said)"]
    ]


def test_own_code_that_only_warns_is_left_out_without_trust(tmp_path: Path) -> None:
    (tmp_path / "clean.py").write_text("def tidy(row):\n    return row['said'] != 'boo'\n")
    done = small_run(tmp_path, steps=[*STEPS, {**OWN, "reads": ["said"], "writes": {}}])
    plain = seedbed.load_model(done.folder)
    assert plain.preparation.skipped == ("python",)
    assert plain.predict(["such an awful film, boo"])["warnings"].list.len().sum() == 0
    trusted = seedbed.load_model(done.folder, trust=True)
    assert trusted.preparation.skipped == ()


def test_a_file_outside_the_folder_is_not_laid_out(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "clean.py").write_text("def tidy(row):\n    return {'said': row['said']}\n")
    step = {**OWN, "function": "../clean.py:tidy", "reads": ["said"], "writes": {"said": "text"}}
    done = small_run(tmp_path / "in", steps=[step])
    with pytest.raises(ModelError, match="outside the recipe's folder"):
        seedbed.load_model(done.folder, trust=True)


def test_warnings_are_the_ledger(tmp_path: Path) -> None:
    made = rows(500)
    done = small_run(tmp_path, made)
    ledger = pl.read_parquet(done.folder / "ledger/*.parquet").filter(action="rejected")
    left_out = "training left out rows like this one ({}: {})"
    rejected = ledger.select("row", said=pl.format(left_out, "part", "reason"))
    told = dict(rejected.iter_rows())
    assert len(told) > 5
    found = seedbed.load_model(done.folder).predict(made)
    warned = {f"mine:rows.jsonl#{n}": said[0] for n, said in enumerate(found["warnings"].to_list(), 1) if said}
    assert warned == told


@pytest.mark.parametrize("use", [use for use, kind in Step.catalogue.items() if issubclass(kind, Map)])
def test_every_map_can_be_asked_what_it_reads(use: str, tmp_path: Path) -> None:
    for example in Step.catalogue[use].examples:
        for name, lines in example.files.items():
            (tmp_path / name).write_text("\n".join(lines))
        step = Step.catalogue[use].model_validate({"use": use, **example.options}, context={BASE: tmp_path})
        step = step.for_task({"text": "text", "label": "label"})
        assert isinstance(step, Map)
        schema = pl.Schema({"label": pl.String(), "text": pl.String()})
        schema |= pl.DataFrame(example.before, strict=False).schema
        before = pl.DataFrame(schema={ROW: pl.String(), **schema})
        new = {name for name in before.select(step.columns()).columns if name != "label"}
        for name in new:
            found = carried_steps([step], schema, reads=[name], answer="none")
            assert [list(one.writes) for one in found.steps] == [[name]]
            assert found.inputs
            assert {one.name for one in found.inputs} <= set(schema)


def test_a_joined_text_is_served_where_the_second_source_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stars.csv").write_text("stars,word\n0,none\n1,one\n2,two\n3,three\n4,four\n")
    steps = [
        {"use": "join", "source": {"use": "csv", "path": "stars.csv"}, "on": "stars"},
        {"use": "derive", "column": "text", "template": "{said} {word}"},
    ]
    done = small_run(tmp_path, steps=steps, task={"kind": "text_classification", "text": "text", "label": "mood"})
    model = seedbed.load_model(done.folder)
    assert model.inputs == ("said", "stars")
    with pytest.raises(DataError, match=r"stars\.csv"):
        model.check_golden()
    monkeypatch.chdir(tmp_path)
    assert seedbed.load_model(done.folder).check_golden() == 0
    read = seedbed.load_model(done.folder).predict([{"said": "good", "stars": 1}, {"said": "good", "stars": 9}])
    assert read["read"].to_list() == ["good one", "good "]
    assert read["warnings"].to_list() == [[], ["training left out rows like this one (join: unmatched)"]]


def test_what_a_preparation_is_made_of_is_checked(tmp_path: Path) -> None:
    done = small_run(tmp_path)
    before = seedbed.load_model(done.folder).bundle.preprocess
    steps = before.model_dump(mode="json")["steps"]
    for harm, words in (({"use": "fix_texts"}, "not known"), ({"use": "fix_text", "x": 1}, "cannot be used here")):
        broken = type(before).model_validate(before.model_dump() | {"steps": [steps[0] | {"part": harm}]})
        with pytest.raises(ModelError, match=words) as error:
            Preparation.of(broken, TextClassification(text="said", label="mood"), at="x")
        assert len(str(error.value).splitlines()) <= 5
