"""What `run.json` says of the sources."""

from __future__ import annotations

import json
from pathlib import Path

from seedbed.flow.running import run
from seedbed.recipe.loading import parse


def test_a_hidden_column_and_labels_beyond_the_first_fifty_are_told(tmp_path: Path) -> None:
    rows = [{"text": f"text number {n} of {n * n}", "label": f"l{n % 2}", "row": n} for n in range(120)]
    rows += [{"text": f"odd {n}", "label": f"odd {n}", "row": n} for n in range(70)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    recipe = {
        "seedbed": 1,
        "name": "told",
        "task": {"kind": "text_classification", "text": "text", "label": "label", "labels": ["l0", "l1"]},
        "sources": [{"use": "jsonl", "path": "rows.jsonl"}],
        "train": [{"use": "majority"}],
        "evaluate": {"intervals": {"resamples": 200}},
    }
    record = run(parse(recipe, tmp_path), out=tmp_path / "out", workers=1).run
    assert record.sources[0].notes == ("column 'row' is read as 'row_', because 'row' is the rows' own id",)
    assert "row_" in [column.name for column in record.dataset.columns]
    assert len(record.dataset.labels_before) == 50
    assert record.dataset.other_labels_before == 22
    assert sum(record.dataset.labels_before.values()) + record.dataset.other_labels_before == len(rows)
