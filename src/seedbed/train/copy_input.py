"""copy_input: the text itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import orjson
import polars as pl

from seedbed.core.context import Context
from seedbed.core.learner import FrameModel, Learner, Model
from seedbed.core.part import Example
from seedbed.core.task import Task, TextToText

from .target import texts_of


class CopyInputModel(FrameModel):
    """Answers with what it was asked."""

    def __init__(self, text: str) -> None:
        self.text = text

    def predict(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`text`: that of each row."""
        return pl.DataFrame({"text": pl.Series(texts_of(rows, self.text), dtype=pl.String)})

    def save(self, folder: Path) -> None:
        """Write `model.json`."""
        (folder / "model.json").write_bytes(orjson.dumps({"text": self.text}))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        return cls(**orjson.loads((folder / "model.json").read_bytes()))


class CopyInput(Learner):
    """Answers with the text that it was given.

    ## Why
    It is the least that a model must beat where the answer resembles the text: corrections, summaries, another style.
    A score there means little before one knows what changing nothing gets.

    ## Limits
    It learns nothing. For translations and answers to questions, `nearest` is the better yardstick.
    """

    learns: ClassVar[tuple[str, ...]] = ("text_to_text",)
    model: ClassVar[type[Model[Any]]] = CopyInputModel

    use: Literal["copy_input"] = "copy_input"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="nothing changes",
            before={"text": ["teh cat", "a dog", "to cats", "one"], "target": ["the cat", "a dog", "two cats", "one"]},
            after={"text": ["teh cat", "a dog", "to cats", "one"]},
        ),
    )

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> CopyInputModel:
        """Nothing is learned."""
        assert isinstance(task, TextToText)
        return CopyInputModel(task.text)
