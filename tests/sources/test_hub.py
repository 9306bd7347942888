"""Datasets of hubs: which files are meant, what is fetched of them and kept, and what goes wrong."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError
from source_reading import read

import seedbed
from seedbed.core.context import Context
from seedbed.core.errors import Damaged, DataError, RecipeError
from seedbed.sources.hub import Hub
from serving.hub_server import OWNER, Dataset, HubServer, hub_server

CARD = """---
license: cc-by-4.0
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*
  - split: test
    path: data/test-*
- config_name: other
  data_files: extra.csv
---
# Reviews
"""
HF = f"hf://datasets/{OWNER}"


def parquet(rows: int, start: int = 0) -> bytes:
    held = io.BytesIO()
    pl.DataFrame(
        {"text": [f"text {start + n}" for n in range(rows)], "label": [n % 2 for n in range(rows)]}
    ).write_parquet(held)
    return held.getvalue()


def files() -> dict[str, bytes]:
    return {
        "README.md": CARD.encode(),
        "data/train-00000-of-00002.parquet": parquet(40),
        "data/train-00001-of-00002.parquet": parquet(30, 40),
        "data/test-00000-of-00001.parquet": parquet(10, 70),
        "extra.csv": b"text,label\ngood,1\nbad,0\n",
        "reviews.py": b"raise SystemExit('a script was run')",
    }


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    with hub_server(Dataset(files(), {"license": "cc-by-4.0"})) as found:
        monkeypatch.setenv("HF_ENDPOINT", found.url)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "nobody"))
        monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield found


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the store is `.seedbed` of the working folder


def part(path: str = HF, **options: Any) -> Hub:
    return Hub.model_validate({"use": "hub", "path": path, **options})


# On the Hugging Face Hub


def test_a_split_is_fetched_once_with_its_commit_and_its_licence(server: HubServer, tmp_path: Path) -> None:
    found = read(part(split="train"), tmp_path)
    assert found.table["text"].to_list() == [f"text {n}" for n in range(70)]
    names = ["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"]
    assert [file.name for file in found.scan.files] == names
    assert server.downloads == ["README.md", *names]
    assert found.records == [*range(1, 41), *range(1, 31)]
    commit = server.dataset.commit
    assert found.scan.found["revision"] == commit
    assert found.scan.found["license"] == "cc-by-4.0"
    assert found.scan.notes == ("its card states the licence cc-by-4.0; the recipe states none",)
    assert [file.origin and file.origin.url for file in found.scan.files] == [f"{HF}@{commit}/{name}" for name in names]
    assert found.scan.fetching["revision"] == commit
    asked = len(server.asked)
    server.dataset.files["data/train-00000-of-00002.parquet"] = parquet(5)
    assert read(part(split="train"), tmp_path).table.equals(found.table)
    assert len(server.asked) == asked
    offline = Context(base=tmp_path, store=Path(".seedbed"), offline=True)
    assert part(split="train").scan(offline).settings == found.scan.settings


def test_the_licence_of_the_recipe_counts(server: HubServer, tmp_path: Path) -> None:
    assert read(part(split="test", license="MIT"), tmp_path).scan.notes == ()


def test_what_is_new_is_fetched_and_what_is_the_same_is_not(server: HubServer, tmp_path: Path) -> None:
    first = read(part(split="train", refresh="new"), tmp_path)
    server.asked.clear()
    assert read(part(split="train", refresh="new"), tmp_path).table.equals(first.table)
    assert server.downloads == []
    server.dataset.files["data/train-00001-of-00002.parquet"] = parquet(3, 500)
    again = read(part(split="train", refresh="new"), tmp_path)
    assert server.downloads == ["data/train-00001-of-00002.parquet"]
    assert again.table["text"][40:].to_list() == ["text 500", "text 501", "text 502"]
    assert again.scan.found["revision"] == server.dataset.commit
    del server.dataset.files["data/train-00001-of-00002.parquet"]
    assert read(part(split="train", refresh="new"), tmp_path).table.height == 40


def test_only_a_file_that_is_damaged_is_fetched_again_at_the_commit_that_it_is_of(
    server: HubServer, tmp_path: Path
) -> None:
    first = read(part(split="train"), tmp_path)
    body = Path(first.scan.files[1].url).resolve()
    body.write_bytes(body.read_bytes()[:-9])
    offline = Context(base=tmp_path, store=Path(".seedbed"), offline=True)
    with pytest.raises(Damaged, match=r"what was kept of data/train-00001-of-00002\.parquet is damaged"):
        part(split="train").scan(offline)
    server.asked.clear()
    again = read(part(split="train"), tmp_path)
    assert server.downloads == [first.scan.files[1].name]
    assert any(server.dataset.commit in asked for asked in map(str, server.asked))
    assert again.table.equals(first.table)
    assert again.scan.found == first.scan.found
    assert again.scan.notes == first.scan.notes


def test_a_revision_and_a_configuration(server: HubServer, tmp_path: Path) -> None:
    server.dataset.older["v1"] = {"train.jsonl": b'{"text": "old"}\n{"text": \n{"text": "older"}\n'}
    found = read(part(f"{HF}@v1"), tmp_path)
    assert found.table["text"].to_list() == ["old", "older"]
    assert found.reasons == [(2, 2, "not_json")]
    assert found.scan.found["revision"] == "v1"
    found = read(part(config="other", options={"delimiter": ","}), tmp_path)
    assert found.table["text"].to_list() == ["good", "bad"]
    assert [file.name for file in found.scan.files] == ["extra.csv"]
    found = read(part(files="*.csv"), tmp_path)
    assert found.table.height == 2


def test_a_quick_look_fetches_no_more_files_than_it_needs(server: HubServer, tmp_path: Path) -> None:
    found = read(part(split="train", limit=7), tmp_path)
    assert found.table.height == 7
    assert server.downloads == ["README.md", "data/train-00000-of-00002.parquet"]


@pytest.mark.parametrize(
    ("options", "problem", "hint"),
    [
        ({"split": "dev"}, "has no split 'dev'", "train"),
        ({}, "has the splits train, test", "split"),
        ({"config": "otter"}, "has no configuration 'otter'", "did you mean 'other'?"),
        ({"split": "train", "options": {"delimiter": ","}}, "no option 'delimiter'", "parquet has none"),
        ({"config": "other", "options": {"delimeter": ","}}, "no option 'delimeter'", "delimiter"),
    ],
)
def test_what_a_recipe_asks_and_is_not_there(
    options: dict[str, Any], problem: str, hint: str, server: HubServer, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match=problem) as error:
        read(part(**options), tmp_path)
    assert hint in error.value.hint


def test_a_file_that_is_cut_goes_on(server: HubServer, tmp_path: Path) -> None:
    server.cut_after = 200
    with pytest.raises(DataError):
        read(part(split="train"), tmp_path)
    server.cut_after, server.failing = None, 0
    assert read(part(split="train"), tmp_path).table.height == 70
    assert not list((tmp_path / ".seedbed/snapshots").glob("*/arriving/data/*.parquet"))


def test_bytes_that_are_not_those_of_the_listing(server: HubServer, tmp_path: Path) -> None:
    server.lies = {"data/train-00001-of-00002.parquet"}
    with pytest.raises(DataError, match="is not what the hub says it is"):
        read(part(split="train"), tmp_path)


def test_a_token_is_sent_and_kept_nowhere(server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.dataset.token = "hf_very_secret"
    with pytest.raises(DataError, match="is not there, or is private") as error:
        read(part(split="test"), tmp_path)
    assert "HF_TOKEN" in error.value.hint
    monkeypatch.setenv("HF_TOKEN", "hf_very_secret")
    assert read(part(split="test"), tmp_path).table.height == 10
    assert "hf_very_secret" in server.tokens
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and b"hf_very_secret" in file.read_bytes()]


def test_a_gated_one_a_revision_and_a_dataset_that_are_not_there(server: HubServer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no revision 'v9'"):
        read(part(f"{HF}@v9"), tmp_path)
    with pytest.raises(DataError, match="is not there, or is private"):
        read(part("hf://datasets/someone/else"), tmp_path)
    server.dataset.gated = True
    with pytest.raises(DataError, match="its terms must be accepted"):
        read(part(split="test"), tmp_path)


def test_an_endpoint_that_is_not_there(server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DataError, match="cannot be reached"):
        read(part(split="test"), tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DataError, match="HF_HUB_OFFLINE is set"):
        read(part(split="test"), tmp_path)
    with pytest.raises(DataError, match="nothing was kept"):
        part(split="test").scan(Context(base=tmp_path, store=tmp_path / "store", offline=True))


def test_too_much_is_not_fetched(server: HubServer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="`most_bytes` allows 1,000"):
        read(part(split="train", most_bytes=1000), tmp_path)
    assert server.downloads == ["README.md"]


@pytest.mark.parametrize(
    ("card", "names", "problem"),
    [
        ("configs: [{config_name: default, data_files: 'https://elsewhere.example/x.csv'}]", {}, "lie elsewhere"),
        ("configs: [{config_name: default, data_files: '../../etc/passwd'}]", {}, "lie elsewhere"),
        ("configs: [{config_name: default, data_dir: '../..'}]", {}, "leads out of the dataset"),
        ("configs: 7", {}, "not understood"),
        ("configs: [{data_files: x}]", {}, "not understood"),
        ("configs: []", {"../train.csv": b"a\n1\n"}, "leads elsewhere"),
        ("configs: []", {"train.csv": b"a\n1\n", "train.parquet": b""}, "several kinds"),
        ("configs: []", {"train.py": b"raise SystemExit"}, "no source reads its files"),
        ("configs: []", {}, "holds no data file|layout is not understood"),
    ],
)
def test_cards_and_names_that_mislead(
    card: str, names: dict[str, bytes], problem: str, server: HubServer, tmp_path: Path
) -> None:
    server.dataset.files = {"README.md": f"---\n{card}\n---\n".encode(), **names}
    with pytest.raises(DataError, match=problem) as error:
        read(part(), tmp_path)
    assert len(str(error.value).splitlines()) <= 5
    assert str(tmp_path) not in str(error.value)


# In a folder


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_folder_that_the_library_wrote(tmp_path: Path) -> None:
    import datasets

    held = datasets.Dataset.from_dict({"text": [f"t {n}" for n in range(12)], "label": [n % 3 for n in range(12)]})
    split = held.train_test_split(test_size=0.25, seed=1)
    for name, rows in split.items():  # as `push_to_hub` lays it out
        (tmp_path / "pushed/data").mkdir(parents=True, exist_ok=True)
        rows.to_parquet(tmp_path / f"pushed/data/{name}-00000-of-00001.parquet")
    (tmp_path / "pushed/README.md").write_text(CARD)
    found = read(part("pushed", split="train"), tmp_path)
    assert found.table["text"].to_list() == split["train"]["text"]
    assert [file.name for file in found.scan.files] == ["data/train-00000-of-00001.parquet"]
    assert found.scan.found["license"] == "cc-by-4.0"
    loaded = datasets.load_dataset(str(tmp_path / "pushed"), split="test", cache_dir=str(tmp_path / "cache"))
    assert read(part("pushed", split="test"), tmp_path).table["text"].to_list() == loaded["text"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_labels_kept_as_numbers_are_named_in_a_note(tmp_path: Path) -> None:
    import datasets

    kinds = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["bad", "good"])})
    held = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]}, features=kinds)
    (tmp_path / "pushed/data").mkdir(parents=True)
    held.to_parquet(tmp_path / "pushed/data/train-00000-of-00001.parquet")
    datasets.DatasetDict(train=held).save_to_disk(tmp_path / "saved")
    for folder in ("pushed", "saved"):
        (note,) = read(part(folder, split="train"), tmp_path).scan.notes
        assert note.endswith('{use: map_values, column: label, values: {"0": bad, "1": good}}')


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_folder_that_the_library_saved(tmp_path: Path) -> None:
    import datasets

    held = datasets.Dataset.from_dict({"text": [f"t {n}" for n in range(8)]})
    datasets.DatasetDict(train=held, test=held.select([3])).save_to_disk(tmp_path / "saved")
    found = read(part("saved", split="train"), tmp_path)
    assert found.table["text"].to_list() == held["text"][:]
    assert [file.name for file in found.scan.files] == ["train/data-00000-of-00001.arrow"]
    assert read(part("saved", split="test"), tmp_path).table["text"].to_list() == ["t 3"]


def test_folders_by_their_names(tmp_path: Path) -> None:
    for name in ("one/train.csv", "one/validation.csv", "two/training/a.csv", "two/training/b.csv", "two/eval/c.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"text\n{name}\n")
    assert read(part("one", split="validation"), tmp_path).table["text"].to_list() == ["one/validation.csv"]
    found = read(part("two", split="train"), tmp_path)
    assert found.table["text"].to_list() == ["two/training/a.csv", "two/training/b.csv"]
    assert [file.name for file in found.scan.files] == ["training/a.csv", "training/b.csv"]
    (tmp_path / "two/training/a.csv").write_text("text\nchanged\n")
    assert read(part("two", split="train"), tmp_path).table["text"][0] == "changed"


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        read(part("nowhere"), tmp_path)


@pytest.mark.parametrize(
    "path", ["hf://datasets/a/b/c", "hf://models/a/b", "kaggle://a", "https://x.example/y", HF + "@"]
)
def test_addresses_that_are_none(path: str) -> None:
    with pytest.raises(ValidationError, match="is no dataset of a hub"):
        part(path)


# Kaggle


@pytest.fixture
def kaggle(server: HubServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> HubServer:
    pytest.importorskip("kagglehub")
    import kagglesdk.kaggle_env as env

    server.dataset = Dataset(
        {"a/train.csv": b"text\nx\ny\n", "a/test.csv": b"text\nz\n", "c.txt": b""}, license="CC0: Public Domain"
    )
    monkeypatch.setitem(env._env_to_endpoint, env.KaggleEnv.LOCAL, server.url)
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "LOCALHOST")
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    monkeypatch.setenv("KAGGLE_KEY", "kaggle-secret")
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
    return server


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_dataset_of_kaggle(kaggle: HubServer, tmp_path: Path) -> None:
    found = read(part(f"kaggle://{OWNER}", split="train"), tmp_path)
    assert found.table["text"].to_list() == ["x", "y"]
    assert [file.name for file in found.scan.files] == ["a/train.csv"]
    assert found.scan.found["revision"] == "3"
    assert found.scan.found["license"] == "CC0: Public Domain"
    asked = len(kaggle.asked)
    assert read(part(f"kaggle://{OWNER}", split="train"), tmp_path).table.equals(found.table)
    assert len(kaggle.asked) == asked
    assert not [
        file for file in (tmp_path / ".seedbed").rglob("*") if file.is_file() and b"kaggle-secret" in file.read_bytes()
    ]
    with pytest.raises(DataError, match="is not there, or is private"):
        read(part("kaggle://someone/else"), tmp_path)
    kaggle.failing = 401
    with pytest.raises(DataError, match="HTTP status 401"):
        read(part(f"kaggle://{OWNER}@2"), tmp_path)


# All of it


def test_a_run_and_one_without_a_network(server: HubServer, tmp_path: Path) -> None:
    recipe = {
        "seedbed": 1,
        "name": "reviews",
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [{"use": "hub", "path": HF, "split": "train"}],
        "train": [{"use": "majority"}],
        "evaluate": {"leakage": False},
    }
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    first = seedbed.run(tmp_path / "recipe.yaml")
    server.failing = 500
    again = seedbed.run(tmp_path / "recipe.yaml", offline=True)
    assert first.run.rows.read == 70
    assert again.run.dataset.digest == first.run.dataset.digest
    [source] = again.run.sources
    assert any("cc-by-4.0" in note for note in source.notes)
    assert source.license == "cc-by-4.0"
    assert again.run.licences
    assert [credit.license for credit in again.run.licences.credits] == ["CC-BY-4.0"]
