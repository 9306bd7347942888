"""transformer: a pretrained network, fine-tuned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.graph import Graph
from seedbed.core.learner import ArrayModel, Learner, Model, Serving
from seedbed.core.part import Example
from seedbed.core.rows import WEIGHT
from seedbed.core.search import Search
from seedbed.core.task import Task

from .fine_tuning import fine_tune
from .frozen_layers import freeze
from .heads import COUNT, Head
from .logistic import WeightOfOne
from .networks import NetworkOptions, load_model, save_model, settings_of
from .objective import Row, by_length, padded
from .pretrained import load_network
from .target import texts_of

#: Texts that are read together when predicting.
_BATCH = 32


class TransformerModel(ArrayModel):
    """A network with a head for labels or a number.

    Of one label, probabilities are the softmax of the network's outputs over the labels that had training rows; the
    others have 0. Of several, each is by itself. Texts are read in the order of their lengths, in float32 and without
    dropout, so that a text gets the same numbers alone and among others (to about 1e-6).
    """

    def __init__(self, *, text: str, head: Head, max_tokens: int, network: Any, tokenizer: Any) -> None:
        self.labels, self.text, self.head = head.labels, text, head
        self.max_tokens, self.network, self.tokenizer = max_tokens, network, tokenizer
        self._reading = Lock()

    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """Probability of each label for each row, shape (rows, labels), or its number, shape (rows, 1).

        Raises:
            ModelError: The rows do not have the text column.
        """
        import torch

        texts = texts_of(rows, self.text)
        found = np.zeros((len(texts), len(self.head.outputs)))
        if not texts:
            return found
        with self._reading:  # a fast tokenizer must not be asked by two threads at once
            tokens = _tokens(self.tokenizer, texts, self.max_tokens)
        self.network.eval()
        with torch.inference_mode():
            for places in by_length([len(ids) for ids in tokens], _BATCH):
                batch = padded([{"input_ids": tokens[i]} for i in places], {"input_ids": self.tokenizer.pad_token_id})
                here = {name: values.to(self.network.device) for name, values in batch.items()}
                found[places] = self.network(**here).logits.double().cpu().numpy()
        return self.head.answers(found)

    def graph(self, temperature: float = 1.0) -> Graph:
        """The network with its answers as a graph of ONNX.

        Raises:
            ModelError: It cannot be traced.
            MissingExtraError: What makes graphs is not installed.
        """
        from .graphs.networks import traced
        from .graphs.tokenizers import as_it_reads

        return Graph(
            traced(self.network, lambda told, _: self.head.traced(told.logits, temperature)),
            "tokens",
            self.labels,
            (self.text,),
            {"max_tokens": self.max_tokens},
            {"tokenizer.json": as_it_reads(self.tokenizer.backend_tokenizer.to_str(), self.max_tokens)},
            network=True,
        )

    def save(self, folder: Path) -> None:
        """Write `model.json` and what Hugging Face's `from_pretrained` reads: `config.json`, `model.safetensors`, …"""
        settings = {"text": self.text, "max_tokens": self.max_tokens, "head": asdict(self.head)}
        save_model(folder, settings, self.network, self.tokenizer)

    @classmethod
    def serving(cls, folder: Path, serving: Serving) -> ArrayModel:
        """The network without torch, in ONNX Runtime or NumPy; as `load` reads it where neither can."""
        from .light_transformer import open_light

        return open_light(folder, serving) or cls.load(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            MissingExtraError: torch or transformers is not installed.
            ModelError: The network cannot be read.
        """
        Transformer.check_needs()
        settings = settings_of(folder)
        # Earlier bundles knew one label a row only.
        told = settings.get("head") or {"says": "label", "outputs": settings["labels"], "seen": settings["seen"]}
        head = Head(**{**told, "outputs": tuple(told["outputs"]), "seen": tuple(told["seen"])})
        network, tokenizer = load_model(folder, partial(load_network, labels=head.outputs, problem=head.problem))
        return cls(
            text=settings["text"],
            head=head,
            max_tokens=settings["max_tokens"],
            network=network,
            tokenizer=tokenizer,
        )


class Transformer(NetworkOptions, Learner):
    """A pretrained transformer with a new head, fine-tuned on the training rows.

    All weights learn (AdamW, linear warm-up and decay), as in Devlin et al., "BERT" (2019). Batches are of texts of
    similar length, padded to their longest. After each epoch macro-F1 (of numbers, the squared error) is measured on
    validation rows: the best epoch stays, and training ends when `patience` epochs bring nothing better. A training
    that was killed goes on where its state was last kept, and ends with the same weights.
    Layers that are frozen have no dropout; what they make of a text is computed once and kept while the training lasts.

    ## Why
    The network has read far more text than any training set holds: it knows that two words mean the same, and what
    "not" does to them. With some thousands of rows it usually beats counting words; whether it does on yours, the
    comparison with the cheaper models says. What is saved is an ordinary Hugging Face folder.

    ## Limits
    It costs minutes to hours where TF-IDF costs seconds: a core learns from some 30 short texts a second with
    the default network (22 million parameters, English), and read three times as many when predicting; a GPU is used
    where there is one. Words beyond `max_tokens` are not read. The default knows lower-cased English only; name a
    multilingual network for other languages. One seed and one machine give one model; another machine, another number
    of threads or a GPU moves the last digits, and through them the weights. Its probabilities are too sure of
    themselves after several epochs; calibration puts that right. Some hundreds of rows are few: compare. Tweets were
    learned as well with two of six layers frozen, at 0.7 of the cost (macro-F1 +0.001, -0.007 to 0.010, two seeds), and
    with `unfreeze: gradually` at 0.8 (-0.004, -0.012 to 0.006).
    """

    learns: ClassVar[tuple[str, ...]] = ("text_classification", "multi_label_classification", "regression")
    model: ClassVar[type[Model[Any]]] = TransformerModel
    heeds_weights: ClassVar[bool] = True

    use: Literal["transformer"] = "transformer"
    # In more and larger steps a small network learns in two epochs what it learns in three (benchmarks/train.py).
    epochs: int = Field(2, ge=1, le=100, description="Times that the training rows are read at most.")
    learning_rate: Annotated[float, Search(1e-5, 4e-4, log=True)] = Field(
        1e-4, gt=0, le=1, description="Size of the steps after the warm-up."
    )
    batch: int = Field(16, ge=1, le=4096, description="Rows that one step learns from; fewer need less memory.")
    freeze_layers: int = Field(
        0, ge=0, le=200, description="Lowest layers that stay as they are, with the embeddings, and are computed once."
    )
    unfreeze: Literal["at_once", "gradually"] = Field(
        "at_once", description="Whether all layers learn from the first step on, or the head first, then from the top."
    )
    class_weight: WeightOfOne = "none"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Eight remarks, learned by heart",
            options={
                "epochs": 8, "learning_rate": 5e-4, "warmup": 0, "batch": 4, "max_tokens": 16, "freeze_layers": 3,
                "patience": None,
            },
            before={
                "text": [
                    "I loved it", "what a waste of time", "wonderful film", "boring and far too long",
                    "great cast", "I want my money back", "a joy to watch", "the worst film of the year",
                ],
                "label": ["good", "bad", "good", "bad", "good", "bad", "good", "bad"],
            },
            after={"predicted": ["good", "bad", "good", "bad", "good", "bad", "good", "bad"]},
        ),
    )  # fmt: skip

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> TransformerModel:
        """Fine-tune; validation rows choose the epoch.

        Raises:
            DataError: There are too few rows, or one label only.
            ModelError: The network is not there or cannot be read, or the memory does not suffice.
            MissingExtraError: torch, transformers or accelerate is not installed.
        """
        self.check_needs()
        head = Head.of(train, task)
        network, tokenizer = self.start(partial(load_network, labels=head.outputs, problem=head.problem), context)
        if self.freeze_layers:
            freeze(network, self.freeze_layers, self.pretrained)
        fine_tune(
            network,
            self._balanced(self._rows(train, head, task, tokenizer, context), head),
            self._rows(validation, head, task, tokenizer, context),
            head.objective(self.use, tokenizer.pad_token_id),
            self,
            context,
            gradually=self.unfreeze == "gradually",
        )
        assert task.shown is not None
        return TransformerModel(
            text=task.shown, head=head, max_tokens=self.max_tokens, network=network, tokenizer=tokenizer
        )

    def _rows(self, rows: pl.DataFrame, head: Head, task: Task, tokenizer: Any, context: Context) -> list[Row]:
        assert task.shown is not None
        labels, known = head.coded(rows, task)
        tokens = _tokens(tokenizer, texts_of(rows, task.shown), self.max_tokens)
        cut = sum(len(ids) >= self.max_tokens for ids in tokens)
        if cut > len(tokens) / 20:
            context.progress.say(f"transformer: {cut:,} of {len(tokens):,} texts reach {self.max_tokens} tokens")
        counts = rows[WEIGHT].cast(pl.Float64).to_list() if WEIGHT in rows.columns else [1.0] * rows.height
        return [{"input_ids": tokens[row], "label": labels[row], COUNT: counts[row]} for row in known]

    def _balanced(self, rows: list[Row], head: Head) -> list[Row]:
        """Rows of rare labels count more, if that is asked for."""
        if self.class_weight == "none" or head.says != "label":
            return rows
        counts = np.bincount([row["label"] for row in rows], minlength=len(head.outputs))
        weights = counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1))
        return [{**row, COUNT: row[COUNT] * float(weights[row["label"]])} for row in rows]


def _tokens(tokenizer: Any, texts: Sequence[str], most: int) -> list[list[int]]:
    """Numbers of the tokens of each text, at most so many."""
    if not texts:
        return []
    found: list[list[int]] = tokenizer(list(texts), truncation=True, max_length=most, return_attention_mask=False)[
        "input_ids"
    ]
    return found
