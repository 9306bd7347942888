from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from seedbed.core.context import Context
from seedbed.core.errors import ModelError
from seedbed.core.part import BASE
from seedbed.core.task import TextClassification
from seedbed.store.embeddings import IN_A_FILE, WORTH_KEEPING, EncoderOptions
from seedbed.train import EmbeddingLogistic
from seedbed.train.bundle import Preprocess, load_bundle, save_bundle
from tiny_encoder import write_tiny_encoder

TASK = TextClassification(kind="text_classification", text="text", label="label")
MANY = [f"{first} {second} {i}" for i, (first, second) in enumerate([("lovely", "chair"), ("awful", "desk")] * 700)]


@dataclass
class Counting:
    """Counts what is embedded, and stops everything after so many texts."""

    stop_after: float = float("inf")
    embedded: float = 0
    said: list[str] = field(default_factory=list)

    def start(self, title: str, total: float | None, unit: str) -> Counting:
        assert title == "Embedding texts"
        return self

    def advance(self, amount: float = 1, note: str = "") -> None:
        self.embedded += amount
        if self.embedded > self.stop_after:
            raise KeyboardInterrupt

    def finish(self, stage: object) -> None: ...

    def say(self, text: str) -> None:
        self.said.append(text)


def embed(texts: list[str], tiny: Path, store: Path, **options: object) -> tuple[np.ndarray, float]:
    """Embeddings, and how many of the texts were computed."""
    counting = Counting()
    context = Context(store=store, progress=counting)
    embedder = EncoderOptions(encoder=str(tiny), max_tokens=20).model_copy(update=options).embedder(context)
    return embedder.embed(texts, context), counting.embedded


def files(store: Path) -> list[Path]:
    return sorted(store.rglob("*.parquet"))


def test_a_text_is_embedded_once(tiny: Path, tmp_path: Path) -> None:
    first, computed = embed(MANY, tiny, tmp_path)
    assert computed == len(MANY)
    again, computed = embed([*MANY[::-1], *MANY[:9]], tiny, tmp_path)
    assert computed == 0
    assert (again == np.concatenate([first[::-1], first[:9]])).all()
    _, computed = embed([*MANY, "new"], tiny, tmp_path)
    assert computed == 1
    assert np.abs(first - embed(MANY, tiny, tmp_path / "other")[0]).max() < 1e-6


def test_equal_texts_are_embedded_once(tiny: Path, tmp_path: Path) -> None:
    found, computed = embed(["lovely", "awful"] * WORTH_KEEPING, tiny, tmp_path)
    assert computed == 2
    assert (found[::2] == found[0]).all()
    assert np.abs(found[0] - found[1]).max() > 0.01


