"""distilled: a cheap learner that is taught what a dear one says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, cast

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray
from pydantic import Field, field_validator

from seedbed.core.any_source import AnySource
from seedbed.core.context import Context
from seedbed.core.counted import AsCounted, Counted
from seedbed.core.graph import Graph, graph_of
from seedbed.core.learner import ArrayModel, Learner, Model, Only
from seedbed.core.numbers import things
from seedbed.core.other_rows import OtherRows
from seedbed.core.part import Column, Example, Placed
from seedbed.core.rows import ROW, WEIGHT
from seedbed.core.task import Task

from .calibrated import heated
from .composing.any_learner import AnyLearner, origin_of, refused
from .composing.inherited import FromInner
from .composing.saved import load_inner
from .composing.truth import answers_of, truth_of, with_labels
from .example_rows import REMARKS
from .logistic import LogisticOptions
from .ridge import RidgeOptions
from .target import SHARES, texts_of

_SETTINGS = "distilled.json"
_KINDS = ("text_classification", "multi_label_classification", "regression")


class DistilledModel(ArrayModel):
    """The student's model, and how it was taught. It answers as that model does."""

    def __init__(self, model: ArrayModel, *, student: str, taught: str) -> None:
        self.model, self.student, self.taught = model, student, taught
        self.labels, self.at_once = model.labels, model.at_once

    @property
    def told(self) -> tuple[str, ...]:  # type: ignore[override]
        """By whom it was taught, on how many texts; and what the student's model tells."""
        return (self.taught, *self.model.told)

    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """Probability of each label for each row, shape (rows, labels), or its number, shape (rows, 1)."""
        return self.model.predict(rows)

    def use_store(self, store: Path) -> None:
        """As the student's model does."""
        self.model.use_store(store)

    def graph(self, temperature: float = 1.0) -> Graph:
        """The student's.

        Raises:
            ModelError: Its model cannot be said as a graph.
            MissingExtraError: What makes graphs is not installed.
        """
        return graph_of(self.model, self.student, temperature)

    def counted(self) -> Counted | None:
        """The student's layer, where it is one on terms."""
        return self.model.counted() if isinstance(self.model, AsCounted) else None

    def save(self, folder: Path) -> None:
        """Write the student's files, and `distilled.json`: how it was taught."""
        self.model.save(folder)
        (folder / _SETTINGS).write_bytes(orjson.dumps({"student": self.student, "taught": self.taught}))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        told = orjson.loads((folder / _SETTINGS).read_bytes())
        return cls(load_inner(told["student"], folder), **told)


