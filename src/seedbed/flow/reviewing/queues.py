"""The queues of a run: which of its rows a person should look at, and in which order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import polars as pl

from seedbed.core.decision import text_hash
from seedbed.core.errors import RecipeError, SeedbedError, did_you_mean
from seedbed.core.reported import FOLDER, Reports
from seedbed.core.rows import ROW
from seedbed.core.task import Task, answers_said
from seedbed.review.queue import NEAR, Queue, write_queue
from seedbed.steps.apply_review import ApplyReview, can_be_lifted, step_of

from . import pairs
from .others import COPIES, named_in, with_others
from .reported import reported_rows
from .rows import RunRows

#: Names of the queues, in the order in which they are offered.
QUEUES = ("reported", "suspects", "conflicts", "outliers", "rejected", "unlabelled", "generated", "test", "stuck")
#: Queues that are built only where they are asked for by name.
NAMED = (pairs.NAME,)
#: Rows of a queue at most; the first in its order.
MOST = 500_000
_SHOWN, _NEIGHBOURS = 300, 5
_RESCUE = ("rescue", "relabel", "reject", "skip")


#: Why rows are rejected that have no label, among others.
_NO_LABEL = ("unlabelled", "no_target", "missing", "cannot_tell")


def _blank(column: str) -> pl.Expr:
    return pl.col(column).fill_null("").str.strip_chars() == ""


@dataclass
class Built:
    """Queues, and what a person should know about them."""

    queues: dict[str, Queue] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def build_queues(rows: RunRows, folder: Path, only: Sequence[str] = (), feedback: Path | None = None) -> Built:
    """Build the queues that have rows.

    Args:
        rows: Of the run.
        folder: Where their files are written.
        only: Names; all when empty.
        feedback: Folder of what people said of the model where it is served; the one beside the recipe when left out.

    Raises:
        RecipeError: There is no queue of that name.
        DataError: The run has no dataset, or no ledger.
    """
    for name in only:
        if name not in (*QUEUES, *NAMED):
            raise RecipeError(
                f"there is no queue {name[:40]!r}", at="--queue", hint=did_you_mean(name, (*QUEUES, *NAMED))
            )
    building = _Building(rows, folder, Built(), feedback)
    if rows.unread and set(only) != {pairs.NAME}:
        building.built.notes.append(
            f"the sources are not what they were ({rows.unread}): rejected rows cannot be shown, and a decision lands "
            "only where `apply_review` stands after the steps that rewrite the text"
        )
    building.read_ahead(only or QUEUES)
    for name in only or QUEUES:
        building.add(name)
    return building.built


@dataclass(frozen=True)
class _Building:
    rows: RunRows
    folder: Path
    built: Built
    feedback: Path | None = None
    _suspected: dict[bool, pl.DataFrame] = field(default_factory=dict)

    def read_ahead(self, names: Sequence[str]) -> None:
        """Read the rows of all queues at once: the sources are gone through from their beginning."""
        wanted = []
        if set(names) - {"suspects", "test", "generated", "reported", pairs.NAME}:
            rejected = self.rows.rejected()
            wanted = [rejected[ROW], named_in(rejected["evidence"]).drop_nulls()]
        for test in (False, True):
            if ("suspects", "test")[test] in names:
                with suppress(SeedbedError):  # told where the queue is built
                    wanted.append(self._doubted(test=test)[ROW])
        if wanted:
            self.rows.as_read(pl.concat(wanted).unique())

    def _doubted(self, *, test: bool) -> pl.DataFrame:
        from seedbed.flow.doubting import suspects_of

        if test not in self._suspected:
            self._suspected[test] = suspects_of(self.rows.finished.folder, test=test, progress=self.rows.progress)
        return self._suspected[test]

    def add(self, name: str) -> None:
        """Build one queue, if there are rows for it."""
        if name == pairs.NAME:
            self.built.queues[name], notes = pairs.PairsOfRun(self.rows).queue(self.folder)
            self.built.notes += notes
            return
        makers: dict[str, Callable[[], pl.DataFrame | None]] = {
            "reported": self._reported,
            "suspects": lambda: self._suspects(test=False),
            "test": lambda: self._suspects(test=True),
            "conflicts": lambda: self._of_ledger(pl.col("torn")),
            "outliers": lambda: self._of_ledger(pl.col("part").str.starts_with("numeric_outliers")),
            "rejected": self._rejected,
            "unlabelled": self._unlabelled,
            "generated": self._generated,
            "stuck": self._stuck,
        }
        try:
            items = makers[name]()
        except SeedbedError as error:
            self.built.notes.append(f"no queue {name!r}: {error.in_a_line()}")
            return
        if items is None or not items.height:
            return
        if items.height > MOST:
            self.built.notes.append(f"queue {name!r}: the first {MOST:,} of {items.height:,} rows")
        path = write_queue(items.head(MOST), self.folder / f"{name}.arrow")
        title, about, actions, warning = _TOLD[name]
        if self.rows.answers == "number":
            title, about = _OF_NUMBERS.get(name, (title, about))
        if self.rows.answers == "nothing":
            actions = tuple(action for action in actions if action != "relabel")
        self.built.queues[name] = Queue(name, title, about, path, actions, warning=warning)

    def _reported(self) -> pl.DataFrame | None:
        folder = self.rows.base / FOLDER if self.feedback is None else self.feedback
        return reported_rows(self.rows, Reports.of(folder, self.rows.finished.run.name))

    def _suspects(self, *, test: bool) -> pl.DataFrame | None:
        found = self._doubted(test=test)
        if not found.height:
            return None
        joined = self.rows.kept().join(found.drop("split").lazy(), on=ROW, how="inner").sort("rank").collect()
        share = [pl.col("self_confidence").round(4).alias("probability of this label")]
        if self.rows.answers == "number":
            share = []
        told = joined.select(pl.struct("rank", *share).struct.json_encode()).to_series()
        items = joined.with_columns(told=told, score="confidence", near=self._near(joined))
        return self._known_again(items)

    def _near(self, suspects: pl.DataFrame) -> pl.Series:
        """The rows nearest to each suspect, with the start of their texts."""
        near = suspects.select("rank", pl.col("neighbours").list.head(_NEIGHBOURS)).explode("neighbours")
        near = near.drop_nulls("neighbours").unnest("neighbours")
        wanted = near.select(pl.col(ROW).unique())
        texts = self.rows.kept().join(wanted.lazy(), on=ROW, how="semi")
        heads = texts.select(ROW, text=pl.col("text").str.slice(0, _SHOWN)).collect()
        told = near.join(heads, on=ROW, how="left", maintain_order="left")
        listed = told.group_by("rank", maintain_order=True).agg(near=pl.struct(ROW, "label", "similarity", "text"))
        joined = suspects.select("rank").join(listed, on="rank", how="left", maintain_order="left")
        return joined["near"].cast(pl.List(NEAR))

    def _known_again(self, items: pl.DataFrame) -> pl.DataFrame:
        """With the hashes by which `apply_review` knows the rows: as read, and as they are shown."""
        read = self.rows.as_read(items[ROW]).select(ROW, "read", "raw")
        if self.rows.task.shown is None:  # steps scale and encode: people know values as their source holds them
            both = items.select(ROW, "text").join(read, on=ROW, how="left", maintain_order="left")
            items = items.with_columns(both.select(text=pl.coalesce("raw", "text")).to_series())
        read = read.drop("raw")
        # Of a table, not all fields are shown: such rows are known as they were read alone.
        hashes = [text_hash(one) if self.rows.task.shown else None for one in items["text"]]
        seen = pl.Series("seen", hashes, dtype=pl.String)
        return items.with_columns(seen).join(read, on=ROW, how="left", maintain_order="left")

    @cached_property
    def _entries(self) -> pl.DataFrame:
        """Rejected rows as their sources hold them, with what the ledger says, and the rows that they are copies of."""
        told = self.rows.rejected().select(ROW, "part", kind="reason", told="evidence")
        read = self.rows.as_read(told[ROW])
        joined = told.join(read, on=ROW, how="inner", maintain_order="left")
        return with_others(self.rows, joined.rename({"raw": "text", "raw_label": "label"}))

    def _of_ledger(self, which: pl.Expr) -> pl.DataFrame | None:
        return None if self.rows.unread else self._entries.filter(which)

    def _of_parts(self, which: Callable[[str], bool]) -> pl.DataFrame | None:
        """Rows that some parts rejected, those aside that are for other queues."""
        parts = [part for part in self.rows.finished.run.rows.rejected if which(part)]
        others = ~pl.col("torn") & ~pl.col("part").str.starts_with("numeric_outliers")
        return self._of_ledger(pl.col("part").is_in(parts) & others)

    def _rejected(self) -> pl.DataFrame | None:
        found = self._of_parts(lambda part: can_be_lifted(part) and not _draws(part))
        if found is None:
            return None
        found = found.filter(~(pl.col("kind").is_in(_NO_LABEL) & _blank("label")), ~_blank("text"))
        copies = pl.any_horizontal(pl.col("part").str.starts_with(one) for one in COPIES)
        return found.sort(copies, maintain_order=True)  # copies last: they are many, and seldom missed

    def _stuck(self) -> pl.DataFrame | None:
        """Rows that no decision brings back, each with what would."""
        found = self._of_parts(lambda part: bool(_stands(part)))
        if found is None:
            return None
        why = [{"cannot be rescued": _stands(part)} for part in found["part"]]
        both = zip(why, map(json.loads, found["told"]), strict=True)
        told = [json.dumps(one | facts, ensure_ascii=False) for one, facts in both]
        return found.with_columns(told=pl.Series(told, dtype=pl.String))

    def _unlabelled(self) -> pl.DataFrame | None:
        """Rows without a label, those first of which the best model is least sure."""
        from seedbed.flow.predicting.opening import open_model

        found = self._of_ledger(pl.col("kind").is_in(_NO_LABEL))
        if found is not None:  # a row that lacks something else is no work for a person
            found = found.filter(_blank("label") & ~_blank("text"))
        if found is None or not found.height:
            return None
        try:
            model = open_model(self.rows.finished.folder)
            whole = self.rows.whole(found[ROW])
            guessed = _guessed(model.bundle.task, whole[ROW], model.predict(whole))
        except SeedbedError as error:
            self.built.notes.append(f"rows without a label stand in no order: {error.problem}")
            return found
        joined = found.join(guessed, on=ROW, how="left", maintain_order="left")
        return joined.sort("score", maintain_order=True, nulls_last=True)

    def _generated(self) -> pl.DataFrame | None:
        names = [one.name for one in self.rows.finished.run.sources if one.use == "generate"]
        if not names:
            return None
        made = pl.any_horizontal(pl.col(ROW).str.starts_with(f"{name}:") for name in names)
        found = self.rows.kept().filter(made).with_columns(kind=pl.lit("generated")).collect()
        return self._known_again(found)


def _guessed(task: Task, rows: pl.Series, told: pl.DataFrame) -> pl.DataFrame:
    """What a model would answer to rows (`suggested`), as people decide on them, and how sure it is (`score`).

    Of several labels the one that it is least sure of counts; of a number it does not say.
    """
    score = pl.Series([None], dtype=pl.Float64).new_from_index(0, told.height)
    if task.says == "labels" and told.height:
        shares = told["probabilities"].struct.unnest()
        score = pl.select(0.5 + pl.min_horizontal((pl.lit(one) - 0.5).abs() for one in shares)).to_series()
    elif "confidence" in told.columns:
        score = told["confidence"]
    return pl.DataFrame(
        {ROW: rows, "suggested": answers_said(task, told["predicted"]), "score": score},
        schema_overrides={"suggested": pl.String, "score": pl.Float64},
    )


def _draws(part: str) -> bool:
    """Whether a part drew the rows that it left out by chance: there is nothing to judge."""
    step = step_of(part)
    return step is not None and step.draws


def _stands(part: str) -> str:
    """Why nobody can lift what a part rejected; empty where they can, and of what people rejected themselves."""
    step = step_of(part)
    return "" if step is None or step is ApplyReview else step.stands


_TOLD: dict[str, tuple[str, str, tuple[str, ...], str]] = {
    "reported": (
        "Said to be wrong",
        "Rows of which somebody said, where the model is served, that it answered them wrong. Those that get a label "
        "here are learned from at the next `seedbed retrain`.",
        ("relabel", "reject", "skip"),
        "Whoever could ask the model could write these. They are not in the dataset yet.",
    ),
    "suspects": (
        "Suspect labels",
        "Rows whose label a model that never learned from them doubts, the most suspect first.",
        ("accept", "relabel", "reject", "skip"),
        "",
    ),
    "conflicts": (
        "Contradictions",
        "Rows that were rejected and whose text, or nearly, stands elsewhere under another label.",
        _RESCUE,
        "",
    ),
    "outliers": ("Outliers", "Rows that were rejected because a number lies far from the others.", _RESCUE, ""),
    "rejected": (
        "Rejected rows",
        "Rows that a step rejected. To rescue one lifts the rejection by that step, and by no other.",
        _RESCUE,
        "",
    ),
    "unlabelled": (
        "Without a label",
        "Rows that carry no label; those that the best model is least sure about come first: they teach it most.",
        ("relabel", "reject", "skip"),
        "",
    ),
    "generated": (
        "Made by a model",
        "Rows that a language model wrote. What you reject trains nothing.",
        ("accept", "relabel", "reject", "skip"),
        "",
    ),
    "test": (
        "Test rows",
        "Suspect labels among the rows that judge the models.",
        ("accept", "relabel", "reject", "skip"),
        "What you change here changes what models are measured by. A model chose these rows: labels that agree with it "
        "by mistake are not among them, so to correct only these flatters it.",
    ),
    "stuck": (
        "Cannot be rescued",
        "Rows that were rejected because a value could not be read or made: each says what is to be done instead.",
        ("skip",),
        "",
    ),
}


_OF_NUMBERS = {
    "suspects": (
        "Suspect numbers",
        "Rows whose number lies far from what a model foretells that never learned from them, the furthest first.",
    ),
    "unlabelled": ("Without a number", "Rows that carry no number."),
    "test": ("Test rows", "Suspect numbers among the rows that judge the models."),
}


def notes_on(rows: RunRows, only: Sequence[str] = ()) -> Iterator[str]:
    """What a person should know who is about to review."""
    steps = [step.get("use") for step in rows.recipe.get("steps", [])]
    if "apply_review" not in steps and tuple(only) != NAMED:
        yield "the recipe does not apply decisions yet: put `- {use: apply_review}` first among its steps"


def decisions_of(rows: RunRows, given: Path | None) -> Path:
    """The file of decisions: the one that was named, else that of the recipe's `apply_review`, beside the recipe."""
    if given is not None:
        return given
    steps = [step for step in rows.recipe.get("steps", []) if step.get("use") == "apply_review"]
    named = [step.get("path") for step in steps] or [(rows.recipe.get("evaluate") or {}).get("preferences")]
    return rows.base / str(named[0] or "review.jsonl")
