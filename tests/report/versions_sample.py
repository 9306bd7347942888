"""Differences, comparisons and lineages to draw: ordinary, hostile, endless ones, and those where nothing differs."""

from __future__ import annotations

from typing import Any

from seedbed.core.compared import Compared, ComparedModel, ComparedPair, ComparedRun
from seedbed.core.difference import (
    BooksPair,
    ChangedColumn,
    CheckPair,
    Column,
    Difference,
    Distribution,
    Moved,
    Option,
    Paired,
    Rejected,
    Rows,
    ScorePair,
    Shown,
    Side,
    Was,
)
from seedbed.core.lineage import Edge, Lineage, Node
from seedbed.core.metric import Score
from seedbed.core.run import Comparison

HOSTILE = '<script>window.hacked = 1</script><img src=x onerror="window.hacked=1">\x1b[2J\u202e" \'{{ 7*7 }}'
WORD = "w" * 300


def difference(word: str = "label", many: int = 3) -> Difference:
    """A difference with `many` of everything, each called `word`."""
    score = Score(value=0.7, low=0.6, high=0.8, n=100)
    shown = tuple(Shown(row=f"{word}#{n}", split=word, excerpt=word) for n in range(min(many, 5)))
    spread: dict[str, Any] = {"statistic": 12.0, "p": 0.001, "p_holm": 0.002, "effect": 0.2, "n_a": 100, "n_b": 120}
    return Difference(
        a=Side(named=word, folder=word, id="a-1", name=word, started="now", splits={word: 100}),
        b=Side(named=word, folder=word, id="b-1", name="x", started="now", splits={word: 120}),
        differs=("rows", "labels"),
        rows=Rows(
            identity=word, by="row", same=60, added=40, removed=20, changed=15, moved=5, both_labelled=80,
            added_examples=shown, removed_examples=shown, removed_because={f"{word}{n}": n for n in range(many)},
            columns=tuple(
                ChangedColumn(column=f"{word}{n}", rows=5, examples=(Was(row=word, a=word, b=None),))
                for n in range(many)
            ),
            splits=(Moved(a=word, b="test", rows=5),),
            labels=tuple(Moved(a=f"{word}{n}", b=word, rows=2) for n in range(many)),
        ),
        schema_changes=tuple(Column(column=f"{word}{n}", a=None, b="String") for n in range(many)),
        distributions=(
            Distribution(about=word, kind="labels", test="chi-square", a={word: 0.2, "x": 0.8}, b={word: 0.3, "x": 0.7},
                         verdict="differs", **spread),
            Distribution(about=word, kind="lengths", test="Kolmogorov-Smirnov", a={"50 %": 12.0}, b={"50 %": 13.5},
                         verdict="not distinguishable", **spread),
        ),
        checks=tuple(CheckPair(check=f"{word}{n}", a="passed", b="failed", value_a=word) for n in range(many)),
        scores=tuple(ScorePair(model=word, split="test", metric=f"m{n}", a=score, b=None) for n in range(many)),
        paired=Paired(rows=90, of_a=100, of_b=120, comparisons=(
            Comparison(a=word, b=word, split="test", metric="macro_f1", difference=0.1, low=0.05, high=0.15, p=0.001,
                       mcnemar=0.01, n=90, verdict="better"),
        )),
        recipe=tuple(Option(path=f"{word}.{n}", a=None, b=[word]) for n in range(many)),
        books=BooksPair(read_a=1, read_b=2, kept_a=1, kept_b=2, rejected=tuple(
            Rejected(part=f"{word}{n}", reason=word, a=1, b=2) for n in range(many)
        )),
        notes=(word,),
    )  # fmt: skip


def alike() -> Difference:
    """Two datasets between which nothing differs."""
    side = Side(named="x", folder="x", splits={"train": 10})
    rows = Rows(
        identity="rows are the same where their id is", by="row", same=10, added=0, removed=0, changed=0, moved=0,
        added_examples=(), removed_examples=(),
    )  # fmt: skip
    return Difference(a=side, b=side, differs=(), rows=rows, schema_changes=(), distributions=())


def compared(word: str = "model", many: int = 3, *, judged: bool = True) -> Compared:
    """Two runs, each with `many` models called `word` and their number, that differ or that nothing compares."""
    score = Score(value=0.7, low=0.6, high=0.8, n=100)
    run: dict[str, Any] = {
        "named": word, "folder": word, "name": word, "started": "2026-11-23T10:00", "state": "failed",
        "task": "text_classification", "metric": "macro_f1", "dataset": "0" * 64, "level": 0.95,
    }  # fmt: skip
    told = {"split": "test", "metric": "macro_f1", "difference": 0.1, "low": 0.05, "high": 0.15, "p": 0.001, "n": 90}
    return Compared(
        runs=tuple(ComparedRun(letter=letter, id=f"{word} {letter}", **run) for letter in "ab"),
        models=tuple(
            ComparedModel(run=letter, model=f"{word}{n}", use=word, best=n == 1, split="test", seconds=1.5, bytes=2000,
                          scores={"macro_f1": score, word: score} if n else {})
            for letter in "ab" for n in range(many)
        ),
        metric="macro_f1",
        pairs=(
            ComparedPair(a="a", b="b", rows=90, of_a=100, of_b=100, why_not=None if judged else f"{word} changed"),
        ),
        comparisons=tuple(
            Comparison(a=f"{word}{n} of a", b=f"{word}{n} of b", p_holm=0.003,
                       verdict="better" if n else "not distinguishable", **told)
            for n in range(many)
        ) if judged else (),
    )  # fmt: skip


def lineage(word: str = "rows.csv", runs: int = 3) -> Lineage:
    """Runs, each of which read what the one before made."""
    nodes = [Node(key="s", kind="source", title=word, detail=word)]
    edges = []
    for n in range(runs):
        nodes += [
            Node(key=f"r{n}", kind="run", title=word, detail=f"id-{n}", state="passed", tags=(word,)),
            Node(key=f"d{n}", kind="dataset", title=word, detail=word),
            Node(key=f"m{n}", kind="model", title=word, detail=word),
        ]
        edges += [
            Edge(start=f"d{n - 1}" if n else "s", end=f"r{n}"),
            Edge(start=f"r{n}", end=f"d{n}"),
            Edge(start=f"r{n}", end=f"m{n}"),
        ]
    return Lineage(nodes=tuple(nodes), edges=tuple(edges))
