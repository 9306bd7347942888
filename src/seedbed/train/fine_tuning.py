"""Fine-tunes a network for classification with Hugging Face's Trainer, and leaves nothing behind but the network."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.core import numbers
from seedbed.core.context import Context, Stage
from seedbed.core.errors import ModelError

from .pretrained import quiet

_NAME = "transformer"
#: How much a row counts, in what the Trainer reads.
COUNT = "count"


@dataclass(frozen=True)
class Settings:
    """How a network is fine-tuned."""

    epochs: int
    learning_rate: float
    batch: int
    warmup: float
    """Share of the steps over which the learning rate rises."""
    weight_decay: float
    patience: int | None
    """Epochs without a better result on validation rows after which training ends."""
    weights: NDArray[np.float32] | None = None
    """How much rows of each label count, shape (labels,); equally when left out."""


@dataclass(frozen=True)
class Lesson:
    """Texts as tokens, with their labels."""

    rows: list[dict[str, Any]]

    @classmethod
    def of(
        cls, tokens: Sequence[Sequence[int]], codes: NDArray[np.int64], counts: Sequence[float] | None = None
    ) -> Lesson:
        """What the Trainer reads, a dictionary a row; `counts` says how much each row does, alike when left out."""
        pairs = zip(tokens, codes.tolist(), strict=True)
        rows = [{"input_ids": ids, "attention_mask": [1] * len(ids), "labels": code} for ids, code in pairs]
        return cls(rows if counts is None else [{**row, COUNT: one} for row, one in zip(rows, counts, strict=True)])

    @property
    def weighted(self) -> bool:
        """Whether rows say how much they count."""
        return bool(self.rows) and COUNT in self.rows[0]


def fine_tune(
    network: Any,
    tokenizer: Any,
    train: Lesson,
    validation: Lesson,
    settings: Settings,
    *,
    context: Context,
    workspace: Path,
) -> None:
    """Fine-tune a network in place; the epoch that is best on validation rows stays.

    Args:
        network: A sequence classifier.
        tokenizer: Its tokenizer, for padding.
        train: What it learns from.
        validation: What chooses the epoch; without rows the last epoch stays.
        settings: How.
        context: Seed and progress.
        workspace: An empty folder for checkpoints.

    Raises:
        ModelError: The memory does not suffice, or the loss is no number any more.
    """
    from transformers import DataCollatorWithPadding, EarlyStoppingCallback, PrinterCallback, Trainer

    watched = bool(validation.rows)
    steps = math.ceil(len(train.rows) / settings.batch) * settings.epochs
    with quiet(), _failures(settings), context.stage(f"Fine-tuning {_NAME}", steps, "steps") as stage:
        trainer = (_counting(settings.weights) if train.weighted else Trainer)(
            model=network,
            args=_arguments(settings, context.seed, workspace, watched=watched),
            data_collator=DataCollatorWithPadding(tokenizer),
            train_dataset=train.rows,
            eval_dataset=validation.rows if watched else None,
            compute_metrics=_measured if watched else None,
            compute_loss_func=None if settings.weights is None or train.weighted else _weighted(settings.weights),
            callbacks=[_telling(stage)],
        )
        trainer.remove_callback(PrinterCallback)
        if watched and settings.patience is not None:
            trainer.add_callback(EarlyStoppingCallback(settings.patience))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library's own affairs
            trainer.train()


def _arguments(settings: Settings, seed: int, workspace: Path, *, watched: bool) -> Any:
    import torch
    from transformers import TrainingArguments

    cuda = torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(workspace),
        num_train_epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        per_device_train_batch_size=settings.batch,
        per_device_eval_batch_size=2 * settings.batch,
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        train_sampling_strategy="group_by_length",
        eval_strategy="epoch" if watched else "no",
        save_strategy="epoch" if watched else "no",
        save_total_limit=1,
        save_only_model=True,
        load_best_model_at_end=watched,
        metric_for_best_model="result" if watched else None,
        greater_is_better=True if watched else None,
        logging_strategy="steps",
        logging_steps=10,
        logging_nan_inf_filter=False,
        bf16=cuda and torch.cuda.is_bf16_supported(including_emulation=False),
        dataloader_pin_memory=cuda,
        seed=seed,
        remove_unused_columns=False,
        disable_tqdm=True,
        log_level="error",
        report_to="none",
    )


def _measured(found: Any) -> dict[str, float]:
    """Macro-F1, and the result that epochs are chosen by: macro-F1, and of equals the lower log-loss."""
    from scipy.special import log_softmax
    from sklearn.metrics import f1_score

    outputs, truth = np.asarray(found.predictions, dtype=np.float64), np.asarray(found.label_ids)
    macro_f1 = float(f1_score(truth, outputs.argmax(axis=1), average="macro", zero_division=0))
    loss = -float(log_softmax(outputs, axis=1)[np.arange(len(truth)), truth].mean())
    return {"macro_f1": macro_f1, "result": macro_f1 - 1e-6 * loss}


def _weighted(weights: NDArray[np.float32]) -> Callable[..., Any]:
    import torch
    from torch.nn.functional import cross_entropy

    def loss(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        of_label = torch.from_numpy(weights).to(outputs.logits.device)
        return cross_entropy(outputs.logits.float(), labels, weight=of_label)

    return loss


def _counting(weights: NDArray[np.float32] | None) -> Any:
    """A Trainer that heeds how much each row counts, and how much its label does."""
    import torch
    from torch.nn.functional import cross_entropy
    from transformers import Trainer

    class Counting(Trainer):  # type: ignore[misc]
        """Its loss is the mean over a batch, weighted by what its rows count."""

        def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
            told = dict(inputs)
            counts, labels = told.pop(COUNT, None), told.pop("labels")
            outputs = model(**told)
            losses = cross_entropy(outputs.logits.float(), labels, reduction="none")
            each = torch.ones_like(losses) if counts is None else counts.to(losses)
            if weights is not None:
                each = each * torch.from_numpy(weights).to(losses)[labels]
            loss = (losses * each).sum() / each.sum().clamp(min=1e-12)
            return (loss, outputs) if return_outputs else loss

    return Counting


def _telling(stage: Stage) -> Any:
    """A callback that shows how far the training is, and stops it where the loss is no number."""
    from transformers import TrainerCallback

    class Telling(TrainerCallback):  # type: ignore[misc]
        """Tells a stage."""

        note = ""

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            stage.advance(1, self.note)

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
            logs = logs or {}
            if not math.isfinite(logs.get("loss", 0.0)):
                raise ModelError(
                    f"after {state.global_step} steps the loss is no number any more",
                    at=_NAME,
                    hint="a lower learning_rate, or more warmup",
                )
            if "loss" in logs:
                self.note = f"epoch {state.epoch:.1f}, loss {numbers.score(logs['loss'])}"
            if "eval_macro_f1" in logs:
                self.note = f"epoch {state.epoch:.0f}, validation macro-F1 {numbers.score(logs['eval_macro_f1'])}"
                stage.advance(0, self.note)

    return Telling()


@contextmanager
def _failures(settings: Settings) -> Iterator[None]:
    """Say what to do where the memory does not suffice."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:  # torch's OutOfMemoryError is a RuntimeError
        said = str(error)
        if not isinstance(error, MemoryError) and not any(
            sign in said for sign in ("out of memory", "not enough memory")
        ):
            raise
        raise ModelError(
            f"the memory does not suffice for batches of {settings.batch}",
            at=_NAME,
            hint=f"batch: {max(1, settings.batch // 4)}, a smaller max_tokens, or a smaller pretrained network",
        ) from None
