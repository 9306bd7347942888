"""Suspect labels: out-of-fold probabilities, near copies with other labels, and what stands near."""

from __future__ import annotations

from .on_disk import suspects_of

__all__ = ["suspects_of"]
