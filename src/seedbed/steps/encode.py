"""encode: turn categories into numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

import polars as pl
from pydantic import Field, model_validator

from seedbed.core.errors import DataError
from seedbed.core.numbers import things
from seedbed.core.part import Column, Columns, Example, LabelColumn
from seedbed.core.step import Fitted
from seedbed.core.values import Value

from .learned.categories import OTHER, category_of, code_of, counted, fold_of, named
from .learned.targets import encodings, outputs

#: Categories told apart where the recipe does not say: a column each takes more room than a number each.
_USUALLY = {"one_hot": 50, "ordinal": 10_000, "frequency": 10_000, "target": 10_000}


class Encode(Fitted):
    """Writes numbers for the categories of a column; the column itself stays.

    * `one_hot`: a column `COLUMN=CATEGORY` of 0 and 1 for each, and `COLUMN~other` for those that are rare or were not
      seen in training.
    * `ordinal`: `COLUMN_code`, the place in `order`, or in the alphabet, from 0; rare or unseen ones are -1.
    * `frequency`: `COLUMN_frequency`, the share of training rows with that category; 0 for unseen ones.
    * `target`: the mean of the label among training rows of that category, drawn towards the mean of all rows by
      `smooth` rows (Micci-Barreca, SIGKDD Explorations 2001): `LABEL=CLASS|COLUMN` for each class, for the second of
      two, or `LABEL|COLUMN` where the label is a number. A training row gets means of rows of other folds than its
      own, since its own label would tell the model the answer; rare and unseen ones get the mean of all.

    ## Why
    Most models read numbers only. Which categories there are is learned from training rows, so that a test row with a
    category of its own meets what the model will meet in use.

    ## Limits
    Categories are compared whole, as text and with their case; `merge_categories` finds spellings. Missing and blank
    is a category of its own where training rows had it (`COLUMN~missing`), and like an unseen one elsewhere; its
    `ordinal` code is missing. Names of categories over 40 characters are cut, with a hash. Rows are dealt to folds one
    by one, by the hash of their names: copies of a row (`oversample`) tell its label to other folds, so encode before.
    Learners of texts read the task's text alone; those of tables read these columns, too, unless the task names its
    `features`. Which columns there are hangs on the training rows, in folds on those of each, so none can be named.
    """

    by_name: ClassVar[bool] = True

    use: Literal["encode"] = "encode"
    column: Column | Columns = Field(description="Column to encode, or several.")
    method: Literal["one_hot", "ordinal", "frequency", "target"] = Field("one_hot", description="Which numbers.")
    at_least: int = Field(1, ge=1, description="Training rows that a category needs in order not to be rare.")
    at_most: int | None = Field(
        None, ge=1, description="Most categories told apart, the most frequent; 50 for one_hot, else 10,000."
    )
    order: Annotated[list[Value], Field(min_length=1)] | None = Field(
        None, description="The categories from least to most, for ordinal."
    )
    label: LabelColumn = Field(None, description="What target means are of; the task's label when left out.")
    label_is: Literal["category", "number"] = Field("category", description="What the label is, for target.")
    folds: int = Field(5, ge=2, le=100, description="Parts that training rows are dealt to, for target.")
    smooth: float = Field(10, ge=0, description="Rows that the mean of all rows counts for, for target.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A column each, and one for what is rare or new",
            options={"column": "colour", "at_least": 2},
            before={"colour": ["red", "blue", "red", "blue", "mauve", None]},
            after={
                "colour=blue": [0, 1, 0, 1, 0, 0],
                "colour=red": [1, 0, 1, 0, 0, 0],
                "colour~other": [0, 0, 0, 0, 1, 0],
                "colour~missing": [0, 0, 0, 0, 0, 1],
            },
        ),
        Example(
            title="In an order",
            options={"column": "size", "method": "ordinal", "order": ["S", "M", "L"]},
            before={"size": ["M", "S", "L", "XXL", None]},
            after={"size_code": [1, 0, 2, -1, None]},
        ),
        Example(
            title="How frequent",
            options={"column": "city", "method": "frequency"},
            before={"city": ["Ulm", "Ulm", "Rom", "Ulm"]},
            after={"city_frequency": [0.75, 0.75, 0.25, 0.75]},
        ),
        Example(
            title="Means of the label among rows of other folds",
            options={"column": "shop", "method": "target", "label_is": "number", "folds": 3, "smooth": 0},
            before={"shop": ["a", "b", "a", "b", "a", "b"], "label": [1.0, 10.0, 2.0, 20.0, 3.0, 30.0]},
            after={"label|shop": [2.5, 25.0, 2.0, 10.0, 1.5, 10.0]},
        ),
    )

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        if len(set(self._names)) < len(self._names):
            raise ValueError("a column is named twice")
        if self.order is not None and self.method != "ordinal":
            raise ValueError(f"only the method ordinal takes an `order`, not {self.method}")
        if self.order is not None and len(set(self.order)) < len(self.order):
            raise ValueError("a category stands twice in `order`")
        return self

    @property
    def _names(self) -> list[str]:
        return [self.column] if isinstance(self.column, str) else list(self.column)

    def brings(self) -> Sequence[str]:
        """The codes and frequencies; names of others hang on the categories."""
        if self.method in ("ordinal", "frequency"):
            return [f"{name}_{'code' if self.method == 'ordinal' else 'frequency'}" for name in self._names]
        return ()

    def fit(self, train: pl.LazyFrame, seed: int) -> dict[str, Any]:
        """By column: the categories told apart (`kept`), and whether missing is one, with what the method needs.

        Raises:
            DataError: A column holds no categories, or a column to write is there already.
        """
        state = {name: self._learned(train, name, seed) for name in self._names}
        columns = set(train.collect_schema().names())
        written = [name for column in self._names for name in self._written(column, state[column])]
        for place, name in enumerate(written):
            if name in columns or name in written[:place]:
                raise DataError(f"encode writes the column {name!r}, which is there already", at=self.use)
        return {"columns": state, "seed": seed}

    def columns(self, state: dict[str, Any]) -> Sequence[pl.Expr]:
        """The numbers."""
        return [one for name in self._names for one in self._encoded(name, state["columns"][name])]

    def train_columns(self, state: dict[str, Any]) -> Sequence[pl.Expr]:
        """The same; means of other folds for `target`."""
        if self.method != "target":
            return self.columns(state)
        fold = fold_of(self.folds, state["seed"])
        return [one for name in self._names for one in self._encoded(name, state["columns"][name], fold)]

    def told(self, state: dict[str, Any]) -> Sequence[str]:
        """How many categories are told apart."""
        told = {name: things(len(one["kept"]), "category", "categories") for name, one in state["columns"].items()}
        return [f"{name}: {categories} told apart" for name, categories in told.items()]

    def _learned(self, train: pl.LazyFrame, name: str, seed: int) -> dict[str, Any]:
        counts, missing = counted(train, name)
        if self.order is not None:
            return {"kept": list(self.order), "missing": False}
        often = [one for one, rows in counts.items() if rows >= self.at_least]
        kept = sorted(often[: self.at_most or _USUALLY[self.method]])
        found: dict[str, Any] = {"kept": kept, "missing": missing > 0}
        if self.method == "frequency":
            every = max(sum(counts.values()) + missing, 1)
            found["shares"] = [counts[one] / every for one in kept] + [missing / every] * (missing > 0)
        if self.method == "target":
            rows = train.select(
                code=code_of(name, kept, missing=missing > 0), fold=fold_of(self.folds, seed), label=str(self.label)
            ).collect()
            classes, values = outputs(rows["label"], number=self.label_is == "number", at=self.use)
            found["classes"] = classes
            found["means"] = encodings(rows["code"], rows["fold"], values, self._codes(found), self.folds, self.smooth)
        return found

    def _codes(self, found: dict[str, Any]) -> int:
        return len(found["kept"]) + bool(found["missing"])

    def _written(self, name: str, found: dict[str, Any]) -> list[str]:
        if self.method == "one_hot":
            return [*named(name, found["kept"]), f"{name}~other", *[f"{name}~missing"] * found["missing"]]
        if self.method == "target":
            if found["classes"] is None:
                return [f"{self.label}|{name}"]
            return [f"{one}|{name}" for one in named(str(self.label), found["classes"])]
        return [f"{name}_{'code' if self.method == 'ordinal' else 'frequency'}"]

    def _encoded(self, name: str, found: dict[str, Any], fold: pl.Expr | None = None) -> list[pl.Expr]:
        code = code_of(name, found["kept"], missing=found["missing"])
        written = self._written(name, found)
        if self.method == "one_hot":
            codes = [*range(len(found["kept"])), OTHER, *[len(found["kept"])] * found["missing"]]
            return [(code == one).cast(pl.UInt8).alias(new) for one, new in zip(codes, written, strict=True)]
        if self.method == "ordinal":
            return [pl.when(category_of(name).is_not_null()).then(code).alias(written[0])]
        every = range(OTHER, self._codes(found))
        if self.method == "frequency":
            return [_looked_up(code, list(every), [0.0, *found["shares"]]).alias(written[0])]
        at = 0 if fold is None else fold.cast(pl.Int32) + 1
        places = [fold * len(every) + one for fold in range(len(found["means"])) for one in range(len(every))]
        place = at * len(every) + code - OTHER
        return [
            _looked_up(place, places, [code[output] for fold in found["means"] for code in fold]).alias(new)
            for output, new in enumerate(written)
        ]


def _looked_up(code: pl.Expr, codes: Sequence[int], values: Sequence[float]) -> pl.Expr:
    old, new = pl.Series(codes, dtype=pl.Int32), pl.Series(values, dtype=pl.Float64)
    return code.cast(pl.Int32).replace_strict(old, new, return_dtype=pl.Float64)
