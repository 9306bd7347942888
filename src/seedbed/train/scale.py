"""The scale on which numbers are learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from seedbed.core.errors import DataError
from seedbed.core.learner import Only
from seedbed.core.numbers import things

OnScale = Annotated[
    Literal["auto", "linear", "log"],
    Field(
        description="For numbers: learn them as they are (`linear`), as logarithms (`log`), or as whichever of the two "
        "is less lopsided (`auto`).",
    ),
    Only("number"),
]


@dataclass(frozen=True)
class Scale:
    """What is learned of numbers: themselves, or logarithms where those are less lopsided, as of most prices."""

    log: bool

    @classmethod
    def of(cls, numbers: pl.Series) -> Scale:
        """The scale on which some numbers lie."""
        values = numbers.cast(pl.Float64)
        least = values.min()
        if not isinstance(least, float) or least <= 0:
            return cls(log=False)
        plain, log = values.skew(), values.log().skew()
        return cls(log=plain is not None and log is not None and abs(log) < abs(plain))

    @classmethod
    def asked(cls, on: Literal["auto", "linear", "log"], numbers: pl.Series) -> Scale:
        """The scale that an option asks for.

        Raises:
            DataError: Logarithms are asked for, and a number has none.
        """
        without = int((numbers <= 0).sum())
        if on == "log" and without:
            raise DataError(
                f"{things(without, 'training row has', 'training rows have')} a number of 0 or below, which has no "
                "logarithm",
                at=numbers.name,
                hint="scale: linear",
            )
        return cls.of(numbers) if on == "auto" else cls(log=on == "log")

    def to(self, numbers: pl.Series) -> NDArray[np.float64]:
        """Numbers on that scale; a logarithm of what has none is far below all others."""
        values = numbers.cast(pl.Float64)
        return (values.clip(1e-300).log() if self.log else values).to_numpy()

    def back(self, told: Any) -> NDArray[np.float64]:
        """Numbers again, shape (rows, 1)."""
        found = np.asarray(told, dtype=np.float64).reshape(-1, 1)
        return np.exp(found.clip(-700, 700)) if self.log else found
