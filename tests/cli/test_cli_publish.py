"""`seedbed publish`, as a person types it: nothing leaves while something stands against it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from seedbed.cli import main
from seedbed.core.documents import write_document
from serving.tuning import KEY, tuning_service

CARD = "license: MIT\nlanguages: en\ncollected: made\nintended_uses: tests\nsensitive: nothing\ncontact: us\n"
WORDS = ["river", "stone", "cloud", "grass", "night", "glass", "paper", "wheel"]
RECIPE: dict[str, Any] = {
    "seedbed": 1,
    "name": "tiny",
    "task": {"kind": "text_classification", "text": "text", "label": "label"},
    "sources": [{"use": "csv", "path": "rows.csv", "license": "MIT"}],
    "train": [{"use": "majority"}],
    "evaluate": {"intervals": {"resamples": 100}, "leakage": False},
}
# It looks at the split: a run that is stopped before has no dataset.
CHECK = {"use": "chat_rules", "messages": "text", "on_fail": "stop"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    lines = [f"{WORDS[i % 8]} {WORDS[i // 8 % 8]} {i * 7919} {i * 104729},{'pn'[i % 2]}" for i in range(120)]
    (tmp_path / "rows.csv").write_text("text,label\n" + "\n".join(lines) + "\n")
    (tmp_path / "card.yaml").write_text(CARD)
    return tmp_path


def seedbed(*arguments: str) -> int:
    with pytest.raises(SystemExit) as done:
        main(list(arguments))
    return int(done.value.code or 0)


def ran(folder: Path, **more: Any) -> int:
    (folder / "recipe.yaml").write_text(write_document({**RECIPE, **more}))
    return seedbed("run", "recipe.yaml", "--workers", "1")


def record(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "runs/tiny/latest/run.json").read_text())
    return found


def test_the_recipes_places_once_more_and_another(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ran(folder, publish=[{"use": "folder", "path": "out/tiny"}]) == 0
    (folder / "out/tiny/report.html").unlink()
    capfd.readouterr()
    (folder / "elsewhere").mkdir()
    os.chdir(folder / "elsewhere")
    assert seedbed("publish", "../runs/tiny/latest") == 0
    assert (folder / "out/tiny/report.html").exists(), "the recipe's paths start from the recipe's folder"
    assert "to out/tiny" in capfd.readouterr().out
    os.chdir(folder)
    assert (
        seedbed("publish", "tiny@latest", "--to", "jsonl", "--out", "out/lines", "--set", "row_ids=false", "--json")
        == 0
    )
    told = json.loads(capfd.readouterr().out)
    assert told["places"] == ["out/lines"] and told["waived"] == {}
    assert record(folder)["published"] == ["out/tiny", "out/lines"]
    assert "row" not in json.loads((folder / "out/lines/train.jsonl").read_text().splitlines()[0])


@pytest.mark.parametrize(
    ("stopper", "waivers"),
    [
        ({"checks": [CHECK]}, {"chat_rules": "check chat_rules"}),
        (
            {"gates": [{"metric": "accuracy", "at_least": 0.99}], "sources": [{"use": "csv", "path": "rows.csv"}]},
            {"accuracy": "gate accuracy on test", "license": "licences", "contact": "question contact"},
        ),
    ],
    ids=["a check", "a gate, a licence and a question"],
)
def test_what_stands_against_it_stops_it_unless_waived(
    stopper: dict[str, Any], waivers: dict[str, str], folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if "contact" in waivers:
        (folder / "card.yaml").write_text(CARD.replace("contact: us\n", ""))
    ran(folder, **stopper)
    capfd.readouterr()
    publish = ["publish", "tiny@latest", "--to", "folder", "--out", "out/tiny"]
    paper = folder / "runs/tiny/latest/dataset/README.md"
    before, given = paper.read_text(), list[str]()
    for what in waivers:
        assert seedbed(*publish, *given) == 1
        error = capfd.readouterr().err
        assert f"--waive '{what}=REASON'" in error and len(error.strip().splitlines()) <= 5
        assert not (folder / "out").exists() and record(folder)["waivers"] == [] and paper.read_text() == before
        given += ["--waive", f"{what}=only a <b>pilot of {len(what)}"]
    assert seedbed(*publish, *given) == 0
    told, found = capfd.readouterr().out, record(folder)
    assert found["waivers"] == [
        {"what": told, "reason": f"only a <b>pilot of {len(what)}"} for what, told in waivers.items()
    ]
    assert found["state"] == "passed"
    card = (folder / "out/tiny/dataset/README.md").read_text().split("## Waivers", 1)[1]
    for what in waivers:
        assert f"waived {what}: only a <b>pilot" in told and f"only a &lt;b&gt;pilot of {len(what)}" in card
    assert ", with a waiver" in (folder / "out/tiny/report.html").read_text()
    assert seedbed("publish", "tiny@latest", "--to", "jsonl", "--out", "out/lines") == 0, "it is waived for good"


def test_the_card_is_heeded_as_it_is_now(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "card.yaml").unlink()
    assert ran(folder, sources=[{"use": "csv", "path": "rows.csv", "license": "CC-BY-SA-4.0"}]) == 0
    publish = ["publish", "tiny@latest", "--to", "folder", "--out", "out/tiny"]
    assert seedbed(*publish) == 1
    assert "nobody answered" in capfd.readouterr().err
    (folder / "card.yaml").write_text(CARD)
    assert seedbed(*publish) == 1, "the source's licence does not allow the card's"
    assert "licences:" in capfd.readouterr().err and not (folder / "out").exists()
    (folder / "card.yaml").write_text(CARD.replace("MIT", "CC-BY-SA-4.0").replace(": us", ": the archive of Ghent"))
    assert seedbed(*publish) == 0
    assert "archive of Ghent" in (folder / "out/tiny/dataset/README.md").read_text()


WRONG: list[tuple[list[str], int, str]] = [
    (["tiny@latest"], 2, "publishes nowhere"),
    (["tiny@latest", "--out", "x"], 2, "add --to"),
    (["tiny@latest", "--to", "hubb", "--out", "x"], 2, "did you mean 'hub'"),
    (["tiny@latest", "--to", "hub"], 2, "needs the option 'path'"),
    (["tiny@latest", "--to", "folder", "--out", "o", "--waive", "contact"], 2, "WHAT=REASON"),
    (["tiny@latest", "--to", "folder", "--out", "o", "--waive", "contact= "], 2, "WHAT=REASON"),
    (["tiny@latest", "--to", "folder", "--out", "o", "--waive", "contact=why"], 2, "leave it out"),
    (["nobody@latest", "--to", "folder", "--out", "o"], 3, "nobody@latest"),
]


def test_what_goes_wrong(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ran(folder) == 0
    before = record(folder)
    capfd.readouterr()
    for arguments, code, said in WRONG:
        assert seedbed("publish", *arguments) == code, arguments
        told = capfd.readouterr().err
        assert said in told and len(told.strip().splitlines()) <= 5, arguments
    assert not (folder / "o").exists() and record(folder) == before


def test_a_quick_look_is_never_published(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "recipe.yaml").write_text(write_document(RECIPE))
    assert seedbed("run", "recipe.yaml", "--workers", "1", "--limit", "60", "--out", "quick") == 0
    assert seedbed("publish", "quick", "--to", "folder", "--out", "out/tiny") == 1
    error = capfd.readouterr().err
    assert "quick look" in error and "--waive" not in error


def test_rows_leave_by_publish_alone(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNING_KEY", KEY)
    ran(folder)
    capfd.readouterr()
    assert seedbed("export", "tiny@latest", "--to", "hub", "--out", "hf://datasets/me/tiny") == 2
    assert "seedbed publish" in capfd.readouterr().err
    with tuning_service() as service:
        told = ["--set", "model=gpt-4o-mini", "--set", f"endpoint={service.url}", "--set", "api_key=${env:TUNING_KEY}"]
        sent = ["--to", "fine_tuning", "--out", "out/tuned", "--set", "every=0.01", *told]
        assert seedbed("export", "tiny@latest", *sent) == 2 and service.asked == []
        assert seedbed("publish", "tiny@latest", *sent) == 0
        assert len(service.jobs) == 1
    assert "the model is ft:gpt-4o-mini" in capfd.readouterr().err


def test_a_run_that_a_service_would_refuse_is_told_and_sends_nothing(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNING_KEY", KEY)
    with tuning_service() as service:
        sent = {"use": "fine_tuning", "path": "out/tuned", "model": "tiny", "endpoint": service.url}
        table = {"models": {"tiny": {"at_least": 500}}}
        (folder / "models.yaml").write_text(write_document(table))
        publish = [{**sent, "api_key": "${env:TUNING_KEY}", "models": "models.yaml"}]
        assert ran(folder, publish=publish) == 1
        assert service.asked == []
    assert "examples, and at least 500 are needed" in capfd.readouterr().err
    found = record(folder)
    assert found["published"] == [] and found["unpublished"] == [f"{service.url} (out/tuned)"]
    assert not (folder / "out").exists()
