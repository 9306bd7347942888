"""What a person lets pass: a check, a gate or a question of the card, by one mechanism; told only where it mattered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_run import go, texts, write

from seedbed.flow.running import Finished

CARD = "license: MIT\nlanguages: en\ncollected: made\nintended_uses: tests\nsensitive: nothing\ncontact: us\n"
CHECK = {"use": "row_count", "at_least": 5000, "on_fail": "stop"}
GATE = {"metric": "accuracy", "at_least": 0.99}
PUBLISH = {"publish": [{"use": "folder", "path": "published"}]}


def published(folder: Path, card: str = CARD, **options: Any) -> Finished:
    write(folder, texts(200))
    (folder / "card.yaml").write_text(card)
    return go(folder, **PUBLISH, **options)


def used(done: Finished) -> list[tuple[str, str]]:
    return [(waived.what, waived.reason) for waived in done.run.waivers]


def card_of(folder: Path) -> str:
    text = (folder / "published" / "dataset" / "README.md").read_text()
    return text.split("## Waivers", 1)[1].split("## Who looks after it", 1)[0]


@pytest.mark.parametrize(
    ("stopper", "what", "told"),
    [
        ({"checks": [CHECK]}, "row_count", "check row_count"),
        ({"gates": [GATE]}, "accuracy", "gate accuracy on test"),
        ({"card": CARD.replace("contact: us\n", "")}, "contact", "question contact"),
    ],
    ids=["a check", "a gate", "a question"],
)
def test_each_kind_stops_and_can_be_waived(tmp_path: Path, stopper: dict[str, Any], what: str, told: str) -> None:
    for name in ("stopped", "waived"):
        (tmp_path / name).mkdir()
    stopped = published(tmp_path / "stopped", **stopper)
    assert stopped.run.state == "failed" and not (tmp_path / "stopped" / "published").exists()
    assert used(stopped) == []
    done = published(tmp_path / "waived", **stopper, waive=[{"what": what, "reason": "only a <b>pilot"}])
    assert done.run.state == "passed" and done.run.published == ("published",)
    assert used(done) == [(told, "only a <b>pilot")]
    assert f"{told.split()[0]} " in card_of(tmp_path / "waived") and "only a &lt;b&gt;pilot" in card_of(
        tmp_path / "waived"
    )
    report = (done.folder / "report.html").read_text()
    assert ", with a waiver" in report and "only a &lt;b&gt;pilot" in report


def test_a_waiver_that_was_not_needed_is_told_nowhere(tmp_path: Path) -> None:
    done = published(
        tmp_path,
        checks=[{**CHECK, "at_least": 1}, {"use": "class_share", "at_least": 0.99, "on_fail": "warn"}],
        gates=[{**GATE, "at_least": 0.01, "waive": "not needed either"}],
        waive=[{"what": name, "reason": "not needed"} for name in ("row_count", "class_share", "contact")],
    )
    assert done.run.state == "passed" and used(done) == []
    assert [gate.waived for gate in done.run.gates] == [None]
    assert "Nothing was waived." in card_of(tmp_path)
    text = (done.folder / "report.html").read_text().split('id="again"', 1)[0]
    assert "not needed" not in text and "with a waiver" not in text


def test_the_reason_of_a_gate_goes_before_that_of_the_recipe(tmp_path: Path) -> None:
    gates = [{**GATE, "waive": "its own"}, {**GATE, "split": "validation"}]
    done = published(tmp_path, gates=gates, waive=[{"what": "accuracy", "reason": "of the recipe"}])
    assert used(done) == [("gate accuracy on test", "its own"), ("gate accuracy on validation", "of the recipe")]
    assert "its own" in card_of(tmp_path) and "of the recipe" in card_of(tmp_path)
