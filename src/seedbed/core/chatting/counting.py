"""Which tokenizer counts for a model."""

from __future__ import annotations

from seedbed.core.errors import SeedbedError
from seedbed.core.tokenizing import AnyTokenizer, TiktokenTokenizer

from .models import TunedModel
from .verdict import Count


def counter(tokenizer: AnyTokenizer | None, model: TunedModel | None, at: str, *, offline: bool) -> Count | None:
    """What counts tokens: the tokenizer that is named, else the model's own, where that is on this machine.

    Raises:
        SeedbedError: The one that is named cannot be opened.
    """
    if tokenizer is not None:
        return tokenizer.open(at, offline=offline).count
    if model is None or model.encoding is None:
        return None
    try:
        return TiktokenTokenizer(encoding=model.encoding).open(at, offline=True).count
    except SeedbedError:
        return None
