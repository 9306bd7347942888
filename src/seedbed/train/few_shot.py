"""few_shot: a sentence encoder that learns which texts are alike, then logistic regression."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any, ClassVar, Literal, Self
from weakref import finalize

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.encoder import Encoder, cores, open_encoder
from seedbed.core.encoder.bert import CONFIG, TOKENIZER, WEIGHTS
from seedbed.core.graph import Graph
from seedbed.core.learner import ArrayModel, Learner, Model
from seedbed.core.part import Example
from seedbed.core.search import Search
from seedbed.core.task import Task
from seedbed.store.embeddings import EncoderOptions

from .course import FILE as _COURSE
from .course import write as write_course
from .example_rows import REMARKS
from .fine_tuning import TuningOptions, fine_tune
from .linear import LINKS, Layer, Link, link_of
from .logistic import LogisticOptions, Trust
from .objective import Row
from .pairs import ALIKE, OTHER, Pairs, drawn_pairs
from .pretrained import quiet
from .target import texts_of
from .target_sets import LABELS_OF_TEXTS, TargetSets, TextTask, coded

_HEAD, _SETTINGS = "head.safetensors", "model.json"
_ENCODER = (CONFIG, WEIGHTS, TOKENIZER)


class FewShotModel(ArrayModel):
    """An encoder of its own, and a linear layer on what it makes of a text. It needs no torch.

    Args:
        labels: They.
        text: The column.
        link: What makes probabilities of scores.
        layer: Weights, shape (width, labels), and intercepts, shape (labels,).
        max_tokens: Tokens after which a text is cut.
        folder: Holds the encoder's files.
    """

    def __init__(
        self,
        *,
        labels: tuple[str, ...],
        text: str,
        link: Link,
        layer: Layer,
        max_tokens: int,
        folder: Path,
    ) -> None:
        self.labels, self.text, self.link, self.max_tokens = labels, text, link, max_tokens
        self.weights, self.intercepts = layer
        self.encoder, self._folder = Encoder(folder), folder

    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """Probability of each label for each row, shape (rows, labels).

        Raises:
            ModelError: The rows do not have the text column.
        """
        texts = texts_of(rows, self.text)
        if not texts:
            return np.zeros((0, len(self.labels)))
        vectors = self.encoder.encode(texts, max_tokens=self.max_tokens, threads=cores())
        return LINKS[self.link](vectors.astype(np.float64) @ self.weights + self.intercepts)

    def graph(self, temperature: float = 1.0) -> Graph:
        """The encoder with the layer as a graph of ONNX, fed with tokens.

        Raises:
            MissingExtraError: What makes graphs is not installed.
        """
        from .graphs.building import LinearLayer
        from .graphs.of_texts import embeddings_graph

        layer = LinearLayer(self.weights, self.intercepts, self.link, self.labels, temperature)
        return embeddings_graph(layer, self.text, self.encoder, self.max_tokens)

    def save(self, folder: Path) -> None:
        """Write `model.json`, `head.safetensors`, and the encoder as a Hugging Face folder has it."""
        from safetensors.numpy import save_file

        settings = {"labels": self.labels, "text": self.text, "link": self.link, "max_tokens": self.max_tokens}
        (folder / _SETTINGS).write_text(json.dumps(settings, ensure_ascii=False, indent=2), "utf-8")
        save_file({"weights": self.weights, "intercepts": self.intercepts}, folder / _HEAD)
        for name in (*_ENCODER, _COURSE):
            if name != _COURSE or (self._folder / name).is_file():
                shutil.copyfile(self._folder / name, folder / name)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ModelError: The encoder cannot be read.
            MissingExtraError: A package is not installed.
        """
        from safetensors.numpy import load_file

        told, arrays = json.loads((folder / _SETTINGS).read_text("utf-8")), load_file(folder / _HEAD)
        return cls(
            labels=tuple(told["labels"]),
            text=told["text"],
            link=told["link"],
            layer=(arrays["weights"], arrays["intercepts"]),
            max_tokens=told["max_tokens"],
            folder=folder,
        )


