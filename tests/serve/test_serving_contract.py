"""What the OpenAPI schema promises, held against the application by schemathesis: whatever it sends, no 500."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

import seedbed
from learned_sample import learned
from predicting_sample import small_run
from seedbed.core.reported import Reports
from seedbed.flow.offering import near_of
from seedbed.serve import besides
from seedbed.serve.api import make_app
from seedbed.serve.keys import Keys, new_key
from seedbed.serve.service import Service, Version

FEW = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module", params=["text", "columns", "keys", "besides"])
def contract(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    base: Path = tmp_path_factory.mktemp(request.param)
    folder = (learned("tabular_classification", base) if request.param == "columns" else small_run(base)).folder
    keys, key = None, ""
    if request.param == "keys":
        key = new_key(base / "keys.txt", "ana")
        keys = Keys.read(base / "keys.txt")
    served: Any = seedbed.load_model(folder)
    if request.param == "besides":  # all that a page can ask
        patch = pytest.MonkeyPatch()
        request.addfinalizer(patch.undo)
        patch.setattr(besides, "_REPORTS", 10**6)
        near = near_of(served, "names", "127.0.0.1", base / "store")
        served = Service(Version(served, near=near, reports=Reports.of(base / "feedback", "moods")))
    app = make_app(served, keys=lambda: keys)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers=headers)
    schema.config.checks.negative_data_rejection.expected_statuses = ["401", "405", "413", "415", "422"]
    paths = ("/explain", "/similar", "/feedback") if request.param == "besides" else ()
    yield schema, headers, paths
    app.state.service.end()


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_the_contract_holds(contract: Any, mode: GenerationMode) -> None:
    schema, headers, paths = contract
    sent: Counter[str] = Counter()
    for found in schema.get_all_operations():
        operation = found.ok()
        if paths and operation.path not in paths:
            continue  # the others' are looked at
        if mode is GenerationMode.NEGATIVE and operation.method == "get":
            continue  # there is nothing to get wrong

        @FEW
        @given(case=operation.as_strategy(generation_mode=mode))
        def holds(case: schemathesis.Case) -> None:
            answer = case.call_and_validate(headers=headers)
            sent[f"{case.method} {case.path} {answer.status_code // 100}"] += 1

        holds()
    for path in paths or ("/predict", "/explain"):
        assert sent[f"POST {path} {2 if mode is GenerationMode.POSITIVE else 4}"] > 10, sent
