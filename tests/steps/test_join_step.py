"""The step join: by itself, and in runs."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.errors import DataError, RecipeError, SeedbedError
from seedbed.core.part import BASE
from seedbed.core.rows import NUMBER, number_rows
from seedbed.engine.kernel import Kernel, Outcome
from seedbed.flow.running import Finished, run
from seedbed.recipe.loading import dump, load, parse
from seedbed.sources import Jsonl
from seedbed.steps import Join

PRICES = "id,price\na,1\nb,2\nc,3\n"


def join(base: Path, text: str = PRICES, **options: Any) -> Join:
    (base / "right.csv").write_text(text)
    given = {"use": "join", "source": {"use": "csv", "path": "right.csv"}, "on": "id", **options}
    return Join.model_validate(given, context={BASE: base})


def frame(**columns: list[Any]) -> pl.DataFrame:
    table = pl.DataFrame(columns, strict=False)
    return number_rows(
        table, file_number=0, source="0", file="t", records=pl.Series(range(1, table.height + 1), dtype=pl.UInt64)
    )


def out(step: Join, **columns: list[Any]) -> Outcome:
    return Kernel((("join", step),))(frame(**columns))


def reasons(outcome: Outcome) -> list[tuple[str, str | None]]:
    return [
        (reason, json.loads(evidence)["key"])
        for reason, evidence in outcome.entries.select("reason", "evidence").rows()
    ]


# The step


def test_inner_rejects_what_has_no_counterpart(tmp_path: Path) -> None:
    found = out(join(tmp_path), id=["c", "x", None, "a", "c"])
    assert found.kept.select("id", "price").rows() == [("c", "3"), ("a", "1"), ("c", "3")]
    assert reasons(found) == [("unmatched", "x"), ("no_key", "")]
    assert sorted(found.met["join"]) == [0, 2]
    assert json.loads(found.entries["record"][0]) == {"id": "x"}


def test_left_keeps_every_row(tmp_path: Path) -> None:
    found = out(join(tmp_path, how="left"), id=["c", "x", None])
    assert found.kept["price"].to_list() == ["3", None, None]
    assert found.entries.filter(action="rejected").height == 0


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        ([1, 2, 7], ["1", "2"]),
        ([1.0, 2.5, float("nan"), None], ["1", "2.5"]),
        ([True, False], ["t"]),
        (["1", " 1", "01"], ["1"]),
    ],
)
def test_keys_are_compared_as_text(keys: list[Any], kept: list[str], tmp_path: Path) -> None:
    step = join(tmp_path, "id,what\n1,1\n2,2\n2.5,2.5\ntrue,t\n")
    assert out(step, id=keys).kept["what"].to_list() == kept


def test_numbers_on_the_right(tmp_path: Path) -> None:
    (tmp_path / "right.jsonl").write_text('{"n": 7, "x": 1.5}\n{"n": 8, "x": 2}\n')
    step = join(tmp_path, source=Jsonl(path="right.jsonl"), on={"id": "n"})
    found = out(step, id=["8", "7", "9"]).kept
    assert found["x"].to_list() == [2.0, 1.5]
    assert found.schema["x"] == pl.Float64


def test_several_keys_and_other_names(tmp_path: Path) -> None:
    right = "shop,no,price,note\nA,1,10,x\nA,2,20,y\nB,1,30,z\n"
    step = join(tmp_path, right, on={"store": "shop", "id": "no"}, take=["price"])
    found = out(step, store=["B", "A", "B"], id=[1, 2, 2])
    assert found.kept.columns[2:] == ["store", "id", "price"]
    assert found.kept["price"].to_list() == ["30", "20"]
    assert reasons(found) == [("unmatched", "B, 2")]


def test_keys_in_several_rows(tmp_path: Path) -> None:
    text = "id,price\na,1\nb,2\na,3\nb,4\na,5\n,9\n,9\n"
    with pytest.raises(DataError) as error:
        out(join(tmp_path, text), id=["a"])
    assert (
        "'a' stands in 3 rows: join:right.csv#1, join:right.csv#3, join:right.csv#5, and 1 more key stands in several"
        in str(error.value)
    )
    assert "on_duplicates: first" in str(error.value)
    step = join(tmp_path, text, on_duplicates="first")
    assert out(step, id=["b", "a"]).kept["price"].to_list() == ["2", "1"]
    assert step.second().notes == (
        "2 of its rows have no key",
        "3 of its rows have the key of a row before and are not used",
    )


def test_records_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    step = join(tmp_path, PRICES + "d\n")
    assert out(step, id=["d"]).kept.height == 0
    assert (step.second().rows, step.second().malformed) == (4, 1)
    assert step.second().notes == ("1 of its records cannot be read: right.csv, line 5: too_few_fields",)


def test_too_much_for_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Join, "most_bytes", 20)
    with pytest.raises(DataError, match="takes more than 20 B of memory"):
        out(join(tmp_path), id=["a"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"on": {"id": "idd"}}, "names the column 'idd'.*did you mean 'id'"),
        ({"take": ["prise"]}, "names the column 'prise'.*did you mean 'price'"),
        ({"source": {"use": "csv", "path": "right.csv", "columns": {"id": "i"}}}, "`source.columns` names"),
        ({"source": {"use": "csv", "path": "wrong.csv"}}, "no such file"),
        ({"source": {"use": "csv", "path": "right.csv", "columns": {"id": "id"}}}, "no column to bring"),
    ],
)
def test_what_is_wrong_is_said(options: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(SeedbedError, match=f"(?s){words}") as error:
        out(join(tmp_path, **options), id=["a"])
    assert len(str(error.value).splitlines()) <= 5


RECIPE = """seedbed: 1
name: x
task: {kind: text_classification, text: text, label: label}
sources:
  - {use: csv, path: rows.csv}
