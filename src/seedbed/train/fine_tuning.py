"""Teaches a network: any objective, the same loop, and the same weights whether or not it was killed on the way.

Everything that a step depends on is a function of the seed and the step's number (which rows, in which order, what
dropout leaves out, how large the step is), or is in the state that is kept (weights, the optimiser's moments, the best
weights so far). So a training that goes on from a kept state ends, on the CPU of one machine, with the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from seedbed.core import numbers
from seedbed.core.context import Context, Stage
from seedbed.core.errors import ModelError
from seedbed.core.search import Search

from .course import carry
from .frozen_layers import computed_once
from .objective import Objective, Result, Row
from .pretrained import quiet
from .training_state import Kept, Progress
from .unfreezing import Unfreezing

#: Batches are of rows of similar length, out of so many batches that were drawn at random.
_GROUP = 50
#: Gradients are shortened to this length.
_LONGEST_GRADIENT = 1.0


class TuningOptions(BaseModel):
    """How a network is fine-tuned: options that all who do it share."""

    epochs: int = Field(3, ge=1, le=100, description="Times that the training rows are read at most.")
    learning_rate: Annotated[float, Search(1e-5, 2e-4, log=True)] = Field(
        5e-5, gt=0, le=1, description="Size of the steps after the warm-up."
    )
    batch: int = Field(32, ge=1, le=4096, description="Rows that one step learns from; fewer need less memory.")
    at_once: int | None = Field(
        None,
        ge=1,
        description="Rows of a step that are in memory at once (gradient accumulation); all of them when left out.",
    )
    warmup: float = Field(0.1, ge=0, lt=1, description="Share of the steps over which the learning rate rises.")
    weight_decay: float = Field(0.01, ge=0, lt=1, description="Pull of the weights towards 0 (AdamW).")
    patience: int | None = Field(
        1, ge=1, description="Epochs without a better result on validation rows that end the training; null for none."
    )
    checkpoint_steps: int | None = Field(
        200,
        ge=1,
        description="Steps after which the state is kept in the store, so that a training that was killed goes on "
        "there; null for never.",
    )


@dataclass(frozen=True)
class _Plan:
    """Which rows each step learns from, and how large it is."""

    lengths: NDArray[np.int64]
    batch: int
    epochs: int
    warmup: float
    seed: int

    @property
    def an_epoch(self) -> int:
        """Steps of an epoch."""
        return math.ceil(len(self.lengths) / self.batch)

    @property
    def steps(self) -> int:
        """Steps at most."""
        return self.an_epoch * self.epochs

    def batches(self, epoch: int) -> list[NDArray[np.int64]]:
        """Places of the rows of each step: drawn, grouped by length, and the groups in any order."""
        random = np.random.default_rng((self.seed, epoch))
        drawn = random.permutation(len(self.lengths))
        width = self.batch * _GROUP
        found = []
        for start in range(0, len(drawn), width):
            some = drawn[start : start + width]
            some = some[np.argsort(-self.lengths[some], kind="stable")]
            found += [some[at : at + self.batch] for at in range(0, len(some), self.batch)]
        return [found[place] for place in random.permutation(len(found))]

    def rate(self, step: int) -> float:
        """Share of the learning rate: a linear rise, then a linear fall to 0."""
        rising = math.ceil(self.warmup * self.steps)
        if step < rising:
            return (step + 1) / rising
        return (self.steps - step) / max(1, self.steps - rising)


def fine_tune(
    network: Any,
    train: Sequence[Row],
    validation: Sequence[Row],
    objective: Objective,
    options: TuningOptions,
    context: Context,
    *,
    gradually: bool = False,
) -> None:
    """Fine-tune a network in place; the epoch that is best on validation rows stays, without any the last.

    AdamW, linear warm-up and decay, gradients of a length of 1 at most; on a GPU that computes in bfloat16, in that.

    Args:
        network: Of PyTorch; parameters that require no gradient stay as they are, and the lowest layers, where they
            have none that does, are computed once for each text.
        train: What it learns from.
        validation: What chooses the epoch.
        objective: What it is to learn.
        options: How.
        context: Seed, store and progress.
        gradually: Whether the head learns first, and a layer more from the top on until the first epoch is over.

    Raises:
        ModelError: The memory does not suffice, or the loss is no number any more.
    """
    lengths = np.array([len(row["input_ids"]) for row in train], dtype=np.int64)
    plan = _Plan(lengths, options.batch, options.epochs, options.warmup, context.seed)
    network.to(device())
    learning = {name: one for name, one in network.named_parameters() if one.requires_grad}
    optimiser = _optimiser(learning, options)
    about = [train, validation, options.model_dump(), context.seed]
    kept = Kept.of(context, objective.name, learning, about) if options.checkpoint_steps else None
    with (
        quiet(),
        _failures(objective.name, options),
        _own_randomness(),
        computed_once(
            network, [*train, *validation], objective, context, again=options.epochs > 1, computing=_computing
        ),
        context.stage(f"Fine-tuning {objective.name}", plan.steps, "steps") as stage,
    ):
        progress = kept.read(learning, optimiser) if kept else Progress()
        if progress.step:
            stage.advance(progress.step, f"goes on after step {progress.step:,}")
        opening = Unfreezing.of(network, learning, plan.an_epoch) if gradually else None
        lesson = _Lesson(plan, options, learning, optimiser, kept, stage, opening)
        _learn(network, train, validation, objective, lesson, progress)
        _put_back(learning, progress.best)
    carry(network, progress.curves, objective.measures)
    if kept:
        kept.forget()
    network.eval()


def _optimiser(learning: Mapping[str, Any], options: TuningOptions) -> Any:
    """AdamW, which pulls at matrices alone."""
    import torch

    return torch.optim.AdamW(
        [
            {"params": [one for one in learning.values() if one.ndim >= 2], "weight_decay": options.weight_decay},
            {"params": [one for one in learning.values() if one.ndim < 2], "weight_decay": 0.0},
        ],
        lr=options.learning_rate,
        # All weights in one pass over memory: with 22 million of them, on a processor, an eighth of the time.
        fused=device() in ("cpu", "cuda"),
    )


@dataclass(frozen=True)
class _Lesson:
    plan: _Plan
    options: TuningOptions
    learning: Mapping[str, Any]
    optimiser: Any
    kept: Kept | None
    stage: Stage
    opening: Unfreezing | None = None


def _learn(
    network: Any,
    train: Sequence[Row],
    validation: Sequence[Row],
    objective: Objective,
    lesson: _Lesson,
    progress: Progress,
) -> None:
    plan, options = lesson.plan, lesson.options
    batches: list[NDArray[np.int64]] = []
    for step in range(progress.step, plan.steps):
        epoch, place = divmod(step, plan.an_epoch)
        if not batches or place == 0:
            batches = plan.batches(epoch)
        loss = _step(network, [train[row] for row in batches[place]], objective, lesson, step)
        progress.step = step + 1
        note = f"epoch {progress.step / plan.an_epoch:.1f}, loss {numbers.score(loss)}"
        lesson.stage.advance(1, note)
        progress.note("loss", loss)
        progress.note("rate", options.learning_rate * plan.rate(step))
        if place == plan.an_epoch - 1 and validation:
            with _computing():
                result = objective.measure(network, validation, 2 * (options.at_once or options.batch))
            lesson.stage.advance(0, f"epoch {epoch + 1}, {result.told}")
            progress.note("validation", result.measured)
            if _ends(result, progress, lesson):
                return
        due = options.checkpoint_steps and progress.step % options.checkpoint_steps == 0
        if lesson.kept and due and progress.step < plan.steps:
            lesson.kept.write(progress, lesson.learning, lesson.optimiser)


def _ends(result: Result, progress: Progress, lesson: _Lesson) -> bool:
    """Whether training ends, after what validation rows say; the best weights are noted."""
    if progress.value is None or result.value > progress.value:
        progress.value, progress.waited = result.value, 0
        progress.best = {name: one.detach().cpu().clone() for name, one in lesson.learning.items()}
    else:
        progress.waited += 1
    return lesson.options.patience is not None and progress.waited >= lesson.options.patience


def _step(network: Any, rows: Sequence[Row], objective: Objective, lesson: _Lesson, step: int) -> float:
    """Learn from a batch; its loss."""
    import torch

    plan, options = lesson.plan, lesson.options
    # Every step has randomness of its own, so that none has to be kept.
    torch.manual_seed(int(np.random.SeedSequence((plan.seed, step)).generate_state(1)[0]))
    network.train()
    if lesson.opening:
        lesson.opening.at(step)
    for group in lesson.optimiser.param_groups:
        group["lr"] = options.learning_rate * plan.rate(step)
    width, total, told = options.at_once or len(rows), max(objective.total(rows), 1e-12), 0.0
    for start in range(0, len(rows), width):
        some = rows[start : start + width]
        with _computing():
            loss = objective.loss(network, on_device(objective.collate(some), network)) / total
        loss.backward()
        told += float(loss.detach())
    if not math.isfinite(told):
        raise ModelError(
            f"after {step} steps the loss is no number any more",
            at=objective.name,
            hint="a lower learning_rate, or more warmup",
        )
    torch.nn.utils.clip_grad_norm_(lesson.learning.values(), _LONGEST_GRADIENT)
    lesson.optimiser.step()
    lesson.optimiser.zero_grad(set_to_none=True)
    return told


def device() -> str:
    """Where networks compute: a GPU where there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def on_device(batch: Mapping[str, Any], network: Any) -> dict[str, Any]:
    """A batch where the network is."""
    return {name: values.to(network.device) for name, values in batch.items()}


def _put_back(learning: Mapping[str, Any], weights: Mapping[str, Any] | None) -> None:
    import torch

    if weights is None:
        return
    with torch.no_grad():
        for name, one in learning.items():
            one.copy_(weights[name])


def _computing() -> Any:
    """Computing in bfloat16 where a GPU does."""
    import torch

    if torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.autocast("cuda", torch.bfloat16)
    return nullcontext()


@contextmanager
def _own_randomness() -> Iterator[None]:
    """Leave others' random numbers as they were."""
    import torch

    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        yield


@contextmanager
def _failures(name: str, options: TuningOptions) -> Iterator[None]:
    """Say what to do where the memory does not suffice."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:  # torch's OutOfMemoryError is a RuntimeError
        said = str(error)
        if not isinstance(error, MemoryError) and not any(
            sign in said for sign in ("out of memory", "not enough memory")
        ):
            raise
        option, rows = ("batch", options.batch) if options.at_once is None else ("at_once", options.at_once)
        raise ModelError(
            f"the memory does not suffice for batches of {rows}",
            at=name,
            hint=f"{option}: {max(1, rows // 4)}, a smaller max_tokens, or a smaller pretrained network",
        ) from None
