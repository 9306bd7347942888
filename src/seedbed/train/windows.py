"""Questions with windows of their texts, as networks that point at answers read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .objective import Objective, Row, padded

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """A question and as much of its text as fits."""

    row: int
    """The question's place."""
    read: Row
    """`input_ids`, and `token_type_ids` where the network is told of two texts."""
    inside: Ints
    """Places of the tokens that are of the text, in order."""
    spans: Ints
    """Characters of the text that each of those stands for, from and up to, shape (tokens, 2)."""

    def pointing(self, answer: Mapping[str, Any] | None) -> Row:
        """The window with the places of an answer's first and last token; 0 (the first special one) if it has none."""
        first = last = 0
        if answer is not None and len(self.spans):
            start, end = answer["start"], answer["start"] + len(answer["text"])
            if self.spans[0, 0] <= start and end <= self.spans[-1, 1]:
                touched = self.inside[(self.spans[:, 1] > start) & (self.spans[:, 0] < end)]
                if len(touched):
                    first, last = int(touched[0]), int(touched[-1])
        return {**self.read, "first": first, "last": last}


def windows(
    tokenizer: Any, questions: Sequence[str], contexts: Sequence[str], *, most: int, stride: int
) -> list[Window]:
    """Windows of each question's text, at least one, that overlap by `stride` tokens.

    Args:
        tokenizer: A fast one.
        questions: A question may take up half of a window; the rest of it is cut.
        contexts: The texts.
        most: Tokens of a window.
        stride: Tokens that neighbours share.
    """
    if not questions:
        return []
    half = most // 2
    cut = tokenizer(
        list(questions),
        add_special_tokens=False,
        return_offsets_mapping=True,
        return_attention_mask=False,
        verbose=False,
    )
    asked = [
        question[: spans[half - 1][1]] if len(spans) > half else question
        for question, spans in zip(questions, cut["offset_mapping"], strict=True)
    ]
    told = tokenizer(
        asked,
        list(contexts),
        truncation="only_second",
        max_length=most,
        stride=stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_attention_mask=False,
    )
    typed = "token_type_ids" in told
    found = []
    for place, row in enumerate(told["overflow_to_sample_mapping"]):
        read = {"input_ids": told["input_ids"][place]}
        if typed:
            read["token_type_ids"] = told["token_type_ids"][place]
        inside = np.flatnonzero([of == 1 for of in told.sequence_ids(place)])
        spans = np.array(told["offset_mapping"][place], dtype=np.int64).reshape(-1, 2)[inside]
        some = spans[:, 1] > spans[:, 0]  # tokens that stand for nothing are no answers
        found.append(Window(row, read, inside[some], spans[some]))
    return found


class Pointing(Objective):
    """The first and the last token of an answer: the mean of their cross-entropies."""

    def collate(self, rows: Sequence[Row]) -> dict[str, Any]:
        """Tokens, and the places to point at where they are known."""
        import torch

        batch = read_together(rows, self.pad)
        for name in ("first", "last"):
            batch[name] = torch.tensor([row[name] for row in rows])
        return batch

    def loss(self, network: Any, batch: Mapping[str, Any]) -> Any:
        """Added up over windows."""
        from torch.nn.functional import cross_entropy

        first, last = outputs(network, batch)
        both = [cross_entropy(logits, batch[n], reduction="sum") for logits, n in ((first, "first"), (last, "last"))]
        return (both[0] + both[1]) / 2


def read_together(rows: Sequence[Row], pad: int) -> dict[str, Any]:
    """Windows as tensors."""
    fills = {"input_ids": pad, "token_type_ids": 0} if "token_type_ids" in rows[0] else {"input_ids": pad}
    return padded(rows, fills)


def outputs(network: Any, batch: Mapping[str, Any]) -> tuple[Any, Any]:
    """How much speaks for each token as the first and as the last; padding is impossible. Shapes (windows, tokens)."""
    read = {name: batch[name] for name in ("input_ids", "attention_mask", "token_type_ids") if name in batch}
    told = network(**read)
    nothing = batch["attention_mask"] == 0
    lowest = -1e30
    first, last = (logits.float().masked_fill(nothing, lowest) for logits in (told.start_logits, told.end_logits))
    return first, last


def best_span(first: NDArray[np.float64], last: NDArray[np.float64], most: int) -> tuple[int, int, float]:
    """The best first and last token of a window's text, at most so many tokens, and the sum of what speaks for both.

    Args:
        first: For each token of the text, shape (tokens,), at least one.
        last: Likewise.
        most: Tokens of an answer.
    """
    sums = first[:, None] + last[None, :]
    steps = np.arange(len(first))
    length = steps[None, :] - steps[:, None]
    sums[(length < 0) | (length >= most)] = -np.inf
    start, end = np.unravel_index(int(sums.argmax()), sums.shape)
    return int(start), int(end), float(sums[start, end])
