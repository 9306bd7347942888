"""A dataset is uploaded in one commit, by the Hub's own client, to a stand-in on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_taking import TOKEN, Taking, taking

from seedbed.core.context import Context
from seedbed.core.errors import ModelError, RecipeError
from seedbed.publish import Hub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Taking]:
    with taking() as found:
        monkeypatch.setenv("HF_ENDPOINT", found.url)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield found


def test_the_dataset_and_its_papers_go_there_in_one_commit(hub: Taking, run: Path, context: Context) -> None:
    hub.files = {"notes.md": b"theirs", "data/train-00001-of-00002.parquet": b"of an earlier upload"}
    Hub(path="hf://datasets/someone/tweets", message="First").export(run, context)
    assert (hub.name, hub.private, hub.commits) == ("someone/tweets", True, ["First"])
    sent = {str(one.relative_to(run / "dataset")): one for one in (run / "dataset").rglob("*") if one.is_file()}
    assert {name: raw for name, raw in hub.files.items() if name != "notes.md"} == {
        name: path.read_bytes() for name, path in sent.items()
    }
    assert hub.files["notes.md"] == b"theirs"


def test_a_branch_and_a_public_dataset(hub: Taking, run: Path, context: Context) -> None:
    Hub(path="hf://datasets/someone/tweets@next", private=False).export(run, context)
    assert not hub.private
    assert "POST /api/datasets/someone/tweets/commit/next" in hub.asked


def test_a_token_that_may_not_write_is_told_and_not_shown(
    hub: Taking, run: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_another")
    with pytest.raises(ModelError, match="401") as caught:
        Hub(path="hf://datasets/someone/tweets").export(run, context)
    assert "hf_another" not in str(caught.value) and len(str(caught.value).splitlines()) <= 5
    assert hub.commits == []


@pytest.mark.parametrize("path", ["hf://someone/tweets", "hf://datasets/tweets", "hf://datasets/a/b/c"])
def test_addresses_that_are_none(path: str, run: Path, context: Context) -> None:
    with pytest.raises(RecipeError, match="no dataset of the Hub"):
        Hub(path=path).export(run, context)


def test_nothing_is_sent_offline(hub: Taking, run: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="offline"):
        Hub(path="hf://datasets/someone/tweets").export(run, Context(base=tmp_path, store=tmp_path / "s", offline=True))
    assert hub.asked == []
