"""What a page needs to ask for a model's columns: where numbers begin and end, and what there is to choose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from seedbed.core.errors import SeedbedError
from seedbed.monitor.columns import as_text
from seedbed.monitor.trained import Trained, as_typed

from .preparation import Preparation, typed


def fields_of(preparation: Preparation) -> list[dict[str, Any]]:
    """Each input's `name` and `type`, names that sources had for it (`known_as`), and what is known of training rows.

    That is, of a table's inputs, `low` and `high`, or `values`.

    What training rows held is known after the steps. It is told where the steps leave it as it is, for only then a
    person can choose it.
    """
    told = [one.model_dump(mode="json") for one in preparation.inputs]
    told = [{name: value for name, value in one.items() if name != "known_as" or value} for one in told]
    known = {one["name"]: preparation.trained[one["name"]] for one in told if one["name"] in preparation.trained}
    if not known:
        return told
    given = {name: _values(one) for name, one in known.items()}
    height = max(len(values) for values in given.values())
    columns = []
    for one in preparation.inputs:
        values = given.get(one.name, ())
        text = pl.Series(one.name, [*values, *[None] * (height - len(values))], dtype=pl.String)
        columns.append(typed(text, one.type))
    try:
        read = preparation(pl.DataFrame(columns)).rows
    except SeedbedError:
        return told
    for field in told:
        name = field["name"]
        if name in known and name in read.columns and _same(known[name], given[name], read[name]):
            field |= known[name].model_dump(mode="json", exclude_defaults=True, exclude={"median"})
    return told


def _values(trained: Trained) -> Sequence[str]:
    """Its categories, or the ends of its range, as somebody types them."""
    if trained.low is None or trained.high is None:
        return trained.values
    return [as_typed(end) for end in (trained.low, trained.high)]


def _same(trained: Trained, given: Sequence[str], read: pl.Series) -> bool:
    found = as_text(read).to_list()[: len(given)]
    if trained.low is None:
        return found == list(given)
    return [None if one is None else float(one) for one in found] == [trained.low, trained.high]
