"""Suspect labels of whole runs: what is found, where it is written, and what is not used for it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from planted import Planted, made_texts, planted
from seedbed.cli import main
from seedbed.core.context import Context
from seedbed.core.doubts import FILES, SUSPECTS
from seedbed.core.errors import DataError
from seedbed.core.rows import ROW
from seedbed.core.task import TextClassification
from seedbed.flow.doubting import suspects_of
from seedbed.flow.doubting.doubt import doubted, learner_for
from seedbed.flow.doubting.labelled import Labelled

RECIPE = """\
seedbed: 1
name: planted
task: {kind: text_classification, text: text, label: label}
sources: [{use: jsonl, name: rows, path: rows.jsonl}]
checks: [{use: label_errors, at_most: 0.03, on_fail: stop}]
train: [{use: majority}, {use: naive_bayes}]
evaluate: {leakage: false}
"""


def typed(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Planted]:
    """A run on rows with a tenth of their labels flipped."""
    folder = tmp_path_factory.mktemp("doubting")
    made = planted(900, 5, made_texts())
    made.rows.write_ndjson(folder / "rows.jsonl")
    (folder / "recipe.yaml").write_text(RECIPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEDBED_STORE", str(folder / "store"))
        assert typed("run", str(folder / "recipe.yaml"), "--out", str(folder / "run"), "--workers", "1") == 1
    return folder, made


def truth_of(suspects: pl.DataFrame, folder: Path, made: Planted) -> pl.DataFrame:
    ids = pl.read_parquet(folder / "run/dataset/data/*.parquet", glob=True).select(ROW, "id")
    return suspects.join(ids, on=ROW, maintain_order="left").join(made.truth, on="id", maintain_order="left")


def test_flips_are_found_and_estimated(ran: tuple[Path, Planted]) -> None:
    folder, made = ran
    suspects = suspects_of(folder / "run")
    assert suspects.schema == SUSPECTS
    assert suspects["rank"].to_list() == list(range(1, suspects.height + 1))
    assert suspects["self_confidence"].is_sorted()
    told = truth_of(suspects, folder, made)
    assert told["flipped"].head(40).mean() > 0.6  # type: ignore[operator]
    by_kind = dict(told.group_by("kind").agg(pl.col("flipped").mean()).iter_rows())
    assert by_kind["wrong"] > 2 * by_kind.get("ambiguous", 0)
    flips = told.filter(pl.col("flipped") & (pl.col("kind") == "wrong"))
    assert (flips["suggested"] == flips["true_label"]).mean() > 0.9  # type: ignore[operator]
    record = json.loads((folder / "run/run.json").read_text())
    (finding,) = [one for one in record["findings"] if one["check"] == "label_errors"]
    assert record["stopped_by"] == ["label_errors"]
    assert 0.05 < finding["value"] < 0.16
    assert finding["rows"] == suspects[ROW].head(10).to_list()
    kinds = dict(suspects["kind"].value_counts().iter_rows())
    assert f"{suspects.height} rows are suspect: {kinds['wrong']} read like another label, " in finding["message"]
    assert re.match(r"About [\d.]+ % of the \d+ labels seem wrong \(between [\d.]+ % and [\d.]+ %", finding["message"])
    assert "`seedbed review RUN` shows them" in finding["message"][:300], "the terminal shows so much"


def test_near_copies_with_other_labels_name_each_other(ran: tuple[Path, Planted]) -> None:
    folder, _ = ran
    copies = suspects_of(folder / "run").filter(kind="near_copy")
    assert copies.height
    for row, given, neighbours in copies.select(ROW, "given", "neighbours").iter_rows():
        assert all(one["row"] != row and one["label"] != given for one in neighbours)
        assert all(one["similarity"] >= 0.7 for one in neighbours)


def test_test_rows_stand_apart(ran: tuple[Path, Planted]) -> None:
    folder, made = ran
    seen, test = suspects_of(folder / "run"), suspects_of(folder / "run", test=True)
    assert set(seen["split"]) == {"train", "validation"}
    assert set(test["split"]) == {"test"}
    assert truth_of(test, folder, made)["flipped"].head(5).mean() > 0.5  # type: ignore[operator]


def test_a_run_without_the_check_is_doubted_when_asked(
    ran: tuple[Path, Planted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, made = ran
    copy = tmp_path / "run"
    shutil.copytree(folder / "run", copy)
    shutil.rmtree(copy / "review")
    before = sorted(path.relative_to(copy) for path in copy.rglob("*"))
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store"))
    found = suspects_of(copy)
    assert sorted(path.relative_to(copy) for path in copy.rglob("*")) == before
    assert truth_of(found, folder, made)["flipped"].head(40).mean() > 0.6  # type: ignore[operator]
    kept = list((tmp_path / "store/doubts").iterdir())
    assert suspects_of(copy).equals(found)
    assert suspects_of(copy, test=True).height
    assert list((tmp_path / "store/doubts").iterdir()) == kept


def test_the_runs_folder_is_replaced_unless_somebody_decided_there(ran: tuple[Path, Planted], tmp_path: Path) -> None:
    folder, _ = ran
    for name in ("rows.jsonl", "recipe.yaml"):
        shutil.copy(folder / name, tmp_path / name)
    shutil.copytree(folder / "run", tmp_path / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEDBED_STORE", str(folder / "store"))
        assert typed("run", str(tmp_path / "recipe.yaml"), "--out", str(tmp_path / "run"), "--workers", "1") == 1
        (tmp_path / "run/review/mine.jsonl").write_text("{}\n")
        assert typed("run", str(tmp_path / "recipe.yaml"), "--out", str(tmp_path / "run"), "--workers", "1") == 2
    assert (tmp_path / "run/review/mine.jsonl").exists()


def test_no_dataset_no_suspects(ran: tuple[Path, Planted], tmp_path: Path) -> None:
    folder, _ = ran
    shutil.copytree(folder / "run", tmp_path / "run")
    shutil.rmtree(tmp_path / "run/review")
    shutil.rmtree(tmp_path / "run/dataset/data")
    with pytest.raises(DataError, match="no dataset whose labels"):
        suspects_of(tmp_path / "run")


# What the doubts of a row may hang on


def labelled(texts: list[str], labels: list[str], *, test: int = 0, clusters: list[int] | None = None) -> Labelled:
    rows = len(texts)
    names = ["test" if n >= rows - test else "train" for n in range(rows)]
    frame = pl.DataFrame({ROW: [f"0:t#{n}" for n in range(rows)], "text": texts, "label": labels, "_split": names})
    task = TextClassification(kind="text_classification", text="text", label="label", labels=tuple(sorted(set(labels))))
    ids = np.array(clusters or range(rows), dtype=np.int64)
    return Labelled(frame, ids, np.ones(rows, np.bool_), task, "text", "characters", 0.7)


def some(rows: int, seed: int = 1) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(seed)
    moods = {"bad": ["awful", "cold", "rude", "broken", "late"], "good": ["lovely", "warm", "kind", "bright", "tasty"]}
    labels = [("bad", "good")[n % 2] for n in range(rows)]
    return [" ".join([*rng.choice(moods[label], 3), f"number {n}"]) for n, label in enumerate(labels)], labels


def doubts_of(rows: Labelled, store: Path, **more: Any) -> tuple[Any, pl.DataFrame]:
    found, folder = doubted(rows, learner_for(rows), Context(base=store, store=store, **more))
    return found, pl.read_parquet(folder / Path(FILES[True]).name)


def test_labels_of_test_rows_change_no_doubt_of_others(tmp_path: Path) -> None:
    texts, labels = some(120)
    labels[3] = "bad"
    plain, _ = doubts_of(labelled(texts, labels, test=20), tmp_path)
    other = [*labels[:-20], *(("good", "bad")[label == "good"] for label in labels[-20:])]
    turned, suspects = doubts_of(labelled(texts, other, test=20), tmp_path)
    columns = [name for name in SUSPECTS if name != "neighbours"]  # whose labels are shown
    assert plain.suspects.select(columns).equals(turned.suspects.select(columns))
    assert (plain.share, plain.joint, plain.accuracy) == (turned.share, turned.joint, turned.accuracy)
    assert plain.suspects[ROW][0] == "0:t#3"
    assert suspects.height >= 18  # all of them are wrong now


def test_a_row_is_never_judged_by_its_own_copy(tmp_path: Path) -> None:
    """A wrong label that stands there twice teaches the model, were the copies in two folds."""
    texts, labels = some(100)
    texts += ["zebra umbrella lovely warm kind"] * 2
    labels += ["bad", "bad"]
    together, _ = doubts_of(labelled(texts, labels, clusters=[*range(101), 100]), tmp_path)
    assert {"0:t#100", "0:t#101"} <= set(together.suspects[ROW])
    assert together.suspects["self_confidence"].head(2).max() < 0.3  # type: ignore[operator]


def test_many_labels_of_few_rows(tmp_path: Path) -> None:
    texts = [f"topic{n % 150} words of{n % 150} the{n % 150} kind {n}" for n in range(600)]
    labels = [f"label {n % 150:03}" for n in range(600)]
    labels[7] = "label 050"
    found, _ = doubts_of(labelled(texts, labels), tmp_path)
    assert found.suspects[ROW][0] == "0:t#7"
    assert found.suspects["suggested"][0] == "label 007"
    assert found.learner == "naive_bayes"
    assert found.share.value < 0.05


def test_rows_that_only_train_are_no_suspects(tmp_path: Path) -> None:
    texts, labels = some(100)
    labels[4] = labels[6] = "good"
    rows = labelled(texts, labels)
    rows.doubted[4] = False
    found, _ = doubts_of(rows, tmp_path)
    assert "0:t#6" in set(found.suspects[ROW])
    assert "0:t#4" not in set(found.suspects[ROW])
    assert found.share.n == 99


def test_too_few_rows_are_told(tmp_path: Path) -> None:
    texts, labels = some(2)
    with pytest.raises(DataError):
        doubts_of(labelled(texts, labels, clusters=[0, 0]), tmp_path)
