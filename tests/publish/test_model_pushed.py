"""A model goes to the Hub by `seedbed publish`, as it is, in one commit, and not while its papers are blank."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hub_taking import TOKEN, taking

from predicting_sample import small_run
from seedbed.core.context import Context
from seedbed.core.errors import ModelError, RecipeError, Refused
from seedbed.flow.exporting.export import Asked, export
from seedbed.flow.exporting.publishing import publish
from seedbed.flow.predicting.opening import open_model

CARD = {
    "license": "CC0-1.0", "languages": "en", "collected": "made for a test", "intended_uses": "tests",
    "sensitive": "no", "contact": "nobody@example.org",
}  # fmt: skip
ASKED = Asked("bundle", "hf://someone/moods")


def test_a_model_is_pushed_and_opens_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [{"use": "jsonl", "path": "rows.jsonl", "name": "mine", "license": "CC0-1.0"}]
    run = small_run(tmp_path, sources=sources, train=[{"use": "majority"}, {"use": "naive_bayes"}])
    context = Context(base=tmp_path, store=tmp_path / ".seedbed")
    bundle = run.folder / "models" / "naive_bayes"
    with taking() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        with pytest.raises(Refused, match="nobody answered"):
            publish(str(run.folder), ASKED, context=context)
        with pytest.raises(RecipeError, match="bundle sends the model to others"):
            export(str(run.folder), ASKED, context)
        assert hub.asked == []

        (tmp_path / "card.yaml").write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in CARD.items()))
        hub.files = {"notes.md": b"theirs"}
        assert publish(str(run.folder), ASKED, context=context).places == ("hf://someone/moods",)
        assert (hub.name, hub.kind, hub.private, hub.commits) == ("someone/moods", "models", True, ["Model by Seedbed"])
        held = {path.name: path.read_bytes() for path in bundle.iterdir()}
        assert hub.files == {**held, "notes.md": b"theirs"} and "weights.safetensors" in held
        header = yaml.safe_load(hub.files["README.md"].decode().split("---")[1])
        assert (header["library_name"], header["pipeline_tag"]) == ("seedbed", "text-classification")
        assert header["model-index"][0]["results"][0]["metrics"]

        fetched = tmp_path / "fetched"
        fetched.mkdir()
        for name, raw in hub.files.items():
            (fetched / name).write_bytes(raw)
        again, here = open_model(fetched), open_model(bundle)
        assert again.check_golden() == 0.0 and again.digest == here.digest
        assert again.predict(["a great film"]).equals(here.predict(["a great film"]))

        monkeypatch.setenv("HF_TOKEN", "hf_another")
        with pytest.raises(ModelError, match="401") as caught:
            publish(str(run.folder), ASKED, context=context)
        assert "hf_another" not in str(caught.value)
    for path in ("hf://moods", "hf://datasets/someone/moods", "hf://spaces/someone/moods", "hf://a/b/c"):
        with pytest.raises(RecipeError, match="no model of the Hub"):
            publish(str(run.folder), Asked("bundle", path), context=context)


def test_into_a_folder(tmp_path: Path) -> None:
    run = small_run(tmp_path, train=[{"use": "naive_bayes"}])
    done = export(str(run.folder), Asked("bundle", str(tmp_path / "shipped")), Context(base=tmp_path))
    assert any("questions open" in note for note in done.notes)
    held = {path.name for path in (run.folder / "models" / "naive_bayes").iterdir()}
    assert {path.name for path in (tmp_path / "shipped").iterdir()} == held | {"export.json"}
    assert open_model(tmp_path / "shipped").check_golden() == 0.0
