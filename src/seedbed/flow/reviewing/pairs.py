"""Test rows with the answers of two models of a run, for people to choose between; and what they chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from seedbed.core.decision import Standing, text_hash
from seedbed.core.errors import DataError
from seedbed.core.numbers import things, word
from seedbed.core.preference import ChosenByPeople
from seedbed.core.rows import ROW
from seedbed.core.task import rows_said
from seedbed.evaluate.choices import chosen
from seedbed.flow.judging.pairs import IN_TEXTS, MOST, USUAL, TwoAnswers, asked_of, continued_at, two_answers
from seedbed.flow.splitting.dataset import Dataset
from seedbed.review.queue import Queue, write_queue

from .rows import RunRows

NAME = "pairs"
_SPLIT = "test"
_ABOUT = "Which answer is better? Which model wrote it is not shown, and sides are drawn for each pair."
_WARNING = (
    "These are rows that judge the models. To choose between answers is to judge, too; what you read here should not "
    "choose what you train next."
)


@dataclass(frozen=True)
class PairsOfRun:
    """The answers of a run's models to test rows, two by two."""

    rows: RunRows

    @property
    def folder(self) -> Path:
        """Of the run."""
        return self.rows.finished.folder

    @cached_property
    def models(self) -> Mapping[str, Mapping[int, str]]:
        """What each model answered, by the place of the row.

        Raises:
            DataError: Fewer than two models of this run wrote texts.
        """
        says, names = self.rows.task.says, [model.name for model in self.rows.finished.run.models]
        if says not in IN_TEXTS:
            raise DataError("these models write no texts that people could choose between", at="--queue pairs")
        written = {name: self._written(name) for name in names}
        found = {name: told for name, told in written.items() if told}
        if len(found) < 2:
            raise DataError(
                "of this run there are no two models whose answers to test rows were kept",
                at=str(self.folder),
                hint="put `preferences: review.jsonl` under `evaluate` and run again: models are not trained anew"
                if says == "itself"
                else "add a learner to `train`",
            )
        return found

    def _written(self, name: str) -> dict[int, str]:
        path = self.folder / "predictions" / f"{name}-{_SPLIT}.parquet"
        if self.rows.task.says == "itself":
            path = continued_at(self.folder, name)
        if not path.is_file():
            return {}
        places = {row: place for place, row in enumerate(self.ids)}
        told = pl.read_parquet(path, glob=False).select(ROW, "predicted")
        return {places[row]: text or "" for row, text in told.iter_rows() if row in places}

    @cached_property
    def ids(self) -> list[str]:
        """Of the test rows."""
        return self._dataset.read(_SPLIT, [ROW])[ROW].to_list() if self._dataset.files(_SPLIT) else []

    @property
    def _dataset(self) -> Dataset:
        return Dataset(self.folder / "dataset")

    def shown(self, most: int) -> list[TwoAnswers]:
        """Pairs of answers to at most so many rows, in the order in which they are shown."""
        return list(two_answers(self.ids, self.models, most, self.rows.finished.run.seed))

    @property
    def most(self) -> int:
        """Rows that people are shown: those that the judge was, where there is one."""
        evaluate: Any = self.rows.recipe.get("evaluate") or {}
        return int((evaluate.get("judged_by") or {}).get("rows") or USUAL)

    def queue(self, folder: Path) -> tuple[Queue, list[str]]:
        """The pairs as a queue, and notes on it.

        Raises:
            DataError: There is nothing to choose between.
        """
        shown = self.shown(self.most)
        differ = [one for one in shown if not one.same]
        if not differ:
            raise DataError("all models gave the same answers to these rows", at="--queue pairs")
        texts = self._texts()
        items = [
            {
                ROW: one.key,
                "split": _SPLIT,
                "text": texts[one.place],
                "left": self.models[one.a if one.left == "a" else one.b][one.place],
                "right": self.models[one.b if one.left == "a" else one.a][one.place],
                "sides": "ab" if one.left == "a" else "ba",
                "seen": text_hash(texts[one.place]),
            }
            for one in differ
        ]
        kinds = {name: pl.String for name in (ROW, "split", "text", "left", "right", "sides", "seen")}
        path = write_queue(pl.DataFrame(items, schema=kinds), folder / f"{NAME}.arrow")
        same = len(shown) - len(differ)
        left = f"{same:,} of {things(len(shown), 'pair')} of answers {word(same, 'is', 'are')} equal, and left out"
        notes = [left] if same else []
        evaluate = self.rows.recipe.get("evaluate") or {}
        if not evaluate.get("preferences"):
            notes.append("the report does not count them yet: put `preferences: review.jsonl` under `evaluate`")
        return Queue(NAME, "Two answers", _ABOUT, path, ("prefer", "skip"), asks="pairs", warning=_WARNING), notes

    def _texts(self) -> list[str | None]:
        """What was asked in each test row; of a language model the beginning that it went on after."""
        if self.rows.task.says == "itself":
            told = pl.read_parquet(continued_at(self.folder, next(iter(self.models))), glob=False)
            begun = dict(told.select(ROW, "text").iter_rows())
            return [begun.get(row) for row in self.ids]
        task, columns = self.rows.task, self._dataset.scan(_SPLIT).collect_schema().names()
        rows = self._dataset.read(_SPLIT, [name for name in task.seen(columns) if name in columns])
        return rows_said(task, task.as_asked(rows)).to_list()

    def count(self, standing: Standing) -> ChosenByPeople:
        """What people chose so far, without what metric and judge say.

        Raises:
            DataError: There is nothing to choose between.
        """
        pairs, _ = asked_of(self.shown(MOST), standing)
        run = self.rows.finished.run
        level = run.intervals.get("level")
        how: dict[str, Any] = {"level": level if isinstance(level, float) else 0.95, "seed": run.seed}
        return chosen(pairs, split=_SPLIT, of=len(self.ids), metric=None, **how)
