"""A model with everything that stands before it: raw rows in, answers out."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import orjson
import polars as pl

import seedbed.train  # noqa: F401  (fills the catalogue)
from seedbed.core import digest
from seedbed.core.errors import DataError, ModelError, told_as
from seedbed.core.learner import Model, Serving
from seedbed.core.metric import Answers
from seedbed.core.plugins import load_plugins
from seedbed.core.run import Run
from seedbed.core.task import QuestionAnswering
from seedbed.evaluate.forms import Form, form_of
from seedbed.monitor.trained import Trained, read_trained
from seedbed.train.bundle import BUNDLE, CARD, PREPROCESS, REFERENCE, Bundle, Input, load_bundle, stamp_of

from .fields import fields_of
from .kept import Kept
from .preparation import Preparation, Prepared

#: Rows that a model sees at once.
BATCH = 4096
#: How far the answer to a golden example (`Form.apart`) may be from what it was when the model was saved. Libraries and
#: processors that round otherwise stay far below that; another preprocessing does not.
TOLERANCE = 0.01
#: The same for weights of 8 bits, which round by themselves.
ROUNDED = 0.1

Given = pl.DataFrame | Sequence[str] | Sequence[Mapping[str, Any]]

_SURE = ((0.99, "almost certain"), (0.9, "very sure"), (0.75, "fairly sure"), (0.55, "leaning towards it"))


def sureness(confidence: float) -> str:
    """A probability in words."""
    return next((words for least, words in _SURE if confidence >= least), "not sure")


@dataclass(frozen=True, eq=False)
class Predictor:
    """A model and its preprocessing. Threads may share it."""

    name: str
    folder: Path
    model: Model[Any]
    bundle: Bundle
    preparation: Preparation
    run: Run | None = None
    """The run that made the model, where its folder is known."""
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def open(cls, folder: Path, *, run: Run | None = None, trust: bool = False, serving: Serving | None = None) -> Self:
        """Read a model's bundle.

        Args:
            folder: The bundle.
            run: The run that made it.
            trust: Whether its steps may run functions of whoever made it.
            serving: Open it as light as it knows how to be (`Model.serving`), where its golden examples then still
                reproduce.

        Raises:
            ModelError: It is no bundle, is damaged, or needs trust; or it cannot answer in the precision asked for.
            MissingExtraError: Packages that it needs are not installed.
        """
        load_plugins()
        before_it = _stamp(folder)
        model, bundle = load_bundle(folder, serving=serving)
        trained = _trained(folder) if bundle.task.alike_if_equal else None
        before = Preparation.of(bundle.preprocess, bundle.task, at=str(folder), trust=trust, trained=trained)
        found = cls(folder.name, folder, model, bundle, before, run)
        _ = found.digest, found.kept, found.card  # when they are asked for, another version may stand in the folder
        if _stamp(folder) != before_it:  # what was read may be half of one version and half of another
            raise ModelError(
                "this bundle was written while it was read",
                at=str(folder),
                hint="write a new version beside it, and rename it or let a link mean it",
            )
        if serving is not None:
            if model.precision != serving.precision:
                raise ModelError(
                    f"{bundle.use} has no weights of {serving.precision}",
                    at=str(folder),
                    hint="fine-tuned transformers have, where ONNX Runtime and onnx are installed (seedbed[onnx])",
                )
            try:
                found.check_golden()
            except ModelError:
                if serving.precision != "fp32":
                    raise
                return cls.open(folder, run=run, trust=trust)
        return found

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `bundle.json`, which has the digests of all other files: which model this is."""
        return digest.of_file(self.folder / BUNDLE)

    @cached_property
    def card(self) -> str | None:
        """The model's card, in Markdown, where the bundle has one."""
        try:
            return (self.folder / CARD).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the task's order; none where it has none."""
        return self.bundle.task.names or self.model.labels

    @cached_property
    def form(self) -> Form:
        """How answers are held."""
        task = self.bundle.task
        return form_of(task.model_copy(update={"labels": self.labels}) if self.labels else task)

    @cached_property
    def kept(self) -> Kept:
        """What the bundle keeps beside the model."""
        return Kept.of(self.folder, self.bundle.seedbed)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that a row must bring."""
        return tuple(one.name for one in self.preparation.inputs)

    @cached_property
    def fields(self) -> list[dict[str, Any]]:
        """The columns that a row must bring, as a page asks for them (`fields_of`)."""
        return fields_of(self.preparation)

    def predict(self, rows: Given) -> pl.DataFrame:
        """Answer rows. A row gets the same answer alone and among others.

        Args:
            rows: A frame with the columns `inputs` (others are not looked at), mappings with these keys, or, where the
                model reads one column, texts.

        Returns:
            As many rows in the same order: `predicted`, or what else the task asks for (`start` of an answer, `nats`
            and `tokens` of a text); `confidence`, where the model says how sure it is; `probabilities`, where there
            are labels, a struct with a field for each; `context`, the text that `start` counts in; `read`, what the
            model read, as text; `warnings`, a list of sentences. Where the bundle keeps them: `set` or `low` and
            `high`, which hold what is right as often as promised, and `decided`, at thresholds.

        Raises:
            DataError: An input is missing, or a value cannot be read.
            ModelError: A step or the model failed.
        """
        given = rows if isinstance(rows, pl.DataFrame) else self.table(rows)
        starts = range(0, max(given.height, 1), BATCH)
        return pl.concat([self.answer(given.slice(start, BATCH))[0] for start in starts])

    def answer(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Answer rows at once.

        Args:
            rows: A frame with the columns `inputs`.

        Returns:
            The answers, as `predict` gives them, and what the model read: the columns of its task, after the steps.

        Raises:
            DataError: An input is missing, or a value cannot be read.
            ModelError: A step or the model failed.
        """
        prepared = self.preparation(rows)
        answers = self.scores(prepared.rows)
        told = self.kept.beside(self.form.written(None, answers), self.form, answers)
        if self.labels:
            shares = [pl.Series(label, answers[:, place]) for place, label in enumerate(self.labels)]
            told = told.with_columns(pl.DataFrame(shares).to_struct("probabilities"))
        task = self.bundle.task
        if isinstance(task, QuestionAnswering):
            told = told.with_columns(prepared.rows[task.context].cast(pl.String).fill_null("").alias("context"))
        return told.with_columns(prepared.read.alias("read"), prepared.warnings.alias("warnings")), prepared.rows

    def scores(self, read: pl.DataFrame) -> Answers:
        """What the model answers to rows that have passed the steps: of labels, shape (rows, labels).

        Raises:
            ModelError: It failed.
        """
        with self._turn(), told_as(ModelError, self.bundle.use):
            return self.form.checked(self.model.predict(read), read.height, self.model.labels)

    def _turn(self) -> AbstractContextManager[object]:
        """Most models may be asked by one thread at a time."""
        return nullcontext() if self.model.at_once else self._one_at_a_time

    def table(self, rows: Sequence[str] | Sequence[Mapping[str, Any]]) -> pl.DataFrame:
        """Texts or mappings as a frame with the inputs.

        Raises:
            DataError: A row lacks an input, the model reads several columns and got texts, or a text is broken.
        """
        inputs = self.preparation.inputs
        if isinstance(rows, str):
            raise DataError("one text where several are expected", at="rows", hint="put it into a list")
        mappings: list[Mapping[str, Any]] = []
        for place, row in enumerate(rows):
            if isinstance(row, Mapping):
                mappings.append(row)
            elif len(inputs) == 1:
                mappings.append({inputs[0].name: row})
            else:
                raise DataError(
                    f"this model reads {len(inputs)} columns, not one text",
                    at=f"rows.{place}",
                    hint=f"give {' and '.join(repr(name) for name in self.inputs)} of each row, in a file or as `rows`",
                )
        columns = {}
        for one in inputs:
            values = []
            for place, row in enumerate(mappings):
                values.append(row[self.preparation.named(one, list(row), at=f"rows.{place}")])
            columns[one.name] = _column(one, values)
        return pl.DataFrame(columns)

    def check_golden(self) -> float:
        """Hold the bundle's golden examples against what they come to here.

        Returns:
            The largest difference: of a probability, or as a share of a number.

        Raises:
            ModelError: An example reads otherwise after the steps, or an answer differs by more than `TOLERANCE`
                (`ROUNDED`, where weights are).
        """
        golden = self.bundle.preprocess.golden
        if not golden:
            return 0.0
        prepared = self._prepared([one.input for one in golden])
        answers = self.scores(prepared.rows)
        hint = "another version of a library, or a changed file? Train again here, or use the versions of the run"
        for place, (one, read) in enumerate(zip(golden, prepared.read, strict=True)):
            if read != one.text:
                raise ModelError(
                    f"golden example {place + 1} of {len(golden)} does not read as in training after the steps",
                    at=str(self.folder),
                    hint=hint,
                )
        pairs = zip(golden, self.form.said(answers), strict=True)
        largest = max(self.form.apart(one.predicted, again) for one, again in pairs)
        if not largest <= (TOLERANCE if self.model.precision == "fp32" else ROUNDED):
            raise ModelError(
                f"golden examples differ by up to {largest:.2g} from when the model was saved",
                at=str(self.folder),
                hint=hint,
            )
        return float(largest)

    def _prepared(self, rows: Sequence[Mapping[str, Any]]) -> Prepared:
        """Examples of the bundle's own, as the model reads them.

        Raises:
            ModelError: They cannot be prepared: somebody changed how.
            DataError: A file that a step looks things up in cannot be read.
        """
        try:
            given = self.table(rows)
        except DataError as error:
            raise self._changed(error.problem) from None
        try:
            return self.preparation(given)
        except ModelError as error:
            said = f"{error.at}: {error.problem}" if error.at else error.problem
        except pl.exceptions.PolarsError as error:
            said = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise self._changed(said)

    def _changed(self, said: str) -> ModelError:
        return ModelError(
            f"the bundle's own examples cannot be prepared as it says ({said})",
            at=str(self.folder / PREPROCESS),
            hint="the file was changed: copy the whole bundle again, or run the recipe once more",
        )


