"""keras_text: vectors of words, learned with Keras."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.errors import MissingExtraError, ModelError
from seedbed.core.learner import ArrayModel, Learner, Model
from seedbed.core.part import Example
from seedbed.core.rows import WEIGHT
from seedbed.core.search import Search
from seedbed.core.task import Task

from .course import FILE as _TRAINING
from .course import thinned
from .example_rows import REMARKS
from .heads import Head
from .logistic import WeightOfOne
from .target import texts_of, weights_of
from .target_sets import LABELS_OF_TEXTS
from .words import PAD, Words

#: Texts that are read together when predicting.
_TOGETHER = 128
_SETTINGS, _WEIGHTS = "model.json", "weights.safetensors"
_BACKENDS = ("tensorflow", "torch", "jax")


@dataclass(frozen=True)
class Shape:
    """What a network is made of."""

    kind: Literal["pooling", "convolution"]
    words: int
    width: int
    filters: int
    runs: tuple[int, ...]
    dropout: float
    outputs: int
    longest: int

    def network(self) -> Any:
        """A Keras model with random weights, from numbers of words to outputs before any softmax."""
        import keras

        layers = keras.layers
        read = keras.Input((self.longest,), dtype="int32", name="words")
        pooled = self.kind == "pooling"
        vectors = layers.Embedding(self.words, self.width, mask_zero=pooled, name="vectors")(read)
        if pooled:
            found = layers.GlobalAveragePooling1D(name="mean")(vectors)
        else:
            each = [
                layers.GlobalMaxPooling1D(name=f"most_{run}")(
                    layers.Conv1D(self.filters, run, activation="relu", name=f"run_{run}")(vectors)
                )
                for run in self.runs
            ]
            found = layers.Concatenate(name="runs")(each) if len(each) > 1 else each[0]
        found = layers.Dropout(self.dropout, name="dropout")(found)
        return keras.Model(read, layers.Dense(self.outputs, name="outputs")(found))


class KerasTextModel(ArrayModel):
    """The weights of the network, which NumPy computes: where it is used there need be no Keras.

    Args:
        text: The column.
        head: What outputs say.
        words: What numbers words have.
        shape: The network's.
        weights: Its weights, by the names of layers: `vectors`, `run_N` and `run_N.bias`, `outputs`, `outputs.bias`.
        training: How its training went: losses by step.
    """

    def __init__(
        self,
        *,
        text: str,
        head: Head,
        words: Words,
        shape: Shape,
        weights: Mapping[str, NDArray[np.float32]],
        training: Mapping[str, Any],
    ) -> None:
        self.labels, self.text, self.head, self.words = head.labels, text, head, words
        self.shape, self.weights = shape, dict(weights)
        self.training = dict(training)

    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """Probability of each label for each row, shape (rows, labels).

        Raises:
            ModelError: The rows do not have the text column.
        """
        numbers = self.words(texts_of(rows, self.text))
        found = np.zeros((len(numbers), len(self.labels)))
        for start in range(0, len(numbers), _TOGETHER):
            here = slice(start, start + _TOGETHER)
            found[here] = self._outputs(numbers[here])
        return self.head.answers(found)

    def _outputs(self, numbers: NDArray[np.int32]) -> NDArray[np.float64]:
        """What the network puts out, shape (texts, labels)."""
        weights, vectors = self.weights, self.weights["vectors"][numbers]
        if self.shape.kind == "pooling":
            read = (numbers != PAD)[:, :, None]
            found = (vectors * read).sum(axis=1, dtype=np.float64) / read.sum(axis=1)
        else:
            found = np.concatenate([self._most(vectors, run) for run in self.shape.runs], axis=1).astype(np.float64)
        return np.asarray(found @ weights["outputs"] + weights["outputs.bias"])

    def _most(self, vectors: NDArray[np.float32], run: int) -> NDArray[np.float32]:
        """The largest that each filter makes of any run of words, shape (texts, filters)."""
        kernel = self.weights[f"run_{run}"]
        places = vectors.shape[1] - run + 1
        made = sum(vectors[:, at : at + places] @ kernel[at] for at in range(run)) + self.weights[f"run_{run}.bias"]
        return np.asarray(np.maximum(made, 0).max(axis=1))

    def network(self) -> Any:
        """The Keras model with these weights, for whoever wants to go on with it.

        Raises:
            MissingExtraError: Keras, or what it computes with, is not installed.
        """
        with _keras():
            network = self.shape.network()
            for name, weights in self.weights.items():
                layer, _, bias = name.partition(".")
                network.get_layer(layer).weights[1 if bias else 0].assign(weights)
            return network

    def save(self, folder: Path) -> None:
        """Write `model.json`, `weights.safetensors`, and how its training went, `training.json`."""
        from safetensors.numpy import save_file

        settings = {
            "text": self.text,
            "head": asdict(self.head),
            "words": asdict(self.words),
            "shape": asdict(self.shape),
        }
        (folder / _SETTINGS).write_bytes(orjson.dumps(settings))
        (folder / _TRAINING).write_bytes(orjson.dumps(self.training))
        save_file(self.weights, folder / _WEIGHTS)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        from safetensors.numpy import load_file

        told = orjson.loads((folder / _SETTINGS).read_bytes())
        head, known, shape = told["head"], told["words"], told["shape"]
        return cls(
            text=told["text"],
            head=Head(**{**head, "outputs": tuple(head["outputs"]), "seen": tuple(head["seen"])}),
            words=Words(tuple(known["known"]), known["most"]),
            shape=Shape(**{**shape, "runs": tuple(shape["runs"])}),
            weights=load_file(folder / _WEIGHTS),
            training=orjson.loads((folder / _TRAINING).read_bytes()),
        )


class KerasText(Learner):
    """A small network that learns a vector for each word, with Keras 3.

    `pooling` takes the mean of a text's vectors (as fastText does: Joulin et al. 2017, "Bag of Tricks for Efficient
    Text Classification"); `convolution` looks for runs of words (Kim 2014, "Convolutional Neural Networks for Sentence
    Classification"). Adam, and early stopping: the epoch with the lowest loss on validation rows stays. Keras computes
    with what `KERAS_BACKEND` says (tensorflow, torch, jax), else with the first of these that is installed.

    ## Why
    It is what many begin with, so one wants to see it beside others; and where rows are many (some ten thousands) it
    learns in seconds what words mean for this one task. `convolution` sees the order of words, which counting single
    words does not. What is saved are arrays that NumPy computes; `KerasTextModel.network()` gives the Keras model.

    ## Limits
    It knows nothing but the training rows: of 3,000 tweets in three moods, macro-F1 on 3,000 others was 0.666 with
    `pooling`, 0.699 with `convolution` and 0.700 with `tfidf_logistic`. Words that fewer than `at_least` training texts
    hold are all the same to it, and words after `max_words` are not read. Without validation rows the last epoch stays.
    One seed, one machine and one backend give one model; another backend gives another.
    """

    extra: ClassVar[str] = "keras"
    needs: ClassVar[tuple[str, ...]] = ("keras",)
    learns: ClassVar[tuple[str, ...]] = LABELS_OF_TEXTS
    model: ClassVar[type[Model[Any]]] = KerasTextModel
    heeds_weights: ClassVar[bool] = True

    use: Literal["keras_text"] = "keras_text"
    kind: Literal["pooling", "convolution"] = Field("pooling", description="What is made of the vectors of a text.")
    width: int = Field(64, ge=1, le=4096, description="Numbers in a vector.")
    filters: int = Field(64, ge=1, le=4096, description="Of `convolution`: patterns of each length of run.")
    runs: tuple[Annotated[int, Field(ge=1, le=16)], ...] = Field(
        (2, 3, 4), min_length=1, description="Of `convolution`: lengths of runs of words, all different."
    )
    at_least: int = Field(2, ge=1, description="Times that a word occurs in training rows to be known.")
    most_known: int = Field(20_000, ge=1, description="Most words that are known, the most frequent.")
    max_words: int = Field(128, ge=16, le=8192, description="Words of a text that are read; the rest is cut.")
    dropout: float = Field(
        0.3, ge=0, lt=1, description="Share of what the last layer reads that is left out at random."
    )
    epochs: int = Field(30, ge=1, le=1000, description="Times that the training rows are read at most.")
    batch: int = Field(32, ge=1, le=8192, description="Rows that one step learns from.")
    learning_rate: Annotated[float, Search(5e-4, 2e-2, log=True)] = Field(
        2e-3, gt=0, le=1, description="Size of the steps (Adam)."
    )
    patience: int = Field(3, ge=1, description="Epochs without a lower loss on validation rows that end the training.")
    class_weight: WeightOfOne = "none"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Six remarks, learned by heart",
            options={"at_least": 1, "epochs": 60, "learning_rate": 0.05, "batch": 6, "dropout": 0, "patience": 60},
            before=REMARKS,
            after={"predicted": REMARKS["label"]},
        ),
    )

    def made_from(self) -> Any:
        """What trains it, and its version."""
        backend = backend_of()
        return [backend, {name: version(name) for name in ("keras",)}]

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> KerasTextModel:
        """Learn; validation rows say when to stop.

        Raises:
            DataError: There are too few rows, or one label (or set of labels) only.
            ModelError: The loss is no number any more.
            MissingExtraError: Keras, or what it computes with, is not installed.
        """
        self.check_needs()
        assert task.shown is not None
        head = Head.of(train, task)
        texts = texts_of(train, task.shown)
        words = Words.learn(texts, at_least=self.at_least, known=self.most_known, most=self.max_words)
        shape = Shape(
            kind=self.kind,
            words=words.size,
            width=self.width,
            filters=self.filters,
            runs=tuple(dict.fromkeys(self.runs)),
            dropout=self.dropout,
            outputs=len(head.outputs),
            longest=self.max_words,
        )
        learned = _Rows(words(texts), *self._right(train, head, task))
        held_out = _Rows(words(texts_of(validation, task.shown)), *self._right(validation, head, task, weigh=False))
        with _keras(), _own_randomness(context.seed):
            network = shape.network()
            told = self._learn(network, learned, held_out, head, context)
            weights = {name: np.asarray(values) for name, values in _weights(network)}
        if not all(np.isfinite(one).all() for one in weights.values()):
            raise ModelError("the loss is no number any more", at=self.use, hint="a lower learning_rate")
        return KerasTextModel(text=task.shown, head=head, words=words, shape=shape, weights=weights, training=told)

    def _right(
        self, rows: pl.DataFrame, head: Head, task: Task, *, weigh: bool = True
    ) -> tuple[NDArray[Any], NDArray[np.float32], list[int]]:
        """What is right in rows, how much each counts, and which of them have a label that is known."""
        values, known = head.coded(rows, task)
        weights = weights_of(rows) if weigh and WEIGHT in rows.columns else None
        counts = np.ones(rows.height) if weights is None else weights
        right = np.array(values) if values else np.zeros((0, len(head.outputs)))
        if weigh and self.class_weight == "balanced" and head.says == "label":
            of_label = np.bincount(right[known], minlength=len(head.outputs))
            counts = counts * (of_label.sum() / (np.count_nonzero(of_label) * np.maximum(of_label, 1)))[right]
        return right, counts.astype(np.float32), known

    def _learn(self, network: Any, train: _Rows, validation: _Rows, head: Head, context: Context) -> dict[str, Any]:
        """Fit the network in place; its losses."""
        import keras

        losses = keras.losses
        loss = losses.SparseCategoricalCrossentropy if head.says == "label" else losses.BinaryCrossentropy
        network.compile(optimizer=keras.optimizers.Adam(self.learning_rate), loss=loss(from_logits=True))
        stopping = keras.callbacks.EarlyStopping(patience=self.patience, restore_best_weights=True, start_from_epoch=0)
        with context.stage(f"Fitting {self.use}", self.epochs, "epochs") as stage:
            shown = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: stage.advance(1, _note(logs)))
            history = network.fit(
                train.numbers,
                train.right,
                sample_weight=train.counts,
                batch_size=self.batch,
                epochs=self.epochs,
                validation_data=(validation.numbers, validation.right) if len(validation.right) else None,
                callbacks=[shown, *([stopping] if len(validation.right) else [])],
                shuffle=True,
                verbose=0,
            ).history
        an_epoch = -(-len(train.right) // self.batch)
        return {
            "loss": _curve(history["loss"], an_epoch),
            "validation": _curve(history.get("val_loss", ()), an_epoch),
            "measure": "loss",
        }


def _curve(losses: Sequence[float], an_epoch: int) -> list[list[float]]:
    """Losses after each epoch, by the step."""
    return thinned([[epoch * an_epoch, float(loss)] for epoch, loss in enumerate(losses, 1)])


class _Rows:
    """Rows whose label is known."""

    def __init__(
        self, numbers: NDArray[np.int32], right: NDArray[Any], counts: NDArray[np.float32], known: list[int]
    ) -> None:
        self.numbers, self.right, self.counts = numbers[known], right[known], counts[known]


def backend_of() -> str:
    """What Keras computes with.

    Raises:
        MissingExtraError: Nothing that it could is installed.
    """
    asked = os.environ.get("KERAS_BACKEND")
    known = [asked] if asked else [name for name in _BACKENDS if find_spec(name)]
    if not known or (asked in _BACKENDS and not find_spec(asked)):
        raise MissingExtraError(
            f"Keras is to compute with {asked}, which is not installed"
            if asked
            else "Keras has nothing to compute with",
            at="keras_text",
            hint="pip install 'seedbed[tensorflow]', or 'seedbed[train]' for torch; KERAS_BACKEND says which",
        )
    return str(known[0])


@contextmanager
def _keras() -> Iterator[None]:
    """Have Keras opened with its backend, without a word."""
    os.environ.setdefault("KERAS_BACKEND", backend_of())
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # it would announce its faster kernels past every log level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own, about NumPy
        import keras  # noqa: F401 - it is opened here

        yield


@contextmanager
def _own_randomness(seed: int) -> Iterator[None]:
    """Keras draws from everybody's generators: they are as before afterwards."""
    import random

    import keras

    before, numpys = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(numpys)


def _weights(network: Any) -> Iterator[tuple[str, NDArray[np.float32]]]:
    from keras import ops

    for layer in network.layers:
        for name, values in zip((layer.name, f"{layer.name}.bias"), layer.weights, strict=False):
            yield name, np.array(ops.convert_to_numpy(values), dtype=np.float32)


def _note(logs: Mapping[str, Any] | None) -> str:
    told = logs or {}
    if "val_loss" in told:
        return f"loss {told['loss']:.3f}, validation {told['val_loss']:.3f}"
    return f"loss {told.get('loss', float('nan')):.3f}"
