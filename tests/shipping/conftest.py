"""Runs with models that are exported."""

from __future__ import annotations

from pathlib import Path

import pytest

from predicting_sample import small_run
from tiny_encoder import write_tiny_encoder
from tiny_networks import write_tiny_bert


@pytest.fixture(scope="session")
def counting(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Path:
    """A run with models that count terms, some with an encoder beside them."""
    counts = {"use": "naive_bayes", "weighting": "counts"}
    both = {"use": "tfidf_embedding_logistic", "encoder": str(tiny)}
    forest = {"use": "random_forest", "trees": 10}
    train = [
        {"use": "majority"},
        {"use": "tfidf_logistic"},
        counts,
        forest,
        both,
        {"use": "ensemble", "learners": [counts, forest, both]},
    ]
    return small_run(tmp_path_factory.mktemp("counting"), train=train).folder


@pytest.fixture(scope="session")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with models that read tokens: an encoder with a linear head, and a fine-tuned network."""
    base = tmp_path_factory.mktemp("reading")
    encoder, network = write_tiny_encoder(base / "encoder"), write_tiny_bert(base / "network")
    train = [
        {"use": "majority"},
        {"use": "embedding_logistic", "encoder": str(encoder)},
        {"use": "transformer", "pretrained": str(network), "epochs": 1, "max_tokens": 32},
    ]
    return small_run(base, train=train).folder
