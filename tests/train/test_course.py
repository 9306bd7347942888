"""How a network's training went stands beside its weights, wherever the model came from."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from test_exact_resume import killed, network_for, train

from seedbed.track.telling.flat import TRAINING, Training
from seedbed.train.course import FILE, thinned

pytest.importorskip("torch")
pytest.importorskip("transformers")


def test_thinned_curves_keep_their_ends() -> None:
    curve = [[step, 1 / step] for step in range(1, 10_001)]
    kept = thinned(curve)
    assert len(kept) == 1000 and kept[0] == curve[0] and kept[-1] == curve[-1]
    gaps = {int(b[0] - a[0]) for a, b in pairwise(kept)}
    assert gaps <= {10, 11}, "evenly"
    assert thinned(curve[:7]) == curve[:7] and thinned([]) == [] and thinned(curve[:1000]) == curve[:1000]


def test_trackers_read_the_file_that_networks_write() -> None:
    assert FILE == TRAINING


@pytest.mark.slow
def test_a_killed_training_tells_the_same_course_and_a_reopened_model_keeps_it(tmp_path: Path) -> None:
    network = network_for("transformer", tmp_path / "network")
    whole = train("transformer", network, tmp_path / "undisturbed", tmp_path / "whole")
    steps = int(whole.steps)
    killed("transformer", network, tmp_path / "store", steps - 3)
    train("transformer", network, tmp_path / "store", tmp_path / "resumed")
    told = [json.loads((tmp_path / name / FILE).read_bytes()) for name in ("whole", "resumed")]
    assert told[0] == told[1]
    assert [step for step, _ in told[0]["loss"]] == list(range(1, steps + 1))
    noted = [float(note.rpartition("loss ")[2]) for note in whole.notes if note.startswith("epoch") and "loss" in note]
    assert [loss for _, loss in told[0]["loss"]] == pytest.approx(noted, abs=5.1e-4)
    scores = [float(note.rpartition(" ")[2]) for note in whole.notes if "macro-F1" in note]
    assert [score for _, score in told[0]["validation"]] == pytest.approx(scores, abs=5.1e-4)
    assert told[0]["measure"] == "macro_f1" and told[0]["rate"][-1][1] < told[0]["rate"][1][1] <= 0.005

    from seedbed.train.transformer import TransformerModel

    again = TransformerModel.load(tmp_path / "whole")
    (tmp_path / "again").mkdir()
    again.save(tmp_path / "again")
    assert json.loads((tmp_path / "again" / FILE).read_bytes()) == told[0]
    assert set(Training.of(tmp_path / "again").curves) == {"train/loss", "train/learning_rate", "validation/macro_f1"}


@pytest.mark.slow
@pytest.mark.parametrize("use", ["language_model", "extractive_qa"])
def test_other_networks_tell_it_too(use: str, tmp_path: Path) -> None:
    whole = train(use, network_for(use, tmp_path / "network"), tmp_path / "store", tmp_path / "out")
    told = json.loads((tmp_path / "out" / FILE).read_bytes())
    assert len(told["loss"]) == int(whole.steps) and told["measure"] == "loss"
    losses = [float(note.rpartition(" ")[2]) for note in whole.notes if "validation loss" in note]
    assert losses and [loss for _, loss in told["validation"]] == pytest.approx(losses, abs=5.1e-4)
