"""What an open tokenizer can do, whichever library does it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.core.digest import of_json

Ids = NDArray[np.int32]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Encoded:
    """Texts as token ids, one text after the other; nothing is added around them."""

    ids: Ids
    """Shape (tokens of all texts,)."""
    bounds: Places
    """Shape (texts + 1,): text `i` is `ids[bounds[i] : bounds[i + 1]]`."""
    spans: Places | None = None
    """Shape (tokens, 2): the characters of its text that each token stands for, from and up to; where asked for."""

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __getitem__(self, text: int) -> Ids:
        return self.ids[self.bounds[text] : self.bounds[text + 1]]

    @property
    def lengths(self) -> Places:
        """Tokens of each text, shape (texts,)."""
        return np.diff(self.bounds)

    @classmethod
    def of(cls, each: Sequence[Any], spans: Sequence[Any] | None = None) -> Encoded:
        """From the ids of each text, and the spans."""
        bounds = np.zeros(len(each) + 1, np.int64)
        np.cumsum([len(ids) for ids in each], out=bounds[1:])
        ids = np.fromiter(chain.from_iterable(each), np.int32, int(bounds[-1]))
        if spans is None:
            return cls(ids, bounds)
        ends = chain.from_iterable(chain.from_iterable(spans))
        return cls(ids, bounds, np.fromiter(ends, np.int64, 2 * len(ids)).reshape(-1, 2))


@dataclass(frozen=True)
class Specials:
    """Ids of the tokens that no text is made of; those that a tokenizer lacks are none."""

    pad: int | None = None
    bos: int | None = None
    eos: int | None = None
    sep: int | None = None
    cls: int | None = None
    unk: int | None = None

    @property
    def end(self) -> int | None:
        """What ends a text: `eos`, else `sep`."""
        return self.sep if self.eos is None else self.eos

    @property
    def padding(self) -> int:
        """What fills rows up: `pad`, else what ends a text, else 0; the attention mask says which are none."""
        return next((one for one in (self.pad, self.end) if one is not None), 0)


@dataclass(frozen=True)
class Frame:
    """The special tokens around a text, or around and between two, with their types."""

    before: tuple[int, ...] = ()
    between: tuple[int, ...] = ()
    """Nothing where there is one text."""
    after: tuple[int, ...] = ()
    types: tuple[int, int] = (0, 0)
    """`token_type_ids` of the first text and of the second."""
    types_between: tuple[int, ...] = ()
    types_after: tuple[int, ...] = ()
    types_before: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.before) + len(self.between) + len(self.after)


class Tokens(ABC):
    """A tokenizer that is open. It may be shared by threads."""

    specials: Specials
    single: Frame
    """What the model expects around one text."""
    pair: Frame
    """What it expects around and between two."""
    control: Mapping[str, int] = {}
    """Special tokens that a text becomes where it spells them out, by how they are written."""
    typed: bool = False
    """Whether the model is told which of two texts a token is of (`token_type_ids`)."""
    chat_template: str | None = None
    """Jinja text that writes turns as one text, where the tokenizer has one."""
    longest: int | None = None
    """Most tokens that the model reads, where the tokenizer says so."""
    name: str
    """What it is, for people: its kind and place."""
    digest: str
    """SHA-256 of what it is made of: the same one gives the same ids."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Ids that there are, special ones included."""

    @abstractmethod
    def encode(self, texts: Sequence[str], *, spans: bool = False) -> Encoded:
        """Texts as ids. Nothing is added around them and nothing is cut.

        Args:
            texts: Any texts, the empty one included.
            spans: Whether to tell which characters each token stands for.
        """

    @abstractmethod
    def decode(self, ids: Sequence[int] | Ids, *, specials: bool = False) -> str:
        """The text that ids stand for.

        Args:
            ids: Of one text.
            specials: Whether special tokens are written.
        """

    @abstractmethod
    def written(self, id: int) -> str:
        """A special token as it is written in a text."""

    def count(self, texts: Sequence[str], *, framed: bool = False) -> Places:
        """Tokens of each text, shape (texts,).

        Args:
            texts: Any texts.
            framed: Count what the model expects around a text, too.
        """
        return self.encode(texts).lengths + (len(self.single) if framed else 0)

    def save(self, folder: Path) -> tuple[str, ...]:
        """Write what other tools need to open it into a folder; the names of the files, none where there are none."""
        return ()

    def told(self) -> dict[str, Any]:
        """What a record says of it, as JSON."""
        return {
            "name": self.name,
            "digest": self.digest,
            "vocabulary": self.size,
            "specials": {name: id for name, id in asdict(self.specials).items() if id is not None},
            "longest": self.longest,
            "chat_template": self.chat_template and of_json(self.chat_template),
        }


def spans_of_bytes(text: bytes, ends: Places) -> Places:
    """Characters that tokens of bytes stand for; a token that holds part of a character stands for all of it.

    Args:
        text: In UTF-8.
        ends: Where each token ends in it, shape (tokens,).

    Returns:
        From and up to, shape (tokens, 2).
    """
    begins = (np.frombuffer(text, np.uint8) & 0xC0) != 0x80
    # Characters that have begun before byte i; a last entry for the end.
    begun = np.concatenate(([0], np.cumsum(begins)))
    inside = np.concatenate((~begins, [False]))
    starts = np.concatenate(([0], ends[:-1])).astype(np.int64)
    return np.stack([begun[starts] - inside[starts], begun[ends]], axis=1).astype(np.int64)
