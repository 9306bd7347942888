"""What a row passes between a person and a model: the steps of a bundle, applied to a few rows or to many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import polars as pl
from polars.datatypes import DataTypeClass
from pydantic import ValidationError

import seedbed.steps  # noqa: F401  (fills the catalogue)
from seedbed.core.errors import DataError, ModelError, RecipeError, did_you_mean, told_as
from seedbed.core.part import BASE
from seedbed.core.rows import ROW, as_json
from seedbed.core.step import Filter, Fitted, Map, Rework, Step
from seedbed.core.task import Chat, Task, rows_said
from seedbed.core.values import HAS_TEXT
from seedbed.engine.kernel import WORK
from seedbed.engine.learned import Learned
from seedbed.monitor.trained import Trained
from seedbed.train.bundle import Carried, Input, InputType, Preprocess

from .odd import strange, unread

#: What the words that a bundle has for types mean.
KINDS: Mapping[InputType, pl.DataType] = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "datetime": pl.Datetime("us"),
}
_KEPT = "\x00kept"
#: Columns that are looked through for one that may be meant, and characters of their names: they are anybody's.
_LOOKED, _SHOWN = 1_000, 80
#: How the warning about a row begins that training would have left out.
_LEFT_OUT = "training left out rows like this one ("
_ANSWERED = "the last turn is the assistant's: the model answers in its place"


def type_of(kind: pl.DataType | DataTypeClass) -> InputType:
    """The word for a column's type; `any` where there is none."""
    if kind in (pl.Categorical, pl.Enum):
        return "text"
    if kind.is_integer():
        return "integer"
    if kind.is_float():
        return "number"
    return next((word for word, known in KINDS.items() if kind == known), "any")


def left_out(warnings: pl.Series) -> pl.Series:
    """Whether training would have left out a row, from its warnings."""
    said = pl.element().str.starts_with(_LEFT_OUT)
    return warnings.to_frame("told").select(pl.col("told").list.eval(said).list.any().fill_null(False)).to_series()


@dataclass(frozen=True)
class Prepared:
    """Rows as a model reads them."""

    rows: pl.DataFrame
    """The columns that the model reads."""
    read: pl.Series
    """The same as text."""
    warnings: pl.Series
    """What is odd about each row, in sentences: a list of text, empty as a rule."""


