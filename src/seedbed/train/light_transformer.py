"""A fine-tuned network that answers without torch: in ONNX Runtime, or in NumPy.

torch takes seconds to import and hundreds of megabytes, and for a text at a time it is no faster. With ONNX Runtime
installed, the network is said as a graph once, by a process of its own (which needs torch and onnx), and kept in the
store; a network of the BERT kind is else computed in NumPy (`core/encoder`). Either gives the network's answers to
1e-5; golden examples are checked before anybody is answered.
"""

from __future__ import annotations

import subprocess
import sys
from abc import abstractmethod
from collections.abc import Callable, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from seedbed.core import digest
from seedbed.core.encoder import Encoder
from seedbed.core.errors import ModelError
from seedbed.core.learner import ArrayModel, Serving
from seedbed.store.places import arriving

from .heads import Head
from .target import texts_of

#: Texts that are read together.
_BATCH = 32
#: Tokens that are read together, with those that fill up: more are no faster, and take more memory.
_TOKENS = 1024
#: What a batch costs beside its tokens, in tokens (measured: 2 ms a batch, 0.11 ms a token of a small BERT).
_BATCH_COSTS = 18
_GRAPHS = "graphs"
_WRITER = "seedbed.train.writing_graphs"
#: Seconds that making a graph may take.
_LONGEST = 600

Floats = NDArray[np.float32]


class LightTransformer(ArrayModel):
    """A network with a head, as `TransformerModel` has it, without torch.

    Args:
        folder: What `TransformerModel.save` wrote.
    """

    at_once = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        settings = orjson.loads((folder / "model.json").read_bytes())
        told = settings["head"]
        self.head = Head(**{**told, "outputs": tuple(told["outputs"]), "seen": tuple(told["seen"])})
        self.text, self.max_tokens, self.labels = settings["text"], settings["max_tokens"], self.head.labels

    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """Probability of each label for each row, shape (rows, labels), or its number, shape (rows, 1).

        Raises:
            ModelError: The rows do not have the text column.
        """
        texts = texts_of(rows, self.text)
        found = np.zeros((len(texts), len(self.head.outputs)))
        if texts:
            ids = self.ids(texts)
            for places in self.batches([len(one) for one in ids]):
                found[places] = self.outputs([ids[place] for place in places])
        return self.head.answers(found)

    @abstractmethod
    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokens of each text."""

    @abstractmethod
    def batches(self, lengths: Sequence[int]) -> Sequence[Sequence[int]]:
        """Places of the texts that are read together, by how long each is."""

    @abstractmethod
    def outputs(self, tokens: Sequence[Sequence[int]]) -> Floats:
        """What the network puts out, shape (texts, outputs)."""

    def save(self, folder: Path) -> None:
        """Refused: the model stands where it was read from.

        Raises:
            TypeError: Always.
        """
        raise TypeError("this is a way to read a model, not one of its own")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `TransformerModel.save` wrote."""
        return cls(folder)


