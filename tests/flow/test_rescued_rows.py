"""Which rejected rows people can rescue: those of steps that judge and rewrite, and what is shown beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from predicting_sample import rows, small_run, write
from seedbed.core.errors import DataError
from seedbed.core.rows import ROW
from seedbed.flow import explain
from seedbed.flow.finished import Finished
from seedbed.flow.reviewing.queues import build_queues, decisions_of
from seedbed.flow.reviewing.rows import RunRows
from seedbed.flow.running import run
from seedbed.recipe.loading import parse
from seedbed.review.desk import Asked, Desk, overlay_at
from seedbed.review.exchange.files import write_queues

CLEAN = [
    {"use": "map_values", "column": "mood", "values": {"NEG": "bad"}},
    {"use": "drop_missing", "columns": ["said"]},
]
JUDGED: list[dict[str, Any]] = [
    {"use": "apply_review"},
    {"use": "toxicity", "score": False, "words": ["darn"], "write": "tone"},
    {"use": "quality_rules", "presets": ["c4"], "rules": {"few_sentences": False, "line_end": False}},
    {"use": "redact_pii", "mode": "drop_row"},
    {"use": "parse_dates", "column": "title", "to": "date"},
    {"use": "convert_units", "column": "weight", "to": "kg"},
    *CLEAN,
]
LINES = "this one is a film that I like\nno\nwe accept cookies, read our privacy policy"
MAIL = "write to ann.lee@example.com about this great film"
TRAIN = [{"use": "majority"}]


def row(n: int) -> str:
    return f"mine:rows.jsonl#{n}"


def made() -> list[dict[str, Any]]:
    """Good rows, and one that each step rejects."""
    found = [one | {"title": "2024-03-31", "weight": "5 kg"} for one in rows(200)]
    found[10]["said"] = "this darn film was great, and its cast was fine"
    found[11]["said"] = "short words\nonly\nno more"
    found[12]["said"] = MAIL
    found[13]["title"] = "soon"
    found[14]["weight"] = "heavy"
    found[15]["said"] = f"this darn film\nno\n{MAIL}"
    return found


def desk_of(finished: Finished, folder: Path) -> Desk:
    of_run = RunRows(finished)
    folder.mkdir(exist_ok=True)
    built = build_queues(of_run, folder, ["conflicts", "rejected", "stuck"])
    return Desk(built.queues, overlay_at(decisions_of(of_run, None)), of_run.labels, "t", finished.run.id)


def values(finished: Finished) -> dict[str, dict[str, Any]]:
    files = sorted((finished.folder / "dataset/data").glob("*.parquet"))
    return {one[ROW]: one for one in pl.concat(map(pl.read_parquet, files)).to_dicts()}


def lifted(finished: Finished) -> dict[str, list[str]]:
    """Rejections that were lifted, by row."""
    entries = pl.read_parquet(finished.folder / "ledger/*.parquet").filter(action="changed", reason="rescued")
    found: dict[str, list[str]] = {}
    for name, told in entries.select(ROW, "evidence").iter_rows():
        found.setdefault(name, []).append(json.loads(told)["lifted"])
    return found


def test_what_steps_that_rewrite_reject_is_shown_and_rescued(tmp_path: Path) -> None:
    before = small_run(tmp_path, made(), steps=JUDGED, train=TRAIN)
    desk = desk_of(before, tmp_path / "q")
    old = values(before)
    rejected = {one[ROW]: one["part"] for one in desk.queues["rejected"].items.to_dicts()}
    assert rejected[row(11)] == rejected[row(16)] == "toxicity"
    assert (rejected[row(12)], rejected[row(13)]) == ("quality_rules", "redact_pii")
    for place in (11, 12, 13, 16):
        desk.decide(Asked("rejected", row(place), "rescue", why="it is fine"), "ana")
    after = small_run(tmp_path, made(), steps=JUDGED, train=TRAIN)
    new = values(after)
    # Each rescue lifts one rejection: the row with two faults is rejected by the second one, and may be rescued again.
    assert set(new) - set(old) == {row(11), row(12), row(13)} and set(old) <= set(new)
    assert {one: new[one] for one in old} == old
    assert new[row(11)]["tone"] == 1
    assert new[row(12)]["said"] == "short words\nonly\nno more"  # who rescued it saw all of its lines
    assert new[row(13)]["said"] == "write to [email] about this great film"  # it comes back without the address
    assert lifted(after) == {
        row(11): ["toxicity"], row(12): ["quality_rules"], row(13): ["redact_pii"], row(16): ["toxicity"]
    }  # fmt: skip
    assert after.run.rows.balanced
    assert after.run.rows.rejected["quality_rules"] != before.run.rows.rejected["quality_rules"]
    told = pl.read_parquet(after.folder / "ledger/*.parquet").filter(pl.col(ROW) == row(13), part="apply_review")
    assert told["excerpt"].to_list() == [new[row(13)]["said"]]  # what was there before is shown nowhere
    assert "it is fine" in [one.why for one in explain(after.folder, row(11)).decided if one.lifted]


def test_what_no_decision_can_mend_says_what_can(tmp_path: Path) -> None:
    desk = desk_of(small_run(tmp_path, made(), steps=JUDGED, train=TRAIN), tmp_path / "q")
    stuck = {one[ROW]: one for one in desk.queues["stuck"].items.to_dicts()}
    assert set(stuck) == {row(14), row(15)} and not set(stuck) & set(desk.queues["rejected"].places)
    told = json.loads(stuck[row(14)]["told"])
    assert "on_error: missing" in told["cannot be rescued"] and told["value"] == "soon"
    with pytest.raises(DataError, match="takes no 'rescue'"):
        desk.decide(Asked("stuck", row(14), "rescue"), "ana")


def test_rows_that_chance_left_out_wait_for_nobody(tmp_path: Path) -> None:
    steps = [{"use": "apply_review"}, *CLEAN, {"use": "sample", "rows": 150}, {"use": "cap_per_class", "at_most": 70}]
    prepare = [{"use": "undersample", "to": {"good": 10, "bad": 10}}]
    done = small_run(tmp_path, made(), steps=steps, prepare=prepare, train=TRAIN)
    assert {"sample", "cap_per_class", "undersample"} <= done.run.rows.rejected.keys()
    desk = desk_of(done, tmp_path / "q")
    assert desk.queues == {}


def recipe(steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "seedbed": 1, "name": "moods", "task": {"kind": "text_classification", "text": "said", "label": "mood"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "mine"}], "steps": list(steps), "train": TRAIN,
        "evaluate": {"intervals": {"resamples": 200}, "leakage": False},
    }  # fmt: skip


@pytest.mark.slow
def test_a_rescue_from_a_rewriting_step_does_not_hang_on_workers_batches_or_what_was_kept(tmp_path: Path) -> None:
    before = small_run(tmp_path, made(), steps=JUDGED, train=TRAIN)
    desk = desk_of(before, tmp_path / "q")
    for one in desk.queues["rejected"].items.to_dicts():
        desk.decide(Asked("rejected", one[ROW], "rescue"), "ana")
    digests = {}
    for workers, batch, store in ((1, 50_000, "one"), (2, 7, "two"), (1, 50_000, "kept")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SEEDBED_STORE", str(tmp_path / store))
            if store == "kept":  # the passes before the last step are taken from the store
                shorter = parse(recipe([*JUDGED, {"use": "exact_duplicates"}]), tmp_path)
                run(shorter, out=tmp_path / "shorter", workers=2)
            more = [{"use": "exact_duplicates"}, {"use": "text_length", "at_least": 3}]
            whole = parse(recipe([*JUDGED, *more]), tmp_path)
            digests[store] = run(whole, out=tmp_path / f"out-{store}", workers=workers, batch=batch).run
    assert len({one.dataset.digest for one in digests.values()}) == 1
    assert all(one.rows.balanced for one in digests.values())
    assert digests["one"].rows.rejected["toxicity"] == {"cannot_tell": 2}  # the texts that are missing


def test_copies_under_another_label_stand_beside_the_row_that_stayed(tmp_path: Path) -> None:
    found = made()
    words = "a very fine film about a long night in town with people who sing"
    found[20] = found[20] | {"said": words, "mood": "good"}
    found[21] = found[21] | {"said": f"{words}!", "mood": "NEG"}  # a near copy, another label
    found[22] = found[22] | {"said": f"{words} ?", "mood": "good"}  # a near copy, the same label
    for place, mood in ((30, "NEG"), (31, "NEG")):  # one label, which a step writes otherwise
        found[place] = found[place] | {"said": "an awful film that nobody here would see twice, ever", "mood": mood}
    steps = [{"use": "apply_review"}, *CLEAN, {"use": "near_duplicates", "on_conflict": "keep_first"}]
    done = small_run(tmp_path, found, steps=steps, train=TRAIN)
    desk = desk_of(done, tmp_path / "q")
    torn = desk.queues["conflicts"].items.to_dicts()
    assert [one[ROW] for one in torn] == [row(22)]
    split = next(one for one in done.run.dataset.splits if row(21) in set(_rows_of(done, one)))
    assert torn[0]["other"] == {ROW: row(21), "split": split, "label": "good", "text": words}
    assert (torn[0]["label"], torn[0]["text"]) == ("NEG", f"{words}!")
    beside = {one[ROW]: one["other"] for one in desk.queues["rejected"].items.to_dicts()}
    assert beside[row(23)][ROW] == row(21) and beside[row(32)][ROW] == row(31)
    assert desk.item("conflicts", row(22), "ana")["other"]["text"] == words
    assert write_queues(desk, tmp_path / "out.csv", "ana") > 0

    desk.decide(Asked("conflicts", row(22), "relabel", "good"), "ana")
    again = small_run(tmp_path, found, steps=steps, train=TRAIN)
    assert values(again)[row(22)]["mood"] == "good"


def _rows_of(finished: Finished, split: str) -> list[str]:
    files = sorted((finished.folder / "dataset/data").glob(f"{split}-*.parquet"))
    return pl.concat(map(pl.read_parquet, files))[ROW].to_list()


def test_of_a_group_that_went_as_a_whole_one_with_another_label_is_shown(tmp_path: Path) -> None:
    found = made()
    words = "a very fine film about a long night in town with people who sing"
    for place, (end, mood) in enumerate([("", "good"), (" !", "good"), ("?? ??", "NEG")], start=20):
        found[place] = found[place] | {"said": words + end, "mood": mood}
    steps = [{"use": "apply_review"}, *CLEAN, {"use": "near_duplicates", "on_conflict": "reject_all"}]
    desk = desk_of(small_run(tmp_path, found, steps=steps, train=TRAIN), tmp_path / "q")
    torn = {one[ROW]: one for one in desk.queues["conflicts"].items.to_dicts()}
    assert set(torn) == {row(21), row(22), row(23)}
    assert torn[row(23)]["other"]["label"] == "good" and torn[row(23)]["other"]["split"] is None
    assert "NEG" in {torn[row(21)]["other"]["label"], torn[row(22)]["other"]["label"]}


def test_the_decisions_are_an_input_that_lock_and_lineage_know(tmp_path: Path) -> None:
    steps = [{"use": "apply_review"}, *CLEAN, {"use": "text_length", "at_least": 60}]
    before = small_run(tmp_path, made(), steps=steps, train=TRAIN)
    assert json.loads((before.folder / "recipe.lock").read_text("utf-8"))["files"] == []
    desk = desk_of(before, tmp_path / "q")
    desk.decide(Asked("rejected", next(iter(desk.queues["rejected"].places)), "rescue"), "ana")
    after = small_run(tmp_path, made(), steps=steps, train=TRAIN)
    content = (tmp_path / "review.jsonl").read_bytes()
    told = {"step": "apply_review", "file": "review.jsonl", "bytes": len(content)}
    told["sha256"] = hashlib.sha256(content).hexdigest()
    for paper in ("recipe.lock", "lineage.json"):
        assert json.loads((after.folder / paper).read_text("utf-8"))["files"] == [told]
    write(tmp_path / "rows.jsonl", made())
    assert desk_of(after, tmp_path / "q").queues.keys() == {"rejected"}  # and the sources are what they were