@dataclass(frozen=True)
class Preparation:
    """The steps of a bundle, ready to be applied. One row alone gives what it gives among others."""

    inputs: tuple[Input, ...]
    unseen: tuple[Input, ...]
    steps: tuple[tuple[Carried, Step], ...]
    task: Task
    reads: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    """Filters that would run code of the bundle's maker, and do not."""
    trained: Mapping[str, Trained] = field(default_factory=dict)
    """What training rows held of the columns that the model reads, where it is known; of texts nothing is."""

    @classmethod
    def of(
        cls,
        preprocess: Preprocess,
        task: Task,
        *,
        at: str,
        trust: bool = False,
        trained: Mapping[str, Trained] | None = None,
    ) -> Self:
        """The preparation that a bundle describes.

        Args:
            preprocess: From the bundle.
            task: What the model does.
            at: The bundle, for messages.
            trust: Whether steps may run functions of whoever made the bundle.
            trained: What training rows held of columns.

        Raises:
            ModelError: A step is not known, does not fit this version, or runs code that is not trusted.
            MissingExtraError: A step needs packages that are not installed.
        """
        steps: list[tuple[Carried, Step]] = []
        skipped = []
        for carried in preprocess.steps:
            part = _class_of(carried, at)
            if part.runs_code and not trust:
                if carried.writes:
                    raise ModelError(
                        f"the text passes {carried.name}, a function of whoever made this model",
                        at=at,
                        hint="if you know whose it is and what it does, say --trust (in Python: trust=True)",
                    )
                skipped.append(carried.name)
                continue
            steps.append((carried, _made(part, carried, at)))
        reads = preprocess.reads or task.reads(())  # a bundle of before there was another task names no column
        return cls(preprocess.inputs, preprocess.unseen, tuple(steps), task, reads, tuple(skipped), trained or {})

    def __call__(self, rows: pl.DataFrame) -> Prepared:
        """Prepare rows that have the inputs; other columns are not looked at.

        Raises:
            DataError: An input is missing.
            ModelError: A step failed.
        """
        given, warnings = self._conform(rows)
        table, verdict, lost = self._stepped(given)
        warnings += lost
        if isinstance(self.task, Chat):
            table, why = self.task.asked(table)
            verdict = verdict.zip_with(verdict.is_not_null() | why.is_null(), "task: " + why)
        asked = table.select(self.reads)
        if self.task.shown in self.reads and self.task.says != "turns":
            asked = asked.with_columns(pl.col(self.task.shown).cast(pl.String))
            bare = ~asked[self.task.shown].str.contains(HAS_TEXT).fill_null(False)
            verdict = verdict.zip_with(verdict.is_not_null() | ~bare, pl.Series(["task: no_text"]))
        if self.trained:
            warnings += strange(self.trained, given, asked)
        left = pl.lit(_LEFT_OUT) + verdict + ")"
        told = pl.select(pl.concat_list([*warnings, left]).list.drop_nulls().alias("warnings")).to_series()
        return Prepared(asked, rows_said(self.task, asked).fill_null(""), told)

    def passed(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
        """Rows after the steps, and for each why training would have left it out (null where it would not).

        Raises:
            DataError: An input is missing.
            ModelError: A step failed.
        """
        return self._stepped(self._conform(rows)[0])[:2]

    def _stepped(self, table: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series, list[pl.Series]]:
        """Rows after the steps, why training would have left them out, and what is said of texts that got lost."""
        verdict = pl.Series([None], dtype=pl.String).new_from_index(0, table.height)
        lost = []
        for carried, step in self.steps:
            before = table
            with told_as(ModelError, carried.name):
                table, why = _passed(table, carried, step)
                verdict = verdict.zip_with(verdict.is_not_null(), why)
            for name in carried.writes:
                word = type_of(table.schema.get(name, pl.String()))
                if before.schema.get(name) == pl.String and word not in ("text", "any"):
                    lost.append(unread(name, before[name], table[name], word))
        return table, verdict, [said for said in lost if said is not None]

    def _conform(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.Series]]:
        """The inputs with the types that they had in training, and warnings about values that could not have them."""
        columns = []
        warnings: list[pl.Series] = []
        for one in self.inputs:
            given = rows[self.named(one, rows.columns)]
            column = typed(given, one.type).alias(one.name)
            columns.append(column)
            if isinstance(self.task, Chat) and one.name == self.task.messages and self.task.turns is None:
                columns[-1], answered = self.task.awaiting(column)
                warnings.append(answered.to_frame("has").select(pl.when("has").then(pl.lit(_ANSWERED))).to_series())
                continue
            if (said := unread(one.name, given, column, one.type)) is not None:
                warnings.append(said)
        for one in self.unseen:
            empty = pl.Series(one.name, [None], dtype=KINDS.get(one.type, pl.Null()))
            columns.append(empty.new_from_index(0, rows.height))
        # Some steps name the row in their errors.
        names = pl.Series(ROW, [f"#{place}" for place in range(1, rows.height + 1)], dtype=pl.String)
        return pl.DataFrame([names, *columns]), warnings

    def named(self, one: Input, columns: list[str], *, at: str = "") -> str:
        """The column that is an input: by its name, or by one that it had in a source of training.

        Raises:
            DataError: There is none.
        """
        found = [name for name in (one.name, *one.known_as) if name in columns]
        if not found:
            known = [name[:_SHOWN] for name in columns[:_LOOKED]]
            hint = did_you_mean(one.name, known).replace("known:", "it has the columns")
            raise DataError(
                f"the model reads the column {one.name!r}, which is not there",
                at=at,
                hint=hint or "there are no columns",
            )
        return found[0]


def _class_of(carried: Carried, at: str) -> type[Step]:
    part = Step.catalogue.get(str(carried.part.get("use")))
    kinds = Map | Filter if carried.state is None else Fitted
    if part is None or not issubclass(part, kinds):
        raise ModelError(
            f"the bundle's step {carried.name!r} is not known",
            at=at,
            hint=did_you_mean(carried.name, Step.catalogue) + "; a plugin's step needs its package installed",
        )
    part.check_needs()
    return part


