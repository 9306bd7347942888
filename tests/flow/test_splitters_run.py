"""Whole runs with each way to split, of rows with planted copies, groups and holes."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from seedbed import run
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.run import Run
from seedbed.flow.explaining.explain import explain

START = date(2024, 1, 1)
DAYS = 200


class Sample:
    """Two rows a day for 200 days, near copies months apart, rows without a day, and shops that open and close."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.chance = folder, random.Random(7)
        rows: list[dict[str, Any]] = []
        for day in range(DAYS):
            for half in range(2):
                at = (START + timedelta(days=day)).isoformat()
                part = "train" if day < 120 else "dev" if day < 150 else "test"
                row = {"text": self.words(12), "label": "ab"[half], "at": at, "part": part, "shop": f"shop {day // 4}"}
                rows.append({**row, "day": day, "n": len(rows)})
        for old, young in ((3, 390), (10, 335), (325, 395), (30, 270), (280, 380), (20, 21)):  # two a day
            first = rows[old]["text"].split()
            rows[young]["text"] = " ".join([*first[:-1], "otherwise"])
        rows[7]["at"] = rows[301]["at"] = None
        rows[8]["part"], rows[9]["part"] = None, "spare"
        self.rows = rows
        self.chance.shuffle(rows)
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def words(self, count: int) -> str:
        return " ".join("".join(self.chance.choices("abcdefghijklmnop", k=6)) for _ in range(count))

    def run(self, split: dict[str, Any], out: str = "out", **more: Any) -> Run:
        options = {name: more.pop(name) for name in ("workers", "batch") if name in more}
        recipe = {
            "seedbed": 1,
            "name": "sample",
            "task": {"kind": "text_classification", "text": "text", "label": "label"},
            "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "rows"}],
            "steps": [{"use": "cast", "types": {"at": "date"}}],
            "split": split,
            "train": [],
            **more,
        }
        (self.folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
        return run(self.folder / "recipe.yaml", out=self.folder / out, **options).run

    def splits(self, out: str = "out") -> dict[str, pl.DataFrame]:
        files = sorted((self.folder / out / "dataset" / "data").glob("*.parquet"))
        found: dict[str, list[pl.DataFrame]] = {}
        for file in files:
            found.setdefault(file.name.partition("-")[0], []).append(pl.read_parquet(file))
        return {name: pl.concat(some) for name, some in found.items()}


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return Sample(tmp_path)


def texts_alike(one: pl.DataFrame, other: pl.DataFrame) -> int:
    """Texts of one table that stand in another, but for their last word."""
    firsts = {text.rpartition(" ")[0] for text in one["text"]}
    return sum(text.rpartition(" ")[0] in firsts for text in other["text"])


def test_time(sample: Sample) -> None:
    made = sample.run({"use": "time", "column": "at", "gap": "7d"})
    assert made.state == "passed" and made.certificate is not None
    splits = sample.splits()
    train, validation, test = (splits[name] for name in ("train", "validation", "test"))
    assert train["at"].max() + timedelta(days=7) < validation["at"].min()  # type: ignore[operator]
    assert validation["at"].max() + timedelta(days=7) < test["at"].min()  # type: ignore[operator]
    assert texts_alike(train, test) == texts_alike(train, validation) == texts_alike(validation, test) == 0
    gone = made.rows.rejected["time"]
    assert gone["no_time"] == 2
    assert gone["gap"] == 28, "two rows on each of seven days before each border"
    assert gone["seen_before"] == 4, "of the six copies two are in the split of the old row"
    assert sum(map(len, (train, validation, test))) == 400 - sum(gone.values()) == made.rows.kept
    told = made.certificate.times
    assert told is not None and told["in_order"] is True
    assert told["splits"]["train"] == {"from": "2024-01-01T00:00:00+00:00", "to": f"{train['at'].max()}T00:00:00+00:00"}
    assert made.certificate.left_out == gone
    young = next(row for row in sample.rows if row["n"] == 390)
    at = sample.rows.index(young) + 1
    told_of = explain(sample.folder / "out", f"rows:rows.jsonl#{at}").rejection
    old = sample.rows.index(next(row for row in sample.rows if row["n"] == 3)) + 1
    assert told_of is not None and told_of.reason == "seen_before"
    assert told_of.evidence == {"of": f"rows:rows.jsonl#{old}", "split": "train", "said": young["at"]}


def test_time_from_points(sample: Sample) -> None:
    sample.run({"use": "time", "column": "at", "validation_from": date(2024, 5, 1), "test_from": "2024-06-01"})
    splits = sample.splits()
    assert splits["validation"]["at"].min() == date(2024, 5, 1)
    assert splits["test"]["at"].min() == date(2024, 6, 1)
    with pytest.raises(DataError, match="no row"):
        sample.run({"use": "time", "column": "at", "test_from": "2030-06-01"})
    with pytest.raises(DataError, match="holds numbers"):
        sample.run({"use": "time", "column": "day", "gap": "7d"})
    with pytest.raises(DataError, match="holds text"):
        sample.run({"use": "time", "column": "part"})


@pytest.mark.parametrize("on_leak", ["reject", "reject_train", "move"])
def test_predefined(sample: Sample, on_leak: str) -> None:
    made = sample.run({"use": "predefined", "column": "part", "on_leak": on_leak, "group": "shop"})
    assert made.certificate is not None and made.certificate.passed
    splits = sample.splits()
    train, validation, test = (splits[name] for name in ("train", "validation", "test"))
    assert texts_alike(train, test) == texts_alike(train, validation) == texts_alike(validation, test) == 0
    shops = [set(rows["shop"]) for rows in (train, validation, test)]
    assert not shops[0] & shops[1] and not shops[0] & shops[2] and not shops[1] & shops[2]
    gone = made.rows.rejected["predefined"]
    assert gone["no_split"] == gone["unknown_split"] == 1
    moved = made.certificate.moved
    # Every split says the same of 4 days of a shop, so a copy takes its whole shop along.
    if on_leak == "move":
        assert "in_other_split" not in gone and moved is not None and moved > 8
        assert len(train) + len(validation) + len(test) == 398
    else:
        assert moved == 0 and gone["in_other_split"] > 8
        assert len(test) == (100 if on_leak == "reject_train" else 100 - 16)


def test_predefined_stops(sample: Sample) -> None:
    with pytest.raises(DataError, match="belong together with rows of another split"):
        sample.run({"use": "predefined", "column": "part", "on_leak": "stop"})


def test_validation_is_cut_from_train(sample: Sample) -> None:
    names = {"train": ["train", "dev"], "test": ["test"]}
    made = sample.run({"use": "predefined", "column": "part", "names": names, "validation": 0.2})
    assert made.certificate is not None and made.certificate.passed
    got = made.certificate.splits
    assert list(got) == ["train", "validation", "test"]
    assert abs(got["validation"] / (got["train"] + got["validation"]) - 0.2) < 0.01


def test_sources_are_splits(sample: Sample) -> None:
    lines = (sample.folder / "rows.jsonl").read_text().splitlines(keepends=True)
    (sample.folder / "learn.jsonl").write_text("".join(lines[:300]))
    (sample.folder / "judge.jsonl").write_text("".join(lines[300:]))
    sources = [{"use": "jsonl", "path": f"{name}.jsonl", "name": name} for name in ("learn", "judge")]
    names = {"train": ["learn"], "test": ["judge"]}
    made = sample.run({"use": "predefined", "by": "source", "names": names}, sources=sources)
    assert made.certificate is not None and made.certificate.passed
    assert set(sample.splits()["test"]["row"].str.extract("^([^:]*):")) == {"judge"}


@pytest.mark.parametrize("test", [0.1, 0])
def test_folds(sample: Sample, test: float) -> None:
    made = sample.run({"use": "k_fold", "folds": 4, "test": test, "group": "shop"})
    assert made.state == "passed" and made.certificate is not None and made.certificate.folds is not None
    data = sample.folder / "out" / "dataset" / "data"
    folds = [pl.read_parquet(data / f"train-{fold:05}-of-00004.parquet") for fold in range(4)]
    parts = [*folds, *([pl.read_parquet(data / "test-00000-of-00001.parquet")] if test else [])]
    assert [len(fold) for fold in folds] == made.certificate.folds["rows"]
    assert max(map(len, folds)) - min(map(len, folds)) <= 16
    assert sum(map(len, parts)) == 400
    for one in range(len(parts)):
        for other in range(one):
            assert texts_alike(parts[one], parts[other]) == 0
            assert not set(parts[one]["shop"]) & set(parts[other]["shop"])
    for fold in folds:
        assert abs(fold["label"].eq("a").mean() - 0.5) < 0.05  # type: ignore[operator]


def test_folds_load_as_configurations(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", sample.folder / "cache")
    made = sample.run({"use": "k_fold", "folds": 3, "nested": True, "test": 0.2})
    assert made.certificate is not None and made.certificate.folds is not None
    folder, rows = sample.folder / "out" / "dataset", made.certificate.folds["rows"]
    files = [pl.read_parquet(folder / "data" / f"train-{fold:05}-of-00003.parquet")["row"] for fold in range(3)]
    names = datasets.get_dataset_config_names(str(folder))
    assert len(names) == 1 + 3 + 3 + 6
    held = {"fold_2": {"validation": 2}, "outer_1": {"test": 1}, "outer_0_inner_2": {"test": 0, "validation": 2}}
    for name, parts in held.items():
        found = datasets.load_dataset(str(folder), name, cache_dir=str(sample.folder / "cache"))
        for split, fold in parts.items():
            assert found[split]["row"][:] == files[fold].to_list()
        assert found["train"].num_rows == sum(rows) - sum(rows[fold] for fold in parts.values())
        assert found["train"].features["label"].names == ["a", "b"]
    assert datasets.load_dataset(str(folder), "fold_0")["test"].num_rows == made.certificate.splits["test"]


def test_learners_are_judged_on_the_folds_that_there_are(sample: Sample) -> None:
    for row in sample.rows:  # so that there is something to learn
        row["text"] += " " + ("plain" if row["label"] == "a" else "fancy")
    (sample.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in sample.rows))
    made = sample.run(
        {"use": "k_fold", "folds": 3, "nested": True, "test": 0.2},
        train=[{"use": "majority"}, {"use": "naive_bayes"}],
        evaluate={"metrics": ["accuracy"], "intervals": {"resamples": 200}, "leakage": False},
    )
    assert made.certificate is not None and made.certificate.folds is not None and made.nested is not None
    assert made.best == "naive_bayes"
    assert made.nested.chosen == ("naive_bayes",) * 3
    folds = made.models[0].folds["accuracy"].values
    for fold, value in enumerate(folds):
        file = f"train-{fold:05}-of-00003.parquet"
        labels = pl.read_parquet(sample.folder / "out" / "dataset" / "data" / file)["label"]
        assert value in (labels.eq("a").mean(), labels.eq("b").mean()), "majority, on just this file"
    assert made.nested.scores["accuracy"].values == made.models[1].folds["accuracy"].values
    assert made.nested.scores["accuracy"].low > 0.5


def test_folds_that_do_not_fit_are_refused(sample: Sample) -> None:
    with pytest.raises(RecipeError, match="deals 5 already"):
        sample.run({"use": "k_fold"}, train=[{"use": "majority"}], evaluate={"folds": 4})
    with pytest.raises(RecipeError, match="no row is set aside"):
        sample.run({"use": "k_fold", "test": 0}, train=[{"use": "majority"}])
    with pytest.raises(RecipeError, match="know each fold"):
        sample.run({"use": "k_fold"}, prepare=[{"use": "class_weights"}])


def test_the_same_digest_whatever_workers_and_batches(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> None:
    for split in (
        {"use": "time", "column": "at", "gap": "3d"},
        {"use": "predefined", "column": "part"},
        {"use": "k_fold", "folds": 3},
    ):
        digests = set()
        for place, how in enumerate(({"workers": 1}, {"workers": 2, "batch": 37})):
            again = Sample(tmp_path_factory.mktemp("again"))
            made = again.run(split, out=f"out{place}", **how)
            assert made.dataset is not None
            digests.add(made.dataset.digest)
        assert len(digests) == 1
