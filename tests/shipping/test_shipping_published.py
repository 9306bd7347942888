"""Models leave by the command line and by a recipe's `publish`, under the same rules as rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from predicting_sample import small_run
from seedbed.cli import main
from seedbed.core.errors import RecipeError

CARD = {
    "license": "CC0-1.0", "languages": "en", "collected": "made for a test", "intended_uses": "tests",
    "sensitive": "no", "contact": "nobody@example.org",
}  # fmt: skip
SOURCES = [{"use": "jsonl", "path": "rows.jsonl", "name": "mine", "license": "CC0-1.0"}]
TRAIN: list[dict[str, Any]] = [{"use": "majority"}, {"use": "naive_bayes"}]


def seedbed(*arguments: object) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, arguments)))
    return int(ended.value.code or 0)


def test_by_the_command_line(counting: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert seedbed("export", counting, "--to", "onnx", "--out", out, "--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert told["model"] in ("tfidf_logistic", "naive_bayes")
    assert told["told"][0].startswith("model.onnx: the same answer as the model on ")
    assert (out / "runtime.py").is_file()
    assert seedbed("export", counting, "--to", "onnx", "--out", out, "--split", "test") == 2
    assert "a model has no splits" in capfd.readouterr().err
    assert seedbed("export", counting / "models" / "majority", "--to", "c_header", "--out", out) == 4
    said = capfd.readouterr().err
    assert "no weighted sum of terms" in said
    assert "Traceback" not in said
    assert (out / "runtime.py").is_file(), "what was there stays"


def test_by_a_recipe(tmp_path: Path) -> None:
    (tmp_path / "card.yaml").write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in CARD.items()))
    publish = [{"use": "onnx", "path": "shipped", "model": "naive_bayes"}]
    done = small_run(tmp_path, sources=SOURCES, train=TRAIN, publish=publish)
    assert done.run.published == ("shipped",), (done.run.stopped_by, done.run.blanks)
    assert json.loads((tmp_path / "shipped" / "model.json").read_text())["use"] == "naive_bayes"


def test_not_while_the_card_is_blank(tmp_path: Path) -> None:
    done = small_run(tmp_path, sources=SOURCES, train=TRAIN, publish=[{"use": "onnx", "path": "shipped"}])
    assert done.run.state == "failed"
    assert not (tmp_path / "shipped").exists()


def test_two_exports_to_one_place_are_refused(tmp_path: Path) -> None:
    publish = [{"use": "onnx", "path": "shipped"}, {"use": "docker", "path": "shipped"}]
    with pytest.raises(RecipeError, match="would be overwritten"):
        small_run(tmp_path, sources=SOURCES, train=TRAIN, publish=publish)
