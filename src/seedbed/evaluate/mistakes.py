"""The answers of a model that were most wrong."""

from __future__ import annotations

import polars as pl

from seedbed.core.ledger import excerpt_of
from seedbed.core.metric import Answers, Truth
from seedbed.core.run import Mistake

from .forms import Form


def mistakes(
    form: Form, rows: pl.Series, texts: pl.Series, truth: Truth, answers: Answers, most: int = 20
) -> tuple[Mistake, ...]:
    """The answers that were most wrong, or of which the model was surest, as excerpts with personal data masked.

    Args:
        form: How truth and answers are held.
        rows: Row ids, shape (rows,).
        texts: What the model read, as text, shape (rows,).
        truth: What is right.
        answers: What the model says.
        most: At most so many.
    """
    found = form.wrong(truth, answers, most)
    shown = pl.DataFrame(
        {
            "text": texts.gather([one.place for one in found]).cast(pl.String).fill_null(""),
            "truth": pl.Series([one.truth for one in found], dtype=pl.String),
            "answer": pl.Series([one.answer for one in found], dtype=pl.String),
        }
    )
    if form.quotes:
        shown = shown.with_columns(excerpt_of(pl.col("truth")), excerpt_of(pl.col("answer")))
    shown = shown.with_columns(excerpt_of(pl.col("text")))
    return tuple(
        Mistake(row=str(rows[one.place]), text=text, truth=right, predicted=answer, confidence=one.confidence)
        for one, (text, right, answer) in zip(found, shown.iter_rows(), strict=True)
    )
