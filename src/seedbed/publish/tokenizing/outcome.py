"""What became of a dataset that was written as tokens: what `tokens.json` says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from seedbed.core.task import Task
from seedbed.core.tokenizing import Tokens
from seedbed.publish.files.described import Described

from .form import Asked
from .losses import Losses


@dataclass(frozen=True)
class Outcome:
    """A dataset as tokens."""

    task: Task
    model: str
    tokens: Tokens
    asked: Asked
    losses: Mapping[str, Losses]
    """By split."""
    schema: pl.Schema
    files: tuple[str, ...]

    def told(self, options: Mapping[str, Any], holds: tuple[str, ...]) -> dict[str, Any]:
        """As JSON.

        Args:
            options: As the recipe gives them.
            holds: Every file that was written.
        """
        labels = self.asked.labels if self.task.says in ("label", "labels") else ()
        numbers = {"id2label": dict(enumerate(labels)), "label2id": {name: i for i, name in enumerate(labels)}}
        return {
            "task": self.task.kind,
            "model": self.model,
            "tokenizer": self.tokens.told(),
            "options": {**options, "most_tokens": self.asked.most_tokens},
            **(numbers if labels else {}),
            "splits": {name: one.told() for name, one in self.losses.items()},
            "seedbed": Described("tokens", self.schema, self.files, holds).told(),
        }
