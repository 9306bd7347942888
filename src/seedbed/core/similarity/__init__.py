"""Which texts are alike: shingles, Jaccard similarity, the exact join, MinHash bands and connected components."""

from __future__ import annotations

from .components import components
from .join import similar_pairs
from .minhash import band_keys, bands_for, bands_for_rows, signatures
from .pairs import band_table, one_key_table, verified_pairs
from .shingles import Kind, Shingles, choose_kind, jaccard, normalise, shingle

__all__ = [
    "Kind",
    "Shingles",
    "band_keys",
    "band_table",
    "bands_for",
    "bands_for_rows",
    "choose_kind",
    "components",
    "jaccard",
    "normalise",
    "one_key_table",
    "shingle",
    "signatures",
    "similar_pairs",
    "verified_pairs",
]