def _made(part: type[Step], carried: Carried, at: str) -> Step:
    try:
        with _laid_out(carried.code, at) as base:
            made = part.model_validate(carried.part, context={BASE: base})
        return Learned(step=made, state=carried.state or {}) if isinstance(made, Fitted) else made
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"]
    except RecipeError as error:
        said = error.problem
    raise ModelError(
        f"the bundle's step {carried.name!r} cannot be used here ({said})",
        at=at,
        hint="use the version of Seedbed that bundle.json names, or train again with this one",
    )


@contextmanager
def _laid_out(code: Mapping[str, str], at: str) -> Iterator[Path]:
    """A folder that holds the files of a step while it reads them; this one for a step that has none."""
    if not code:
        yield Path.cwd()
        return
    with TemporaryDirectory(prefix="seedbed-") as folder:
        base = Path(folder).resolve()
        for name, text in code.items():
            file = (base / name).resolve()
            if base not in file.parents:
                raise ModelError(
                    f"the function's file {name!r} lies outside the recipe's folder, so no model can take it along",
                    at=at,
                    hint="move it beside the recipe and run again",
                )
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        yield base


def _passed(table: pl.DataFrame, carried: Carried, step: Step) -> tuple[pl.DataFrame, pl.Series]:
    """A table after one step, and for each row why the step would have rejected it (null where it would not)."""
    why = pl.Series([None], dtype=pl.String).new_from_index(0, table.height)
    expressions: list[pl.Expr] = []
    if isinstance(step, Rework):
        done = pl.col(WORK)
        table = table.with_columns(step.work().alias(WORK))
        why = _rejected(table, carried.name, step.keep(done), step.reason(done))
        expressions = list(step.columns(done))
    elif isinstance(step, Filter):
        why = _rejected(table, carried.name, step.keep(), step.reason())
    elif isinstance(step, Map):
        expressions = list(step.columns())
    names = [one.meta.output_name(raise_if_undetermined=False) for one in expressions]
    chosen = [one for one, name in zip(expressions, names, strict=True) if name is None or name in carried.writes]
    return table.with_columns(chosen).drop(WORK, strict=False), why


def _rejected(table: pl.DataFrame, name: str, keep: pl.Expr, reason: pl.Expr) -> pl.Series:
    kept = table.select(keep.alias(_KEPT)).to_series()
    if kept.len() != table.height:  # a literal stands for every row
        kept = kept.new_from_index(0, table.height)
    why = pl.when(pl.col(_KEPT).is_null()).then(pl.lit("cannot_tell")).otherwise(reason.cast(pl.String))
    told = pl.when(~pl.col(_KEPT).fill_null(False)).then(pl.concat_str(pl.lit(f"{name}: "), why))
    return table.with_columns(kept).select(told.alias("why")).to_series()


def typed(given: pl.Series, word: InputType) -> pl.Series:
    """Values as the type that a word means; null where they cannot be."""
    wanted = KINDS.get(word)
    if wanted is None or given.dtype == wanted:
        return given
    if given.dtype.is_numeric() and wanted.is_numeric():
        numbers = given.cast(wanted, strict=False)
        return numbers.set((numbers.cast(pl.Float64) != given.cast(pl.Float64)).fill_null(False), None)
    texts = as_texts(given)
    match word:
        case "boolean":
            known = {"true": True, "false": False}
            return texts.str.to_lowercase().replace_strict(known, default=None, return_dtype=pl.Boolean)
        case "date" | "datetime":
            return _moments(texts).cast(wanted)
        case "text":
            return texts
        case _:
            return texts.str.strip_chars().cast(wanted, strict=False)


def as_texts(given: pl.Series) -> pl.Series:
    """Values as text; as in a source of JSON lines, what is no text stands there as JSON."""
    if not given.dtype.is_nested() and given.dtype != pl.Binary:
        return given.cast(pl.String, strict=False)
    encoded = as_json(given.alias("v").to_frame()).str.strip_prefix('{"v":').str.strip_suffix("}")
    return encoded.set(given.is_null(), None)


def _moments(texts: pl.Series) -> pl.Series:
    """Dates and times as ISO 8601 writes them, without a time zone."""
    plain = texts.str.strip_chars().str.replace("T", " ", literal=True)
    forms = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")
    read = [plain.str.to_datetime(form, time_unit="us", strict=False) for form in forms]
    read.append(plain.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")))
    return pl.select(pl.coalesce(read)).to_series()
