"""`seedbed runs`, filtered and sorted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "store"))
from stored import entry

from seedbed.cli import main
from seedbed.core.metric import Score
from seedbed.store.champions import Champions
from seedbed.store.runs import Best


def best(metric: str, value: float) -> Best:
    score = Score(value=value, low=value - 0.1, high=value + 0.1, n=30)
    return Best(model="ridge", metric=metric, split="test", score=score)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six runs: of two tasks, of three datasets, one without a model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    root = tmp_path / ".seedbed"
    texts, numbers = {"task": "text_classification"}, {"task": "regression", "name": "prices"}
    entry(root, "a-01", best=best("macro_f1", 0.7), dataset="a" * 64, **texts)
    entry(root, "b-02", best=best("macro_f1", 0.9), dataset="b" * 64, **texts)
    entry(root, "c-03", best=best("mae", 3.0), dataset="c" * 64, **numbers)
    entry(root, "d-04", best=best("mae", 12.0), dataset="c" * 64, **numbers)
    entry(root, "e-05", best=None, dataset="", **texts)
    entry(root, "f-06", best=best("macro_f1", 0.8), dataset="a" * 64)  # of a Seedbed that did not note the task
    return root


def ids(capfd: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["runs", *words, "--json"])
    assert not ended.value.code
    return "".join(one["id"][0] for one in json.loads(capfd.readouterr().out))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], "fedcba"),
        (["--sort", "score"], "bfacde"),
        (["--sort", "name"], "dcfeba"),
        (["--task", "regression"], "dc"),
        (["--task", "regression", "--sort", "score"], "cd"),
        (["--dataset", "aaaa"], "fa"),
        (["--name", "prices"], "dc"),
        (["--dataset", "a", "--task", "text_classification"], "a"),
        (["--task", "chat"], ""),
    ],
)
def test_runs_that_are_wanted_in_the_order_that_is_wanted(
    capfd: pytest.CaptureFixture[str], store: Path, words: list[str], found: str
) -> None:
    # Higher is better of macro-F1, lower of the mean error; runs without a score come last.
    assert ids(capfd, *words) == found


def test_what_a_person_sees(capfd: pytest.CaptureFixture[str], store: Path) -> None:
    with pytest.raises(SystemExit):
        main(["runs", "--task", "regression", "--sort", "score"])
    shown = capfd.readouterr().out
    assert "3 rows kept, dataset cccccccccccc, regression" in shown
    assert "on test 3.000 (2.900 to 3.100)" in shown
    with pytest.raises(SystemExit):
        main(["runs", "--task", "chat"])
    assert "none of the 6 runs in" in capfd.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["runs", "--sort", "size"])
    assert ended.value.code == 2


def test_the_champion_is_marked(store: Path, capfd: pytest.CaptureFixture[str]) -> None:
    champions = Champions(store)
    champions.promote("prices", "c-03", "")
    champions.promote("prices", "d-04", "")
    champions.roll_back("prices", "")
    with pytest.raises(SystemExit):
        main(["runs"])
    marked = [line for line in capfd.readouterr().out.splitlines() if "prices@champion" in line]
    assert [line.split()[0] for line in marked] == ["c-03"]
    with pytest.raises(SystemExit):
        main(["runs", "--json"])
    assert [one["id"] for one in json.loads(capfd.readouterr().out) if one["champion"]] == ["c-03"]


def test_what_reads_and_writes_a_few_lines_loads_nothing_that_computes(store: Path) -> None:
    commands = [[], ["tag", "c-03", "v1"], ["promote", "c-03"], ["untag", "v1"]]
    script = (
        "import sys\n"
        "from seedbed.cli import main\n"
        f"for words in {commands}:\n"
        "    try: main(['runs', *words])\n"
        "    except SystemExit as ended: assert not ended.code, words\n"
        "print('\\n'.join(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-800:]
    heavy = {"numpy", "polars", "pyarrow", "yaml", "jinja2", "seedbed.core.part", "seedbed.recipe"}
    assert not heavy.intersection(done.stdout.split())
