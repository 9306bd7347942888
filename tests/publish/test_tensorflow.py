"""What TensorFlow and Keras make of what is written for them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from publish_sample import finished, splits_of
from rows_of_all_kinds import rows_of

from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError
from seedbed.publish import TfData, Tfrecord

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # TensorFlow warns of itself, in several ways


@pytest.fixture(scope="module")
def tf() -> Iterator[Any]:
    yield pytest.importorskip("tensorflow")


def test_a_tfrecord_is_parsed_by_tensorflows_own_reader(tf: Any, run: Path, context: Context) -> None:
    Tfrecord(path="out").export(run, context)
    table = splits_of(["a", "b"])["train"]
    features = {
        "text": tf.io.FixedLenFeature([], tf.string, default_value="(missing)"),
        "likes": tf.io.FixedLenFeature([], tf.int64),
        "score": tf.io.FixedLenFeature([], tf.string),
        "spam": tf.io.FixedLenFeature([], tf.int64),
    }
    records = tf.data.TFRecordDataset(str(context.base / "out" / "train.tfrecord"))
    found = list(records.map(lambda one: tf.io.parse_single_example(one, features)).as_numpy_iterator())
    assert [one["text"].decode() for one in found] == table["text"].fill_null("(missing)").to_list()
    assert [int(one["likes"]) for one in found] == table["likes"].to_list()
    assert [bool(one["spam"]) for one in found] == table["spam"].to_list()
    scores = [float(tf.io.decode_raw(one["score"], tf.float64)[0]) for one in found]
    assert scores == table["score"].to_list()


def test_a_tf_data_dataset_is_loaded_without_being_told_anything(tf: Any, run: Path, context: Context) -> None:
    TfData(path="out", columns=["sentiment", "likes", "score", "spam"]).export(run, context)
    loaded = tf.data.Dataset.load(str(context.base / "out" / "train"))
    table = splits_of(["a", "b"])["train"]
    found = list(loaded.as_numpy_iterator())
    assert [int(one["likes"]) for one in found] == table["likes"].to_list()
    assert [one["row"].decode() for one in found] == table["row"].to_list()
    assert loaded.element_spec["score"].dtype == tf.float64
    back = pl.concat(list(TfData.read(context.base / "out" / "train").batches()))
    assert back.equals(table.select(back.columns))


def test_keras_fits_pairs(tf: Any, tmp_path: Path) -> None:
    import keras

    rows = 64
    table = pl.DataFrame(
        {"text": ["good fine great", "bad awful poor"] * (rows // 2), "label": ["pos", "neg"] * (rows // 2)}
    )
    context = Context(base=tmp_path, store=tmp_path / "store")
    TfData(path="x", pairs=True, text="text", label="label").write_alone(rows_of(table), tmp_path / "out", context)
    labels = json.loads((tmp_path / "out" / "schema.json").read_text())["seedbed"]["labels"]
    assert labels == ["neg", "pos"]
    pairs = tf.data.Dataset.load(str(tmp_path / "out"))
    keras.utils.set_random_seed(13)
    vectors = keras.layers.TextVectorization(output_mode="multi_hot", max_tokens=50)
    vectors.adapt(pairs.map(lambda text, _: text).batch(16))
    model = keras.Sequential([keras.Input((1,), dtype="string"), vectors, keras.layers.Dense(2, activation="softmax")])
    model.compile(optimizer=keras.optimizers.Adam(0.1), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    batches = pairs.map(lambda text, label: (tf.expand_dims(text, -1), label)).batch(16)
    model.fit(batches, epochs=5, verbose=0)
    assert model.evaluate(batches, verbose=0, return_dict=True)["accuracy"] == 1.0


def test_the_numbers_of_labels_are_those_of_the_run_in_every_split(tf: Any, tmp_path: Path, context: Context) -> None:
    run = finished(tmp_path / "runs" / "tweets" / "1")
    exporter = TfData(path="out", pairs=True, columns=["sentiment", "likes"], text="sentiment")
    exporter.export(run, context)
    for name, table in splits_of(["a", "b"]).items():
        found = list(tf.data.Dataset.load(str(context.base / "out" / name)).as_numpy_iterator())
        assert [(text.decode(), int(code)) for text, code in found] == [
            (label, "ab".index(label)) for label in table["sentiment"]
        ]


def test_what_no_pair_can_be_made_of(tf: Any, tmp_path: Path) -> None:
    context = Context(base=tmp_path, store=tmp_path / "store")
    table = pl.DataFrame({"text": ["a", None], "label": ["x", "y"]})
    with pytest.raises(RecipeError, match="which column is the label"):
        TfData(path="x", pairs=True, text="text").write_alone(rows_of(table), tmp_path / "out", context)
    with pytest.raises(DataError, match="1 of column 'text'"):
        TfData(path="x", pairs=True, text="text", label="label").write_alone(rows_of(table), tmp_path / "out", context)
    assert not (tmp_path / "out").exists()
