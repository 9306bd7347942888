"""`seedbed predict --text` for models whose answers are no label."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import seedbed
from learned_sample import as_text, learned
from seedbed.cli import main

ROWS: dict[str, Any] = {
    "multi_label_classification": "one opera and a loan",
    "regression": "a villa by the sea",
    "tabular_regression": {"width": 3, "depth": 2.5, "shape": "round"},
    "question_answering": {"question": "Where did Bo live?", "context": "It was cold. Bo lived in Oslo & wrote."},
    "causal_lm": "the old man went to sea",
    "chat": "what is the price?",
    "text_to_text": "gbob kfod rain llob",
}


def typed(*arguments: object) -> int:
    with pytest.raises(SystemExit) as done:
        main(["predict", *map(str, arguments)])
    return int(done.value.code or 0)


@pytest.fixture(scope="module", params=ROWS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def model(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learned(kind, tmp_path_factory.mktemp(kind)).folder


def test_an_answer_for_people(kind: str, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = ROWS[kind]
    assert typed(model, "--text", row if isinstance(row, str) else as_text(row)) == 0
    first, *more = capsys.readouterr().out.strip().splitlines()
    (found,) = seedbed.load_model(model).predict([row]).to_dicts()
    match kind:
        case "multi_label_classification":
            assert first == ", ".join(found["predicted"])
            assert more[0].startswith("  each: ") and all(label in more[0] for label in found["probabilities"])
        case "regression" | "tabular_regression":
            assert float(first.replace(",", "")) == pytest.approx(found["predicted"], rel=1e-5)
        case "question_answering":
            assert first.startswith(f"{found['predicted']}  ") and f"from character {found['start']} on" in first
        case "causal_lm":
            each = found["nats"] / found["tokens"]
            assert first == f"{each:.2f} nats a token, {found['tokens']} tokens"
        case _:
            assert first == found["predicted"]
    assert any(line.startswith("  text: ") for line in more)


def test_an_answer_for_programs(kind: str, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = ROWS[kind]
    assert typed(model, "--json", "--text", row if isinstance(row, str) else as_text(row)) == 0
    told = json.loads(capsys.readouterr().out)
    (found,) = seedbed.load_model(model).predict([row]).to_dicts()
    assert {name: told[name] for name in found} == found


def test_too_little_is_told_with_the_way_out(kind: str, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if isinstance(ROWS[kind], str):
        return
    assert typed(model, "--text", "only words") == 2
    told = capsys.readouterr().err
    assert f"this model reads {len(ROWS[kind])} columns" in told and next(iter(ROWS[kind])) in told


def test_what_was_promised_is_told_to_people() -> None:
    from seedbed.cli.predict import answer

    number = {"predicted": 3454.89, "low": 2992.02, "high": 3917.76, "warnings": []}
    assert any("interval: 2,992 to 3,918" in line for line in answer("{}", number, "number"))
    labels = {
        "predicted": ["a"],
        "probabilities": {"a": 0.6, "b": 0.4},
        "decided": ["a", "b"],
        "set": [],
        "warnings": [],
    }
    told = answer("one", labels, "labels")
    assert "  decided at thresholds: a, b" in told and "  set: (none)" in told
