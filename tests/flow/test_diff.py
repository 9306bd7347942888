"""What differs between two datasets with known edits, and between two runs."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from test_run import go, recipe, texts, write

from seedbed.core.difference import Difference
from seedbed.core.errors import DataError, RecipeError
from seedbed.flow.finished import Finished
from seedbed.flow.versions.diff import diff
from seedbed.report.difference import render


def rows(count: int = 400) -> pl.DataFrame:
    chance = random.Random(4)
    words = ["soup", "bread", "goal", "match", "team", "apple"]
    return pl.DataFrame(
        {
            "row": [f"s:f.jsonl#{n}" for n in range(1, count + 1)],
            "text": [f"{' '.join(chance.choices(words, k=5))} {n}" for n in range(count)],
            "label": [chance.choice(["food", "sport"]) for _ in range(count)],
            "price": [chance.random() * 10 for _ in range(count)],
            "split": ["test" if n % 5 == 0 else "train" for n in range(count)],
        }
    )


def dataset(folder: Path, table: pl.DataFrame) -> Path:
    (folder / "data").mkdir(parents=True)
    for split in ("train", "test"):
        part = table.filter(pl.col("split") == split).drop("split")
        half = part.height // 2
        part[:half].write_parquet(folder / "data" / f"{split}-00000-of-00002.parquet")
        part[half:].write_parquet(folder / "data" / f"{split}-00001-of-00002.parquet")
    return folder


def at(table: pl.DataFrame, numbers: list[int]) -> pl.Expr:
    return pl.col("row").is_in([f"s:f.jsonl#{n}" for n in numbers])


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A dataset, and one with 3 rows less, 2 more, 4 labels and 6 prices changed, and 5 rows in another split."""
    place = tmp_path_factory.mktemp("edited")
    before = rows()
    other = pl.when(pl.col("label") == "food").then(pl.lit("sport")).otherwise(pl.lit("food"))
    now = before.with_columns(
        label=pl.when(at(before, [10, 11, 12, 13])).then(other).otherwise("label"),
        price=pl.when(at(before, [20, 21, 22, 23, 24, 10])).then(pl.col("price") + 1).otherwise("price"),
        split=pl.when(at(before, [1, 6, 11, 16, 21])).then(pl.lit("train")).otherwise("split"),
    ).filter(~at(before, [100, 200, 300]))
    more = now[:2].with_columns(
        row=pl.Series(["s:f.jsonl#901", "s:f.jsonl#902"]),
        text=pl.Series(["write to <b>bob@example.org</b>", None]),
    )
    return dataset(place / "a", before), dataset(place / "b", pl.concat([now, more]))


@pytest.mark.parametrize("by", ["row", "text"])
def test_every_edit_is_found(edited: tuple[Path, Path], by: str) -> None:
    found = diff(*edited, by=by)
    told = found.rows
    assert (told.added, told.removed, told.changed, told.moved) == (2, 3, 9, 5)
    assert told.same == 400 - 3 - (9 + 5 - 2), "rows 11 and 21 changed and moved"
    assert {one.column: one.rows for one in told.columns} == {"price": 6, "label": 4}
    assert [(one.a, one.b, one.rows) for one in told.splits] == [("test", "train", 5)]
    assert sum(one.rows for one in told.labels) == 4 and told.both_labelled == 397
    assert {one.row for one in told.removed_examples} == {f"s:f.jsonl#{n}" for n in (100, 200, 300)}
    assert {one.row: one.excerpt for one in told.added_examples}["s:f.jsonl#901"] == "write to <b>[e-mail]</b>"
    assert found.differs == ("rows", "splits", "labels")
    label = next(one for one in told.columns if one.column == "label").examples[0]
    assert {label.a, label.b} == {"food", "sport"}


def test_by_content_a_changed_row_is_another(edited: tuple[Path, Path]) -> None:
    found = diff(*edited, by="content")
    assert found.rows.by == "content" and "all their values" in found.rows.identity
    assert (found.rows.added, found.rows.removed, found.rows.changed) == (2 + 9, 3 + 9, 0)


def test_equal_rows_are_counted_not_matched_crosswise(tmp_path: Path) -> None:
    table = pl.concat([rows(50).with_columns(text=pl.lit("same"), label=pl.lit("x"), price=1.0)] * 2)
    a = dataset(tmp_path / "a", table.drop("row"))
    b = dataset(tmp_path / "b", table.drop("row")[:-7])
    found = diff(a, b)
    assert (found.rows.added, found.rows.removed) == (0, 7)
    assert "no row ids" in found.rows.identity


