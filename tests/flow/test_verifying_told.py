"""The independent check of a split tells how far it is by the rows that it compares."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import seedbed

RECIPE = """\
seedbed: 1
name: told
task: {kind: text_classification, text: text, label: label}
sources: [{use: jsonl, path: rows.jsonl, name: rows}]
train: [{use: majority}]
evaluate: {leakage: false, intervals: {resamples: 200}}
"""


class Heard:
    """Progress that keeps what each stage was told."""

    def __init__(self, title: str = "", total: float | None = None) -> None:
        self.title, self.total = title, total
        self.told: list[tuple[float, str, bool]] = []
        self.stages: list[Heard] = []

    def start(self, title: str, total: float | None, unit: str) -> Heard:
        self.stages.append(Heard(title, total))
        return self.stages[-1]

    def advance(self, amount: float = 1, note: str = "", *, rows: int = 0, found: bool = False) -> None:
        self.told.append((amount, note, found))

    def finish(self, stage: object) -> None: ...

    def say(self, text: str) -> None: ...


def test_rows_count_once_as_they_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [json.dumps({"text": f"row {row} is number {row * 7919}", "label": "ab"[row % 2]}) for row in range(300)]
    Path("rows.jsonl").write_text("".join(f"{line}\n" for line in lines))
    Path("recipe.yaml").write_text(RECIPE)
    heard = Heard()
    seedbed.run("recipe.yaml", workers=1, progress=heard)
    stage = next(stage for stage in heard.stages if stage.title.startswith("Verifying"))
    assert stage.total == 300
    assert sum(amount for amount, _, _ in stage.told) == 300
    first, last = stage.told[0], stage.told[-1]
    assert first == (0, "taking the sample's texts", True), "the first sweep is no work that counts"
    assert last == (300, "comparing", False)
