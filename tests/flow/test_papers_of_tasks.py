"""The four papers of a run of every task: words that fit it, and what others' validators say."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seedbed.flow.finished import Finished
from seedbed.flow.papers.answering import open_card
from seedbed.flow.running import run
from seedbed.recipe.loading import parse

pytestmark = pytest.mark.slow

CARD = """license: MIT
languages: en
collected: Made by a test.
intended_uses: Tests.
sensitive: Nothing.
contact: us
biases: [One., Two.]
social_impact: None.
annotation: By a rule.
annotators: A program.
maintenance: Never.
speakers: Nobody.
timeframe: [2023, 2024-02]
"""
WORDS = ["red", "green", "blue", "round", "small", "heavy", "warm", "cold", "old", "new"]
N = 90


def said(n: int) -> str:
    """A text like no other."""
    return f"the {WORDS[n % 10]} thing and the {WORDS[n // 9 % 10]} one stand at number {n * 7919} of the {n}th street"


def turns(n: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": said(n)}, {"role": "assistant", "content": f"answer {n}"}]


def answers(n: int) -> list[dict[str, Any]]:
    return [{"text": str(n * 7919), "start": said(n).index(str(n * 7919))}]


#: Properties of Croissant RAI 1.0 (https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html).
RAI = """
dataCollection dataCollectionType dataCollectionMissingData dataCollectionRawData dataCollectionTimeframe
dataImputationProtocol dataManipulationProtocol dataPreprocessingProtocol dataAnnotationProtocol dataAnnotationPlatform
dataAnnotationAnalysis dataReleaseMaintenancePlan personalSensitiveInformation dataSocialImpact dataBiases
dataLimitations dataUseCases annotationsPerItem annotatorDemographics machineAnnotationTools
"""
SECTIONS = ("Motivation", "Composition", "Collection process", "Preprocessing", "Uses", "Distribution", "Maintenance")
#: Those of which there is one.
ONE = ("dataCollection", "dataSocialImpact", "dataReleaseMaintenancePlan", "dataManipulationProtocol")

#: Options and rows of each task, a word that its papers have, and words that they may not have.
TASKS: dict[str, tuple[dict[str, Any], Any, str, tuple[str, ...]]] = {
    "text_classification": (
        {"text": "text", "label": "label"},
        lambda n: {"text": said(n), "label": "ab"[n % 2]},
        "Where the labels come from",
        (),
    ),
    "multi_label_classification": (
        {"text": "text", "label": "tags"},
        lambda n: {"text": said(n), "tags": ["a", "b"][: 1 + n % 2]},
        "Where the labels come from",
        (),
    ),
    "regression": (
        {"text": "text", "target": "price"},
        lambda n: {"text": said(n), "price": n / 2},
        "Where the numbers come from",
        ("labels", "the label"),
    ),
    "tabular_classification": (
        {"label": "label", "features": ["a", "b"]},
        lambda n: {"a": n, "b": n * n, "label": "xy"[n % 2]},
        "Where the labels come from",
        ("Which languages?",),
    ),
    "tabular_regression": (
        {"target": "price"},
        lambda n: {"a": n, "b": n * n, "price": n / 3},
        "Where the numbers come from",
        ("labels", "the label", "Which languages?"),
    ),
    "question_answering": (
        {"question": "question", "context": "context", "answers": "answers"},
        lambda n: {"question": f"which number has {said(n)}?", "context": said(n), "answers": answers(n)},
        "Where the answers come from",
        ("labels", "the label"),
    ),
    "causal_lm": (
        {"text": "text"},
        lambda n: {"text": said(n)},
        "the text itself is learned",
        ("labels", "the label", "annotators"),
    ),
    "chat": (
        {},
        lambda n: {"messages": turns(n)},
        "Where the words of the assistant come from",
        ("labels", "the label"),
    ),
    "text_to_text": (
        {"text": "en", "target": "de"},
        lambda n: {"en": said(n), "de": said(n).upper()},
        "Where the target texts come from",
        ("labels", "the label"),
    ),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finished]:
    """A run of each task, with a card."""
    return {kind: made(kind, tmp_path_factory.mktemp(kind)) for kind in TASKS}


def made(kind: str, folder: Path) -> Finished:
    options, row, *_ = TASKS[kind]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row(n)) + "\n" for n in range(N)))
    tabular = kind.startswith("tabular")
    (folder / "card.yaml").write_text(CARD.replace("languages: en\n", "") if tabular else CARD)
    recipe = {
        "seedbed": 1,
        "name": kind,
        "task": {"kind": kind, **options},
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "made", "license": "MIT"}],
        "split": {"use": "random"},
    }
    return run(parse(recipe, folder), out=folder / "out", workers=1)


def papers(done: Finished) -> dict[str, str]:
    return {path.name: path.read_text() for path in (done.folder / "dataset").iterdir() if path.is_file()}


@pytest.mark.parametrize("kind", TASKS)
def test_the_words_fit_the_task(kind: str, runs: dict[str, Finished]) -> None:
    *_, word, never = TASKS[kind]
    found = papers(runs[kind])
    assert sorted(found) == ["README.md", "croissant.json", "data_statement.md", "datasheet.md"]
    assert any(word in text for text in found.values())
    for name in ("README.md", "datasheet.md", "data_statement.md"):
        # What a recipe or a source is called is not a word of ours.
        ours = re.sub(r"(?s)```.*?```|\A---.*?\n---", "", found[name])
        for other in never:
            assert other not in ours, (name, other)
    assert runs[kind].run.blanks == (), "a table needs no language, and everything else is answered"
    asked = {one.key for one in open_card(runs[kind].folder).state().questions}
    assert ("languages" in asked) == (not kind.startswith("tabular"))
    assert ("annotation" in asked) == (kind != "causal_lm")
    for section in [
        "Motivation",
        "Composition",
        "Collection process",
        "Preprocessing",
        "Uses",
        "Distribution",
        "Maintenance",
    ]:
        assert f"\n## {section}" in found["datasheet.md"]


@pytest.mark.parametrize("kind", TASKS)
def test_croissant_says_what_is_known_in_the_words_of_rai(kind: str, runs: dict[str, Finished]) -> None:
    told = json.loads(papers(runs[kind])["croissant.json"])
    rai = {key: value for key, value in told.items() if key.startswith("rai:")}
    assert {key.removeprefix("rai:") for key in rai} <= set(RAI.split())
    assert told["conformsTo"] == ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
    assert rai["rai:dataCollectionTimeframe"] == ["2023-01-01", "2024-02-29"]
    assert rai["rai:dataBiases"] == ["One.", "Two."] and rai["rai:dataSocialImpact"] == "None."
    assert ("rai:dataAnnotationProtocol" in rai) == (kind != "causal_lm") == ("rai:annotatorDemographics" in rai)
    assert rai["rai:dataCollectionMissingData"] == "missing values: none"
    assert all(isinstance(rai[f"rai:{name}"], str) for name in ONE)


@pytest.mark.skipif(importlib.util.find_spec("mlcroissant") is None, reason="mlcroissant is not installed")
def test_the_reference_validator_accepts_every_task(runs: dict[str, Finished]) -> None:
    files = [str(done.folder / "dataset" / "croissant.json") for done in runs.values()]
    read = "import sys, mlcroissant\nfor one in sys.argv[1:]: print(len(mlcroissant.Dataset(one).metadata.data_biases))"
    command = [sys.executable, "-c", read]
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["2"] * len(files)), done.stderr[-2000:]
    broken = Path(files[0]).with_name("broken.json")
    broken.write_text(Path(files[0]).read_text().replace('"sha256"', '"sha255"'))
    refused = subprocess.run([*command, str(broken)], capture_output=True, check=False)
    broken.unlink()
    assert refused.returncode != 0, "it does look"


def test_the_hub_reads_every_card(runs: dict[str, Finished]) -> None:
    from huggingface_hub import DatasetCard

    for kind, done in runs.items():
        data = DatasetCard(papers(done)["README.md"], ignore_metadata_errors=False).data.to_dict()
        assert data["task_categories"] and data["license"] == "mit", kind
        assert ("language" in data) == (not kind.startswith("tabular"))


def test_every_column_of_texts_has_its_own_languages(runs: dict[str, Finished]) -> None:
    asked = {one.key: one for one in open_card(runs["question_answering"].folder).state().questions}
    [languages] = asked["languages"].measured
    assert {name.rpartition(" ")[2] for name in languages.shares} == {"question", "context"}
    assert "en in context" in languages.shares and "90 texts of the column context" in languages.text
    [length] = [fact for fact in asked["text_characteristics"].measured if fact.name == "length"]
    assert "in question" in length.text, "which repeats the context and is longer"
