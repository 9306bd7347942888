"""Options `at_least` and `at_most`, of which a part needs one or both: the same for steps and checks."""

from __future__ import annotations

from typing import Any, TypeVar

Limited = TypeVar("Limited", bound=Any)


def limits_fit(part: Limited) -> Limited:
    """The part, if its limits can be met: `_limits_fit = model_validator(mode="after")(limits_fit)`.

    Raises:
        ValueError: It has neither `at_least` nor `at_most`, or the one is above the other.
    """
    least, most = part.at_least, part.at_most
    if least is None and most is None:
        raise ValueError(f"{part.use} needs at_least, at_most or both")
    if least is not None and most is not None and least > most:
        raise ValueError(f"nothing is at least {least:,} and at most {most:,}")
    return part