def test_nothing_differs_from_itself(edited: tuple[Path, Path]) -> None:
    found = diff(edited[0], edited[0])
    assert found.differs == () and found.rows.same == 400
    assert all(one.verdict == "not distinguishable" for one in found.distributions)


def test_columns_that_came_went_or_are_of_another_type(tmp_path: Path) -> None:
    table = rows(100)
    a = dataset(tmp_path / "a", table)
    b = dataset(tmp_path / "b", table.with_columns(price=pl.col("price").cast(pl.String), new=1).drop("label"))
    found = diff(a, b, by="row")
    assert {one.column: (one.a, one.b) for one in found.schema_changes} == {
        "label": ("String", None),
        "price": ("Float64", "String"),
        "new": (None, "Int32"),
    }
    assert "schema" in found.differs


def test_what_is_spread_otherwise_is_told_and_what_is_chance_is_not(tmp_path: Path) -> None:
    table = rows(2000)
    other = rows(2000).sample(2000, with_replacement=True, seed=1)
    shifted = other.with_columns(
        price=pl.col("price") + 1,
        label=pl.when(pl.int_range(2000) % 5 == 0).then(pl.lit("food")).otherwise("label"),
    )
    names = ["label", "length of text", "price"]
    same = diff(dataset(tmp_path / "a", table), dataset(tmp_path / "b", other), by="content")
    assert sorted(one.about for one in same.distributions) == names
    assert {one.verdict for one in same.distributions} == {"not distinguishable"}
    found = diff(tmp_path / "a", dataset(tmp_path / "c", shifted), by="content")
    verdicts = {one.about: one for one in found.distributions}
    assert verdicts["price"].verdict == verdicts["label"].verdict == "differs"
    assert verdicts["length of text"].verdict == "not distinguishable"
    assert 0.05 < verdicts["price"].effect < 0.15 and verdicts["price"].test == "Kolmogorov-Smirnov"
    assert abs(verdicts["label"].b["food"] - 0.6) < 0.03


def test_the_tests_are_those_of_scipy(tmp_path: Path) -> None:
    from scipy.stats import chi2_contingency, ks_2samp

    a, b = rows(300), rows(500).with_columns(price=pl.col("price") ** 1.1)
    found = diff(dataset(tmp_path / "a", a), dataset(tmp_path / "b", b), by="content")
    told = {one.about: one for one in found.distributions}
    expected = ks_2samp(a["price"], b["price"], method="asymp")
    assert told["price"].statistic == pytest.approx(expected.statistic)
    assert told["price"].p == pytest.approx(expected.pvalue, rel=0.25), "with Stephens' correction"
    counts = [[part.filter(label=name).height for part in (a, b)] for name in ("food", "sport")]
    told_by_scipy = chi2_contingency(counts, correction=False)
    assert told["label"].statistic == pytest.approx(told_by_scipy.statistic)
    assert told["label"].p == pytest.approx(told_by_scipy.pvalue)


@pytest.mark.parametrize(
    ("by", "says"), [("nothing", "no column of both"), ("label", "share their 'label'")], ids=["unknown", "no key"]
)
def test_a_wrong_key_is_told(edited: tuple[Path, Path], by: str, says: str) -> None:
    with pytest.raises((RecipeError, DataError), match=says):
        diff(*edited, by=by)


def test_what_is_no_dataset_is_told(tmp_path: Path, edited: tuple[Path, Path]) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no dataset in this folder"):
        diff(edited[0], tmp_path / "empty")
    with pytest.raises(DataError, match="no such folder"):
        diff(edited[0], tmp_path / "none")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "train.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(DataError, match="cannot be read"):
        diff(edited[0], tmp_path / "broken")


def run_pair(place: Path) -> tuple[Finished, Finished]:
    write(place, texts(400))
    models: list[dict[str, Any]] = [{"use": "majority"}, {"use": "naive_bayes"}]
    first = go(place, "a", train=models)
    steps = [*recipe()["steps"][:2], {"use": "text_length", "at_least": 45}, *recipe()["steps"][3:]]
    return first, go(place, "b", train=models[::-1], steps=steps, checks=[{"use": "row_count", "at_least": 10}])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, Finished, Difference]:
    place = tmp_path_factory.mktemp("runs")
    a, b = run_pair(place)
    return a, b, diff(a.folder, b.folder)


