"""ngram: counts of what followed what, smoothed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.core.learner import FrameModel, Learner, Model
from seedbed.core.part import Example
from seedbed.core.search import Search
from seedbed.core.task import CausalLm, Task

from .target import enough, texts_of

_Ids = NDArray[np.int64]
_Unit = Literal["words", "characters"]
#: A word or a run of signs with the space before it, or white space: together they are the text.
_WORD = re.compile(r" ?\w+| ?[^\w\s]+|\s")
#: Every byte is a token, so that any text can be told.
_BYTES = 256
#: Characters of texts that are looked at together.
_PIECE = 2_000_000


@dataclass(frozen=True)
class Vocabulary:
    """Tokens: the 256 bytes, then those that training texts have; what is none of these is spelt in bytes."""

    unit: _Unit
    tokens: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_known", {token: _BYTES + id for id, token in enumerate(self.tokens)})

    @classmethod
    def learn(cls, unit: _Unit, texts: Iterable[str], *, min_count: int, most: int) -> Vocabulary:
        """The most frequent tokens; of equals the first in code-point order."""
        counts = Counter(token for text in texts for token in _cut(unit, text))
        frequent = sorted((-count, token) for token, count in counts.items() if count >= min_count)
        return cls(unit, tuple(token for _, token in frequent[:most]))

    @property
    def size(self) -> int:
        """Tokens that there are."""
        return _BYTES + len(self.tokens)

    def encode(self, text: str) -> list[int]:
        """A text as ids of tokens."""
        known: dict[str, int] = self.__dict__["_known"]
        ids: list[int] = []
        for token in _cut(self.unit, text):
            id = known.get(token)
            ids += token.encode("utf-8", "surrogatepass") if id is None else (id,)
        return ids

    def spelt(self, id: int) -> bytes:
        """A token in UTF-8."""
        return bytes([id]) if id < _BYTES else self.tokens[id - _BYTES].encode("utf-8", "surrogatepass")


def _cut(unit: _Unit, text: str) -> Sequence[str]:
    return text if unit == "characters" else _WORD.findall(text)


@dataclass(frozen=True)
class Level:
    """Grams of one length that training texts hold.

    A gram's key is the number of the gram without its last token, among those one shorter, times the number of
    tokens, plus its last token. `shares` is what its own count gives it, `left` what the next shorter level is given
    where a gram of this length is asked for.
    """

    keys: _Ids
    """Sorted, shape (grams,); on the first level those are tokens."""
    shares: NDArray[np.float64]
    """Shape (grams,)."""
    left: NDArray[np.float64]
    """Shape (grams one shorter,); 1 for those that nothing followed."""


class NgramModel(FrameModel):
    """Interpolated, modified Kneser-Ney (Chen & Goodman 1999): levels of grams, the first over equal chances.

    That a text begins is known (grams may start with a mark for it), that it ends is not counted: the tokens' chances
    add up to 1 after anything.
    """

    def __init__(self, text: str, vocabulary: Vocabulary, levels: Sequence[Level]) -> None:
        self.text, self.vocabulary, self.levels = text, vocabulary, tuple(levels)

    def predict(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`nats` and `tokens` of each text.

        Raises:
            ModelError: The rows do not have the text column.
        """
        nats, tokens = list[float](), list[int]()
        for some in _pieces(texts_of(rows, self.text)):
            stream, at = _stream(some, self.vocabulary)
            bits = -np.log(self.chances(stream, at))
            bits[at == 0] = 0.0  # the mark of the beginning is given
            starts = np.flatnonzero(at == 0)
            nats += np.add.reduceat(bits, starts).tolist()
            tokens += (np.diff([*starts.tolist(), len(at)]) - 1).tolist()
        return pl.DataFrame({"nats": nats, "tokens": tokens}, schema={"nats": pl.Float64, "tokens": pl.Int64})

    def chances(self, stream: _Ids, at: _Ids) -> NDArray[np.float64]:
        """Probability of each token after those before it in its text; shapes as `_stream` makes them."""
        size = self.vocabulary.size
        found = np.full(len(stream), 1 / size)
        grams = np.zeros(len(stream), dtype=np.int64)  # the empty gram, which precedes all
        for length, level in enumerate(self.levels, 1):
            if not len(level.left):
                break  # no training text was as long
            # The gram before a token ends one place earlier; -1 where training texts do not have it.
            before = grams if length == 1 else np.concatenate([[-1], grams[:-1]])
            before = np.where(at >= length - 1, before, -1)
            keys = before * (size + 1) + stream
            places = np.searchsorted(level.keys, keys).clip(max=max(0, len(level.keys) - 1))
            there = (before >= 0) & (level.keys[places] == keys if len(level.keys) else False)
            left = np.where(before >= 0, level.left[before], 1.0)
            found = np.where(there, level.shares[places] if len(level.keys) else 0.0, 0.0) + left * found
            grams = np.where(there, places, -1)
        return found

    def go_on(self, beginnings: Sequence[str], most: int, seed: int) -> list[str]:
        """What comes after each beginning, at most so many characters; each token is drawn by its chance."""
        return [self._drawn(text, most, np.random.default_rng([seed, place])) for place, text in enumerate(beginnings)]

    def _drawn(self, beginning: str, most: int, random: np.random.Generator) -> str:
        told = [self.vocabulary.size, *self.vocabulary.encode(beginning)]
        written, characters = b"", 0
        while characters < most:
            sums = np.cumsum(self.next_chances(told))
            id = int(np.searchsorted(sums, random.random() * sums[-1], side="right"))
            token = self.vocabulary.spelt(id)
            told.append(id)
            written += token
            characters += len(token.decode(errors="replace"))
        return written.decode(errors="replace")[:most]

    def next_chances(self, before: Sequence[int]) -> NDArray[np.float64]:
        """Probability of each token after others, the mark of the beginning among them; shape (tokens,)."""
        size = self.vocabulary.size
        found = np.full(size, 1 / size)
        for length, level in enumerate(self.levels):
            gram = self._gram(before[len(before) - length :]) if length <= len(before) else -1
            if gram < 0:
                break  # nor does a longer one stand in the training texts
            first = gram * (size + 1)
            start, end = np.searchsorted(level.keys, (first, first + size))
            found *= level.left[gram]
            found[level.keys[start:end] - first] += level.shares[start:end]
        return found

    def _gram(self, tokens: Sequence[int]) -> int:
        """The number of a gram among those of its length; -1 where training texts do not hold it."""
        gram = 0
        for token, level in zip(tokens, self.levels, strict=False):
            key = gram * (self.vocabulary.size + 1) + token
            gram = int(np.searchsorted(level.keys, key))
            if gram == len(level.keys) or level.keys[gram] != key:
                return -1
        return gram

    def save(self, folder: Path) -> None:
        """Write `model.json` (column, unit, tokens) and `grams.safetensors`."""
        from safetensors.numpy import save_file

        told = {"text": self.text, "unit": self.vocabulary.unit, "tokens": self.vocabulary.tokens}
        (folder / "model.json").write_bytes(orjson.dumps(told))
        arrays = {f"{n}.{name}": array for n, level in enumerate(self.levels) for name, array in vars(level).items()}
        save_file(arrays, folder / "grams.safetensors")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        from safetensors.numpy import load_file

        told = orjson.loads((folder / "model.json").read_bytes())
        arrays = load_file(folder / "grams.safetensors")
        levels = [
            Level(**{name: arrays[f"{n}.{name}"] for name in ("keys", "shares", "left")})
            for n in range(len(arrays) // 3)
        ]
        return cls(told["text"], Vocabulary(told["unit"], tuple(told["tokens"])), levels)


class Ngram(Learner):
    """Counts which tokens followed which, and tells the next by that: an n-gram model with Kneser-Ney smoothing.

    A gram that was seen keeps most of its share; what is held back goes to shorter ones, which count in how many
    places a token appeared, not how often (Chen & Goodman 1999, *An Empirical Study of Smoothing Techniques for
    Language Modeling*, modified and interpolated). Tokens are words with the space before them, or characters; what
    was too rare is spelt in bytes, so that every text has a probability.

    ## Why
    It is the least that a language model must beat, it learns from 20,000 tweets in two seconds, and
    `bits_per_byte` compares it with networks whose tokens are others. A network that is hardly better has learned
    little but frequencies.

    ## Limits
    It sees `order` - 1 tokens back and no further. It needs memory for every gram of the training texts. Perplexity
    per token compares only between models with the same unit, vocabulary and texts. Validation rows are not heeded.
    """

    learns: ClassVar[tuple[str, ...]] = ("causal_lm",)
    model: ClassVar[type[Model[Any]]] = NgramModel

    use: Literal["ngram"] = "ngram"
    unit: _Unit = Field("characters", description="What a token is: a character, or a word with the space before it.")
    order: Annotated[int, Search(2, 8)] = Field(
        6, ge=1, le=12, description="Longest run of tokens that is counted; 3 is usual for words."
    )
    min_count: int = Field(2, ge=1, description="Times that a token must occur in training texts to be one of its own.")
    max_tokens: int = Field(50_000, ge=0, description="Most tokens besides bytes: the most frequent.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="two words that came twice are tokens, the rest is bytes",
            options={"unit": "words", "order": 2},
            before={"text": ["the cat", "the dog", "a cat", "one"]},
            after={"tokens": [2, 5, 2, 3]},
        ),
    )

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> NgramModel:
        """Count.

        Raises:
            DataError: There are too few rows, or they hold no text.
        """
        assert isinstance(task, CausalLm)
        enough(train, task.text)
        texts = texts_of(train, task.text)
        if not any(texts):
            raise DataError("the training rows hold no text", at=task.text)
        vocabulary = Vocabulary.learn(self.unit, texts, min_count=self.min_count, most=self.max_tokens)
        stream, at = _stream(texts, vocabulary)
        return NgramModel(task.text, vocabulary, _count(stream, at, vocabulary.size, self.order))


