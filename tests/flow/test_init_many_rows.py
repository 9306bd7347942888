"""What `init` drafts says what takes long and what is lost: doubts of many rows, copies with other answers."""

import json
from itertools import cycle
from pathlib import Path

import pytest

from seedbed.flow.starting.start import start


@pytest.mark.parametrize(("rows", "doubts"), [(300, "  - {use: label_errors}"), (40_000, "  # - {use: label_errors}")])
def test_doubts_and_copies_of_labelled_words(rows: int, doubts: str, tmp_path: Path) -> None:
    labels = cycle((["noun"], ["noun", "name"], ["verb"], ["verb", "old"], ["name"]))
    words = [f"word {place} of {place % 7}" for place in range(rows)]
    words[1], words[5] = words[0], words[2]  # one with other labels, one with the same two
    told = dict(zip(range(rows), labels, strict=False)) | {5: ["verb"]}
    lines = [json.dumps({"text": text, "labels": told[place]}) for place, text in enumerate(words)]
    (tmp_path / "words.jsonl").write_text("\n".join(lines), "utf-8")
    kind = "multi_label_classification"
    found = start(str(tmp_path / "words.jsonl"), text="text", label="labels", kind=kind, folder=tmp_path)
    assert "kind: multi_label_classification" in found.recipe
    assert any(line.startswith(doubts) for line in found.recipe.splitlines())
    assert "1 of 2 that repeat have other answers, too: the first row's stay" in " ".join(found.recipe.split())
