"""From a run to a review to the next run: what people decided is done, nothing else changes, the data is untouched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from predicting_sample import STEPS, rows, small_run, write
from seedbed.cli.explain import told as in_lines
from seedbed.core.decision import Decision, Overlay, text_hash
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.rows import ROW
from seedbed.flow import explain, open_run
from seedbed.flow.finished import Finished
from seedbed.flow.reviewing.queues import build_queues, decisions_of, notes_on
from seedbed.flow.reviewing.rows import RunRows
from seedbed.flow.running import run
from seedbed.recipe.loading import parse
from seedbed.review.desk import Asked, Desk, overlay_at

TRAIN = [{"use": "naive_bayes"}]
WHOLE = [{"use": "apply_review"}, *STEPS, {"use": "conflicting_labels"}, {"use": "exact_duplicates"}]


def made() -> list[dict[str, Any]]:
    """Rows with wrong labels (every 25th), two copies, two that contradict each other, and some without a label."""
    found = rows(500)
    for place in range(3, 500, 25):
        found[place]["mood"] = "NEG" if found[place]["mood"] == "good" else "good"
    found[60] = dict(found[59])
    found[71] = {**found[70], "mood": "good" if found[70]["mood"] != "good" else "NEG"}
    found[90]["mood"] = None
    return found


def once(base: Path, steps: Sequence[dict[str, Any]] = WHOLE, **more: Any) -> Finished:
    return small_run(base, made(), steps=list(steps), train=TRAIN, **more)


def desk_of(finished: Finished, folder: Path, only: Sequence[str] = ()) -> Desk:
    of_run = RunRows(finished)
    folder.mkdir(exist_ok=True)
    built = build_queues(of_run, folder, only)
    overlay = overlay_at(decisions_of(of_run, None))
    return Desk(built.queues, overlay, of_run.labels, "t", finished.run.id, tuple(built.notes))


def dataset(finished: Finished) -> dict[str, tuple[Any, ...]]:
    """Rows of the dataset."""
    files = sorted((finished.folder / "dataset/data").glob("*.parquet"))
    return {
        row[0]: row[1:]
        for row in pl.concat([pl.read_parquet(file).select(ROW, "said", "mood") for file in files]).rows()
    }


def ledger(finished: Finished, part: str) -> list[dict[str, Any]]:
    found = pl.read_parquet(finished.folder / "ledger/*.parquet").filter(part=part)
    return [{**one, "evidence": json.loads(one["evidence"])} for one in found.to_dicts()]


def said(finished: Finished) -> str:
    return "\n".join(one for one in finished.run.notices if one.startswith("apply_review"))


def row(n: int) -> str:
    return f"mine:rows.jsonl#{n}"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, Path]:
    base = tmp_path_factory.mktemp("reviewed")
    return once(base), base


def test_queues_are_of_the_right_rows_and_test_rows_are_apart(first: tuple[Finished, Path], tmp_path: Path) -> None:
    finished, base = first
    desk = desk_of(finished, tmp_path / "q")
    assert desk.overlay.path == base / "review.jsonl"
    planted = {row(place + 1) for place in range(3, 500, 25)}
    suspects, test = desk.queues["suspects"], desk.queues["test"]
    found = set(suspects.places) | set(test.places)
    kept = planted & set(dataset(finished))
    assert len(found & kept) > 0.9 * len(kept)
    assert set(suspects.items["split"]) <= {"train", "validation"} and set(test.items["split"]) == {"test"}
    assert set(desk.queues["conflicts"].places) == {row(71), row(72)}
    assert row(91) in desk.queues["unlabelled"].places and desk.queues["unlabelled"].items["suggested"][0] in (
        "good",
        "bad",
    )
    rejected = desk.queues["rejected"]
    assert row(61) in rejected.places and "exact_duplicates" in rejected.items["part"].to_list()
    raw = [json.loads(line)["said"] for line in (base / "rows.jsonl").read_text("utf-8").splitlines()]
    for one in desk.queues.values():
        for place, key in enumerate(one.items["read"]):
            record = int(one.items[ROW][place].partition("#")[2])
            assert key == text_hash(raw[record - 1])  # also where a step rewrote it since


def test_made_rows_have_a_queue(first: tuple[Finished, Path], tmp_path: Path) -> None:
    finished, _ = first
    source = finished.run.sources[0].model_copy(update={"use": "generate"})
    written = Finished(finished.run.model_copy(update={"sources": (source,)}), finished.folder)
    desk = desk_of(written, tmp_path / "q", ["generated"])
    assert set(desk.queues["generated"].places) == set(dataset(finished))
    assert desk_of(finished, tmp_path / "r", ["generated"]).queues == {}


def test_what_is_decided_is_done_and_nothing_else(tmp_path: Path) -> None:
    before = once(tmp_path)
    old = dataset(before)
    raw = hashlib.sha256((tmp_path / "rows.jsonl").read_bytes()).digest()
    desk = desk_of(before, tmp_path / "q")
    suspects = desk.queues["suspects"].items
    wrong = suspects.row(0, named=True)
    spam, fine = suspects[ROW][1], suspects[ROW][2]
    short = next(one for one in desk.queues["rejected"].items.to_dicts() if one["part"] == "text_length")[ROW]
    for asked in (
        Asked("suspects", wrong[ROW], "relabel", wrong["suggested"], why="irony"),
        Asked("suspects", spam, "reject", why="an advertisement"),
        Asked("suspects", fine, "accept"),
        Asked("rejected", short, "rescue", why="short is fine"),
        Asked("rejected", row(61), "rescue"),
        Asked("conflicts", row(72), "rescue"),
        Asked("unlabelled", row(91), "relabel", "good"),
    ):
        desk.decide(asked, "ana")
    after = once(tmp_path)
    new = dataset(after)
    assert set(new) - set(old) == {short, row(61), row(72), row(91)} and set(old) - set(new) == {spam}
    assert {one for one in set(old) & set(new) if old[one] != new[one]} == {wrong[ROW]}
    assert new[wrong[ROW]][1] == wrong["suggested"] and new[row(91)][1] == "good"
    assert after.run.rows.balanced
    assert hashlib.sha256((tmp_path / "rows.jsonl").read_bytes()).digest() == raw
    assert "7 of 7 decisions applied (1 accepted, 1 rejected, 2 relabelled, 3 rescued), by ana" in said(after)
    entries = {(one[ROW], one["action"]): one for one in ledger(after, "apply_review")}
    assert entries[spam, "rejected"]["reason"] == "reviewed"
    assert entries[spam, "rejected"]["evidence"]["why"] == "an advertisement"
    changed = entries[wrong[ROW], "changed"]["evidence"]
    assert (changed["who"], changed["why"], changed["after"]) == ("ana", "irony", {"mood": wrong["suggested"]})
    lifted = {one: entries[one, "changed"]["evidence"]["lifted"] for one in (short, row(61), row(72))}
    assert lifted == {short: "text_length", row(61): "exact_duplicates", row(72): "conflicting_labels"}
    certificate = json.loads((after.folder / "certificate.json").read_text("utf-8"))
    assert certificate["passed"]  # the rescued copy stands where the row that it copies stands
    assert "rescued by ana from text_length (too_short): short is fine" in in_lines(explain(after.folder, short))
    at = in_lines(explain(after.folder, wrong[ROW]))
    assert f"mood: “{wrong['suggested']}” (relabelled by ana, it was “{wrong['label']}”: irony)" in " ".join(at), at
    assert "column mood (by ana)" in " ".join(at)
    bundle = json.loads((after.folder / "models/naive_bayes/preprocess.json").read_text("utf-8"))
    assert all(step["part"]["use"] != "apply_review" for step in bundle["steps"])


def test_a_rescue_does_not_hang_on_workers_or_batches(tmp_path: Path) -> None:
    first = once(tmp_path)
    desk = desk_of(first, tmp_path / "q", ["rejected"])
    for one in desk.queues["rejected"].items.to_dicts():
        desk.decide(Asked("rejected", one[ROW], "rescue"), "ana")
    digests = set()
    for workers, batch in ((1, 50_000), (2, 7)):
        whole = {
            "seedbed": 1, "name": "moods", "task": {"kind": "text_classification", "text": "said", "label": "mood"},
            "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "mine"}], "steps": WHOLE, "train": TRAIN,
            "evaluate": {"intervals": {"resamples": 200}, "leakage": False},
        }  # fmt: skip
        store = tmp_path / f"store{workers}"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SEEDBED_STORE", str(store))
            digests.add(
                run(parse(whole, tmp_path), out=tmp_path / "again", workers=workers, batch=batch).run.dataset.digest
            )
    assert len(digests) == 1 and digests != {first.run.dataset.digest}


def test_a_decision_never_lands_on_another_row(tmp_path: Path) -> None:
    before = once(tmp_path)
    desk = desk_of(before, tmp_path / "q", ["suspects"])
    first, second, third = desk.queues["suspects"].items[ROW][:3]
    for one in (first, second, third):
        desk.decide(Asked("suspects", one, "reject"), "ana")
    found = made()
    found[int(first.partition("#")[2]) - 1]["said"] = "quite another text about a film that people love"
    kept = [one for place, one in enumerate(found) if row(place + 1) != row(500)]
    assert row(500) not in (first, second, third)
    write(tmp_path / "rows.jsonl", kept)
    after = small_run(tmp_path, kept, steps=WHOLE, train=TRAIN)
    assert first in dataset(after) and second not in dataset(after) and third not in dataset(after)
    assert "2 of 3 decisions applied" in said(after)
    assert "1 not applied: the text of the row is not what was reviewed" in said(after)
    Overlay(tmp_path / "review.jsonl").append(
        [Decision(id="x", row=row(9999), action="reject", who="ben", when="", read=text_hash("gone"))]
    )
    assert "1 not applied: no such row came to this step" in said(small_run(tmp_path, kept, steps=WHOLE, train=TRAIN))


def test_it_lands_after_the_steps_too_and_nowhere_between(tmp_path: Path) -> None:
    before = once(tmp_path)
    read, seen = made()[0]["said"], dataset(before)[row(1)][0]
    assert read != seen  # the steps rewrite it
    Overlay(tmp_path / "review.jsonl").append(
        [Decision(id="1", row=row(1), action="reject", who="ana", when="", read=text_hash(read), seen=text_hash(seen))]
    )
    assert row(1) not in dataset(once(tmp_path, [*STEPS, {"use": "apply_review"}]))
    between = once(tmp_path, [STEPS[0], {"use": "apply_review"}, *STEPS[1:]])
    assert row(1) in dataset(between) and "1 not applied: the text of the row is not what was reviewed" in said(between)


def test_people_who_disagree_and_broken_lines_are_told(tmp_path: Path) -> None:
    before = once(tmp_path)
    desk = desk_of(before, tmp_path / "q", ["suspects", "test"])
    suspect, test = desk.queues["suspects"].items[ROW][0], desk.queues["test"].items[ROW][0]
    desk.decide(Asked("suspects", suspect, "reject"), "ana")
    desk.decide(Asked("suspects", suspect, "accept"), "ben")
    desk.decide(Asked("test", test, "reject"), "ana")
    with desk.overlay.path.open("a", encoding="utf-8") as file:
        file.write('{"id": "torn", "row": "mine')
    after = once(tmp_path)
    assert suspect in dataset(after)
    for told in ("on 1 row people disagree", "1 line of 'review.jsonl' cannot be read", "1 is on a row that judged"):
        assert told in said(after), said(after)


def test_an_outlier_that_is_none_is_rescued_from_a_step_that_learns(tmp_path: Path) -> None:
    found = made()
    found[4]["stars"] = found[5]["stars"] = 900
    outliers = [{"use": "numeric_outliers", "column": "stars", "method": "iqr", "action": "drop"}]

    def again() -> Finished:
        return small_run(tmp_path, found, steps=WHOLE, train=TRAIN, prepare=outliers)

    before = again()
    queue = desk_of(before, tmp_path / "q", ["outliers"])
    there = queue.queues["outliers"].items[ROW].to_list()
    assert set(there) <= {row(5), row(6)} and there
    queue.decide(Asked("outliers", there[0], "rescue", why="nine hundred is right"), "ana")
    after = again()
    gone = {one[ROW] for one in ledger(after, "numeric_outliers") if one["action"] == "rejected"}
    assert gone == set(there[1:]) and there[0] in dataset(after) and after.run.rows.balanced


def test_rows_that_cannot_be_rescued_are_not(tmp_path: Path) -> None:
    once(tmp_path)
    raw = made()
    Overlay(tmp_path / "review.jsonl").append(
        [
            Decision(
                id=str(n),
                row=row(n),
                action="rescue",
                part=part,
                who="ana",
                when="",
                read=text_hash(raw[n - 1]["said"]),
            )
            for n, part in ((91, "task"), (91, "stratified"), (8, "mine"), (48, "drop_missing"))
        ]
    )
    after = once(tmp_path)
    assert row(91) not in dataset(after)  # nothing lifts that it has no label
    assert row(48) not in dataset(after)  # its text is blank: the step's rejection is lifted, the task's is not
    assert after.run.rows.balanced


def test_a_source_that_has_changed_is_told_and_a_wrong_queue_refused(
    first: tuple[Finished, Path], tmp_path: Path
) -> None:
    finished, _ = first
    with pytest.raises(RecipeError, match="no queue 'suspect'"):
        desk_of(finished, tmp_path / "q", ["suspect"])
    mine = small_run(tmp_path, made(), steps=STEPS, train=TRAIN)
    assert any("does not apply decisions yet" in note for note in notes_on(RunRows(mine)))
    write(tmp_path / "rows.jsonl", made()[:-1])
    desk = desk_of(open_run(mine.folder), tmp_path / "q", ["suspects", "rejected"])
    assert "the sources are not what they were" in desk.notes[0] and list(desk.queues) == ["suspects"]
    (mine.folder / "ledger").rename(tmp_path / "gone")
    with pytest.raises(DataError, match="holds no ledger"):
        RunRows(mine).rejected()