def _stamp(folder: Path) -> str:
    try:
        return stamp_of(folder)
    except OSError:  # what is wrong there is told by who reads it
        return ""


def _trained(folder: Path) -> Mapping[str, Trained]:
    """What training rows held of the columns of a table, where the bundle says it."""
    path = folder / REFERENCE
    try:
        return read_trained(path.read_text("utf-8"), at=str(path))
    except (OSError, UnicodeDecodeError):
        return {}


def _column(one: Input, values: list[Any]) -> pl.Series:
    """Values of JSON as a column: of one type where they have one, else text, as a source of JSON lines has it.

    What is read as text is text from the start: else 1 would be "1.0" beside 1.5, and "1" alone.
    """
    # What pandas writes for a missing text is no number, and JSON has no word for it.
    values = [None if isinstance(value, float) and math.isnan(value) else value for value in values]
    if one.type == "integer":  # 3.0 is 3, alone and beside texts
        whole = (isinstance(value, float) and value.is_integer() and abs(value) < 2**63 for value in values)
        values = [int(value) if is_whole else value for value, is_whole in zip(values, whole, strict=True)]
    name, kinds = one.name, {type(value) for value in values} - {type(None)}
    try:
        if any(isinstance(value, float) and math.isinf(value) for value in values):
            raise OverflowError
        if one.type == "text":
            kinds = set()
        if kinds == {int}:
            return pl.Series(name, values, dtype=pl.Int64)
        if kinds and kinds <= {int, float}:
            return pl.Series(name, values, dtype=pl.Float64)
        if kinds == {bool}:
            return pl.Series(name, values, dtype=pl.Boolean)
        texts = [value if value is None or isinstance(value, str) else orjson.dumps(value).decode() for value in values]
        return pl.Series(name, texts, dtype=pl.String)
    except (UnicodeEncodeError, OverflowError, TypeError, orjson.JSONEncodeError):
        raise DataError(
            f"a value of {name!r} cannot be read: half of a surrogate pair, or a number beyond 64 bits", at=name
        ) from None
