"""How toxic a text sounds, by the model of `alt-profanity-check`.

A linear model over single words, trained on some 200,000 labelled comments (https://pypi.org/project/alt-profanity-check).
It comes as a pickle inside that package, and importing the package loads it: who installed the package trusts its code,
and the file no less. Nothing else is unpickled.
"""

from __future__ import annotations

import importlib
import warnings
from functools import cache
from typing import Any

import numpy as np
import polars as pl


def toxicity_of(texts: pl.Series) -> pl.Series:
    """A score from 0 to 1 for each text; null for a missing one. A text's own words decide, not what stands around."""
    known = texts.drop_nulls().unique(maintain_order=True)
    if not known.len():
        return pl.repeat(None, texts.len(), dtype=pl.Float64, eager=True)
    vectorizer, model = _model()
    scores = model.predict_proba(vectorizer.transform(known.to_list()))[:, 1]
    return texts.replace_strict(known, pl.Series(np.asarray(scores, np.float64)), default=None, return_dtype=pl.Float64)


@cache
def _model() -> tuple[Any, Any]:
    """What turns texts into counts of words, and what judges these; loaded once a process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # another scikit-learn than it was saved by
        package = importlib.import_module("profanity_check.profanity_check")
    return package.vectorizer, package.model
