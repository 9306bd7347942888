"""A training that was killed ends with the weights that it would have ended with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from seedbed.core.context import Context
from seedbed.core.digest import of_file
from seedbed.core.learner import Learner
from seedbed.core.task import CausalLm, QuestionAnswering, Task, TextClassification
from seedbed.core.task.question_answering import ANSWERS
from seedbed.train import ExtractiveQa, LanguageModel, Transformer
from tiny_networks import write_tiny_bert, write_tiny_llama

pytest.importorskip("torch")
pytest.importorskip("transformers")

HOW = {"epochs": 4, "learning_rate": 0.005, "batch": 8, "max_tokens": 32, "checkpoint_steps": 3, "patience": None}
TRANSFORMERS = {
    "transformer": {"at_once": 3},
    "transformer, frozen": {"freeze_layers": 1},
    "transformer, gradually": {"unfreeze": "gradually"},
}
WORDS = "lovely happy fine sunny awful sad broken angry table chair lamp desk".split()  # noqa: SIM905
TEXTS = [" ".join(WORDS[(i * k) % 12] for k in range(1, 3 + i % 6)) for i in range(60)]


def case(use: str, folder: Path) -> tuple[Learner, Task, pl.DataFrame]:
    """A learner with a network in a folder, its task, and rows."""
    if use in TRANSFORMERS:
        rows = pl.DataFrame({"text": TEXTS, "label": ["good" if "fine" in text else "bad" for text in TEXTS]})
        task = TextClassification(kind="text_classification", text="text", label="label")
        return Transformer.model_validate({"pretrained": str(folder), **HOW, **TRANSFORMERS[use]}), task, rows
    if use == "language_model":
        how = LanguageModel.model_validate({"pretrained": str(folder), **HOW, "batch": 4})
        return how, CausalLm(kind="causal_lm", text="text"), pl.DataFrame({"text": [*TEXTS, *TEXTS]})
    answers = [[{"text": text.split()[0], "start": 0}] if i % 3 else [] for i, text in enumerate(TEXTS)]
    asked = {"question": ["which ?"] * 60, "context": TEXTS, "answers": answers}
    rows = pl.DataFrame(asked, schema={"question": pl.String, "context": pl.String, "answers": ANSWERS})
    how = ExtractiveQa.model_validate({"pretrained": str(folder), **HOW, "stride": 4})
    return how, QuestionAnswering(kind="question_answering"), rows


class Killing:
    """Progress that counts steps, and kills this process, as `kill -9` does, at one of them."""

    def __init__(self, at: int | None = None) -> None:
        self.at, self.steps, self.notes = at, 0.0, list[str]()

    def start(self, title: str, total: float | None, unit: str) -> Any:
        return self if title.startswith("Fine-tuning") else Context().progress.start(title, total, unit)

    def finish(self, stage: object) -> None: ...

    def say(self, text: str) -> None: ...

    def advance(self, amount: float = 1, note: str = "", **_: object) -> None:
        import os
        import signal

        self.steps += amount
        self.notes.append(note)
        if self.at is not None and self.steps >= self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def train(use: str, network: Path, store: Path, out: Path | None, at: int | None = None) -> Killing:
    """Train; save what was learned."""
    import torch

    torch.set_num_threads(1)
    learner, task, rows = case(use, network)
    progress = Killing(at)
    model = learner.fit(rows[12:], rows[:12], task, Context(store=store, progress=progress))
    if out:
        out.mkdir()
        model.save(out)
    return progress


def killed(use: str, network: Path, store: Path, at: int) -> None:
    """The same in a process that is killed at a step."""
    code = f"""
import sys
sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parent.parent)]!r}
from pathlib import Path
from test_exact_resume import train
train({use!r}, Path({str(network)!r}), Path({str(store)!r}), None, {at})
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == -9, done.stderr


def network_for(use: str, folder: Path) -> Path:
    """Networks with dropout, so that random numbers matter."""
    if use == "language_model":
        return write_tiny_llama(folder, TEXTS, dropout=0.2)
    return write_tiny_bert(folder)


@pytest.mark.slow
@pytest.mark.parametrize("use", [*TRANSFORMERS, "language_model", "extractive_qa"])
def test_a_killed_training_ends_with_the_same_weights(use: str, tmp_path: Path) -> None:
    network = network_for(use, tmp_path / "network")
    whole = train(use, network, tmp_path / "undisturbed", tmp_path / "whole")
    steps = int(whole.steps)
    assert steps > 12
    for at in (5, steps - 3):  # before the first epoch ends, and in the last one, after a best one was noted
        killed(use, network, tmp_path / "store", at)
        state = list((tmp_path / "store" / "trainings").glob("*/*"))
        assert [path.name for path in state] == ["state.safetensors"]
    on = train(use, network, tmp_path / "store", tmp_path / "resumed")
    assert on.notes[0] == f"goes on after step {(steps - 3) // 3 * 3 - (0 if (steps - 3) % 3 else 3)}"
    assert on.steps == steps
    digests = [of_file(tmp_path / name / "model.safetensors") for name in ("whole", "resumed")]
    assert digests[0] == digests[1]
    assert not (tmp_path / "store" / "trainings").exists()


def test_another_training_does_not_go_on_from_there(tmp_path: Path) -> None:
    """Options, rows and seeds are other trainings; a damaged state is none."""
    from seedbed.train.training_state import Kept

    network = network_for("transformer", tmp_path / "network")
    from transformers import AutoModelForSequenceClassification

    learning = dict(AutoModelForSequenceClassification.from_pretrained(network).named_parameters())
    context = Context(store=tmp_path / "store")
    keys = {Kept.of(context, name, learning, about).key for name in ("a", "b") for about in (1, 2)}
    with __import__("torch").no_grad():
        next(iter(learning.values())).add_(1)
    assert len({*keys, Kept.of(context, "a", learning, 1).key}) == 5


def test_a_damaged_state_begins_anew(tmp_path: Path) -> None:
    import torch

    from seedbed.train.training_state import Kept, Progress

    weights = {"w": torch.nn.Parameter(torch.ones(2, 2))}
    optimiser = torch.optim.AdamW(weights.values())
    weights["w"].sum().backward()
    optimiser.step()
    kept = Kept.of(Context(store=tmp_path), "x", weights, None)
    kept.write(Progress(step=7, value=0.5, waited=1, best={"w": torch.zeros(2, 2)}), weights, optimiser)
    other = {"w": torch.nn.Parameter(torch.zeros(2, 2))}
    again = torch.optim.AdamW(other.values())
    found = kept.read(other, again)
    assert (found.step, found.value, found.waited) == (7, 0.5, 1)
    assert found.best is not None and torch.equal(found.best["w"], torch.zeros(2, 2))
    assert torch.equal(other["w"], weights["w"])
    assert torch.equal(again.state[other["w"]]["exp_avg"], optimiser.state[weights["w"]]["exp_avg"])
    (file,) = tmp_path.glob("trainings/*/*")
    for damage in (b"", b"x" * 500, file.read_bytes()[:-3]):
        file.write_bytes(damage)
        assert kept.read(other, again) == Progress()
    kept.forget()
    assert not (tmp_path / "trainings").exists()
