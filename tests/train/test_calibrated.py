from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.context import Context
from seedbed.core.task import TextClassification
from seedbed.evaluate import ExpectedCalibrationError, LogLoss
from seedbed.evaluate.judge import measure
from seedbed.train import Majority, TfidfLogistic
from seedbed.train.bundle import Input, Preprocess, load_bundle, save_bundle
from seedbed.train.calibrated import Calibrated, calibration_of, heated

TASK = TextClassification(kind="text_classification", text="text", label="label")


def believed(rows: int, sure: float, seed: int, labels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """A model that is `sure` times as sure as it should be."""
    random = np.random.default_rng(seed)
    scores = 1.5 * random.normal(size=(rows, labels))
    right = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    truth = (random.random((rows, 1)) > right.cumsum(1)).sum(1).clip(0, labels - 1)
    said = np.exp(sure * scores)
    return truth, said / said.sum(1, keepdims=True)


@given(
    st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda row: sum(row) > 0.01), min_size=1),
    st.floats(0.05, 20),
)
def test_no_decision_changes(rows: list[list[float]], temperature: float) -> None:
    probabilities = np.array(rows) / np.array(rows).sum(1, keepdims=True)
    found = heated(probabilities, temperature)
    assert (found.argmax(1) == probabilities.argmax(1)).all()
    assert np.allclose(found.sum(1), 1)
    assert ((found == 0) >= (probabilities == 0)).all()


def test_almost_equal_probabilities_stay_in_order() -> None:
    close = np.array([[np.nextafter(0.5, 0), 0.5], [0.5, np.nextafter(0.5, 0)]])
    assert heated(close, 20.0).argmax(1).tolist() == [1, 0]


@pytest.mark.parametrize(("sure", "low", "high"), [(2.0, 1.7, 2.3), (1.0, 0.9, 1.1), (0.5, 0.4, 0.6)])
def test_the_temperature_is_how_much_too_sure_it_was(sure: float, low: float, high: float) -> None:
    found = calibration_of(*believed(3_000, sure, seed=1), "validation")
    assert found is not None
    assert low < found.temperature < high
    assert found.log_loss_after <= found.log_loss_before
    assert (found.split, found.rows) == ("validation", 3_000)


def test_fresh_rows_are_better_calibrated() -> None:
    found = calibration_of(*believed(1_000, 2.0, seed=1), "validation")
    assert found is not None
    truth, probabilities = believed(3_000, 2.0, seed=2)
    after = heated(probabilities, found.temperature)
    assert measure(ExpectedCalibrationError(), truth, after) < 0.5 * measure(
        ExpectedCalibrationError(), truth, probabilities
    )
    assert measure(LogLoss(), truth, after) < measure(LogLoss(), truth, probabilities)


def test_losses_are_the_metrics() -> None:
    truth, probabilities = believed(500, 2.0, seed=3)
    found = calibration_of(truth, probabilities, "validation")
    assert found is not None
    assert found.log_loss_before == pytest.approx(measure(LogLoss(), truth, probabilities))
    assert found.log_loss_after == pytest.approx(measure(LogLoss(), truth, heated(probabilities, found.temperature)))


def test_no_mistake_is_no_certainty() -> None:
    truth = np.arange(60) % 2
    sure = np.where(truth == 1, 0.9, 0.1)
    found = calibration_of(truth, np.stack([1 - sure, sure], axis=1), "validation")
    assert found is not None
    # As one mistake in 61 says it: (0.9 / 0.1) ** (1 / T) = 60.
    assert found.temperature == pytest.approx(np.log(9) / np.log(60), rel=1e-3)


def test_few_rows_and_nothing_to_gain() -> None:
    assert calibration_of(*believed(49, 2.0, seed=1), "validation") is None
    equal = calibration_of(np.arange(60) % 2, np.full((60, 2), 0.5), "validation")
    assert equal is not None
    assert (equal.temperature, equal.log_loss_after) == (1, equal.log_loss_before)
    impossible = calibration_of(np.arange(60) % 2, np.tile([1.0, 0.0], (60, 1)), "validation")
    assert impossible is not None and impossible.temperature == 1


def test_a_bundle_keeps_its_calibration(tmp_path: Path) -> None:
    rows = pl.DataFrame({"text": ["good day", "bad day", "good", "bad", "so good", "so bad"], "label": ["+", "-"] * 3})
    learner = TfidfLogistic(min_df=1)
    own = learner.fit(rows, rows.clear(), TASK, Context())
    calibration = calibration_of(*believed(100, 2.0, seed=1, labels=2), "validation")
    assert calibration is not None
    before = Preprocess(inputs=(Input(name="text"),), steps=(), golden=())
    save_bundle(Calibrated(own, calibration), tmp_path / "one", learner=learner, task=TASK, preprocess=before)
    loaded, bundle = load_bundle(tmp_path / "one")
    assert isinstance(loaded, Calibrated)
    assert loaded.labels == own.labels and bundle.calibration == loaded.calibration == calibration
    assert (loaded.predict(rows) == heated(own.predict(rows), calibration.temperature)).all()
    assert not np.allclose(loaded.predict(rows), own.predict(rows))
    plain = Majority().fit(rows, rows.clear(), TASK, Context())
    save_bundle(plain, tmp_path / "two", learner=Majority(), task=TASK, preprocess=before)
    assert json.loads((tmp_path / "two" / "bundle.json").read_text())["calibration"] is None
    assert type(load_bundle(tmp_path / "two")[0]) is type(plain)


def test_a_calibrated_model_is_read_with_its_bundle(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="load_bundle"):
        Calibrated.load(tmp_path)
