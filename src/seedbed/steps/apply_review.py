"""apply_review: what reviewers decided about rows, from an overlay file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import polars as pl
from pydantic import Field, PrivateAttr

from seedbed.core import digest
from seedbed.core.decision import Decision, Overlay, Standing, standing_of, text_hash
from seedbed.core.ledger import excerpt_of, mask
from seedbed.core.numbers import things, word
from seedbed.core.part import AnswerColumn, Example, TextColumn, base_of
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.step import Beside, Filter, Fitted, Reduce, Rework, Step
from seedbed.core.task import fields_said

from .comparing.copies import column_of

_TEXT, _LABEL = "\x00text", "\x00label"
_FACTS = ("who", "when", "why", "queue")
_DECIDED = pl.Schema(
    {
        ROW: pl.String(),
        "place": pl.UInt32(),
        "action": pl.String(),
        "label": pl.String(),
        "read": pl.String(),
        "seen": pl.String(),
        "lifts": pl.String(),
        **dict.fromkeys(_FACTS, pl.String()),
    }
)
#: What is known of a text: the place of the decision on one of its rows, and what that gives.
_BY_TEXT = ("hash", "of", "label", *_FACTS)


@dataclass(frozen=True)
class _Decided:
    """The decisions of a file that stand and do something."""

    digest: str
    table: pl.DataFrame = field(compare=False)
    """`_DECIDED`, by row."""
    by_text: pl.DataFrame = field(compare=False)
    """Labels for rows with the very same text (`_BY_TEXT`)."""
    file: Beside | None = field(compare=False)
    """The file as it was read; none where there is none."""
    damaged: int
    """Lines that could not be read."""
    torn: int
    """Rows on which people disagree."""
    on_test: int
    """Decisions on rows of the test split."""

    @classmethod
    def of(cls, path: Path, name: str) -> Self:
        overlay = Overlay(path)
        decisions, _ = overlay.new(to_the_end=True)
        standing = standing_of(decisions)
        table = _table(standing)
        rows = table[ROW].to_list()
        found = [standing.on(row) for row in rows]
        return cls(
            digest=digest.of_json(table.drop("place").rows()),
            table=table,
            by_text=_by_text(table),
            file=Beside(name, overlay.size, overlay.sha256) if path.exists() else None,
            damaged=overlay.damaged,
            torn=sum(map(standing.torn, rows)),
            on_test=sum(one is not None and one.split == "test" for one in found),
        )


def step_of(part: str) -> type[Step] | None:
    """The step that a part's name in a ledger is of; none where it is a source, a split or the task."""
    found = Step.named(part.partition(".")[0])
    return found if found is not None and issubclass(found, Step) else None


def can_be_lifted(part: str) -> bool:
    """Whether a row that a part rejected, by its name in a ledger, can be rescued."""
    step = step_of(part)
    return step is not None and issubclass(step, Filter | Reduce | Fitted) and not step.stands


