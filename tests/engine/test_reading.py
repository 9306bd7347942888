"""The first pass: what is counted as read, and what is left in the store when a file changes meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.core.source import Block, Scan
from seedbed.core.task import TextClassification
from seedbed.engine import jobs
from seedbed.engine.curate import Curated, Curation
from seedbed.sources import Jsonl

TASK = TextClassification(kind="text_classification", text="text", label="label")


def curate(folder: Path, path: Path) -> Curated:
    return Curation((Jsonl(path=path.name),), (), TASK, Context(base=folder, store=folder / "store")).run()


def test_labels_as_read_add_up_however_many_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_MOST_LABELS", 5)
    monkeypatch.setattr(Jsonl, "block_bytes", 400)
    path = tmp_path / "rows.jsonl"
    rows = ['{"text": "x", "label": "often"}'] * 50 + [f'{{"text": "x", "label": "l{n % 90}"}}' for n in range(180)]
    path.write_text("\n".join([*rows, '{"text": "x", "label": null}']))
    facts = curate(tmp_path, path).facts
    assert facts["labels"]["often"] == 50
    assert facts["other_labels"] > 0
    assert sum(facts["labels"].values()) + facts["other_labels"] == len(rows) + 1


def test_what_was_read_of_a_file_that_changes_is_not_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.jsonl"
    right, wrong = (f'{{"text": "{word}", "label": "a"}}\n' * 100 for word in ("right", "wrong"))
    path.write_text(right)
    plain = Jsonl.blocks

    def meddled(self: Jsonl, scan: Scan, context: Context) -> Iterator[Block]:
        path.write_text(wrong)
        yield from plain(self, scan, context)

    monkeypatch.setattr(Jsonl, "block_bytes", 400)
    monkeypatch.setattr(Jsonl, "blocks", meddled)
    with pytest.raises(DataError, match=r"rows\.jsonl: changed while it was read"):
        curate(tmp_path, path)
    monkeypatch.setattr(Jsonl, "blocks", plain)
    path.write_text(right)
    rows = curate(tmp_path, path).table.scan().select("text").unique().collect()
    assert rows["text"].to_list() == ["right"]
