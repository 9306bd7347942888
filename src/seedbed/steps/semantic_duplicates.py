"""semantic_duplicates: keep one of texts that say nearly the same in other words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from seedbed.core.part import Example, TextColumn
from seedbed.core.rows import NUMBER
from seedbed.core.step import Groups, Reduce
from seedbed.store.embeddings import EncoderOptions, key_of
from seedbed.store.store import Store

from .comparing.conflicts import Disagreeing, OnConflict, conflicting, looks_at_labels
from .comparing.copies import column_of, with_names
from .comparing.leaders import EXACT, Floats, leaders


class SemanticDuplicates(EncoderOptions, Reduce):
    """Rejects texts that mean nearly the same as one that stays (reason `semantic_duplicate`).

    Each text becomes the embedding of a sentence encoder; two texts with a cosine of `at_least` are the same, as in
    SemDeDup (Abbas et al., 2023, https://arxiv.org/abs/2303.09540). Texts take their turn, in the order of the rows or
    the longest first (`keep`), and a text stays unless one that stays already is that similar. So every text that goes
    is similar to one that stays, not only through others. The ledger names that one (`kept`) with the `similarity`; of
    equal texts, `of` names the first. Up to 200,000 different texts are all compared; more are compared in clusters.

    ## Why
    "How old is Benny Carter?" and "What age is Benny Carter?" share few letters and ask the same. Of 5,381 questions of
    TREC, 231 pairs have a cosine of 0.95, and 97 % of these have the same of six labels; of the 314 pairs from 0.90 to
    0.95, 91 %. Tweets above 0.95 are, as a rule, one message to another person or with another link.

    ## Limits
    What an encoder calls similar may differ in what counts: a number, a name, a "not". Look at the ledger before you
    trust a threshold below 0.95, and where labels hang on such a word, use `near_duplicates`. With `on_conflict:
    reject_all`, texts that one would stay for go with it where their labels disagree (reason
    `conflicting_semantic_duplicates`); missing labels do not disagree. The default encoder
    (all-MiniLM-L6-v2) knows English and reads `max_tokens` tokens of a text. Two cores embed about 140 texts of a
    tweet's length a second; the store keeps embeddings by a hash of the text, for this step and for learners alike.
    Numbers in an embedding differ in their last digits between machines, so that a pair just at the threshold may fall
    on either side. Clusters may miss pairs: of 12,997 questions and tweets, put into 216 of them, 385 went at 0.95 and
    981 at 0.85, the same as when all were compared. While it works, embeddings lie in the store's folder (1.5 kB a
    text); memory is about 60 bytes a text and 300 MB.
    """

    removes_copies: ClassVar[bool] = True
    extra: ClassVar[str] = "embed"
    needs: ClassVar[tuple[str, ...]] = ("tokenizers",)

    use: Literal["semantic_duplicates"] = "semantic_duplicates"
    column: TextColumn = Field(None, description="Column to compare; the task's text when left out.")
    at_least: float = Field(0.95, ge=0.5, le=1, description="Cosine from which two texts are the same.")
    on_conflict: OnConflict = "keep_first"
    label: Disagreeing = None
    keep: Literal["first", "longest"] = Field(
        "first", description="Which of similar texts stays: the first, or the longest (the first of equals)."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="The same question in other words",
            before={
                "text": ["How old is Benny Carter?", "Where is Berlin?", "What age is Benny Carter?"],
                "label": ["number", "place", "number"],
            },
            after={"text": ["How old is Benny Carter?", "Where is Berlin?"], "label": ["number", "place"]},
        ),
        Example(
            title="The same question with two labels",
            options={"on_conflict": "reject_all"},
            before={
                "text": ["How old is Benny Carter?", "Where is Berlin?", "What age is Benny Carter?"],
                "label": ["number", "place", "person"],
            },
            after={"text": ["Where is Berlin?"], "label": ["place"]},
        ),
    )
    exact: ClassVar[int] = EXACT
    """Texts up to which all are compared."""

    def columns_used(self) -> Iterator[tuple[str, str]]:
        """Of the label only where it is looked at."""
        return (one for one in super().columns_used() if one[0] != "label" or looks_at_labels(self))

    def reads(self) -> Sequence[str]:
        """The column that is compared."""
        looks_at_labels(self)  # judged later, but refused before anything runs
        return [column_of(self, "column")]

    def survey(self) -> Mapping[str, pl.Expr]:
        """Nothing; but an encoder that is not there should be told before rows are read."""
        self.check_needs()
        self.made_from()
        return {}

    def keys(self, batch: pl.DataFrame, survey: Mapping[str, int]) -> pl.DataFrame:
        """A hash of each text (`key` and `rest`) and its length; a text of white space is like nothing."""
        texts = batch[column_of(self, "column")].cast(pl.String)
        there = texts.str.strip_chars().str.len_chars().fill_null(0) > 0
        said = texts.filter(there)
        halves = np.frombuffer(b"".join(map(key_of, said)), dtype="<u8").reshape(-1, 2)
        return pl.DataFrame(
            {
                NUMBER: batch[NUMBER].filter(there),
                "key": pl.Series(halves[:, 0], dtype=pl.UInt64),
                "rest": pl.Series(halves[:, 1], dtype=pl.UInt64),
                "length": said.str.len_chars(),
            }
        )

    def judge(self, groups: Groups) -> Iterator[pl.DataFrame]:
        """All texts but those that stay."""
        rows = pl.concat(list(groups.partitions())).sort(NUMBER)
        first = pl.col(NUMBER).min().over("key", "rest").alias("first")
        rows = rows.with_columns(first)
        different = rows.filter(pl.col(NUMBER) == pl.col("first"))
        if not different.height:
            return
        numbers = different[NUMBER].to_numpy()
        with Store.of(groups.context).workspace("embeddings") as folder:
            width = self.embedder(groups.context).open().width
            vectors: Floats = np.memmap(folder / "vectors", np.float32, "w+", shape=(len(numbers), width))
            self._embed(vectors, different, groups)
            stays, similarity = self._compare(vectors, different, groups)
            del vectors
        told = pl.DataFrame({"first": numbers, "stays": numbers[stays], "similarity": similarity.astype(np.float64)})
        alike = rows.join(told, on="first", how="left", maintain_order="left").filter(pl.len().over("stays") > 1)
        del rows, told
        yield with_names(groups, self._verdicts(alike.with_columns(conflict=conflicting(self, groups, alike, "stays"))))

    @staticmethod
    def _verdicts(alike: pl.DataFrame) -> pl.DataFrame:
        """On rows that are similar to others: by the one that `stays` for each, and whether labels `conflict` there."""
        copy, goes = pl.col(NUMBER) != pl.col("first"), pl.col(NUMBER) != pl.col("stays")
        like = alike.with_columns(
            of=pl.when(copy).then("first").otherwise("stays"),
            similarity=pl.when(copy).then(1.0).otherwise(pl.col("similarity").clip(upper_bound=1).round(4)),
        )
        # The row that would stay is like the first of those that are like it.
        like = like.with_columns(
            of=pl.when(goes).then("of").otherwise(pl.col(NUMBER).filter(goes).first().over("stays")),
            similarity=pl.when(goes)
            .then("similarity")
            .otherwise(pl.col("similarity").filter(goes).first().over("stays")),
        )
        reason = (
            pl.when("conflict").then(pl.lit("conflicting_semantic_duplicates")).otherwise(pl.lit("semantic_duplicate"))
        )
        return like.filter(goes | pl.col("conflict")).select(
            NUMBER, "of", "similarity", reason=reason, kept=pl.when(~pl.col("conflict")).then("stays")
        )

    def _embed(self, vectors: Floats, different: pl.DataFrame, groups: Groups) -> None:
        column = column_of(self, "column")
        halves = different.select("key", "rest").to_numpy().astype("<u8")
        keys = pl.Series([one.tobytes() for one in halves], dtype=pl.Binary)

        def texts_of(places: NDArray[np.int64]) -> list[str]:
            return groups.lookup(different[NUMBER].gather(places), [column])[column].cast(pl.String).to_list()

        self.embedder(groups.context).fill(vectors, keys, texts_of, groups.context)

    def _compare(self, vectors: Floats, different: pl.DataFrame, groups: Groups) -> tuple[NDArray[Any], Floats]:
        place = pl.int_range(pl.len()).alias("place")
        by = [-pl.col("length").cast(pl.Int64), place] if self.keep == "longest" else [place]
        order = different.select(place.sort_by(by)).to_series().to_numpy()
        with groups.context.stage("Comparing embeddings", len(order), "texts") as stage:
            context = groups.context
            return leaders(vectors, order, self.at_least, seed=context.seed, exact=self.exact, done=stage.advance)
