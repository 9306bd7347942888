"""How many rows of each label are wanted, by what `to` says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from seedbed.core.errors import DataError, did_you_mean

#: A share of the rows of another label.
Share = Annotated[float, Field(gt=0, le=1)]
#: What `to` may say: `balanced`, a share, or rows by label.
Wanted = str | float | Mapping[str, int]


def most_rows(counts: Mapping[str, int], to: Wanted, *, at: str) -> dict[str, int]:
    """The most rows of each label that are wanted: as many as the rarest label has, over the share."""
    if isinstance(to, Mapping):
        return _known(counts, to, at)
    rarest = min(counts.values(), default=0)
    share = 1.0 if isinstance(to, str) else to
    return {label: math.floor(rarest / share + 1e-9) for label in counts}


def least_rows(counts: Mapping[str, int], to: Wanted, *, at: str) -> dict[str, int]:
    """The fewest rows of each label that are wanted: as many as the most frequent label has, times the share."""
    if isinstance(to, Mapping):
        return _known(counts, to, at)
    most = max(counts.values(), default=0)
    share = 1.0 if isinstance(to, str) else to
    return {label: math.ceil(most * share - 1e-9) for label in counts}


def _known(counts: Mapping[str, int], named: Mapping[str, int], at: str) -> dict[str, int]:
    for label in named:
        if label not in counts:
            raise DataError(f"no training row has the label {label[:40]!r}", at=at, hint=did_you_mean(label, counts))
    return dict(named)