def test_runs_over_the_same_files_are_compared_by_row(runs: tuple[Finished, Finished, Difference]) -> None:
    a, b, found = runs
    assert found.rows.by == "row" and "same files" in found.rows.identity
    gone = a.run.rows.kept - b.run.rows.kept
    assert gone > 0 and found.rows.removed == gone + found.rows.added
    assert sum(found.rows.removed_because.values()) == found.rows.removed
    assert found.rows.removed_because["text_length: too_short"] > 0
    assert found.books and (found.books.read_a, found.books.kept_b) == (a.run.rows.read, b.run.rows.kept)
    assert {one.part: (one.a, one.b) for one in found.books.rejected}["text_length"][1] > 0
    assert "rejected" in found.differs and "in rows, " in (page := render(found)) and ", where rows went</span>" in page


def test_options_go_by_their_path(runs: tuple[Finished, Finished, Difference]) -> None:
    told = {one.path: (one.a, one.b) for one in runs[2].recipe}
    assert told == {
        "steps.text_length.at_least": (5, 45),
        "train (order)": (["majority", "naive_bayes"], ["naive_bayes", "majority"]),
        "checks.row_count.use": (None, "row_count"),
        "checks.row_count.at_least": (None, 10),
        "checks (order)": (None, ["row_count"]),
    }


def test_models_meet_on_the_test_rows_of_both(runs: tuple[Finished, Finished, Difference]) -> None:
    a, b, found = runs
    ids = [set(pl.read_parquet(one.folder / "predictions" / "majority-test.parquet")["row"]) for one in (a, b)]
    assert found.paired.why_not is None and found.paired.rows == len(ids[0] & ids[1])
    assert (found.paired.of_a, found.paired.of_b) == (len(ids[0]), len(ids[1]))
    assert {(one.a, one.b) for one in found.paired.comparisons} == {
        ("majority of a", "majority of b"),
        ("naive_bayes of a", "naive_bayes of b"),
    }
    assert all(one.n == found.paired.rows for one in found.paired.comparisons)
    told = [(one.check, one.a, one.b) for one in found.checks]
    assert told == [("papers", "failed", "failed"), ("row_count", None, "passed")]


def test_without_common_test_rows_models_are_not_compared(tmp_path: Path, edited: tuple[Path, Path]) -> None:
    found = diff(*edited)
    assert found.paired.why_not == "only runs have models" and not found.paired.comparisons


def test_a_file_that_changed_makes_ids_worthless(runs: tuple[Finished, Finished, Difference], tmp_path: Path) -> None:
    rows = texts(400)
    write(tmp_path, rows[7:])  # every id means another row now
    found = diff(runs[0].folder, go(tmp_path, "c").folder)
    assert found.rows.by == "content" and "changed in between" in found.rows.identity
    assert found.rows.added < 20 and found.rows.changed == 0


@pytest.mark.parametrize("kind", [pl.String, pl.Float32])
def test_a_cast_changes_no_value(tmp_path: Path, kind: type[pl.DataType]) -> None:
    table = rows(100).with_columns(pl.int_range(100).alias("n"), price=pl.col("price").round(2))
    a = dataset(tmp_path / "a", table)
    cast = table.with_columns(pl.col("price", "n").cast(kind))
    if kind == pl.String:  # as a hand or another program writes numbers
        cast = cast.with_columns(price=pl.format("{}0", "price"), n=pl.format("{}.0", "n"))
    b = dataset(
        tmp_path / "b",
        cast.with_columns(
            n=pl.when(at(cast, [7])).then(pl.lit("x" if kind == pl.String else 99.5, dtype=kind)).otherwise("n")
        ),
    )
    found = diff(a, b, by="row")
    assert "schema" in found.differs
    assert [(one.column, one.rows) for one in found.rows.columns] == [("n", 1)]
    assert [(one.column, one.rows) for one in diff(b, a, by="row").rows.columns] == [("n", 1)]


def test_large_whole_numbers_are_told_apart(tmp_path: Path) -> None:
    large = rows(100).with_columns(n=pl.lit(2**53 + 1))
    other = large.with_columns(n=pl.when(at(large, [7])).then(pl.lit(2**53)).otherwise("n").cast(pl.String))
    found = diff(dataset(tmp_path / "a", large), dataset(tmp_path / "b", other), by="row")
    assert [(one.column, one.rows) for one in found.rows.columns] == [("n", 1)]
