"""A table, batch by batch: what is known of it so far, in bounded memory. It merges and pickles."""

from __future__ import annotations

import datetime
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import polars as pl

from seedbed.core.profile import ColumnFacts, Measured, TableProfile, TextFacts, Values
from seedbed.core.rows import ROW
from seedbed.core.similarity.hashing import mix
from seedbed.core.values import said

from .associations import associations, passed_over, toward_label
from .column import ColumnPart
from .copies import CopiesPart
from .distinct import Distinct
from .frequent import shown_of
from .hashed import Hashes, hashes_of
from .labels import label_facts, label_words
from .languages import MOST, installed, languages_of
from .numbers import NumberPart
from .plan import MOST_TEXTS, Plan
from .remarks import remarks
from .sampled import KEY, Sampled, rank_error
from .texts import personal_in, personal_not_looked_for
from .words import LENGTHS

#: The label beside the texts of the sample.
LABEL = "\x00label"
#: What the names of measures in the sample begin with.
_MEASURE = "\x00measure "
#: Values of a column that are told.
_TOP = 50


@dataclass
class Measurer:
    """Takes in batches with the columns of its plan and, in `ROW`, the rows' ids.

    Two measurers of parts of a table merge into that of the whole, in any order; what is exact does not depend on how
    rows were cut into batches (the last digits of means are left out, see `moments.DIGITS`).
    """

    plan: Plan
    today: datetime.date = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).date())
    columns: dict[str, ColumnPart] = field(default_factory=dict)
    measures: dict[str, NumberPart] = field(default_factory=dict)
    rows: int = 0
    malformed: Counter[str] = field(default_factory=Counter)
    equal: Distinct = field(init=False)
    copies: CopiesPart = field(default_factory=CopiesPart)
    sample: Sampled = field(init=False)
    texts: Sampled = field(init=False)

    def __post_init__(self) -> None:
        self.equal = Distinct(65_536)
        self.sample = Sampled(self.plan.sample)
        self.texts = Sampled(self.plan.texts)

    def add(self, batch: pl.DataFrame, malformed: pl.Series | None = None) -> Self:
        """Take in a batch.

        Args:
            batch: Rows, with their ids in `ROW`.
            malformed: Why further records are no rows.
        """
        if malformed is not None:
            self.malformed.update(malformed.to_list())
        keys = hashes_of(batch[ROW])
        whole = np.zeros(batch.height, np.uint64)
        held: dict[str, pl.Series] = {KEY: pl.Series(KEY, keys)}
        names = batch[ROW]
        for place, plan in enumerate(self.plan.columns):
            values = batch[plan.name]
            if plan.name not in self.columns:
                self.columns[plan.name] = ColumnPart.of(plan, values.dtype, self.plan)
            hashes, found = self.columns[plan.name].add(values, names, self.today)
            whole = mix(whole ^ hashes)
            held |= {f"{place}{suffix}": values for suffix, values in found.items()}
        held |= self._measured(batch, names)
        self.rows += batch.height
        self._rows(whole)
        self._sample(keys, held)
        self._texts(keys, batch)
        return self

    def _measured(self, batch: pl.DataFrame, names: pl.Series) -> dict[str, pl.Series]:
        """Take in what the task asks of each row; returns it."""
        found = {}
        for what, of in self.plan.measures:
            values = batch.select(of.cast(pl.Float64)).to_series()
            part = self.measures.setdefault(what, NumberPart())
            found[f"{_MEASURE}{what}"] = part.add(values, names, values.is_not_null())
        return found

    def _rows(self, hashes: Hashes) -> None:
        found, counts = np.unique(hashes, return_counts=True)
        self.equal.add(found, counts.astype(np.int64))

    def _sample(self, keys: Hashes, held: dict[str, pl.Series]) -> None:
        chosen = self.sample.chosen(keys)
        rows = pl.DataFrame([values.gather(chosen).alias(name) for name, values in held.items()])
        self.sample.add(rows, len(keys))

    def _texts(self, keys: Hashes, batch: pl.DataFrame) -> None:
        if not self.plan.read:
            return
        if self.plan.text is not None:
            label = batch[self.plan.label] if self.plan.label in batch.columns else None
            self.copies.add(batch[self.plan.text], label)
        chosen = self.texts.chosen(keys)
        most = self.plan.characters
        held = [pl.Series(KEY, keys[chosen])]
        for place, name in enumerate(self.plan.read):
            held.append(said(batch[name].gather(chosen)).str.slice(0, most).alias(str(place)))
        if self.plan.label in batch.columns:
            held.append(batch[self.plan.label].gather(chosen).cast(pl.String, strict=False).alias(LABEL))
        self.texts.add(pl.DataFrame(held), len(keys))

    def merge(self, other: Measurer) -> Self:
        """Take in that of another part of the table."""
        self.rows += other.rows
        self.malformed.update(other.malformed)
        for name, part in other.columns.items():
            if name in self.columns:
                self.columns[name].merge(part)
            else:
                self.columns[name] = part
        for what, measure in other.measures.items():
            self.measures.setdefault(what, NumberPart()).merge(measure)
        self.equal.merge(other.equal)
        self.copies.merge(other.copies)
        self.sample.merge(other.sample)
        self.texts.merge(other.texts)
        return self

    def profile(self, *, near: bool = True, brief: bool = False) -> TableProfile:
        """What was found.

        Args:
            near: Whether the texts of the sample are compared with each other.
            brief: Leave out how columns hang together, which the whole table says of its splits, too.
        """
        columns = self._columns(brief)
        label = next((one for one in columns if one.name == self.plan.label), None)
        texts, read = self.texts.rows(), self.plan.read
        text = texts[str(read.index(self.plan.text))] if texts.width and self.plan.text in read else None
        kinds = {one.name: one.kind for one in columns}
        plain = pl.DataFrame() if brief else self._plain()
        words = {}
        if label is not None and text is not None and not brief:
            words = label_words(text, texts[LABEL], [one.value for one in label.values.top])
        found = TableProfile(
            rows=self.rows,
            looked_at=self.sample.rows().height,
            malformed=dict(sorted(self.malformed.items())),
            columns=columns,
            left_out=self.plan.left_out,
            text=self.plan.text,
            measures=self._measures(),
            copies=self.copies.facts(self.equal, text, self.rows, self.texts.whole, near=near) if self.rows else None,
            label=label_facts(label, self.columns[label.name]) if label else None,
            associations=associations(plain, kinds),
            toward_label=toward_label(plain, self.plan.label),
            label_words=words,
            notes=(*self._notes(columns), *passed_over(plain, kinds, self.plan.label)),
        )
        return found.model_copy(update={"remarks": tuple(remarks(found))})

    def _columns(self, brief: bool) -> tuple[ColumnFacts, ...]:
        texts, read = self.texts.rows(), self.plan.read
        sample = {column.name: column for column in self.sample.rows()}
        top = self._top()
        found = []
        for place, plan in enumerate(self.plan.columns):
            if plan.name not in self.columns:
                continue
            there = [suffix for suffix in ("", *LENGTHS) if f"{place}{suffix}" in sample]
            held = {suffix: sample[f"{place}{suffix}"] for suffix in there}
            facts = self.columns[plan.name].facts(held, self.sample.whole, top[plan.name])
            if facts.text and plan.name in read and texts.width:
                text = self._looked_at(facts.text, texts[str(read.index(plan.name))], brief)
                facts = facts.model_copy(update={"text": text})
            found.append(facts)
        return tuple(found)

    def _measures(self) -> tuple[Measured, ...]:
        """What the task asks of each row, in its order."""
        sample, found = self.sample.rows(), []
        for what, _ in self.plan.measures:
            if what in self.measures:
                facts = self.measures[what].facts(
                    sample[f"{_MEASURE}{what}"].drop_nulls().to_numpy(), self.sample.whole
                )
                found.append(Measured(name=what, spread=facts.spread, zeros=facts.zeros))
        return tuple(found)

    def _top(self) -> dict[str, Values]:
        """The most frequent values of each column."""
        first = {name: part.frequent.first(_TOP) for name, part in self.columns.items()}
        shown = shown_of(pl.concat([one["value"] for one in first.values()])) if first else pl.Series()
        ends = itertools.accumulate(one.height for one in first.values())
        return {
            name: self.columns[name].frequent.told(
                shown.slice(end - one.height, one.height), one["n"], self.columns[name].filled
            )
            for (name, one), end in zip(first.items(), ends, strict=True)
        }

    def _looked_at(self, facts: TextFacts, texts: pl.Series, brief: bool) -> TextFacts:
        whole = self.texts.whole
        told = {
            "languages": languages_of(texts, whole=whole, most=MOST // 4 if brief else MOST),
            "personal": personal_in(
                texts, whole=whole and not self._cut(facts), most=MOST_TEXTS // (4 if brief else 1)
            ),
        }
        return facts.model_copy(update=told)

    def _cut(self, facts: TextFacts | None) -> bool:
        """Whether not all of each text is held."""
        return bool(facts and facts.characters and facts.characters.high > self.plan.characters)

    def _plain(self) -> pl.DataFrame:
        """The sample under the columns' names, and the lengths of texts."""
        sample = {column.name: column for column in self.sample.rows()}
        named = {str(place): plan.name for place, plan in enumerate(self.plan.columns)}
        named |= {f"{place}characters": f"length of {plan.name}" for place, plan in enumerate(self.plan.columns)}
        kept = {new: sample[old] for old, new in named.items() if old in sample}
        return pl.DataFrame([column.alias(name) for name, column in kept.items()])

    def _notes(self, columns: Sequence[ColumnFacts]) -> Iterator[str]:
        """How it was measured, where that matters."""
        if not self.sample.whole:
            rows = self.sample.rows().height
            yield (
                f"ranks, outliers and associations are told of a sample of {rows:,} rows: a rank is off by at most "
                f"{100 * rank_error(rows):.2g} % (99 % confidence)"
            )
        if not self.plan.read:
            return
        of = "the texts" if self.texts.whole else f"a sample of {self.texts.rows().height:,} texts"
        if not self.texts.whole or any(self._cut(one.text) for one in columns if one.name in self.plan.read):
            yield (
                f"languages, personal data and near copies are told of {of}, of which the first "
                f"{self.plan.characters:,} characters were looked at"
            )
        if kinds := personal_not_looked_for():
            yield f"personal data of some kinds was not looked for ({', '.join(kinds)}): pip install 'seedbed[pii]'"
        if not installed():
            yield "languages were not told: pip install 'seedbed[language]'"
