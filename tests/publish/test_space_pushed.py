"""A Space goes to the Hub by `seedbed publish`, in one commit, and not while its papers are blank."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hub_taking import TOKEN, taking

from predicting_sample import small_run
from seedbed.core.context import Context
from seedbed.core.errors import ModelError, RecipeError, Refused
from seedbed.flow.exporting.export import Asked, export
from seedbed.flow.exporting.publishing import publish

CARD = {
    "license": "CC0-1.0", "languages": "en", "collected": "made for a test", "intended_uses": "tests",
    "sensitive": "no", "contact": "nobody@example.org",
}  # fmt: skip
ASKED = Asked("space", "hf://spaces/someone/moods", options=("model=naive_bayes",))


def test_a_space_is_pushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [{"use": "jsonl", "path": "rows.jsonl", "name": "mine", "license": "CC0-1.0"}]
    train = [{"use": "majority"}, {"use": "naive_bayes"}]
    run = small_run(tmp_path, sources=sources, train=train)
    context = Context(base=tmp_path, store=tmp_path / ".seedbed")
    with taking() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        with pytest.raises(Refused, match="nobody answered"):
            publish(str(run.folder), ASKED, context=context)
        with pytest.raises(RecipeError, match="space sends the model to others"):
            export(str(run.folder), ASKED, context)
        assert hub.asked == []

        (tmp_path / "card.yaml").write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in CARD.items()))
        hub.files = {"notes.md": b"theirs", "model/old.json": b"of an earlier model"}
        done = publish(str(run.folder), ASKED, context=context)
        assert done.places == ("hf://spaces/someone/moods",)
        assert (hub.name, hub.kind, hub.private, hub.commits) == ("someone/moods", "spaces", True, ["Space by Seedbed"])
        held = {f"model/{path.name}": path.read_bytes() for path in (run.folder / "models" / "naive_bayes").iterdir()}
        assert {name: raw for name, raw in hub.files.items() if name.startswith("model/")} == held
        assert set(hub.files) - set(held) == {"README.md", "app.py", "facts.json", "notes.md", "requirements.txt"}
        assert json.loads(hub.files["facts.json"])["not_for_publication"] == []

        monkeypatch.setenv("HF_TOKEN", "hf_another")
        with pytest.raises(ModelError, match="401") as caught:
            publish(str(run.folder), ASKED, context=context)
        assert "hf_another" not in str(caught.value)
    for path in ("hf://spaces/moods", "hf://datasets/someone/moods"):
        with pytest.raises(RecipeError, match="no Space of the Hub"):
            publish(str(run.folder), Asked("space", path), context=context)
