"""decontaminate: reject rows that stand in other datasets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

import polars as pl
from pydantic import Field, PrivateAttr, model_validator

from seedbed.core import digest
from seedbed.core.earlier_run import AnyOther
from seedbed.core.ledger import excerpt_of
from seedbed.core.part import Example, Placed, TextColumn
from seedbed.core.rows import NUMBER
from seedbed.core.similarity import choose_kind, normalise
from seedbed.core.similarity.shingles import SHORT
from seedbed.core.step import Groups, Reduce, Second

from .comparing.copies import column_of
from .others.against import Others
from .others.ngrams import NGrams, run_in
from .others.overlap import Compared, Index
from .others.searching import Search

#: Indexes that this process has made, by what they are made from: a worker gets the step anew with every unit.
_INDEXES: dict[str, Index] = {}
_MOST_INDEXES = 2
# Verdicts told together.
_ROWS = 50_000


class Decontaminate(Placed, Reduce):
    """Rejects rows whose text stands in other datasets, such as the test set of a benchmark or an earlier release.

    Two methods, each of which can be switched off with `null`:

    * A row that shares a run of `ngram` words with a text of the other datasets is `contaminated_ngram` (13 words, as
      for GPT-3: Brown et al., 2020, https://arxiv.org/abs/2005.14165). A text of the others that is shorter, but has
      `shortest` words, is looked for as a whole.
    * A row that is nearly the same as such a text, by what `near_duplicates` measures, is `contaminated_near`.

    The ledger names the text that was met (`of`, as DATASET:FILE#RECORD), its dataset (`against`), and the run of words
    with the share of the row's words in such runs, or the similarity. The other datasets' files stand in the recipe's
    lock, in the lineage and among the licences. A served model does not need them: the step is left out there.

    ## Why
    A model that was trained on the questions of its exam passes it. Benchmarks are on the web, in several copies, and
    what was collected there holds some of them: whole, quoted, or a little changed.

    ## Limits
    What says the same in other words is not found (see `semantic_duplicates`), nor is a translation. Runs of words need
    words: in Chinese or Japanese, which put no spaces between them, only near duplicates count. A phrase that everybody
    uses (a licence, a greeting) contaminates too; `share` asks for more than one run. Words are compared by 64-bit
    hashes, without case and punctuation. Other datasets with more than 4,000,000 shingles are compared through MinHash
    bands, which find at least 99.9 % of near duplicates at the threshold; smaller ones are compared exactly.
    Every worker reads the other datasets and holds an index of them, of up to 3 bytes for each of their words and 80
    for each text. With 1,000,000 texts of 16 words that took 50 s of a core, and the process grew by 250 MB, 67 of them
    the index; with the 20,000 that are compared exactly, by 180 MB.
    """

    use: Literal["decontaminate"] = "decontaminate"
    against: Annotated[list[AnyOther], Field(min_length=1)] = Field(
        description="The other datasets: sources as under `sources`, or {run: FOLDER} for splits of an earlier run "
        "(`split:` names them; all but train when left out)."
    )
    column: TextColumn = Field(None, description="Column to compare; the task's text when left out.")
    against_column: str | Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="Column of the other datasets, or several of them; the same name as here when left out."
    )
    ngram: int | None = Field(
        13, ge=2, le=100, description="Words in a row that two texts must share; null: do not look."
    )
    shortest: int = Field(8, ge=1, le=100, description="Words of the shortest text that is looked for as a whole.")
    share: float = Field(
        0.0, ge=0, le=1, description="Share of the row's words that must stand in shared runs; 0: one run is enough."
    )
    at_least: float | None = Field(
        0.8, ge=0.1, le=1, description="Jaccard similarity from which texts are near duplicates; null: do not look."
    )
    shingles: Literal["auto", "characters", "words"] = Field(
        "auto", description="Character 5-grams or word 3-grams; found from the lengths of the rows' texts when `auto`."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A quoted question and a near copy",
            options={"against": [{"use": "csv", "path": "exam.csv", "name": "exam"}], "against_column": "question"},
            files={
                "exam.csv": [
                    "question,answer",
                    "Which river flows through the city of Dresden in Saxony?,Elbe",
                    "Who painted the ceiling of the Sistine Chapel?,Michelangelo",
                ]
            },
            before={
                "text": [
                    "My exam asked: which river flows through the city of Dresden, in Saxony? I did not know.",
                    "Who painted the ceiling of the Sistine Chapel",
                    "Who painted the walls of my room?",
                ],
            },
            after={"text": ["Who painted the walls of my room?"]},
        ),
        Example(
            title="Runs of five words, of which one is not enough",
            options={
                "against": [{"use": "jsonl", "path": "old.jsonl"}],
                "ngram": 5,
                "shortest": 5,
                "share": 0.5,
                "at_least": None,
            },
            files={"old.jsonl": ['{"text": "all good things come to an end"}']},
            before={"text": ["All good things come to an end!", "They say all good things come to us if we can wait"]},
            after={"text": ["They say all good things come to us if we can wait"]},
        ),
    )

    exact: ClassVar[int] = 4_000_000
    """Shingles of the other datasets up to which near duplicates are compared exactly."""

    _others: Others | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _looks_for_something(self) -> Self:
        if self.ngram is None and self.at_least is None:
            raise ValueError("`ngram` and `at_least` are both null, so that nothing would be compared")
        if self.ngram is not None and "shortest" in self.model_fields_set and self.shortest > self.ngram:
            raise ValueError(f"`shortest` ({self.shortest}) is more than `ngram` ({self.ngram})")
        return self

    def reads(self) -> Sequence[str]:
        """The column that is compared. The other datasets are looked at, so that what is wrong is told at once."""
        self._against.check(self._columns, f"{self.use}.against_column")
        return [column_of(self, "column")]

    def survey(self) -> Mapping[str, pl.Expr]:
        """How many texts there are, and how many are short."""
        text = pl.col(column_of(self, "column")).cast(pl.String)
        return {"rows": text.is_not_null(), "short": text.str.len_chars() < SHORT}

    def heeds(self, survey: Mapping[str, int]) -> Any:
        """What is a shingle, and the other datasets' files."""
        return [self._compared(survey).kind, self.made_from()]

    def made_from(self) -> Any:
        """Digests of the other datasets' files."""
        return self._against.made_from

    def seconds(self) -> Sequence[Second]:
        """The other datasets."""
        return self._against.seconds()

    def keys(self, batch: pl.DataFrame, survey: Mapping[str, int]) -> pl.DataFrame:
        """What rows may share with the other datasets; most rows have no key."""
        texts = batch[column_of(self, "column")].cast(pl.String)
        return self._index(self._compared(survey)).keys_of(batch[NUMBER], texts)

    def judge(self, groups: Groups) -> Iterator[pl.DataFrame]:
        """Rows of which the other datasets really hold a run of words, then those that are near to a text of them."""
        compared = self._compared(groups.survey)
        runs, near = Search(self._against, compared, groups, column_of(self, "column"))()
        shared = _summed(runs).filter(pl.col("share") >= self.share)
        for some in shared.iter_slices(_ROWS):
            yield self._told_runs(groups, some)
        alone = near.join(shared, on=NUMBER, how="anti", maintain_order="left")
        for some in alone.iter_slices(_ROWS):
            yield pl.concat(
                [
                    some.select(NUMBER, reason=pl.lit("contaminated_near"), method=pl.lit("jaccard")),
                    self._against.named(some["other"]),
                    some.select(pl.col("similarity").round(4), shingles=pl.lit(compared.kind)),
                ],
                how="horizontal",
            )

    def _told_runs(self, groups: Groups, some: pl.DataFrame) -> pl.DataFrame:
        column = column_of(self, "column")
        texts = normalise(groups.lookup(some[NUMBER], [column])[column].cast(pl.String))
        runs = [run_in(text, at, length) for text, at, length in zip(texts, some["at"], some["length"], strict=True)]
        told = pl.DataFrame({"ngram": pl.Series(runs, dtype=pl.String)}).select(excerpt_of(pl.col("ngram")))
        verdicts = some.select(NUMBER, reason=pl.lit("contaminated_ngram"), method=pl.lit("ngram"))
        share = some.select(pl.col("share").round(4))
        return pl.concat([verdicts, self._against.named(some["other"]), told, share], how="horizontal")

    @property
    def _columns(self) -> tuple[str, ...]:
        named = self.against_column if self.against_column is not None else column_of(self, "column")
        return (named,) if isinstance(named, str) else tuple(named)

    @property
    def _against(self) -> Others:
        if self._others is None:
            self._others = Others.of(self.against, self._base, self._columns, f"{self.use}.against")
        return self._others

    def _compared(self, survey: Mapping[str, int]) -> Compared:
        kind = choose_kind(survey["short"], survey["rows"]) if self.shingles == "auto" else self.shingles
        ngrams = None if self.ngram is None else NGrams(self.ngram, min(self.shortest, self.ngram))
        return Compared(ngrams, kind, self.at_least)

    def _index(self, compared: Compared) -> Index:
        options = self.model_dump(mode="json", exclude={"share"})
        key = digest.of_json([options, str(self._base), self._columns, compared.kind, self.exact, self.made_from()])
        if key not in _INDEXES:
            while len(_INDEXES) >= _MOST_INDEXES:
                del _INDEXES[next(iter(_INDEXES))]
            _INDEXES[key] = Index.of(self._against, compared, self.exact)
        return _INDEXES[key]


def _summed(runs: pl.DataFrame) -> pl.DataFrame:
    """For each row the first run that it shares, the longest of those, and the `share` of its words in any."""
    at, end = pl.col("at").cast(pl.Int64), (pl.col("at") + pl.col("length")).cast(pl.Int64)
    before = end.cum_max().shift(1, fill_value=0).over(NUMBER)
    return (
        runs.sort(NUMBER, "at", -pl.col("length").cast(pl.Int64))
        .with_columns(new=(end - pl.max_horizontal(at, before)).clip(lower_bound=0))
        .group_by(NUMBER, maintain_order=True)
        .agg(pl.col("at", "length", "words", "other").first(), pl.col("new").sum())
        .with_columns(share=pl.col("new") / pl.col("words"))
    )
