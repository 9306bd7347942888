"""One preprocessing: what of a recipe's steps a row passes before a model reads it, as data, with examples.

A column is followed back from what the task reads: the Maps that write it, those that write what these read, and so on
to the columns that a row must bring. Filters that look at nothing else come along to warn. Which columns an expression
reads is asked of Polars, which knows what it would read from a file for it: options and names of parts tell nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import polars as pl
from polars.io.plugins import register_io_source

from seedbed.core.context import Context
from seedbed.core.ledger import holds_personal_data
from seedbed.core.part import labels_of
from seedbed.core.rows import NUMBER, PARENTS, ROW, WEIGHT, as_json, data_columns
from seedbed.core.run import StepRecord
from seedbed.core.step import Filter, Map, Rework, Step
from seedbed.core.task import Chat, Task, rows_said
from seedbed.engine.curate import Curated
from seedbed.engine.learned import Learned
from seedbed.engine.raw import raw_rows
from seedbed.serve.preparation import as_texts, type_of
from seedbed.train.bundle import Carried, Golden, Input, Preprocess

#: Examples in a bundle.
GOLDEN = 8
#: Held-out rows that examples are chosen among: those in which nothing looks like personal data.
_CHOSEN_AMONG = 100
#: What Polars reads for an expression that needs no column at all.
_NOTHING = "\x00nothing"
_LABEL = "\x00label"


@dataclass(frozen=True)
class Preprocessing:
    """What a row passes, and some held-out rows before and after that."""

    carried: Preprocess
    """Without examples, which are each model's own."""
    examples: pl.DataFrame
    """The held-out rows as models read them: `ROW` and the columns that they read."""
    raw: tuple[dict[str, Any], ...]
    """The same rows as a source holds them: the values of the inputs."""
    task: Task
    left_out: tuple[int, int] = (0, 0)
    """Rows that steps and task rejected for what a row brings that is to be answered, and of how many."""

    def shown_by(self, answers: Sequence[Any]) -> Preprocess:
        """With what a model answers to the examples, as the form of the task's answers says it."""
        texts = rows_said(self.task, self.task.as_asked(self.examples)).fill_null("")
        golden = tuple(
            Golden(input=raw, text=text, predicted=answer)
            for raw, text, answer in zip(self.raw, texts, answers, strict=True)
        )
        return self.carried.model_copy(update={"golden": golden})


def preprocessing_of(
    steps: Sequence[Step],
    task: Task,
    curated: Curated,
    held_out: Sequence[str],
    context: Context,
    learned: Sequence[tuple[str, Learned]] = (),
) -> Preprocessing:
    """The preprocessing of a run.

    Args:
        steps: The recipe's.
        task: Names what models read, and the answer, which no row brings.
        curated: Where rows and raw rows come from.
        held_out: `ROW` names of rows that no model was trained on, in order.
        context: As it was when the rows were read.
        learned: What parts of `prepare` do to rows that do not train, with their names in the ledger.
    """
    known: dict[str, tuple[str, ...]] = {}
    for one in curated.opened:
        for new, old in one.renames.items():
            if old not in (new, ROW, NUMBER):  # a column of that name is renamed in every file, not by the recipe
                known[new] = tuple(dict.fromkeys((*known.get(new, ()), old)))
    reads = task.reads([name for name in data_columns(curated.table.schema) if name not in (WEIGHT, PARENTS)])
    # An answer that stands where it is asked for (turns, texts that go on) is no column of its own.
    answer = None if task.answer in reads else task.answer
    asks = task.asks if isinstance(task, Chat) else reads  # turns in columns are joined by the task, not by a step
    carried = carried_steps(steps, curated.schema, reads=asks, answer=answer, known=known, learned=learned)
    truth = None
    if answer:  # what people decided about rows of this run says nothing about others
        own = [step for step in steps if not isinstance(step, Rework) or not step.signs]
        truth = carried_steps(own, curated.schema, reads=(answer,), answer=None, known=known, learned=learned)
    carried = carried.model_copy(update={"reads": tuple(reads), "truth": truth})
    inputs = [one.name for one in carried.inputs]
    among = pl.col(ROW).is_in(list(held_out[:_CHOSEN_AMONG]))
    label = pl.col(answer).alias(_LABEL) if answer and task.says == "label" else pl.lit(None).alias(_LABEL)
    rows = curated.table.scan().filter(among).select(NUMBER, ROW, label, *map(pl.col, reads)).sort(NUMBER).collect()
    raw = raw_rows(curated.opened, curated.schema, rows[NUMBER], context).sort(NUMBER)
    texts = [as_texts(raw[name]) for name in inputs if raw.schema[name] == pl.String or raw.schema[name].is_nested()]
    personal = pl.lit(False).or_(*(holds_personal_data(pl.lit(one)).fill_null(False) for one in texts))
    fit = rows.join(raw.filter(~personal), on=NUMBER, how="semi").sort(NUMBER)
    examples = _of_each_kind(fit)
    chosen = examples.select(NUMBER).join(raw, on=NUMBER, how="left", maintain_order="left")
    before = tuple(_as_asked(task, orjson.loads(line)) for line in as_json(chosen.select(inputs)))
    examples = examples.drop(NUMBER, _LABEL)
    return Preprocessing(carried, examples, before, task, _left_out(curated.parts, {one.name for one in carried.steps}))