class Distilled(Placed, Learner):
    """A student that learns what a teacher says of texts, rather than their labels alone.

    The teacher learns from the training rows first. Then the student learns, of each training text, a mixture of the
    teacher's probabilities and the label, and of each text in `unlabelled` what the teacher says of it: cross-entropy
    with these shares (Hinton, Vinyals & Dean 2015, *Distilling the Knowledge in a Neural Network*), of each label by
    itself where texts have any number of them. Where numbers are learned it is the mean of the right and the teacher's
    number, which is kept within those of the training rows. The teacher is not part of the model, which is the
    student's.

    ## Why
    A fine-tuned network is slow to ask, a linear model on words is not, and texts without labels are easy to come by:
    the teacher says of thousands more of them what the student would need labels for. With 1,750 labelled tweets and
    6,000 without labels, macro-F1 of `tfidf_logistic` was 0.026 higher (0.013 to 0.039, three seeds), and that of
    `tfidf_embedding_logistic` 0.010 (-0.003 to 0.024); 0.032 and 0.010 below their teacher, a `transformer`. With 600
    rated tweets and 2,400 without ratings, R² of `tfidf_ridge` was 0.56 where it was 0.48 alone; its teacher,
    `embedding_ridge`, had 0.64.

    ## Limits
    It costs what the teacher costs, and its reading of `unlabelled`; without these texts the student gained nothing.
    A student cannot say what its features do not hold, and learns the teacher's mistakes, too. Texts in `unlabelled`
    must not be those of held-out rows: nothing of their labels would be told, but the student would know their words;
    texts that equal a training or validation text are left out. To its own training rows a teacher answers more surely
    than to others; answers of teachers that did not learn from them taught no more, at three times the cost.
    """

    learns: ClassVar[tuple[str, ...]] = cast(
        Any,
        FromInner(
            lambda: _KINDS,
            lambda one: tuple(kind for kind in _KINDS if kind in one.teacher.learns and kind in one.student.learns),
        ),
    )
    model: ClassVar[type[Model[Any]]] = DistilledModel
    heeds_weights: ClassVar[bool] = cast(
        Any, FromInner(lambda: True, lambda one: one.teacher.heeds_weights and one.student.heeds_weights)
    )
    # Whoever has a model needs what the student needs.
    extra: ClassVar[str] = cast(Any, FromInner(str, lambda one: one.student.extra))

    use: Literal["distilled"] = "distilled"
    teacher: AnyLearner = Field(description="Who teaches, as under `train`: such as a `transformer`.")
    student: AnyLearner = Field(
        description="Who is taught and answers in the end: a learner that ends in a logistic or ridge regression on a "
        "text."
    )
    weight: float = Field(
        0.5, ge=0, le=1, description="How much the teacher's answer to a training row counts beside its label."
    )
    temperature: Annotated[float, Only("label", "labels")] = Field(
        1.0, gt=0, le=100, description="Above 1, the teacher's answers are softened: p to the power 1/temperature."
    )
    unlabelled: AnySource | None = Field(
        None, description="Texts without labels, a source as under `sources`: {use: csv, path: more.csv}."
    )
    column: Column | None = Field(
        None, description="Column of `unlabelled` that holds its texts; named as the task's text when left out."
    )
    most_unlabelled: int = Field(20_000, ge=1, description="Most texts of `unlabelled` to learn from: the first ones.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Taught by naive Bayes, with two texts more",
            options={
                "teacher": {"use": "naive_bayes", "min_df": 1},
                "student": {"use": "tfidf_logistic", "min_df": 1, "c": 10},
                "unlabelled": {"use": "csv", "path": "more.csv"},
            },
            files={"more.csv": ["text", "lovely and great", "awful and sad"]},
            before=REMARKS,
            after={"predicted": REMARKS["label"]},
        ),
    )

    @field_validator("student")
    @classmethod
    def _learns_shares(cls, student: Learner) -> Learner:
        if not isinstance(student, LogisticOptions | RidgeOptions):
            hint = "take tfidf_logistic, embedding_logistic, tfidf_embedding_logistic, few_shot, or …_ridge for numbers"
            raise refused(("use",), f"{student.use!r} learns labels alone, and no shares of them", hint)
        return student

    def for_task(self, roles: dict[str, str]) -> Self:
        """With the options of both learners that the task knows."""
        both = {name: getattr(self, name).for_task(roles) for name in ("teacher", "student")}
        return super().for_task(roles).model_copy(update=both)

    def faults(self, task: Task) -> Iterator[tuple[str, str, str]]:
        """Its own, and those of both learners."""
        yield from super().faults(task)
        for name in ("teacher", "student"):
            for option, problem, hint in getattr(self, name).faults(task):
                yield f"{name}.{option}", problem, hint

    def made_from(self) -> Any:
        """Code and files of both learners, and the texts without labels.

        Raises:
            DataError: These cannot be read.
        """
        files = [one.sha256 for one in self._others.scan.files] if self._others else []
        return [origin_of(self.teacher), origin_of(self.student), files]

    @property
    def _others(self) -> OtherRows | None:
        return OtherRows(self.unlabelled, self._base) if self.unlabelled else None

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> DistilledModel:
        """Teach the teacher on the training rows, then the student.

        Raises:
            DataError: The rows cannot be learned from, or the texts without labels not be read.
            ModelError: A learner failed.
            RecipeError: The texts without labels have no such column.
        """
        known = with_labels(task, train)
        more = self._more(train, validation, known)
        with context.stage("Distilling", 2, "fits") as stage:
            teacher = self.teacher.fit(train, validation, known, context)
            teacher.use_store(context.store)
            stage.advance(1, self.teacher.use)
            right = _right(train, known)
            mixed = self.weight * self._said(teacher, train, known, right) + (1 - self.weight) * right
            rows = [_taught(train, known, mixed)]
            if more.height:
                rows.append(_taught(more, known, self._said(teacher, more, known, right)))
            model = self.student.fit(pl.concat(rows, how="diagonal"), validation, known, context)
            stage.advance(1, self.student.use)
        texts = f" and {things(more.height, 'text')} without labels" if more.height else ""
        taught = f"{self.student.use}, taught by {self.teacher.use} on {things(train.height, 'training row')}{texts}"
        return DistilledModel(model, student=self.student.use, taught=taught)

    def _said(
        self, teacher: Model[Any], rows: pl.DataFrame, task: Task, right: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The teacher's answers, softened or kept within what is right of training rows, shape (rows, labels or 1)."""
        found = np.asarray(answers_of(teacher, task, rows))
        if task.says == "number":
            return found.clip(right.min(), right.max())
        if task.says == "label":
            return heated(found, self.temperature)
        each = np.stack([1 - found, found], axis=-1)
        return heated(each.reshape(-1, 2), self.temperature)[:, 1].reshape(found.shape)

    def _more(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task) -> pl.DataFrame:
        """Different texts without labels, which neither training nor validation rows have."""
        assert task.shown is not None
        found = pl.DataFrame(schema={task.shown: pl.String, ROW: pl.String})
        if self._others is None:
            return found
        column = self.column or task.shown
        self._others.require(column, f"{self.use}.column")
        texts: dict[str, None] = {}
        for batch in self._others.batches([column]):
            texts |= dict.fromkeys(batch[column].cast(pl.String).drop_nulls().to_list())
            if len(texts) >= self.most_unlabelled + train.height + validation.height:
                break
        known = {*texts_of(train, task.shown), *texts_of(validation, task.shown), ""}
        new = [text for text in texts if text not in known][: self.most_unlabelled]
        return pl.DataFrame({task.shown: new, ROW: [f"unlabelled#{place + 1}" for place in range(len(new))]})


def _right(train: pl.DataFrame, task: Task) -> NDArray[np.float64]:
    """What is right of training rows, as a teacher would say it, shape (rows, labels or 1)."""
    right = truth_of(task, train)
    if task.says == "label":
        return np.eye(len(task.names))[right]
    return np.asarray(right, dtype=np.float64).reshape(train.height, -1)


def _taught(rows: pl.DataFrame, task: Task, said: NDArray[np.float64]) -> pl.DataFrame:
    """Rows with numbers, or shares of labels; one without labels has those of which it has most, and counts as one."""
    assert task.answer is not None
    count = [] if WEIGHT in rows.columns else [pl.lit(1.0).alias(WEIGHT)]
    if task.says == "number":
        return rows.with_columns(pl.Series(task.answer, said[:, 0]), *count)
    names = np.array(task.names)
    likeliest = pl.Series(task.answer, names[said.argmax(axis=1)], dtype=pl.String)
    if task.says == "labels":
        likeliest = pl.Series(task.answer, [names[one >= 0.5].tolist() for one in said], dtype=pl.List(pl.String))
    label = rows[task.answer].cast(likeliest.dtype) if task.answer in rows.columns else likeliest
    return rows.with_columns(label, pl.Series(SHARES, said.tolist(), dtype=pl.List(pl.Float64)), *count)