class FewShot(EncoderOptions, LogisticOptions, Learner):
    """A sentence encoder, fine-tuned on pairs of training texts, then logistic regression on its embeddings.

    Two texts with the same label are to have the same direction, two with different labels are to be at right angles:
    SetFit, without prompts (Tunstall et al. 2022, https://arxiv.org/abs/2209.11055). Each training text gets `pairs`
    partners of either sort, up to `most_pairs` in all. Where rows have any number of labels, two are as alike as the
    share of their labels that both have.

    ## Why
    Some dozens of rows hold too few words to count and too few steps to fine-tune a network by its labels; but they
    hold thousands of pairs. What is saved is an encoder that NumPy computes: no torch where it is used.

    ## Limits
    It is made for 8 to 64 rows for each label, and is not always better than `embedding_logistic`, which is what it
    starts from and costs a second: of tweets in three moods, the difference in accuracy was -0.003 with 8 rows for
    each (95 % interval -0.019 to 0.014, 3 seeds, 400 test rows), and -0.008 with 16 (-0.027 to 0.009); with 64,
    macro-F1 was 0.031 higher (0.014 to 0.048, one seed, 1,500 test rows). So compare. It reads 1,500 pairs in some
    minutes on two cores. A pair says only whether labels are the same, so that with many rows `transformer` knows more.
    Only encoders of the BERT kind can be computed. Its probabilities are too sure of themselves: calibration puts that
    right. Validation rows are not used.
    """

    extra: ClassVar[str] = "train"
    needs: ClassVar[tuple[str, ...]] = ("torch", "transformers", "tokenizers")
    learns: ClassVar[tuple[str, ...]] = LABELS_OF_TEXTS
    model: ClassVar[type[Model[Any]]] = FewShotModel

    use: Literal["few_shot"] = "few_shot"
    max_tokens: int = Field(128, ge=3, le=4096, description="Tokens (pieces of words) after which a text is cut.")
    pairs: int = Field(20, ge=1, le=1000, description="Partners with, and as many without a common label, of a text.")
    most_pairs: int = Field(2000, ge=1, description="Most pairs to learn from.")
    epochs: int = Field(1, ge=1, le=100, description="Times that the pairs are read.")
    learning_rate: Annotated[float, Search(1e-5, 1e-4, log=True)] = Field(
        2e-5, gt=0, le=1, description="Size of the steps after the warm-up."
    )
    batch: int = Field(16, ge=1, le=4096, description="Pairs that one step learns from.")
    c: Trust = 10.0

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Six remarks",
            options={"pairs": 1},
            before=REMARKS,
            after={"predicted": REMARKS["label"]},
        ),
    )

    def made_from(self) -> Any:
        """The encoder's digest, and versions of what trains it.

        Raises:
            MissingExtraError: The package that holds the encoder is not installed.
            ModelError: The encoder cannot be read.
        """
        return [super().made_from(), {name: version(name) for name in self.needs}]

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> FewShotModel:
        """Fine-tune the encoder, then learn weights. Validation rows are not used.

        Raises:
            DataError: There are too few rows, or one label (or set of labels) only.
            ModelError: The encoder cannot be read, or the memory does not suffice.
            MissingExtraError: torch, transformers or the package that holds the encoder is not installed.
        """
        self.check_needs()
        assert isinstance(task, TextTask)
        target = coded(train, task)
        texts = texts_of(train, task.text)
        held = target.held if isinstance(target, TargetSets) else target.codes[:, None] == np.arange(len(target.labels))
        start = open_encoder(self._address(context.base)).folder
        folder = Path(mkdtemp(prefix="seedbed-"))
        try:
            self._tune(start, folder, texts, held, context)
            vectors = Encoder(folder).encode(texts, max_tokens=self.max_tokens, threads=context.workers)
            model = FewShotModel(
                labels=target.labels,
                text=task.text,
                link=link_of(target),
                layer=self.solve(vectors, target, context, name=self.use),
                max_tokens=self.max_tokens,
                folder=folder,
            )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finalize(model, shutil.rmtree, folder, ignore_errors=True)  # until then it may be saved from there
        return model

    def _tune(self, start: Path, folder: Path, texts: Sequence[str], held: NDArray[np.bool_], context: Context) -> None:
        """Write the encoder in one folder, fine-tuned, into another."""
        from safetensors.torch import save_file
        from transformers import AutoModel

        with quiet():
            network = AutoModel.from_pretrained(
                str(start), local_files_only=True, use_safetensors=True, add_pooling_layer=False
            ).float()
        rows = self._rows(start, texts, held, network.config.max_position_embeddings, context)
        options = TuningOptions(epochs=self.epochs, learning_rate=self.learning_rate, batch=self.batch, patience=None)
        fine_tune(network, rows, (), Pairs(self.use, network.config.pad_token_id or 0), options, context)
        weights = {name: one.detach().cpu().contiguous() for name, one in network.state_dict().items()}
        save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
        (folder / WEIGHTS).chmod(0o644)  # safetensors lets nobody else read what it writes
        write_course(network, folder)
        for name in (CONFIG, TOKENIZER):
            shutil.copyfile(start / name, folder / name)

    def _rows(
        self, start: Path, texts: Sequence[str], held: NDArray[np.bool_], longest: int, context: Context
    ) -> list[Row]:
        """Pairs, as an encoder reads them."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(start / TOKENIZER))
        tokenizer.no_padding()
        tokenizer.enable_truncation(min(self.max_tokens, longest))
        ids = [one.ids for one in tokenizer.encode_batch_fast(list(texts))]
        drawn = drawn_pairs(held, self.pairs, self.most_pairs, context.seed)
        return [{"input_ids": ids[one], OTHER: ids[other], ALIKE: alike} for one, other, alike in drawn]
