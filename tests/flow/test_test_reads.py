"""Every time that test rows are read is told: by the run, by what came later, and by runs of the same dataset."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from seedbed.core.held_out import LATER, ReadOfTest, note, noted, told
from seedbed.flow import explain, open_run
from seedbed.report.page import render
from seedbed.report.told import plain
from tracked_sample import ran, write_rows

READ = ReadOfTest(who="m", why="comparison", rows=3, when="2026-01-01T00:00:00.000+00:00")


def test_each_model_is_judged_once_whether_or_not_it_came_from_the_store(tmp_path: Path) -> None:
    write_rows(tmp_path)
    first = ran(tmp_path)
    rows = first.run.dataset.splits["test"]
    assert [(one.who, one.why, one.rows) for one in first.run.test_reads] == [
        ("majority", "judging", rows), ("naive_bayes", "judging", rows),
    ]  # fmt: skip
    assert first.run.test_reads_before == 0
    assert json.loads((first.folder / "run.json").read_text())["test_reads"][0]["who"] == "majority"
    again = ran(tmp_path)  # its models are in the store
    assert len(again.run.test_reads) == 2 and again.run.test_reads_before == 2
    note(again.folder, [READ])
    third = ran(tmp_path)
    assert third.run.test_reads_before == 5, "what was read later counts, too"
    other = ran(tmp_path, split={"use": "stratified", "seed": 99})
    assert other.run.test_reads_before == 0, "those are other test rows"
    last = "2 times, to judge models; earlier runs of the same dataset did so 5 times"
    assert last in render(third.run) and last in " ".join(plain(third.run, third.folder).split())


def test_what_leakage_would_have_claimed_is_a_reading(tmp_path: Path) -> None:
    write_rows(tmp_path)
    finished = ran(tmp_path, evaluate={"intervals": {"resamples": 200}, "leakage": True})
    assert [one.why for one in finished.run.test_reads] == ["judging", "judging", "leakage"]
    assert finished.run.test_reads[-1].who == finished.run.best


def test_a_run_without_test_rows_reads_none(tmp_path: Path) -> None:
    write_rows(tmp_path)
    finished = ran(tmp_path, split={"use": "k_fold", "folds": 3, "test": 0}, train=[])
    assert finished.run.test_reads == () and finished.run.test_reads_told == ""
    assert "Test rows read" not in render(finished.run)


def test_later_readings_are_noted_and_read_once(tmp_path: Path) -> None:
    write_rows(tmp_path)
    finished = ran(tmp_path, train=[{"use": "majority"}])
    assert note(finished.folder, [READ])
    with (finished.folder / LATER).open("a") as file:
        file.write('{"who": "cut in the mid\n')
    assert noted(finished.folder) == (READ,)
    opened = open_run(finished.folder).run
    assert opened.test_reads == (*finished.run.test_reads, READ)
    (finished.folder / "run.json").write_text(opened.model_dump_json())  # as `seedbed publish` writes it
    assert open_run(finished.folder).run.test_reads == opened.test_reads


def test_to_explain_a_test_row_is_to_read_it(tmp_path: Path) -> None:
    write_rows(tmp_path)
    finished = ran(tmp_path)
    for split, expected in (("train", []), ("validation", []), ("test", ["majority", "naive_bayes"])):
        file = next((finished.folder / "dataset" / "data").glob(f"{split}-*.parquet"))
        explain(finished.folder, pl.read_parquet(file)["row"][0])
        assert [(one.who, one.why, one.rows) for one in noted(finished.folder)] == [
            (name, "explanation", 1) for name in expected
        ]


def test_a_folder_that_may_not_be_written_to_keeps_nothing(tmp_path: Path) -> None:
    assert not note(tmp_path / "nowhere", [READ]) and noted(tmp_path / "nowhere") == ()


@pytest.mark.parametrize(
    ("whys", "before", "said"),
    [
        ([], 3, ""),
        (["judging"], 0, "once, to judge models"),
        (["judging"] * 2, 1, "2 times, to judge models; an earlier run of the same dataset did so once"),
        (
            ["judging", "leakage", "explanation"],
            1200,
            "3 times (1 to judge models, 1 to tell what leakage would have claimed, 1 to explain a row); "
            "earlier runs of the same dataset did so 1,200 times",
        ),
    ],
)
def test_told_in_a_sentence(whys: list[str], before: int, said: str) -> None:
    assert told([READ.model_copy(update={"why": why}) for why in whys], before) == said