def _of_each_kind(rows: pl.DataFrame) -> pl.DataFrame:
    """Some rows to show: one of each label first; without labels evenly over all, for neighbours are often alike."""
    if rows[_LABEL].null_count() == rows.height:
        return rows.gather_every(max(1, rows.height // GOLDEN)).head(GOLDEN)
    return rows.sort(pl.int_range(pl.len()).over(_LABEL), NUMBER).head(GOLDEN)


def _left_out(parts: Sequence[StepRecord], carried: Collection[str]) -> tuple[int, int]:
    """Rows that some steps, and a task that finds no text, reject of all that were read, had no other step any."""
    read = max((one.rows_in for one in parts), default=0)
    kept = 1.0
    for one in parts:
        gone = one.rows_in - one.rows_out if one.part in carried else one.rejected.get("no_text", 0)
        kept *= 1 - gone / max(1, one.rows_in)
    return round(read * (1 - kept)), read


def _as_asked(task: Task, row: dict[str, Any]) -> dict[str, Any]:
    """A row of a source as somebody brings it who asks: turns without the last."""
    if not isinstance(task, Chat) or task.turns is not None or task.messages not in row:
        return row
    turns = row[task.messages]
    return {**row, task.messages: (orjson.loads(turns) if isinstance(turns, str) else turns)[:-1]}


def carried_steps(
    steps: Sequence[Step],
    schema: pl.Schema,
    *,
    reads: Sequence[str],
    answer: str | None,
    known: Mapping[str, tuple[str, ...]] | None = None,
    learned: Sequence[tuple[str, Learned]] = (),
) -> Preprocess:
    """What of some steps a row passes before a model reads it; without examples.

    Args:
        steps: The recipe's, in order.
        schema: Columns of the rows as read.
        reads: The columns that the model reads.
        answer: The column that it predicts: no row brings it, and what only looks at it is left out.
        known: What sources call columns that have another name in the run.
        learned: What parts of `prepare` do to rows that do not train, with their names in the ledger.
    """
    names = [*labels_of(list(steps)), *(name for name, _ in learned)]
    steps = [*steps, *(one for _, one in learned)]
    trail = _Trail(steps, schema)
    read, writes = trail.back(len(steps), set(reads))
    inputs = read - {answer}
    warning = set()
    for place, step in enumerate(steps):
        if isinstance(step, Filter):
            needs, more = trail.back(place, trail.looks_at(place, step))
            if needs <= inputs:
                warning.add(place)
                writes |= more
    written = {place: {name for at, name in writes if at == place} for place in range(len(steps))}
    carried = tuple(
        _carried(name, _narrowed(step, written[place]), written[place])
        for place, (name, step) in enumerate(zip(names, steps, strict=True))
        if written[place] or place in warning
    )
    called = known or {}
    return Preprocess(
        inputs=tuple(_input(name, schema[name], called.get(name, ())) for name in schema if name in inputs),
        unseen=tuple(_input(name, schema[name]) for name in schema if name in read - inputs),
        steps=carried,
        golden=(),
        reads=tuple(reads),
    )


def _carried(name: str, step: Step, writes: set[str]) -> Carried:
    if isinstance(step, Learned):
        return _carried(name, step.step, writes).model_copy(update={"state": step.state})
    part = step.model_dump(mode="json")
    return Carried(name=name, part=part, code=dict(step.code()), writes=tuple(sorted(writes)))


def _narrowed(step: Step, wanted: set[str]) -> Step:
    """The step for the wanted columns alone, where it does one piece of work and its options list the columns of it."""
    if not isinstance(step, Rework) or step.runs_code:
        return step
    update: dict[str, Any] = {}
    for option in {option for option, _ in step.columns_used()}:
        listed = getattr(step, option, None)
        if isinstance(listed, Mapping):
            update[option] = {name: value for name, value in listed.items() if name in wanted}
        elif isinstance(listed, list | tuple):
            update[option] = [name for name in listed if name in wanted]
    if not update or not all(update.values()):
        return step
    narrow = step.model_copy(update=update)
    return narrow if set(narrow.written()) == wanted & set(step.written()) else step


class _Trail:
    """Follows columns back through steps."""

    def __init__(self, steps: Sequence[Step], schema: pl.Schema) -> None:
        self.steps = steps
        self.schemas: list[pl.Schema] = []
        """Columns before each step."""
        rows = pl.DataFrame(schema={NUMBER: pl.UInt64(), ROW: pl.String(), **schema})
        for step in steps:
            self.schemas.append(rows.schema)
            if isinstance(step, Map):
                rows = rows.with_columns(step.columns())

    def back(self, place: int, columns: Iterable[str]) -> tuple[set[str], set[tuple[int, str]]]:
        """The raw columns that some columns before a step hang on, and what is written on the way (step, column)."""
        needed, writes = set(columns), set()
        for at in reversed(range(place)):
            step = self.steps[at]
            if not isinstance(step, Map):
                continue
            schema = self.schemas[at]
            written = needed & set(pl.LazyFrame(schema=schema).select(step.columns()).collect_schema().names())
            if written:
                writes |= {(at, name) for name in written}
                narrow = _narrowed(step, written)
                assert isinstance(narrow, Map)
                needed = (needed - written) | _reads(schema, list(narrow.columns()), written)
        return needed - {NUMBER, ROW}, writes

    def looks_at(self, place: int, step: Filter) -> set[str]:
        """The columns that a filter judges by."""
        return _reads(self.schemas[place], [step.keep().alias("keep"), step.reason().alias("why")], ("keep", "why"))


def _reads(schema: pl.Schema, expressions: Sequence[pl.Expr], results: Iterable[str]) -> set[str]:
    """The columns that must be read so that expressions give those results, as Polars pushes them down to a source."""
    asked: set[str] = set()
    columns = pl.Schema({_NOTHING: pl.Null(), **schema})

    def rows(wanted: list[str] | None, *_: object) -> Iterator[pl.DataFrame]:
        asked.update(columns if wanted is None else wanted)
        yield pl.DataFrame(schema=columns).select(columns if wanted is None else wanted)

    register_io_source(rows, schema=columns).select(expressions).select(list(results)).collect()
    return asked - {_NOTHING}


def _input(name: str, kind: pl.DataType, known_as: tuple[str, ...] = ()) -> Input:
    return Input(name=name, type=type_of(kind), known_as=known_as)
