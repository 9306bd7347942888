"""The page says which models can be shipped how, as the code has it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from example_models import COUNTING, READING, TREES, learned

from seedbed.core.counted import AsCounted
from seedbed.core.graph import AsGraph
from seedbed.core.learner import Learner

PAGE = Path(__file__).parents[2] / "docs/how-to/ship.md"


def told() -> dict[str, dict[str, str]]:
    """The table: forms by learner."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    start = next(place for place, line in enumerate(lines) if line.startswith("| learner |"))
    names = [one.strip(" `") for one in lines[start].strip("|").split("|")][1:5]
    found: dict[str, dict[str, str]] = {}
    for line in lines[start + 1 :]:
        first, *forms = (one.strip() for one in line.strip("|").split("|"))
        for use in re.findall(r"`(\w+)`", first):
            assert use not in found, f"{use} stands there twice"
            found[use] = dict(zip(names, forms, strict=False))
    return found


def test_every_learner_stands_in_the_table() -> None:
    own = {use for use, part in Learner.catalogue.items() if part.__module__.startswith("seedbed.")}
    assert set(told()) == own


@pytest.mark.parametrize("use", sorted(set(told())))
def test_a_learner_has_a_graph_where_the_table_says_so(use: str) -> None:
    model = Learner.catalogue[use].model
    said = told()[use]
    assert (said["onnx"] != "no") == hasattr(model, "graph")
    assert (said["c_header"] != "no") <= hasattr(model, "counted")
    assert said["onnx"] != "no" or {said["8 bits"], said["browser"], said["c_header"]} == {"no"}


@pytest.mark.parametrize("use", [*COUNTING, *READING, *TREES, "tabular_linear"])
def test_forms_are_as_the_table_says(use: str, tiny: Path) -> None:
    model, _, _ = learned(use, Learner.catalogue[use].examples[0], tiny)
    said = told()[use]
    assert isinstance(model, AsGraph)
    graph = model.graph()
    assert (said["8 bits"] == "yes") == graph.network
    assert {"yes": graph.feed != "numbers", "no": graph.feed == "numbers", "of texts": use in TREES}[said["browser"]]
    assert (said["c_header"] == "yes") == (isinstance(model, AsCounted) and model.counted() is not None)