def test_a_few_texts_leave_nothing(tiny: Path, tmp_path: Path) -> None:
    embed(MANY[: WORTH_KEEPING - 1], tiny, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_text_is_in_the_store(tiny: Path, tmp_path: Path) -> None:
    embed([f"secret {i}" for i in range(100)], tiny, tmp_path)
    assert len(files(tmp_path)) == 1
    assert all(b"secret" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert pl.read_parquet_schema(files(tmp_path)[0]) == {"key": pl.Binary, "vector": pl.Array(pl.Float32, 24)}


@pytest.mark.parametrize("other", ["encoder", "max_tokens"])
def test_what_else_was_made_otherwise(other: str, tiny: Path, tmp_path: Path) -> None:
    found, _ = embed(MANY[:100], tiny, tmp_path / "store")
    encoder = write_tiny_encoder(tmp_path / "encoder", seed=2) if other == "encoder" else tiny
    changed, computed = embed(MANY[:100], encoder, tmp_path / "store", max_tokens=4 if other == "max_tokens" else 20)
    assert computed == 100
    assert np.abs(found - changed).max() > 0.01


def test_a_damaged_file_is_made_again(tiny: Path, tmp_path: Path) -> None:
    first, _ = embed(MANY, tiny, tmp_path)
    for path, harm in zip(files(tmp_path), (b"", b"PAR1 nonsense"), strict=True):
        path.write_bytes(harm)
    again, computed = embed(MANY, tiny, tmp_path)
    assert computed == len(MANY)
    assert (again == first).all()


def test_an_interruption_costs_at_most_one_file(tiny: Path, tmp_path: Path) -> None:
    context = Context(store=tmp_path, workers=2, progress=Counting(stop_after=IN_A_FILE + 50))
    with pytest.raises(KeyboardInterrupt):
        EncoderOptions(encoder=str(tiny), max_tokens=20).embedder(context).embed(MANY, context)
    assert len(files(tmp_path)) == 1
    found, computed = embed(MANY, tiny, tmp_path)
    assert computed == len(MANY) - IN_A_FILE
    assert np.abs(found - embed(MANY, tiny, tmp_path / "other")[0]).max() < 1e-6


def test_a_store_that_cannot_be_written_costs_time_only(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("seedbed.store.embeddings.write_whole", full)
    assert embed(MANY[:100], tiny, tmp_path)[1] == 100
    assert files(tmp_path) == []


PROCESS = """
import sys
from pathlib import Path
from seedbed.core.context import Context
from seedbed.store.embeddings import EncoderOptions
context = Context(store=Path(sys.argv[2]))
texts = [f"lovely chair {i}" for i in range(2500)]
found = EncoderOptions(encoder=sys.argv[1], max_tokens=20).embedder(context).embed(texts, context)
sys.stdout.write(str(float(found.sum())))
"""


def test_two_processes_at_once(tiny: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROCESS, str(tiny), str(tmp_path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in "12"]
    told = [float(one.communicate()[0]) for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert told[0] == pytest.approx(told[1], abs=1e-3)
    texts = [f"lovely chair {i}" for i in range(2500)]
    found, computed = embed(texts, tiny, tmp_path)
    assert computed == 0
    assert found.sum() == pytest.approx(told[0], abs=1e-3)
    assert not list(tmp_path.rglob("*.partial"))


# Models


def rows() -> pl.DataFrame:
    texts = [f"{word} chair {i}" for i in range(50) for word in ("lovely", "awful")]
    return pl.DataFrame({"text": texts, "label": ["+", "-"] * 50})


def test_a_model_predicts_from_the_store(tiny: Path, tmp_path: Path) -> None:
    context = Context(store=tmp_path / "store")
    learner = EmbeddingLogistic(encoder=str(tiny))
    model = learner.fit(rows(), rows().clear(), TASK, context)
    save_bundle(
        model, tmp_path / "bundle", learner=learner, task=TASK, preprocess=Preprocess(inputs=(), steps=(), golden=())
    )
    loaded, _ = load_bundle(tmp_path / "bundle")
    expected = loaded.predict(rows())
    loaded.use_store(tmp_path / "store")
    for path in files(tmp_path / "store"):  # what is kept is what is used: turn it around
        kept = pl.read_parquet(path)
        turned = pl.Series("vector", -kept["vector"].to_numpy(), dtype=kept["vector"].dtype)
        kept.with_columns(turned).write_parquet(path)
    assert np.abs(loaded.predict(rows()) - expected).max() > 0.1
    loaded.use_store(tmp_path / "elsewhere")
    assert loaded.predict(rows()) == pytest.approx(expected, abs=1e-6)


def test_another_encoder_is_refused(tmp_path: Path) -> None:
    encoder = write_tiny_encoder(tmp_path / "encoder")
    learner = EmbeddingLogistic(encoder=str(encoder))
    model = learner.fit(rows(), rows().clear(), TASK, Context(store=tmp_path / "store"))
    save_bundle(
        model, tmp_path / "bundle", learner=learner, task=TASK, preprocess=Preprocess(inputs=(), steps=(), golden=())
    )
    write_tiny_encoder(encoder, seed=2)
    for refused in (lambda: load_bundle(tmp_path / "bundle"), lambda: model.predict(rows())):
        with pytest.raises(ModelError, match="not the encoder that the model was trained with") as caught:
            refused()
        assert len(str(caught.value).splitlines()) <= 5
    (encoder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="there is no encoder here"):
        load_bundle(tmp_path / "bundle")


def test_an_encoder_beside_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tiny_encoder(tmp_path / "mine")
    context = replace(Context(), base=tmp_path, store=tmp_path / "store")
    model = EmbeddingLogistic(encoder="mine").fit(rows(), rows().clear(), TASK, context)
    monkeypatch.chdir("/")
    assert model.predict(rows()).shape == (100, 2)


def test_what_a_model_is_made_from_tells_encoders_apart(tmp_path: Path) -> None:
    encoder = write_tiny_encoder(tmp_path / "mine")
    learner = EmbeddingLogistic.model_validate({"encoder": "mine"}, context={BASE: tmp_path})
    before = learner.made_from()
    write_tiny_encoder(encoder, seed=2)
    assert learner.made_from() != before
    with pytest.raises(ModelError, match="there is no encoder here"):
        EmbeddingLogistic(encoder="not/there").made_from()
