"""`init` on files of many kinds: it chooses what a person would, and what it writes runs as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from init_files import CASES, REFUSED, Case, Refused, has

import seedbed
from seedbed.cli import main
from seedbed.recipe import load

#: What makes the runs of this file quick.
QUICK = (
    "train=[{use: majority}, {use: tfidf_logistic}]",
    "evaluate={metrics: [macro_f1], intervals: {resamples: 100}, leakage: false}",
)
#: What `init` cannot know of a source: these warn until somebody says it.
PAPERS = ("papers", "licences")

Type = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Type:
    """Types a command in a folder of its own: exit code, output, complaints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store"))

    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return command


def marked(case: Case) -> object:
    return pytest.param(case, id=case.name, marks=[pytest.mark.slow] if case.slow else [])


@pytest.mark.parametrize("case", [marked(case) for case in CASES])
def test_what_init_writes_runs_unchanged(case: Case, tmp_path: Path, typed: Type) -> None:
    if not has(case.package):
        pytest.skip(f"{case.package} is not installed")
    path = case.make(tmp_path)
    code, out, err = typed("init", path, *case.arguments)
    assert (code, err) == (0, "")
    recipe = load(tmp_path / "recipe.yaml").recipe
    assert (recipe.task.text, recipe.task.label) == (case.text, case.label), out
    if case.labels:
        assert sorted(recipe.task.labels or ()) == sorted(case.labels)
    everything = out + (tmp_path / "recipe.yaml").read_text("utf-8")
    assert [words for words in case.says if words not in everything] == []
    if not case.runs:
        return
    finished = seedbed.run("recipe.yaml", workers=1, overrides=QUICK)
    assert finished.run.state == "passed", finished.run.stopped_by
    assert finished.run.best == "tfidf_logistic" or case.slow or finished.run.rows.kept < 60
    assert not [one for one in finished.run.findings if not one.passed and one.check not in PAPERS], "a check fails"


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in REFUSED])
def test_what_is_not_fit_is_refused_with_the_reason_and_the_way_out(case: Refused, tmp_path: Path, typed: Type) -> None:
    if not has(case.package):
        pytest.skip(f"{case.package} is not installed")
    path = case.make(tmp_path)
    code, out, err = typed("init", path)
    assert code == case.code
    assert out == ""
    assert [words for words in case.words if words not in err] == [], err
    assert err.startswith("error: ")
    assert len(err.splitlines()) <= 5
    assert not (tmp_path / "recipe.yaml").exists()
    assert not (tmp_path / "card.yaml").exists()
