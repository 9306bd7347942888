"""Sentence embeddings: a BERT encoder computed by NumPy, and where it is found."""

from __future__ import annotations

from .bert import Encoder, Floats
from .opening import MINILM, cores, open_encoder

__all__ = ["MINILM", "Encoder", "Floats", "cores", "open_encoder"]