class ApplyReview(Rework):
    """Does what reviewers decided: relabels rows, rejects them (reason `reviewed`), or rescues them from later steps.

    `path` is the overlay file that `seedbed review` writes, a decision a line; a file that is not there yet holds none.
    The raw data is never touched. A decision is about a row's id, and lands only if the row's text is what it was when
    it was reviewed, as its source holds it or as the reviewer saw it. Others are counted and told, and not applied.

    Of one person's decisions on a row the last counts, of several people's the one last in the file; people who
    disagree are told of. A label is also given to rows with the very same text on which nobody decided (`copies`),
    lest the copies contradict the one that was put right. A rescued row stays although a later step that only keeps
    or rejects rows would reject it, which the ledger says with who rescued it and why. Each row that was relabelled
    stands in the ledger, too.

    ## Why
    People see what no rule can. Their work must not be lost when the recipe changes, must not hide in an edited file,
    and must have a name under it.

    ## Limits
    It stands before the steps that rewrite the text (the first place is best), or after all of them; for a task on
    tables it must stand first, for a row without a text is known by all its fields as its source holds them. A copy
    with another capital or space is another text; where people gave the same text different labels, none is passed on.
    A set of labels is decided as a whole, and written as a JSON list where the column holds text. No decision can
    make a value: rows that `cast`, `parse_dates`, `convert_units` and `join` reject are not rescued, nor are those that
    a function of your own rejects (`python`), malformed records, and rows that the task cannot use; give a row without
    a label one instead. A row in which `redact_pii` found personal data comes back without it. To correct test labels
    changes what models are measured by: the run says how many there were.
    """

    signs: ClassVar[bool] = True
    told: ClassVar[tuple[str, ...]] = _FACTS
    stands: ClassVar[str] = "somebody rejected it on review: decide on it anew"

    use: Literal["apply_review"] = "apply_review"
    path: str = Field("review.jsonl", min_length=1, description="The decisions; from the recipe's folder.")
    column: TextColumn = Field(
        None,
        description="Column that a row is known by; the task's text when left out, all but "
        "the label of a table that has none.",
    )
    label: AnswerColumn = Field(
        None, description="Column that is written; the task's label, its labels or its number when left out."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="One label put right, one row rejected",
            options={"path": "review.jsonl", "column": "text", "label": "label"},
            files={
                "review.jsonl": [
                    '{"id": "1", "row": "0:t#1", "action": "relabel", "label": "negative", "who": "ana", '
                    f'"when": "2026-05-04T09:00:00Z", "why": "irony", "read": "{text_hash("oh, great")}"}}',
                    '{"id": "2", "row": "0:t#3", "action": "reject", "who": "ana", '
                    f'"when": "2026-05-04T09:00:05Z", "why": "an advertisement", "read": "{text_hash("buy now")}"}}',
                ]
            },
            before={"text": ["oh, great", "lovely", "buy now"], "label": ["positive", "positive", "positive"]},
            after={"text": ["oh, great", "lovely"], "label": ["negative", "positive"]},
        ),
    )

    copies: bool = Field(True, description="Give a label also to rows with the very same text on which nobody decided.")

    _decided: _Decided = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        """Read the decisions now, so that all processes do the same."""
        self._decided = _Decided.of(base_of(context) / Path(self.path), self.path)

    def made_from(self) -> Any:
        """Digest of the decisions that stand."""
        return self._decided.digest

    def beside(self) -> Sequence[Beside]:
        """The file of decisions."""
        return () if self._decided.file is None else (self._decided.file,)

    def written(self) -> Sequence[str]:
        """The label."""
        return [column_of(self, "label")]

    def work(self) -> pl.Expr:
        """Each row against the decision on it."""
        label = column_of(self, "label")
        looked_at = [ROW, self._known_by(label).alias(_TEXT), pl.col(label).is_null().alias(_LABEL)]
        dtype = pl.Struct(
            {
                "reason": pl.String(),
                "evidence": pl.Struct(dict.fromkeys(_FACTS, pl.String())),
                "columns": pl.Struct({label: pl.String()}),
                "met": pl.UInt32(),
                "lifts": pl.Struct({"use": pl.String(), "evidence": pl.String()}),
            }
        )
        by_text = self._decided.by_text if self.copies else self._decided.by_text.clear()
        judged = partial(_judged, self._decided.table, by_text, label)
        return pl.struct(looked_at).map_batches(judged, return_dtype=dtype)

    def _known_by(self, label: str) -> pl.Expr:
        """What a row is known by: its text, or where there is none all fields but its label."""
        if self.column is not None:
            return pl.col(self.column).cast(pl.String)
        fields = pl.struct(pl.exclude(ROW, NUMBER, label))
        return fields.map_batches(_fields, return_dtype=pl.String, is_elementwise=True)

    def columns(self, done: pl.Expr | None = None) -> Sequence[pl.Expr]:
        """The label, of the type that it has."""
        (label,) = self.written()
        new = self._work(done).struct.field("columns").struct.field(label)
        both = pl.struct(new.alias("new"), pl.col(label).alias("old"))
        return [both.map_batches(_written, return_dtype=pl.dtype_of(label), is_elementwise=True).alias(label)]

    def remarks(self, met: Callable[[], pl.Series]) -> Sequence[str]:
        """What was applied, and what was not and why."""
        return list(self._said(set(met().to_list())))

    def _said(self, met: set[int]) -> Iterator[str]:
        decided = self._decided
        total = decided.table.height
        if decided.file is None:
            yield f"there is no file {mask(self.path)!r} yet: nobody has decided anything"
            return
        applied = decided.table.filter(pl.col("place").is_in([place for place in met if place < total]))
        by = Counter(applied["action"].to_list())
        how = ", ".join(f"{n:,} {_DONE[action]}" for action, n in sorted(by.items()))
        people = ", ".join(sorted({mask(one) for one in applied["who"].to_list()})[:6])
        yield f"{applied.height:,} of {things(total, 'decision')} applied" + (f" ({how}), by {people}" if how else "")
        stale = len({place for place in met if total <= place < 2 * total})
        gone = total - applied.height - stale
        if copied := len({place for place in met if place >= 2 * total}):
            whose = word(copied, "the label of one", f"the labels of {copied:,}")
            yield f"{whose} went to other rows of the same text, too"
        if stale:
            yield f"{stale:,} not applied: the text of the row is not what was reviewed"
        if gone:
            yield f"{gone:,} not applied: no such row came to this step"
        if decided.on_test:
            yield (
                f"{things(decided.on_test, 'is on a row', 'are on rows')} that judged models in the run "
                "that was reviewed"
            )
        if decided.torn:
            yield f"on {things(decided.torn, 'row')} people disagree: the last decision counts"
        if decided.damaged:
            yield (
                f"{things(decided.damaged, 'line')} of {mask(self.path)!r} cannot be read and "
                f"{word(decided.damaged, 'was', 'were')} left out"
            )


