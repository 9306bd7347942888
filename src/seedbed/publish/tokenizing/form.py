"""How rows of a task become rows of tokens: what every form has, and the choice of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from seedbed.core.rows import ROW
from seedbed.core.task import Task
from seedbed.core.tokenizing import Encoded, Tokens
from seedbed.core.tokenizing.tokens import Places

from .losses import Losses
from .windows import SKIPPED, Joined, Side, Windows
from .writing import Made, Pad, Padding

#: What is counted of texts that hold special tokens.
SPELLED = "texts_that_spell_special_tokens"


@dataclass(frozen=True)
class Asked:
    """What a person asked for, with all that was left out filled in."""

    most_tokens: int
    side: Side = "right"
    stride: int | None = None
    pad: Pad = "none"
    labels: Sequence[str] = ()
    """The task's labels in order."""
    prompt: str = ""
    completion: str = ""
    most_target: int = 0
    """Most tokens of what an encoder-decoder is to write."""
    most_prompt: int = 0
    """Most tokens of a prompt, where the model continues one."""
    across: bool = True
    last: str = "pad"
    template: str | None = None
    most_turns: int | None = None
    too_long: str = "cut"
    offsets: bool = False


class Form(ABC):
    """Makes rows of tokens out of rows.

    Args:
        task: What the rows are.
        tokens: The tokenizer.
        asked: Options.
    """

    model: ClassVar[str]
    """The kind of model that reads the rows."""

    def __init__(self, task: Task, tokens: Tokens, asked: Asked) -> None:
        self.task, self.tokens, self.asked = task, tokens, asked

    @abstractmethod
    def encode(self, batch: pl.DataFrame) -> Any:
        """What threads do: a batch's texts as ids. It depends on the batch alone."""

    @abstractmethod
    def made(self, encoded: Any, losses: Losses) -> Iterator[Made]:
        """What is done in order: rows of tokens, and what was lost."""

    def last(self, losses: Losses) -> Iterator[Made]:
        """Rows that were waiting for more."""
        return iter(())

    def nothing(self, schema: pl.Schema) -> Iterator[Made]:
        """No rows, with their columns: a split may be empty."""
        return self.made(self.encode(pl.DataFrame(schema=schema)), Losses())

    @property
    def padding(self) -> Padding:
        """How rows are filled up."""
        fill = {"input_ids": self.tokens.specials.padding, "labels": SKIPPED, "document_ids": -1}
        lists = {"labels": self.asked.most_target} if self.model == "encoder_decoder" else {}
        return Padding(self.asked.pad, self.asked.most_tokens, fill, lists)

    def note(self, losses: Losses, *texts: Encoded) -> None:
        """Count texts that spell special tokens out: a document that does may end, or begin a turn, for the model."""
        if self.tokens.control:
            special = list(self.tokens.control.values())
            found = [np.unique(np.searchsorted(one.bounds, np.flatnonzero(np.isin(one.ids, special)), "right"))
                     for one in texts]  # fmt: skip
            losses.counted[SPELLED] += sum(map(len, found))

    def inputs(self, joined: Joined, *, labels: bool = False) -> dict[str, NDArray[Any]]:
        """The columns that have a value for each token."""
        found: dict[str, NDArray[Any]] = {
            "input_ids": joined.ids,
            "attention_mask": np.ones(len(joined.ids), np.int8),
        }
        if self.tokens.typed:
            found["token_type_ids"] = joined.types
        return found | ({"labels": joined.labels} if labels else {})


def texts_of(batch: pl.DataFrame, column: str) -> list[str]:
    """A column as texts; what is missing is an empty one."""
    return batch[column].cast(pl.String).fill_null("").to_list()


def parents(batch_rows: pl.Series, cut: Windows) -> dict[str, pa.Array]:
    """Which row each window is of, and which part of it."""
    return {
        ROW: batch_rows.gather(cut.parent).to_arrow(compat_level=pl.CompatLevel.oldest()),
        "piece": pa.array(cut.piece, pa.int32()),
    }


def unseen(lengths: Places, cut: Windows) -> Places:
    """Tokens of each text that are in no window: windows of one text overlap, or touch."""
    first, last = lengths.copy(), np.zeros_like(lengths)
    np.minimum.at(first, cut.parent, cut.starts)
    np.maximum.at(last, cut.parent, cut.stops)
    found: Places = lengths - (last - first)
    return found


@dataclass(frozen=True)
class Texts:
    """A batch that was encoded: its rows' ids, and what else a form needs of them."""

    rows: pl.Series
    encoded: Mapping[str, Any]
    more: Mapping[str, Any] = field(default_factory=dict)