def _pieces(texts: Sequence[str]) -> Iterable[Sequence[str]]:
    some: list[str] = []
    length = 0
    for text in texts:
        some.append(text)
        length += len(text) + 1
        if length >= _PIECE:
            yield some
            some, length = [], 0
    if some:
        yield some


def _stream(texts: Sequence[str], vocabulary: Vocabulary) -> tuple[_Ids, _Ids]:
    """Ids of all texts, each after the mark of a beginning (the id after the last), and the place in its text."""
    each = [vocabulary.encode(text) for text in texts]
    lengths = np.array([1 + len(ids) for ids in each], dtype=np.int64)
    mark = (vocabulary.size,)
    stream = np.fromiter(chain.from_iterable(chain(mark, ids) for ids in each), np.int64, int(lengths.sum()))
    starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return stream, np.arange(len(stream)) - starts


def _count(stream: _Ids, at: _Ids, size: int, order: int) -> list[Level]:
    """Levels 1 to `order`: how many different tokens precede a gram is its count, but for the longest ones.

    Nothing can precede the beginning of a text: grams that start with it count as often as they occur.
    """
    grams = [np.zeros(len(stream), dtype=np.int64)]  # the gram of each length that ends at each token
    keys, samples, counts = list[_Ids](), list[_Ids](), list[_Ids]()
    for length in range(1, order + 1):
        ends = np.flatnonzero(at >= length - 1)
        before = grams[-1][ends - (length > 1)]
        found, first, place, often = np.unique(
            before * (size + 1) + stream[ends], return_index=True, return_inverse=True, return_counts=True
        )
        here = np.full(len(stream), -1, dtype=np.int64)
        here[ends] = place
        grams.append(here)
        keys.append(found)
        samples.append(ends[first])
        counts.append(often)
    levels = []
    for n, (found, sample, often) in enumerate(zip(keys, samples, counts, strict=True)):
        begins = at[sample] == n
        told = often
        if n + 1 < order:
            different = np.bincount(grams[n + 1][samples[n + 1]], minlength=len(found))
            told = np.where(begins, often, different)
        if n == 0:
            told = np.where(begins, 0, told)  # the mark itself is never told
        levels.append(_smoothed(found, told, len(keys[n - 1]) if n else 1, size))
    return levels


def _smoothed(keys: _Ids, counts: _Ids, contexts: int, size: int) -> Level:
    discounts = _discounts(counts)
    taken = np.where(counts > 0, discounts[counts.clip(max=3)], 0.0)
    before = keys // (size + 1)
    total = np.bincount(before, counts, contexts)
    some = np.where(total > 0, total, 1.0)
    shares = (counts - taken) / some[before]
    left = np.where(total > 0, np.bincount(before, taken, contexts) / some, 1.0)
    return Level(keys, shares, left)


def _discounts(counts: _Ids) -> NDArray[np.float64]:
    """What is held back of a count of 0, 1, 2, and 3 or more; those of KenLM where the counts do not tell."""
    n = np.bincount(counts.clip(0, 5), minlength=6)[1:5].astype(np.float64)
    usual = np.array([0.0, 0.5, 1.0, 1.5])
    if (n[:3] == 0).any():
        return usual
    share = n[0] / (n[0] + 2 * n[1])
    told = np.array([0.0, *(j - (j + 1) * share * n[j] / n[j - 1] for j in (1, 2, 3))])
    return told if ((told[1:] > 0) & (told[1:] <= (1, 2, 3))).all() else usual