def _fields(rows: pl.Series) -> pl.Series:
    return fields_said(rows.struct.unnest())


def _written(rows: pl.Series) -> pl.Series:
    """A column with what was decided (`new`, as text) where something was, and what was there (`old`) elsewhere."""
    new, old = rows.struct.field("new"), rows.struct.field("old")
    if isinstance(old.dtype, pl.List):
        new = pl.Series([_listed(one) for one in new.to_list()], dtype=old.dtype, strict=False)
    else:
        new = new.cast(old.dtype, strict=False)
    return new.zip_with(new.is_not_null(), old)


def _listed(text: str | None) -> list[Any] | None:
    try:
        found = None if text is None else json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


_DONE = {"accept": "accepted", "relabel": "relabelled", "reject": "rejected", "rescue": "rescued"}


def _table(standing: Standing) -> pl.DataFrame:
    """The decisions that stand and do something, by row (`_DECIDED`)."""
    found = [one for row in sorted(standing.rows()) if (one := standing.on(row)) and one.action in _DONE]
    data = {name: [_value(one, name) for one in found] for name in _DECIDED if name != "place"}
    table = pl.DataFrame(data, schema={name: kind for name, kind in _DECIDED.items() if name != "place"})
    return table.with_columns(excerpt_of(pl.col("why")), place=pl.int_range(pl.len(), dtype=pl.UInt32)).select(
        _DECIDED.names()
    )


def _value(one: Decision, name: str) -> str | None:
    if name == "lifts":
        return one.part.partition(".")[0] if one.part and one.action != "reject" and can_be_lifted(one.part) else None
    if name == "label":
        return one.label if one.action in ("relabel", "rescue") else None
    value: str | None = getattr(one, name)
    return value


def _by_text(decided: pl.DataFrame) -> pl.DataFrame:
    """Labels by text (`_BY_TEXT`), of texts that were given one label alone."""
    known = [decided.with_columns(pl.col(name).alias("hash"), pl.col("place").alias("of")) for name in ("read", "seen")]
    found = pl.concat(known).drop_nulls(["hash", "label"]).sort("of")
    alone = pl.col("label").n_unique().over("hash") == 1
    return found.filter(alone).unique("hash", keep="first", maintain_order=True).select(_BY_TEXT)


def _judged(decided: pl.DataFrame, by_text: pl.DataFrame, label: str, rows: pl.Series) -> pl.Series:
    """What is decided about rows (`ROW`, text and label), as `Rework.work` wants it."""
    table = rows.struct.unnest().join(decided, on=ROW, how="left", maintain_order="left")
    every = by_text.height > 0
    hashes = [
        text_hash(text) if every or place is not None else None for place, text in table.select("place", _TEXT).rows()
    ]
    fits = [
        mine is not None and mine in known for mine, *known in zip(hashes, table["read"], table["seen"], strict=True)
    ]
    theirs = pl.DataFrame({"hash": pl.Series(hashes, dtype=pl.String)})
    theirs = theirs.join(by_text, on="hash", how="left", maintain_order="left").select(pl.all().name.prefix("their_"))
    own, fit = pl.col("place").is_not_null(), pl.lit(pl.Series(fits, dtype=pl.Boolean))
    facts = {name: pl.when(own).then(name).otherwise(f"their_{name}") for name in ("label", *_FACTS)}
    stale, copied = (pl.lit(turns * decided.height, pl.UInt32) for turns in (1, 2))
    met = pl.when(fit).then("place").when(own).then(pl.col("place") + stale).otherwise(pl.col("their_of") + copied)
    said = table.hstack(theirs).select(
        reason=pl.when(fit & (pl.col("action") == "reject")).then(pl.lit("reviewed")),
        evidence=pl.struct(facts[name].alias(name) for name in _FACTS),
        columns=pl.struct(pl.when(fit | ~own).then(facts["label"]).alias(label)),
        met=met,
        lifts=pl.struct(
            pl.when(fit).then("lifts").alias("use"),
            pl.struct("who", "when", "why").struct.json_encode().alias("evidence"),
        ),
    )
    return said.to_struct()