class InNumpy(LightTransformer):
    """A network of the BERT kind, computed in NumPy. Texts of a batch have equally many tokens."""

    def __init__(self, folder: Path) -> None:
        from safetensors import safe_open

        super().__init__(folder)
        self._encoder = Encoder(folder)
        with safe_open(folder / "model.safetensors", "np") as file:
            self._pooler, self._classifier = (
                (file.get_tensor(f"{name}.weight").T.astype(np.float32), file.get_tensor(f"{name}.bias"))
                for name in ("bert.pooler.dense", "classifier")
            )

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokens of each text."""
        return self._encoder.ids(texts, self.max_tokens)

    def batches(self, lengths: Sequence[int]) -> Sequence[Sequence[int]]:
        """Texts of one length."""
        alike: dict[int, list[int]] = {}
        for place, length in enumerate(lengths):
            alike.setdefault(length, []).append(place)
        return [some[start : start + _BATCH] for some in alike.values() for start in range(0, len(some), _BATCH)]

    def outputs(self, tokens: Sequence[Sequence[int]]) -> Floats:
        """What the network puts out, shape (texts, outputs)."""
        first = self._encoder.states(tokens)[:, 0]
        pooled = np.tanh(first @ self._pooler[0] + self._pooler[1])
        return np.asarray(pooled @ self._classifier[0] + self._classifier[1])


class InRuntime(LightTransformer):
    """A network of any kind, computed by ONNX Runtime. Texts of a batch are of similar length."""

    def __init__(self, folder: Path, graph: Path) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        super().__init__(folder)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(self.max_tokens)
        self._tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        # Several texts are answered at a time by as many threads; each of them is best left alone.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokens of each text."""
        return [one.ids for one in self._tokenizer.encode_batch_fast(list(texts))]

    def batches(self, lengths: Sequence[int]) -> Sequence[Sequence[int]]:
        """The shortest first, cut where that is cheapest."""
        order = sorted(range(len(lengths)), key=lengths.__getitem__)
        return [order[start:end] for start, end in cheapest_cuts([lengths[place] for place in order])]

    def outputs(self, tokens: Sequence[Sequence[int]]) -> Floats:
        """What the network puts out, shape (texts, outputs)."""
        ids = np.zeros((len(tokens), max(map(len, tokens))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for place, one in enumerate(tokens):
            ids[place, : len(one)], mask[place, : len(one)] = one, 1
        (found,) = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
        return np.asarray(found)


class InEightBits(InRuntime):
    """The same with weights of 8 bits. What they meet is rounded by the largest value of a call, so a text that shared
    a call would be answered otherwise than alone: each has its own. It costs little, as there is less to fetch."""

    precision = "int8"

    def batches(self, lengths: Sequence[int]) -> Sequence[Sequence[int]]:
        """Each alone."""
        return [[place] for place in range(len(lengths))]


def cheapest_cuts(lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Where texts are cut into batches, so that what all batches cost is least: every text of a batch is filled up to
    its longest one, and each batch costs something by itself.

    Args:
        lengths: Tokens of each text, the shortest first.

    Returns:
        Begin and end of each batch, in order.
    """
    least, begins = [0.0], [0]  # of the first so many texts: what they cost, and where their last batch begins
    for end in range(1, len(lengths) + 1):
        longest, best, begin = lengths[end - 1], float("inf"), end - 1
        for start in range(end - 1, max(end - 1 - _BATCH, -1), -1):
            tokens = (end - start) * longest
            if tokens > _TOKENS and start < end - 1:
                break
            if (cost := least[start] + _BATCH_COSTS + tokens) < best:
                best, begin = cost, start
        least.append(best)
        begins.append(begin)
    cuts, end = [], len(lengths)
    while end:
        cuts.append((begins[end], end))
        end = begins[end]
    return cuts[::-1]


def open_light(folder: Path, serving: Serving) -> LightTransformer | None:
    """A network without torch, by whatever can compute it here; None where nothing can."""
    kind = InEightBits if serving.precision == "int8" else InRuntime
    ways: tuple[Callable[[], Any], ...] = (lambda: kind(folder, _graph(folder, serving)), lambda: InNumpy(folder))
    for way in ways:
        try:
            found: LightTransformer = way()
        except (ModelError, ImportError, OSError, KeyError, ValueError, RuntimeError):
            continue  # a tokenizer without a file, a network of another kind: torch reads it
        return found
    return None


def _graph(folder: Path, serving: Serving) -> Path:
    """The file of a network's graph, made when it is asked for first.

    Raises:
        ModelError: It cannot be made here.
    """
    if find_spec("onnxruntime") is None:
        raise ModelError("ONNX Runtime is not installed")
    files = ("config.json", "model.safetensors", "model.json")
    contents = [digest.of_file(folder / name) for name in files]
    place = serving.store / _GRAPHS / digest.of_json([*contents, version("seedbed"), serving.precision])
    if not place.is_dir():
        if any(find_spec(name) is None for name in ("onnx", "torch", "transformers")):
            raise ModelError("what makes graphs is not installed")
        with arriving(place) as partial:
            command = [sys.executable, "-m", _WRITER, str(folder), str(partial), serving.precision]
            done = subprocess.run(command, capture_output=True, timeout=_LONGEST, check=False)
            if done.returncode or not partial.is_dir():
                raise ModelError("the network cannot be said as a graph", at=str(folder))
    return place / "graph.onnx"