steps:
  - use: join
    on: id
    source:
      SOURCE
"""


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "use: cvs\n      path: a.csv",
            "10: steps.0.source.use: there is no source 'cvs'\n  hint: did you mean 'csv'?",
        ),
        (
            "use: csv\n      path: a.csv\n      delimitr: ';'",
            "12: steps.0.source.delimitr: there is no such option of csv\n  hint: did you mean 'delimiter'?",
        ),
        ("use: csv\n      path: 3", "11: steps.0.source.path: text is needed here, this is the number 3"),
        ("path: a.csv", "9: steps.0.source: needs a source, as under `sources`"),
        ("use: jsonl", "9: steps.0.source: needs 'path'"),
        ("use: csv\n      path: a.csv\n      limit: 0", "12: steps.0.source.limit: must be at least 1, this is 0"),
    ],
)
def test_a_wrong_option_of_the_second_source_is_told_as_any_other(source: str, said: str, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.replace("SOURCE", source))
    with pytest.raises(RecipeError) as error:
        load(recipe)
    assert str(error.value).startswith(f"{recipe}:{said}")


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("{use: join, on: {id: key}, source: {use: csv, path: a.csv}}", "7: steps.0.on: `on` names the column 'key'"),
        (
            "{use: join, on: id, source: {use: hub, path: hub, split: no}}",
            "7: steps.0.source.split: hub has no split 'no'",
        ),
        ("{use: join, on: id, source: {use: pickle, path: a.pkl}}", "7: steps.0.source.trust: a pickle can run"),
    ],
)
def test_what_a_run_refuses_of_a_second_source_names_its_line(step: str, said: str, tmp_path: Path) -> None:
    for name in ("rows.csv", "a.csv", "hub/train.csv", "hub/test.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("id,text,label\n1,a,b\n2,c,d\n")
    (tmp_path / "a.pkl").write_bytes(b"")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.partition("  - use: join")[0] + f"  - {step}\n")
    with pytest.raises(RecipeError) as error:
        run(load(recipe))
    assert str(error.value).startswith(f"{recipe}:{said}")


def test_a_file_that_changes_after_it_was_looked_at(tmp_path: Path) -> None:
    step = join(tmp_path, "id,price\na,changes\n")
    assert step.made_from()
    sent = pickle.dumps(step)
    (tmp_path / "right.csv").write_text("id,price\na,9\n")
    with pytest.raises(DataError, match="changed while it was read"):
        out(pickle.loads(sent), id=["a"])


@given(left=st.lists(st.sampled_from("abcdef") | st.none()), right=st.sets(st.sampled_from("abcdefgh")))
def test_it_is_a_join(left: list[str | None], right: set[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    base = tmp_path_factory.mktemp("join")
    step = join(base, "id,price\nz,0\n" + "".join(f"{key},{key}{key}\n" for key in sorted(right)))
    found = out(step, id=left) if left else None
    if found is None:
        return
    assert found.kept["id"].to_list() == [key for key in left if key in right]
    assert found.kept["price"].to_list() == [key * 2 for key in left if key in right]
    gone = found.entries.filter(action="rejected")
    assert sorted([*found.kept[NUMBER], *gone[NUMBER]]) == list(range(1, len(left) + 1))


# In a run


def recipe(base: Path, **options: Any) -> dict[str, Any]:
    rows = [{"id": n, "text": f"this is the text with number {n * n} and {n}"} for n in range(120)]
    (base / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    labels = "\n".join(f"{n},{'good' if n % 3 else 'bad'}" for n in range(10, 150))
    (base / "labels.csv").write_text(f"id,label\n{labels}\n")
    return {
        "seedbed": 1,
        "name": "joined",
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "license": "MIT"}],
        "steps": [
            {"use": "join", "source": {"use": "csv", "path": "labels.csv", "license": "MIT"}, "on": "id", **options}
        ],
        "split": {"use": "stratified", "keep_together": False},
        "train": [{"use": "majority"}],
        "evaluate": {"intervals": {"resamples": 200}},
    }


def ran(base: Path, given: dict[str, Any], workers: int = 1) -> Finished:
    return run(parse(given, base), out=base / "out", workers=workers)


def test_a_run_accounts_for_both_sides(tmp_path: Path) -> None:
    done = ran(tmp_path, recipe(tmp_path))
    record = done.run
    assert record.rows.rejected == {"join": {"unmatched": 10}}
    assert record.rows.kept == 110
    assert record.dataset.labels_before == {}  # the sources have no label
    first, second = record.sources
    assert (second.name, second.rows, second.license) == ("join", 140, "MIT")
    assert second.notes[-1] == "30 of its 140 keys were met by no row"
    lock = json.loads((done.folder / "recipe.lock").read_text())
    assert [one["file"] for one in lock["inputs"]] == ["rows.jsonl", "labels.csv"]
    lineage = json.loads((done.folder / "lineage.json").read_text())
    assert [one["files"][0]["name"] for one in lineage["sources"]] == ["rows.jsonl", "labels.csv"]
    assert first.name == "0"
    assert "license: mit" in (done.folder / "dataset/README.md").read_text()
    again = load(done.folder / "recipe.yaml").recipe
    assert again.steps[0].model_dump() == parse(recipe(tmp_path), tmp_path).recipe.steps[0].model_dump()


def test_licences_that_differ_are_asked_for(tmp_path: Path) -> None:
    given = recipe(tmp_path)
    given["steps"][0]["source"]["license"] = "Apache-2.0"
    assert any(blank.startswith("license") for blank in ran(tmp_path, given).run.blanks)


def test_an_edited_second_file_runs_again(tmp_path: Path) -> None:
    given = recipe(tmp_path)
    first = ran(tmp_path, given).run.dataset.digest
    assert ran(tmp_path, given).run.dataset.digest == first
    text = (tmp_path / "labels.csv").read_text()
    (tmp_path / "labels.csv").write_text(text.replace("20,good", "20,bad"))
    assert ran(tmp_path, given).run.dataset.digest != first


def test_workers_see_the_same(tmp_path: Path) -> None:
    given = recipe(tmp_path)
    one = ran(tmp_path, given).run
    (tmp_path / "more").mkdir()
    for n in range(8):  # as many units as make it worth to start workers
        lines = (tmp_path / "rows.jsonl").read_text().splitlines()[n * 15 : n * 15 + 15]
        (tmp_path / "more" / f"{n}.jsonl").write_text("\n".join(lines))
    given["sources"][0]["path"] = "more"
    two = ran(tmp_path, given, workers=2).run
    assert two.rows.rejected == one.rows.rejected
    assert two.sources[1] == one.sources[1]


def test_a_column_that_is_there_is_refused(tmp_path: Path) -> None:
    given = recipe(tmp_path)
    (tmp_path / "labels.csv").write_text("id,label,text\n1,a,b\n")
    with pytest.raises(RecipeError) as error:
        ran(tmp_path, given)
    assert "would bring the column 'text', which is there already" in str(error.value)
    assert "steps.0" in str(error.value)


def test_the_text_may_come_from_the_second_source(tmp_path: Path) -> None:
    given = recipe(tmp_path)
    rows = [{"id": n, "label": "good" if n % 3 else "bad"} for n in range(120)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "labels.csv").write_text("id,text\n" + "\n".join(f"{n},some text {n * n}" for n in range(120)))
    done = ran(tmp_path, given)
    assert done.run.rows.kept == 120


def test_dump_says_the_source(tmp_path: Path) -> None:
    assert "path: labels.csv" in dump(parse(recipe(tmp_path), tmp_path).recipe)
