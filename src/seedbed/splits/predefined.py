"""Splits that somebody made before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from seedbed.core.errors import DataError, did_you_mean
from seedbed.core.numbers import things
from seedbed.core.part import Column, Example
from seedbed.core.showing import clean
from seedbed.core.splitter import LEFT_OUT, SPLITS, ByValue, Placement

from .at_home import NEAR_HELD_OUT, homes
from .dealing import TRAIN
from .stratified import Stratified

NO_SPLIT, UNKNOWN, IN_OTHER = "no_split", "unknown_split", "in_other_split"
#: What splits are called where the recipe does not say.
USUAL: Mapping[str, tuple[str, ...]] = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "development"),
    "test": ("test", "testing", "eval", "evaluation", "holdout"),
}
Names = Annotated[tuple[str, ...], BeforeValidator(lambda given: (given,) if isinstance(given, str) else given)]


class Predefined(ByValue):
    """Takes the splits that somebody made before: a column says them, or each split is a source of its own.

    Names are compared without regard to case. A row whose name is missing (`no_split`) or that no split has
    (`unknown_split`) is rejected.

    ## Why
    Scores are comparable with what others published only on the same test rows. But published splits leak more often
    than not: the same text stands in train and test. Here that is counted, and mended.

    Where rows that belong together were given to different splits, `on_leak` says what becomes of them. `reject` keeps
    what trains, and rejects held-out rows like it (`in_other_split`; between validation and test, the test's stay);
    `reject_train` keeps the test whole, then validation, and rejects what is like it elsewhere, for scores that are to
    be compared with published ones; `move` puts them all into train (or the test, where none trains), and loses none;
    `stop` stops the run. The ledger names, for each row that is rejected, the row that it was left out for.

    ## Limits
    Shares are what they are, and so are labels. A chain of near copies counts as a whole: a row may be rejected for
    being like a row that is like another one. With `reject`, a published score is about more test rows than yours.
    """

    use: Literal["predefined"] = Field("predefined", description="The splitter's name.")
    column: Column | None = Field(None, description="Column that says the split.")
    by: Literal["column", "source"] = Field(
        "column", description="`source`: each source is of one split, by its name (`name` of the source)."
    )
    names: Mapping[Literal["train", "validation", "test"], Names] | None = Field(
        None,
        description="What the splits are called there, such as `{train: [train], validation: [dev, valid], test: "
        "[test]}`; the usual names when left out.",
    )
    on_leak: Literal["reject", "reject_train", "move", "stop"] = Field(
        "reject", description="What becomes of rows that belong together and were given to different splits."
    )
    validation: float = Field(
        0.0, ge=0, lt=1, description="Share of the training rows that become validation, where nobody made one."
    )
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A test row that also trains is left out",
            options={"column": "part"},
            before={
                "label": ["a", "b", "a", "b", "a", "b"],
                "part": ["train", "train", "dev", "test", "test", None],
                "cluster": [0, 1, 2, 0, 4, 5],
            },
            after={"train": [2], "validation": [1], "test": [1], "rejected": [2]},
        ),
        Example(
            title="Its twin is left out instead",
            options={"column": "part", "names": {"train": ["A"], "test": ["B"]}, "on_leak": "reject_train"},
            before={"label": ["a", "b", "a"], "part": ["a", "a", "b"], "cluster": [0, 1, 0]},
            after={"train": [1], "test": [1], "rejected": [1]},
        ),
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.by == "column") != (self.column is not None):
            raise ValueError("name the column that says the split, or say `by: source`")
        called = [name.casefold() for names in self._called.values() for name in names]
        twice = next((name for place, name in enumerate(called) if name in called[:place]), None)
        if twice is not None:
            raise ValueError(f"the name {twice!r} stands for two splits")
        if not {"train", "test"} <= self._called.keys():
            raise ValueError("names: train and test need names")
        if self.validation and self.names and "validation" in self.names:
            raise ValueError("validation is named and is to be cut from train: one of the two")
        return self

    @property
    def _called(self) -> dict[str, tuple[str, ...]]:
        """The names of each split that has some."""
        if self.names is None:
            return dict(USUAL)
        named = [(split, names) for split in SPLITS for key, names in self.names.items() if key == split and names]
        return dict(named)

    @property
    def shares(self) -> dict[str, float]:
        """Somebody else said how many rows they get."""
        return {}

    @property
    def splits(self) -> tuple[str, ...]:
        """Those that have names; validation may be empty where the recipe names none."""
        return tuple(split for split in SPLITS if split in self._called or (split == "validation" and self.validation))

    @property
    def says(self) -> str | None:
        """The column, if it is one."""
        return self.column

    def place(
        self, said: pl.Series, clusters: NDArray[np.int64], labels: NDArray[np.int64], only_train: NDArray[np.bool_]
    ) -> Placement:
        """By name; what rows that belong together get is the rule of `on_leak`."""
        splits, own = self._own(said, only_train)
        places, reasons = own.copy(), np.full(len(own), None, dtype=object)
        reasons[(own == LEFT_OUT) & said.is_null().to_numpy()] = NO_SPLIT
        reasons[(own == LEFT_OUT) & said.is_not_null().to_numpy()] = UNKNOWN
        order = np.arange(len(own))
        home = homes(own, clusters, only_train, ranks=self._ranks(splits), order=order)
        away = (own != LEFT_OUT) & (own != home.split)
        because, moved = np.full(len(own), LEFT_OUT), 0
        if away.any() and self.on_leak == "stop":
            self._stop(int(away.sum()))
        if self.on_leak == "move":
            moved = int((away & ~only_train).sum())
            places[away & ~only_train] = home.split[away & ~only_train]
            away &= only_train
        places[away] = LEFT_OUT
        reasons[away] = np.where(only_train[away], NEAR_HELD_OUT, IN_OTHER)
        because[away] = home.first[away]
        self._cut(splits, places, clusters, labels, only_train)
        self._refuse_empty(splits, places, said)
        return Placement(places, reasons, because, moved, splits)

    def _own(self, said: pl.Series, only_train: NDArray[np.bool_]) -> tuple[tuple[str, ...], NDArray[np.int8]]:
        """The splits, and which of them each row says."""
        called = {name.casefold(): split for split, names in self._called.items() for name in names}
        named = said.cast(pl.String).str.strip_chars()
        known = {value: called.get(value.casefold()) for value in named.unique().drop_nulls().to_list()}
        found = {*known.values(), *(["validation"] if self.validation else [])}
        if self.validation and "validation" in known.values():
            raise DataError(
                "some rows are validation already, and validation is to be cut from train",
                at="split.validation",
                hint="leave `validation` out, or name train and test alone in `names`",
            )
        splits = tuple(split for split in self.splits if split in found or self.names is not None or split != SPLITS[1])
        codes = {value: splits.index(split) if split in splits else LEFT_OUT for value, split in known.items()}
        own = named.replace_strict(codes, default=LEFT_OUT, return_dtype=pl.Int8).to_numpy().copy()
        own[only_train] = TRAIN
        return splits, own

    def _ranks(self, splits: tuple[str, ...]) -> list[int]:
        """Whose rows stay: the first's before all others'."""
        first = ("test", "validation", "train") if self.on_leak == "reject_train" else ("train", "test", "validation")
        return [[name for name in first if name in splits].index(split) for split in splits]

    def _stop(self, away: int) -> None:
        raise DataError(
            f"{things(away, 'row')} belong together with rows of another split",
            at="split",
            hint="on_leak: reject leaves out held-out ones, reject_train those that train, move puts them together",
        )

    def _cut(
        self,
        splits: tuple[str, ...],
        places: NDArray[np.int8],
        clusters: NDArray[np.int64],
        labels: NDArray[np.int64],
        only_train: NDArray[np.bool_],
    ) -> None:
        """Make validation rows of training rows, where that is asked for."""
        if not self.validation:
            return
        bound = np.isin(clusters, clusters[only_train & (places == TRAIN)])
        train = (places == TRAIN) & ~bound
        dealer = Stratified(train=1 - self.validation, validation=0, test=self.validation, seed=self.seed)
        dealt = dealer.assign(clusters[train], labels[train])
        places[train] = np.where(dealt == TRAIN, TRAIN, splits.index("validation"))

    def _refuse_empty(self, splits: tuple[str, ...], places: NDArray[np.int8], said: pl.Series) -> None:
        for place, name in enumerate(splits):
            if not (places == place).any():
                there = sorted({clean(one)[:40] for one in said.cast(pl.String).drop_nulls().unique().to_list()})
                names = self._called.get(name, ())
                near = next((hint for one in names if (hint := did_you_mean(one, there))), "")
                raise DataError(
                    f"{name} gets no row: no row that is left says {' or '.join(map(repr, names))}",
                    at="split",
                    hint=f"say in `names` what it is called; {near}" if near else "say in `names` what it is called",
                )
