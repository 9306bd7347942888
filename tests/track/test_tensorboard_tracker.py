"""Logs read back with TensorBoard's own reader."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.context import Context
from seedbed.core.part import BASE
from seedbed.flow import Finished
from seedbed.track import Tensorboard
from tracked_sample import Heard, ran, write_rows

pytest.importorskip("tensorboardX", reason="tensorboardX is not installed (pip install 'seedbed[track]')")
pytest.importorskip("tensorboard", reason="tensorboard is not installed")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("logged")
    write_rows(folder)
    return ran(folder)


def read(folder: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    found.Reload()
    return found


def text(found: Any, name: str) -> str:
    return str(found.Tensors(f"{name}/text_summary")[0].tensor_proto.string_val[0].decode())


def made(folder: Path, **options: Any) -> Tensorboard:
    return Tensorboard.model_validate({"use": "tensorboard", **options}, context={BASE: folder})


def test_the_example(finished: Finished, tmp_path: Path) -> None:
    example = Tensorboard.examples[0]
    assert [model.name for model in finished.run.models] == example.before["models"]
    seen = made(tmp_path, **example.options).track(finished.run, finished.folder, Context())
    logs = tmp_path / "tensorboard" / "reviews" / finished.run.id
    assert seen == f"{logs}: tensorboard --logdir {tmp_path / 'tensorboard'}"
    assert sorted(one.name for one in logs.iterdir()) == example.after["logs below the run"]
    names = read(logs / "naive_bayes").Tags()["scalars"]
    assert (
        sorted(n for n in names if n.startswith("test/macro_f1") and "minus" not in n)
        == example.after["scalars of a model"]
    )


def test_scores_options_and_mistakes(finished: Finished, tmp_path: Path) -> None:
    made(tmp_path, path="logs").track(finished.run, finished.folder, Context())
    model = finished.run.models[1]
    found = read(tmp_path / "logs" / "reviews" / finished.run.id / model.name)
    for metric, score in model.scores["test"].items():
        ends = [found.Scalars(f"test/{metric}{end}")[0].value for end in ("", "/low", "/high")]
        assert ends == pytest.approx([score.value, score.low, score.high], rel=1e-6), "events hold 32 bits"
    assert f"| dataset | {finished.run.dataset.digest} |" in text(found, "options")
    told = text(found, "mistakes")
    assert model.mistakes, "the sample has words that mislead"
    for one in model.mistakes:
        assert one.row.replace("_", "&#95;") in told
    assert "train/loss" not in found.Tags()["scalars"], "no network was taught"


def test_curves_of_a_network(finished: Finished, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished.folder, run)
    points = [[step, 2.0**-step] for step in range(1, 21)]
    told = {"loss": points, "rate": [[1, 0.5]], "validation": [[10, 0.25], [20, 0.75]], "measure": "macro F1"}
    (run / "models" / "naive_bayes" / "training.json").write_text(json.dumps(told))
    made(tmp_path).track(finished.run, run, Context())
    found = read(tmp_path / "tensorboard" / "reviews" / finished.run.id / "naive_bayes")
    assert [(one.step, one.value) for one in found.Scalars("train/loss")] == [(a, b) for a, b in points]
    assert [(one.step, one.value) for one in found.Scalars("validation/macro_F1")] == [(10, 0.25), (20, 0.75)]
    assert [one.value for one in found.Scalars("train/learning_rate")] == [0.5]


@pytest.mark.parametrize("damage", ["{", "[]", '{"loss": [1, 2]}', '{"loss": {"a": 1}}'])
def test_damaged_curves_are_passed_over(finished: Finished, tmp_path: Path, damage: str) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished.folder, run)
    (run / "models" / "majority" / "training.json").write_text(damage)
    made(tmp_path).track(finished.run, run, Context())
    found = read(tmp_path / "tensorboard" / "reviews" / finished.run.id / "majority")
    assert "test/macro_f1" in found.Tags()["scalars"]


def test_what_rows_say_is_text_on_the_page(finished: Finished, tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> | **bold** [x](javascript:1) `a`\n# head"
    model = finished.run.models[1]
    mistake = model.mistakes[0].model_copy(update={"text": hostile})
    changed = finished.run.model_copy(update={"models": (model.model_copy(update={"mistakes": (mistake,)}),)})
    made(tmp_path).track(changed, finished.folder, Context())
    told = text(read(tmp_path / "tensorboard" / "reviews" / changed.id / model.name), "mistakes")
    assert "<" not in told and "**" not in told and "[x]" not in told and "`" not in told
    assert len(told.splitlines()) == 3
    made(tmp_path, path="quiet", mistakes=False).track(changed, finished.folder, Context())
    quiet = read(tmp_path / "quiet" / "reviews" / changed.id / model.name)
    assert quiet.Tags()["tensors"] == ["options/text_summary"]


def test_a_recipe_asks_for_it(tmp_path: Path) -> None:
    write_rows(tmp_path, 200)
    heard = Heard()
    finished = ran(tmp_path, heard, track={"use": "tensorboard"}, train=[{"use": "majority"}])
    logs = tmp_path / "tensorboard" / "reviews" / finished.run.id
    assert heard.said[-1].startswith(f"tracked: {logs}: ")
    assert "test/macro_f1" in read(logs / "majority").Tags()["scalars"]


def test_a_place_that_cannot_be_written_harms_nothing(tmp_path: Path) -> None:
    write_rows(tmp_path, 200)
    (tmp_path / "tensorboard").write_text("a file")
    heard = Heard()
    finished = ran(tmp_path, heard, track={"use": "tensorboard"}, train=[{"use": "majority"}])
    assert finished.run.state == "passed" and (finished.folder / "run.json").exists()
    assert "but was not tracked: tensorboard: it failed with " in heard.said[-1]


@pytest.mark.slow
def test_a_network_that_comes_from_the_store_has_its_curves(tmp_path: Path) -> None:
    for module in ("torch", "transformers"):
        pytest.importorskip(module, reason=f"{module} is not installed")
    from tiny_networks import write_tiny_bert

    write_rows(tmp_path, 120)
    how = {"epochs": 2, "learning_rate": 0.005, "max_tokens": 32, "patience": None}
    network = {"use": "transformer", "pretrained": str(write_tiny_bert(tmp_path / "network")), **how}
    found = []
    for _ in range(2):
        finished = ran(tmp_path, train=[network], track={"use": "tensorboard"})
        logs = tmp_path / "tensorboard" / "reviews" / finished.run.id / "transformer"
        found.append([(one.step, one.value) for one in read(logs).Scalars("train/loss")])
    assert found[0] == found[1] and [step for step, _ in found[0]] == list(range(1, len(found[0]) + 1))
    assert len(found[0]) >= 6
