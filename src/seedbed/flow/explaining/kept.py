"""The story of a row that was kept: what it stands with, what went because of it, and what models said of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import polars as pl

from seedbed.core.rows import ROW
from seedbed.core.task import Task
from seedbed.evaluate.forms import Form, form_of, in_words, surprise_in_words

from .held import Held, Kept
from .made import MOST_OFFSPRING, offspring_of
from .relatives import Relating
from .showing import shown
from .story import Copy, Prediction

#: Rejected copies that are named.
_MOST_COPIES = 5


def kept_story(held: Held, row: str, kept: Kept | None) -> dict[str, Any]:
    """What a story says of a kept row alone; of little where the run stopped before it had a dataset."""
    made = offspring_of(row, held.ledger)
    told: dict[str, Any] = {"fate": held.fate(None, kept), **_copies(held, row)}
    told |= {"offspring": tuple(made[:MOST_OFFSPRING]), "all_offspring": len(made)}
    run = held.finished.run
    if kept is None:
        return told
    split, values = kept
    if run.dataset.near_duplicates.get("column"):  # of a table, only equal rows belong together
        task = held.finished.task
        quotes = task is not None and task.says in ("spans", "text", "turns")
        relating = Relating.of(run, held.dataset, held.label, quotes=quotes)
        text = values.get(relating.column)
        told |= {"threshold": relating.threshold, "shingles": relating.kind}
        if text is not None:
            told["together"], told["neighbours"] = relating.about(row, str(text))
    column = held.recipe.get("split", {}).get("group")
    if column is not None and values.get(column) is not None:
        same = pl.col(column) == values[column]
        told["group"] = f"{column} = {shown(values[column])}"
        told["group_rows"] = held.dataset.scan(split).filter(same).select(pl.len()).collect().item()
    return told | {"models": len(run.models), "predictions": tuple(_predictions(held, row, split))}


def _copies(held: Held, row: str) -> dict[str, Any]:
    """Rows that were rejected because of this one."""
    named = [pl.col("evidence").str.json_path_match(f"$.{key}") == row for key in ("of", "kept")]
    # A row of another dataset may have the name of one of this.
    own = pl.col("evidence").str.json_path_match("$.against").is_null()
    found = held.ledger.filter(pl.col("action") == "rejected", own, pl.any_horizontal(named)).collect()
    copies = [
        Copy(
            row=entry[ROW],
            part=entry["part"],
            reason=entry["reason"],
            similarity=json.loads(entry["evidence"]).get("similarity"),
            text=entry["excerpt"],
        )
        for entry in found.head(_MOST_COPIES).to_dicts()
    ]
    return {"copies": tuple(copies), "all_copies": found.height}


def _predictions(held: Held, row: str, split: str) -> Iterator[Prediction]:
    task = held.finished.task
    for model in held.finished.run.models if task else ():
        path = held.folder / "predictions" / f"{model.name}-{split}.parquet"
        if not path.is_file():
            continue
        found = pl.scan_parquet(path, glob=False).filter(pl.col(ROW) == row).collect()
        if found.height:
            assert task is not None
            yield _prediction(task, model.name, found.head(1))


def _prediction(task: Task, model: str, told: pl.DataFrame) -> Prediction:
    """What a model said of a row."""
    one = told.row(0, named=True)
    if task.says == "itself":
        return Prediction(model=model, predicted=surprise_in_words(one), truth="")
    form = form_of(task)
    pair = form.reread(told)
    right = form.right(*pair) if pair else None
    return Prediction(
        model=model,
        predicted=_fit(form, in_words(task.says, one["predicted"])),
        confidence=one.get("confidence"),
        truth=_fit(form, in_words(task.says, one["truth"])),
        right=None if right is None else bool(right[0]),
    )


def _fit(form: Form, words: str) -> str:
    """An answer fit to be shown: where it quotes data, short and with personal data masked."""
    return (shown(words) or "") if form.quotes else words
