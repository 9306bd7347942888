"""`--ablate steps`: each part's worth, on rows that may be chosen by, with nothing leaking between the arms."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import seedbed
from seedbed.core.context import Progress, Stage, _Silent
from seedbed.core.rows import NUMBER
from seedbed.flow.ablating.arms import Arm, deal_over, judged_by_both
from seedbed.flow.running import run
from seedbed.recipe.loading import load

ROWS = 900
_WORDS = {"good": ("splendid", "lovely", "bright", "warm"), "bad": ("awful", "broken", "cold", "dull")}
_FILLING = [f"word{n}" for n in range(300)]


def _texts(seed: int) -> list[dict[str, str]]:
    chance = random.Random(seed)
    rows = []
    for n in range(ROWS):
        label = ("good", "bad")[n % 2]
        # What tells the label is written in letters with spaces between, in two rows of three: a step mends that.
        word = chance.choice(_WORDS[label])
        told = "-".join(word) if n % 3 else word
        words = [*chance.choices(_FILLING, k=8), told]
        chance.shuffle(words)
        rows.append({"text": " ".join(words), "label": label, "noise": chance.choice("xyz")})
    return rows


def _run(
    tmp_path: Path,
    rows: list[dict[str, str]],
    steps: list[dict[str, Any]],
    progress: Progress | None = None,
    **more: Any,
) -> seedbed.Finished:
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    told = {
        "seedbed": 1,
        "name": "worth",
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "rows"}],
        "steps": steps,
        "train": [{"use": "majority"}],
        "evaluate": {"leakage": False, "metrics": ["accuracy"], "intervals": {"resamples": 1000}},
        **more,
    }
    place = tmp_path / "recipe.yaml"
    place.write_text(yaml.safe_dump(told))
    return run(load(place), workers=1, ablate=True, progress=progress)


def test_what_helps_what_hurts_and_what_does_nothing(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "def mend(row):\n"
        "    return {'text': row['text'].replace('-', '')}\n"
        "def spoil(row):\n"
        "    return {'text': 'word1 word2' if row['noise'] == 'x' else row['text']}\n"
        "def turn(row):\n"
        "    return {'noise': row['noise'].upper()}\n"
    )
    told = {"mend": "text", "spoil": "text", "turn": "noise"}
    steps: list[dict[str, Any]] = [
        {"use": "python", "function": f"own.py:{name}", "reads": ["text", "noise"], "writes": {column: "text"}}
        for name, column in told.items()
    ]
    steps.append({"use": "drop_missing", "columns": ["text"]})
    finished = _run(tmp_path, _texts(1), steps)
    told_of = finished.run.ablation
    assert told_of is not None
    found = {one.part: one for one in told_of.parts}
    assert {name: one.verdict for name, one in found.items()} == {
        "python": "helps",
        "python.2": "hurts",
        "python.3": None,
        "drop_missing": None,
    }
    assert "changed and rejected nothing" in found["drop_missing"].note
    assert "reads the same" in found["python.3"].note
    assert told_of.idle == ("python.2",)
    for one in found.values():
        if one.difference is not None and one.low is not None and one.high is not None:
            assert one.low <= one.difference <= one.high
            assert one.p is not None and one.p_holm is not None and one.p <= one.p_holm
            assert one.judged <= finished.run.dataset.splits["train"] + finished.run.dataset.splits["validation"]
    report = (finished.folder / "report.html").read_text()
    assert "What each step is worth" in report and "python.2" in report


def test_a_step_that_later_ones_need_is_told_and_not_left_out(tmp_path: Path) -> None:
    steps = [
        {"use": "derive", "column": "both", "template": "{text} {noise}"},
        {"use": "normalize", "column": "both", "lowercase": True},
    ]
    told = _run(tmp_path, _texts(2), steps).run.ablation
    assert told is not None
    assert "both" in told.parts[0].note and told.parts[0].verdict is None


def test_a_step_that_changes_which_labels_there_are_is_not_compared(tmp_path: Path) -> None:
    rows = _texts(4)
    for place in range(0, ROWS, 5):
        rows[place]["label"] = rows[place]["label"].upper() if place % 2 else "unclear"
    steps: list[dict[str, Any]] = [
        {"use": "map_values", "column": "label", "values": {"BAD": "bad"}},
        {"use": "keep_values", "column": "label", "values": ["good", "bad"]},
        {"use": "normalize", "column": "text", "lowercase": True},
    ]
    told = _run(tmp_path, rows, steps).run.ablation
    assert told is not None
    mapped, kept, _ = told.parts
    assert kept.note == "it changes which labels there are: without it also 'unclear'"
    assert kept.verdict is None and kept.difference is None
    # The filter after it drops what it does not mend: the labels are the same, and fewer rows are learned from.
    assert mapped.note == "" and mapped.rows_without < mapped.rows_with
    assert mapped.verdict is not None


def test_labels_that_a_recipe_names_stay_what_they_are(tmp_path: Path) -> None:
    rows = _texts(4)
    for place in range(0, ROWS, 5):
        rows[place]["label"] = "unclear"
    task = {"kind": "text_classification", "text": "text", "label": "label", "labels": ["good", "bad"]}
    told = _run(tmp_path, rows, [{"use": "keep_values", "column": "label", "values": ["good", "bad"]}], task=task)
    assert told.run.ablation is not None
    assert told.run.ablation.parts[0].note == "the cheap learner reads the same with it and without it"


def test_a_column_that_a_later_part_of_prepare_needs(tmp_path: Path) -> None:
    prepare: list[dict[str, Any]] = [
        {"use": "tfidf", "into": "terms", "at_most": 20},
        {"use": "select_features", "column": ["terms"], "best": 5},
        {"use": "undersample", "to": {"good": 200}},
    ]
    steps = [{"use": "derive", "column": "group", "expression": "noise || substr(text, 1, 7)"}]
    split = {"use": "group", "group": "group"}
    told = _run(tmp_path, _texts(5), steps, prepare=prepare, split=split).run.ablation
    assert told is not None
    notes = {one.part: one.note for one in told.parts}
    assert notes["tfidf"] == "select_features needs its column 'terms'"
    assert notes["select_features"] == "the cheap learner reads the same with it and without it"
    assert notes["undersample"] == ""
    assert "'group', which is not there" in notes["derive"]


def test_what_it_costs_is_said_before_and_made_rows_are_counted(tmp_path: Path) -> None:
    rows = [row for place, row in enumerate(_texts(6)) if place % 6 in {0, 1, 2, 4}]

    class Telling(_Silent):
        def __init__(self) -> None:
            self.said: list[str] = []

        def start(self, title: str, total: float | None, unit: str) -> Stage:
            self.said.append(f"{title} ({total})")
            return self

        def say(self, text: str) -> None:
            self.said.append(text)

    telling = Telling()
    finished = _run(tmp_path, rows, [], prepare=[{"use": "oversample"}], progress=telling)
    place = telling.said.index("What each step is worth (1)")
    assert telling.said[place - 1].startswith(
        "what each step is worth: tfidf_logistic (characters: none) learns 5 times with all steps and 5 times without "
        "each of 1 step, about "
    )
    assert finished.run.ablation is not None
    [part] = finished.run.ablation.parts
    splits, made = finished.run.dataset.splits, finished.run.rows.made
    read = splits["train"] + splits["validation"] - made
    assert part.rows_without == pytest.approx(0.8 * read, abs=1), "four of five folds"
    assert 0.7 * made < part.rows_with - part.rows_without < 0.95 * made


def test_test_rows_do_not_count(tmp_path: Path) -> None:
    """What is found is the same whatever the labels of test rows are."""
    rows = _texts(3)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    steps = [{"use": "normalize", "column": "text", "lowercase": True}, {"use": "where", "condition": "noise != 'x'"}]
    first = _run(tmp_path / "a", rows, steps, split={"use": "random"})
    held = pl.read_parquet(first.folder / "dataset" / "data" / "test-*.parquet")["row"].to_list()
    places = {int(name.rpartition("#")[2]) - 1 for name in held}
    turned = [
        {**row, "label": {"good": "bad", "bad": "good"}[row["label"]]} if place in places else row
        for place, row in enumerate(rows)
    ]
    second = _run(tmp_path / "b", turned, steps, split={"use": "random"})
    again = pl.read_parquet(second.folder / "dataset" / "data" / "test-*.parquet")["row"].to_list()
    assert again == held, "the random splitter looks at no label"
    assert first.run.ablation == second.run.ablation


def _arm(numbers: list[int], clusters: list[int]) -> Arm:
    return Arm(pl.DataFrame({NUMBER: pl.Series(numbers, dtype=pl.UInt64)}), np.array(clusters, dtype=np.int64))


def test_a_copy_that_comes_back_goes_with_its_row() -> None:
    whole = _arm([1, 2, 3, 4, 5], [1, 2, 3, 4, 5])
    without = _arm([1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 5, 3])  # 6 is a copy of test row 5, 7 one of 3
    folds = deal_over([whole, without], np.array([5], dtype=np.uint64), 5, 13)
    of = dict(zip(range(1, 8), folds.of(np.arange(1, 8, dtype=np.uint64)).tolist(), strict=True))
    assert of[5] == of[6] == -1
    assert of[7] == of[3] >= 0
    assert folds.kept_out == 2
    assert judged_by_both([whole, without], folds).tolist() == [1, 2, 3, 4]


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8), st.booleans(), st.booleans()), min_size=2, max_size=60),
    st.integers(0, 100),
)
def test_no_arm_parts_what_belongs_together(rows: list[tuple[int, int, bool, bool]], seed: int) -> None:
    known = {number: (cluster, test, both) for number, cluster, test, both in rows}
    numbers = sorted(known)
    whole = _arm([n for n in numbers if known[n][2]], [known[n][0] for n in numbers if known[n][2]])
    without = _arm(numbers, [known[n][0] + n % 2 for n in numbers])
    held_out = np.array([n for n in numbers if known[n][1]], dtype=np.uint64)
    if not whole.rows.height:
        return
    folds = deal_over([whole, without], held_out, 3, seed)
    for arm in (whole, without):
        fold = folds.of(arm.numbers)
        for cluster in set(arm.clusters.tolist()):
            here = fold[arm.clusters == cluster]
            assert len(set(here.tolist())) == 1
            if np.isin(arm.numbers[arm.clusters == cluster], held_out).any():
                assert here[0] == -1


@pytest.mark.parametrize("seed", [1, 2])
def test_rows_that_come_back_move_no_other_row(seed: int) -> None:
    whole = _arm(list(range(100)), list(range(100)))
    without = _arm(list(range(150)), list(range(150)))
    nothing = np.zeros(0, dtype=np.uint64)
    alone = deal_over([whole], nothing, 5, seed).of(whole.numbers)
    assert alone.tolist() == deal_over([whole, without], nothing, 5, seed).of(whole.numbers).tolist()
