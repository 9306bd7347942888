"""A label that a reviewer gave reaches rows with the very same text, and no others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from predicting_sample import small_run
from seedbed.core.decision import Decision, Overlay, text_hash
from seedbed.core.rows import ROW
from seedbed.flow.finished import Finished

TEXTS = ["where is it", "how far is it", "when was that", "what is it"]
STEPS = [{"use": "apply_review"}, {"use": "conflicting_labels"}]


def made() -> list[dict[str, Any]]:
    """Four texts three times each, all called good, and others."""
    rows = [{"said": text, "mood": "good"} for text in TEXTS for _ in range(3)]
    own = [hashlib.sha256(bytes([n])).hexdigest() for n in range(60)]
    return rows + [
        {"said": f"{one[:9]} {one[9:20]} {one[20:33]}", "mood": "NEG" if one[0] < "8" else "good"} for one in own
    ]


def decision(n: int, label: str | None, action: str = "relabel", who: str = "ana") -> Decision:
    text = made()[n - 1]["said"]
    return Decision.model_validate(
        {"id": f"{n}{who}", "row": f"mine:rows.jsonl#{n}", "action": action, "label": label, "was": "good",
         "who": who, "when": "2026-11-23T08:00:00Z", "read": text_hash(text)}
    )  # fmt: skip


def after(base: Path, decided: Sequence[Decision], steps: Sequence[dict[str, Any]] = STEPS) -> Finished:
    Overlay(base / "review.jsonl").append(decided)
    return small_run(base, made(), steps=list(steps), train=[{"use": "majority"}])


def moods(done: Finished, text: str) -> list[str]:
    files = sorted((done.folder / "dataset/data").glob("*.parquet"))
    kept = pl.concat([pl.read_parquet(file).select(ROW, "said", "mood") for file in files])
    return kept.filter(said=text)["mood"].to_list()


@pytest.mark.slow
def test_copies_follow_and_nothing_else_does(tmp_path: Path) -> None:
    decided = [
        decision(1, "NEG"),  # its copies, 2 and 3, are nobody's
        decision(4, "NEG"),
        decision(5, "good"),  # people gave one text two labels: 6 stays as it is, and the three contradict each other
        decision(10, "NEG"),
        decision(11, None, "accept"),  # somebody looked at this copy, and meant what it says
    ]
    done = after(tmp_path, decided)
    assert moods(done, TEXTS[0]) == ["NEG"] * 3
    assert moods(done, TEXTS[1]) == []
    assert moods(done, TEXTS[2]) == ["good"] * 3, "nobody said anything of it"
    assert moods(done, TEXTS[3]) == []
    (told,) = [one for one in done.run.notices if "same text" in one]
    assert "the labels of 2 went to other rows of the same text, too" in told
    ledger = pl.read_parquet(done.folder / "ledger/*.parquet").filter(pl.col("part").str.starts_with("apply_review"))
    signed = {one["row"]: json.loads(one["evidence"])["who"] for one in ledger.iter_rows(named=True)}
    assert {f"mine:rows.jsonl#{n}" for n in (1, 2, 3, 4, 10, 12)} == set(signed)
    assert set(signed.values()) == {"ana"}


@pytest.mark.slow
def test_copies_can_be_left_alone(tmp_path: Path) -> None:
    done = after(
        tmp_path, [decision(1, "NEG")], [{"use": "apply_review", "copies": False}, {"use": "conflicting_labels"}]
    )
    assert moods(done, TEXTS[0]) == [], "the copies contradict the one that was put right"
