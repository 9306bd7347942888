"""Labels that come later, of every kind of task: as the source says them or as the model does, many or hardly any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from watched_sample import moods

from learned_sample import asked_of, learned, rows_of
from predicting_sample import rows, small_run, write
from seedbed.core.errors import DataError
from seedbed.core.monitoring import Watch
from seedbed.core.task import Says
from seedbed.evaluate import USUAL_METRICS
from seedbed.flow.monitoring.watch import Asked, watch

KINDS: dict[str, Says] = {
    "multi_label_classification": "labels",
    "regression": "number",
    "question_answering": "spans",
    "text_to_text": "text",
    "causal_lm": "itself",
}


def metrics(found: Watch) -> dict[str, tuple[float, int]]:
    return {one.metric: (one.now.value, one.now.n) for one in found.performance}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_answer_is_measured_as_it_was_judged(kind: str, tmp_path: Path) -> None:
    done = learned(kind, tmp_path)
    fresh = rows_of(kind, 80, seed=9)
    found = watch(str(write(tmp_path / "new.jsonl", fresh)), done.folder)
    assert found.labelled == len(fresh)
    assert set(metrics(found)) == set(USUAL_METRICS[KINDS[kind]])
    for one in found.performance:
        assert one.before is not None and one.of == "test" and one.low is not None and one.high is not None
        assert one.now.n == len(fresh) and one.low <= one.difference <= one.high  # type: ignore[operator]
    assert not {one.what for one in found.alarms} & set(metrics(found))
    if kind == "causal_lm":  # the text itself is what is right: there are no labels that could come
        return
    # The same from a file of labels that came later; one more is of a row that nobody asked about.
    asked = [asked_of(kind, row) for row in fresh]
    ids = [f"0:asked.jsonl#{place}" for place in range(1, len(fresh) + 1)]
    answer = done.task.answer  # type: ignore[union-attr]
    labels = [{"row": row, "answer": one[answer]} for row, one in zip(ids, fresh, strict=True)]
    write(tmp_path / "labels.jsonl", [*labels, {"row": "elsewhere", "answer": fresh[0][answer]}])
    later = watch(str(write(tmp_path / "asked.jsonl", asked)), done.folder, Asked(labels=tmp_path / "labels.jsonl"))
    assert metrics(later) == metrics(found), later.notes
    assert "1 label is of rows that are not in the window" in later.notes


@pytest.mark.slow
def test_answers_in_chats_come_as_labels(tmp_path: Path) -> None:
    done = learned("chat", tmp_path)
    fresh = [asked_of("chat", row) for row in rows_of("chat", 40, seed=9)]
    labels = [{"row": f"0:asked.jsonl#{place}", "answer": "yes"} for place in range(1, 41)]
    write(tmp_path / "labels.jsonl", labels)
    path = write(tmp_path / "asked.jsonl", fresh)
    found = watch(str(path), done.folder, Asked(labels=tmp_path / "labels.jsonl"))
    assert found.labelled == 40 and set(metrics(found)) == set(USUAL_METRICS["turns"])
    assert watch(str(path), done.folder).labelled == 0


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose recipe writes `bad` for `NEG`, and leaves out rows of other labels."""
    return small_run(tmp_path_factory.mktemp("small")).folder


def test_labels_pass_the_steps_that_labels_passed_in_training(small: Path, tmp_path: Path) -> None:
    fresh = rows(200, seed=8)
    as_said = [{**row, "mood": {"NEG": "bad"}.get(row["mood"], row["mood"])} for row in fresh]
    raw, final = (watch(str(write(tmp_path / "a.jsonl", told)), small) for told in (fresh, as_said))
    assert raw.labelled == final.labelled == len([one for one in fresh if one["said"] and len(one["said"]) >= 12])
    assert metrics(raw) == metrics(final)
    # What training left out for its label is told, and does not count as a label that the model does not know.
    odd = [{**row, "mood": "meh"} if place % 4 == 0 else row for place, row in enumerate(fresh)]
    left = watch(str(write(tmp_path / "odd.jsonl", odd)), small)
    assert 0 < left.labelled < raw.labelled
    assert any("labels are such as training left out" in note for note in left.notes)
    assert not any("none that the model knows" in note for note in left.notes)
    # In a file of labels the column says whose words they are in.
    write(tmp_path / "asked.jsonl", [{"said": one["said"]} for one in fresh])
    ids = [f"0:asked.jsonl#{place}" for place in range(1, len(fresh) + 1)]
    for column, told in (("mood", fresh), ("answer", as_said)):
        labels = [{"row": row, column: one["mood"]} for row, one in zip(ids, told, strict=True)]
        pl.DataFrame(labels).write_csv(tmp_path / "labels.csv")
        later = watch(str(tmp_path / "asked.jsonl"), small, Asked(labels=tmp_path / "labels.csv"))
        assert metrics(later) == metrics(raw), (column, later.notes)
    write(tmp_path / "wrong.jsonl", [{"row": ids[0], "answer": "NEG"}])
    wrong = watch(str(tmp_path / "asked.jsonl"), small, Asked(labels=tmp_path / "wrong.jsonl"))
    assert wrong.labelled == 0 and "1 label is none that the model knows" in wrong.notes


def test_files_of_labels_that_say_nothing(small: Path, tmp_path: Path) -> None:
    path = str(write(tmp_path / "asked.jsonl", [{"said": one["said"]} for one in rows(30)]))
    for line, problem in (
        ({"answer": "good"}, "which row they are about"),
        ({"row": "0:asked.jsonl#1", "stars": 3}, "no column of these labels"),
    ):
        write(tmp_path / "labels.jsonl", [line])
        with pytest.raises(DataError, match=problem):
            watch(path, small, Asked(labels=tmp_path / "labels.jsonl"))


@pytest.mark.parametrize("many", [1, 5, 19])
def test_of_few_rows_nothing_is_made_up(watched: Path, tmp_path: Path, many: int) -> None:
    """All answers wrong, of rows that are very short: too few to raise an alarm by, and told so."""
    told: list[dict[str, Any]] = moods(many, 3)
    for one in told:
        one["mood"] = {"good": "bad", "bad": "good"}[one["mood"]]
    found = watch(str(write(tmp_path / "new.jsonl", told)), watched)
    assert found.labelled == many and found.performance
    assert not {one.monitor for one in found.signals} & {"performance", "calibration", "estimate", "text"}
    assert not found.estimated
    assert any("little can be told" in note for note in found.notes)
    assert any("too few to raise an alarm" in note for note in found.notes)
