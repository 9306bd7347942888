"""Pairs of texts, by which a sentence encoder learns which texts are alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .objective import Objective, Row, padded

#: The second text of a pair, and how alike the two are.
OTHER, ALIKE = "other", "alike"


class Pairs(Objective):
    """The squared difference between the cosine of two embeddings and how alike the texts are.

    An embedding is the mean of a text's tokens in the last layer (Reimers & Gurevych, 2019,
    https://arxiv.org/abs/1908.10084). A text that a batch holds several times is read once.
    """

    def collate(self, rows: Sequence[Row]) -> dict[str, Any]:
        """Different texts as tensors, and which two of them each pair is."""
        import torch

        places: dict[tuple[int, ...], int] = {}
        pairs = [[places.setdefault(tuple(ids), len(places)) for ids in (row["input_ids"], row[OTHER])] for row in rows]
        return {
            **padded([{"input_ids": list(ids)} for ids in places], {"input_ids": self.pad}),
            "pairs": torch.tensor(pairs),
            ALIKE: torch.tensor([row[ALIKE] for row in rows], dtype=torch.float32),
        }

    def loss(self, network: Any, batch: Mapping[str, Any]) -> Any:
        """Squared differences, added up."""
        from torch.nn.functional import cosine_similarity

        vectors = embedded(network, batch["input_ids"], batch["attention_mask"])
        first, second = batch["pairs"].T
        return ((cosine_similarity(vectors[first], vectors[second]) - batch[ALIKE]) ** 2).sum()


def embedded(network: Any, ids: Any, mask: Any) -> Any:
    """Means of the tokens of the last layer, shape (texts, width)."""
    states = network(input_ids=ids, attention_mask=mask).last_hidden_state.float()
    kept = mask.unsqueeze(-1).float()
    return (states * kept).sum(dim=1) / kept.sum(dim=1)


def drawn_pairs(held: NDArray[np.bool_], each: int, most: int, seed: int) -> list[tuple[int, int, float]]:
    """Pairs of rows, and how alike their labels are: the share of their labels that both have (Jaccard).

    Each row gets as many partners that share a label with it as partners that share none.

    Args:
        held: Which labels rows have, shape (rows, labels).
        each: Partners of either sort for each row.
        most: Most pairs in all.
        seed: Of what is drawn.
    """
    random = np.random.default_rng(seed)
    found: list[tuple[int, int, float]] = []
    for row in _in_turn(len(held), each, random):
        both, either = (held & held[row]).sum(axis=1), (held | held[row]).sum(axis=1)
        alike = np.where(either == 0, 1.0, both / np.maximum(either, 1))  # two rows without a label are alike
        alike[row] = np.nan
        for group in (np.flatnonzero(alike > 0), np.flatnonzero(alike == 0)):
            if len(group):
                other = int(random.choice(group))
                found.append((row, other, float(alike[other])))
        if len(found) >= most:
            break
    return found[:most]


def _in_turn(rows: int, times: int, random: np.random.Generator) -> Iterator[int]:
    """Every row as often as the others, in any order."""
    for _ in range(times):
        yield from random.permutation(rows).tolist()
