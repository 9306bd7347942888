"""Categories that are one: what is proposed, what a person accepts, and what is merged unasked."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from seedbed.core.part import BASE
from seedbed.core.spelling import edits
from seedbed.core.step import Fitted, Map
from seedbed.steps import MapValues, MergeCategories
from seedbed.steps.renaming.proposals import proposed

COUNTS = {
    "Germany": 500, "germany": 20, "GERMANY ": 4, "Germny": 3, "Gremany": 2, "germny": 1, "Austria": 300,
    "Australia": 200, "Austira": 2, "level 1": 100, "level 2": 1, "red": 100, "bed": 1, "Česko": 50, "Cesko": 2,
}  # fmt: skip


def rows_of(counts: dict[str, int]) -> pl.DataFrame:
    return pl.DataFrame({"c": [name for name, rows in counts.items() for _ in range(rows)]})


def made(part: type[Any], folder: Path, **options: Any) -> Any:
    return part.model_validate({"use": part.model_fields["use"].default, **options}, context={BASE: folder})


def merged(step: Fitted, train: pl.DataFrame, values: list[str | None]) -> list[str | None]:
    state = step.fit(train.lazy(), 13)
    return pl.DataFrame({"c": pl.Series(values, dtype=pl.String)}).with_columns(step.columns(state))["c"].to_list()


def test_proposals() -> None:
    found = {one.old: (one.new, one.distance) for one in proposed(COUNTS, 2, 10)}
    assert found == {
        "germany": ("Germany", 0),
        "GERMANY ": ("Germany", 0),
        "germny": ("Germny", 0),
        "Germny": ("Germany", 1),
        "Gremany": ("Germany", 1),
        "Austira": ("Austria", 1),
        "Cesko": ("Česko", 1),
    }
    assert {one.old for one in proposed(COUNTS, 0, 10)} == {"germany", "GERMANY ", "germny"}


def test_two_frequent_words_are_no_slips_of_each_other() -> None:
    found = proposed({"colour": 60, "color": 40, "colonr": 3}, 2, 10)
    assert [(one.old, one.new, one.rows, one.of) for one in found] == [("colonr", "colour", 3, 60)]


def test_a_person_accepts_some(tmp_path: Path) -> None:
    train = rows_of(COUNTS)
    step = made(MergeCategories, tmp_path, column="c")
    state = step.fit(train.lazy(), 13)
    assert merged(step, train, ["germany", "Germny"]) == ["germany", "Germny"]  # nothing is merged unasked
    table = list(csv.DictReader(io.StringIO(step.papers(state)["merges.csv"])))
    assert [row["accept"] for row in table] == [""] * 7
    assert list(step.told(state)) == [
        "c: 0 categories merged (0 training rows)",
        "c: 7 merges proposed, see merges.csv",
    ]
    for row in table:
        row["accept"] = "yes" if row["old"] in ("Germny", "germny", "Austira", "GERMANY ") else "no"
    with (tmp_path / "c.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)
    again = made(MergeCategories, tmp_path, column="c", file="c.csv")
    assert again.file is None  # what was accepted is in the recipe as it ran: nothing else is read later
    assert merged(again, train, ["germny", "Germny", "GERMANY ", "germany", "Gremany", None, ""]) == [
        "Germany", "Germany", "Germany", "germany", "Gremany", None, "",
    ]  # fmt: skip
    now = list(csv.DictReader(io.StringIO(again.papers(again.fit(train.lazy(), 13))["merges.csv"])))
    assert {row["old"] for row in now if row["accept"] == "yes"} == {"Germny", "germny", "Austira", "GERMANY "}


def test_spellings_that_training_never_saw_are_merged_too(tmp_path: Path) -> None:
    step = made(MergeCategories, tmp_path, column="c", apply="confident", merges={"Germny": "Germany"})
    found = merged(step, rows_of(COUNTS), ["GerMany", " germny", "Level  2", "level-1", "France", "FRANCE"])
    assert found == ["Germany", "Germany", "level 2", "level 1", "France", "FRANCE"]


def test_the_same_list_serves_the_label_before_the_split(tmp_path: Path) -> None:
    (tmp_path / "labels.yaml").write_text("Pos: positive\n1: negative\nn/a: null\n")
    step = made(MapValues, tmp_path, column="c", file="labels.yaml", values={"Pos": "good"})
    assert isinstance(step, Map)
    assert pl.DataFrame({"c": ["Pos", "1", "n/a", "x"]}).with_columns(step.columns())["c"].to_list() == [
        "good", "negative", None, "x",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("new,rows\na,1\n", "columns old and new"),
        ("old,new\na,b\na,c\n", "second new value"),
        ("old,new\na\n", "fewer columns"),
        ('old,new\n"a,b', "no CSV"),
        (None, "cannot be read"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_lists_that_are_none(tmp_path: Path, text: str | bytes | None, said: str) -> None:
    if text is not None:
        (tmp_path / "c.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    for part in (MergeCategories, MapValues):
        with pytest.raises(ValidationError, match=said):
            made(part, tmp_path, column="c", file="c.csv")


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [b]\n", "a: b: c\n"])
def test_yaml_that_is_no_list(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ValidationError, match=r"c\.yaml"):
        made(MapValues, tmp_path, column="c", file="c.yaml")


def test_circles_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="circle"):
        made(MergeCategories, tmp_path, column="c", merges={"a": "b", "b": "c", "c": "a"})
    with pytest.raises(ValidationError, match="nothing to do"):
        made(MapValues, tmp_path, column="c")


def _distance(one: str, other: str) -> int:
    """The same, by recursion."""
    if not one or not other:
        return len(one) + len(other)
    if one[-1] == other[-1]:
        return _distance(one[:-1], other[:-1])
    best = 1 + min(_distance(one[:-1], other), _distance(one, other[:-1]), _distance(one[:-1], other[:-1]))
    if len(one) > 1 and len(other) > 1 and one[-1] == other[-2] and one[-2] == other[-1]:
        best = min(best, 1 + _distance(one[:-2], other[:-2]))
    return best


@given(st.text("abc", max_size=6), st.text("abc", max_size=6), st.integers(0, 3))
@settings(max_examples=300, deadline=None)
def test_edits(one: str, other: str, at_most: int) -> None:
    truth = _distance(one, other)
    assert edits(one, other, at_most) == (truth if truth <= at_most else None)


@given(st.dictionaries(st.text("abA -_", min_size=1, max_size=9), st.integers(1, 500), max_size=25))
@settings(max_examples=100, deadline=None)
def test_every_near_pair_is_found_and_no_merge_goes_in_a_circle(counts: dict[str, int]) -> None:
    found = proposed(counts, 2, 5)
    assert len({one.old for one in found}) == len(found)
    by = {one.old: one.new for one in found}
    for old in by:
        now, steps = old, 0
        while now in by:
            now, steps = by[now], steps + 1
            assert steps <= len(by)
