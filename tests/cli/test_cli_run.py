"""What `seedbed run` says at the end, and how progress looks meanwhile."""

from __future__ import annotations

import io
import json
import random
import time
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.text import Text

from seedbed.cli import main
from seedbed.cli.progress import Bars, Lines, Standing, _bars_on, _fitting, amount, shown_on, speed
from seedbed.cli.run import facts, summary
from seedbed.core import numbers
from seedbed.core.context import Context
from seedbed.core.ledger import Books
from seedbed.core.metric import Score
from seedbed.core.run import Comparison, DatasetRecord, ModelRecord, Run, Waived


def score(value: float) -> Score:
    return Score(value=value, low=value - 0.02, high=value + 0.02, n=300)


def model(name: str, value: float) -> ModelRecord:
    scores = {"validation": {"macro_f1": score(value + 0.01)}, "test": {"macro_f1": score(value)}}
    return ModelRecord(
        name=name, use=name, options={}, scores=scores, classes={}, confusion={}, mistakes=(), seconds=1, bytes=9
    )


def a_run(**changes: object) -> Run:
    compared = Comparison(
        a="majority", b="tfidf_logistic", split="test", metric="macro_f1", difference=0.5, low=0.45, high=0.55, p=1e-4,
        mcnemar=1e-5, n=300, verdict="better",
    )  # fmt: skip
    books = Books(read=4000, kept=3000, rejected={"csv": {"too_long": 1}, "near_duplicates": {"near_duplicate": 999}})
    run = Run(
        seedbed="0.1.0", name="tweets", id="x", state="passed", started="2026-01-01T00:00:00Z", seconds=61.4,
        task={}, seed=13, sources=(), rows=books, steps=(), certificate=None, findings=(),
        dataset=DatasetRecord(
            digest="abc", splits={"train": 2400, "validation": 300, "test": 300}, columns=(), labels={},
            labels_before={}, lengths=None,
        ),
        models=(model("majority", 0.2), model("tfidf_logistic", 0.7)), metric="macro_f1", best="tfidf_logistic",
        comparisons=(compared,), leakage=None, gates=(), intervals={"level": 0.95},
    )  # fmt: skip
    return run.model_copy(update=changes)


def test_the_end_of_a_run_says_what_matters() -> None:
    assert summary(a_run(), Path("runs/tweets/x")) == [
        "tweets: passed in 61.4 s",
        "rows: 4,000 read = 3,000 kept + 1,000 rejected (near_duplicates 999, csv 1)",
        "best model: tfidf_logistic, macro_f1 0.700 on test (95 % interval 0.680 to 0.720, 300 rows)",
        "  better than majority (macro_f1 +0.500, +0.450 to +0.550)",
        "report: runs/tweets/x/report.html",
    ]


def test_differences_are_typed_with_a_plain_minus_and_by_the_metric_that_decides() -> None:
    worse = (
        a_run()
        .comparisons[0]
        .model_copy(update={"difference": -0.01, "low": -0.03, "high": 0.01, "verdict": "not distinguishable"})
    )
    other = worse.model_copy(update={"metric": "accuracy"})
    lines = summary(a_run(comparisons=(other, worse)), Path("x"))
    assert [line for line in lines if "majority" in line] == [
        "  not distinguishable from majority (macro_f1 -0.010, -0.030 to +0.010)"
    ]


def test_what_was_waived_is_said() -> None:
    waived = Waived(what="check row_count", reason="a pilot – no more")
    run = a_run(waivers=(waived,))
    assert summary(run, Path("x"))[1] == "  waived check row_count: a pilot – no more"
    assert facts(run, Path("x"))["waivers"] == [{"what": "check row_count", "reason": "a pilot – no more"}]


def test_the_end_of_a_failed_run_says_why() -> None:
    run = a_run(state="failed", stopped_by=("card: a",), models=(), best=None, comparisons=(), blanks=("a", "b"))
    lines = summary(run, Path("x"))
    assert lines[:2] == ["tweets: failed in 61.4 s", "  stopped by card: a"]
    assert any("card.yaml" in line for line in lines)


def test_a_run_from_the_command_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    texts = [random.Random(i).randbytes(20).hex(" ") for i in range(200)]
    rows = "".join(f"{text},{'yes' if i % 3 else 'no'}\n" for i, text in enumerate(texts))
    (tmp_path / "rows.csv").write_text("text,label\n" + rows)
    (tmp_path / "recipe.yaml").write_text(
        "seedbed: 1\nname: small\ntask: {kind: text_classification, text: text, label: label, labels: [yes, no]}\n"
        "sources: [{use: csv, path: rows.csv}]\ntrain: [{use: majority}]\n"
        "evaluate: {intervals: {resamples: 100}}\ngates: [{metric: accuracy, at_least: 0.1}]\n"
    )
    arguments = ["run", str(tmp_path / "recipe.yaml"), "--out", str(tmp_path / "out"), "--workers", "1", "--json"]
    codes, found = [], []
    for more in ([], ["--set", "gates.0.at_least=0.999"]):
        with pytest.raises(SystemExit) as caught:
            main([*arguments, *more])
        out, err = capfd.readouterr()
        codes.append(caught.value.code)
        assert out, err
        found.append(json.loads(out))
        assert "Training majority: done in" in err
    assert codes == [0, 1]
    assert [one["state"] for one in found] == ["passed", "failed"]
    assert found[0]["rows"]["read"] == 200
    assert found[0]["digest"] == found[1]["digest"]
    assert Path(found[0]["report"]).is_file()
    assert "--set gates.0.at_least=0.999" in json.loads((tmp_path / "out/run.json").read_text())["command"]


def test_facts_are_json() -> None:
    found = json.loads(json.dumps(facts(a_run(), Path("x"))))
    assert {"state", "folder", "report", "digest", "rows"} <= set(found)
    assert found["rows"]["read"] == 4000


def test_lines_are_few_and_tell_share_and_rate() -> None:
    stream, now = io.StringIO(), [0.0]
    context = Context(progress=Lines(stream, clock=lambda: now[0]))
    with context.stage("reading", total=100e6, unit="bytes") as stage:
        for _ in range(100):
            now[0] += 0.25
            stage.advance(1e6, note="x.csv")
    assert stream.getvalue().splitlines() == [
        "reading …",
        *(
            f"reading: {share} % of 100.0 MB · 4.0 MB/s · x.csv{left}"
            for share, left in ((20, " · 20 s left"), (40, " · 15 s left"), (60, " · 10 s left"), (80, " · 5 s left"))
        ),
        "reading: 100 % of 100.0 MB · 4.0 MB/s · x.csv",
        "reading: done in 25.0 s",
    ]


def test_what_an_earlier_run_had_done_is_no_measure_of_speed() -> None:
    stage = Standing("reading", 1000.0, "B", started=0.0)
    for _ in range(5):
        stage.add(100, "", 0, found=True, now=2.0)
    assert stage.told(2.0) == "50 % of 1.0 kB (500 B there already)"
    for second in (4.0, 6.0):
        stage.add(100, "7 kept, 1 rejected", 4, found=False, now=second)
    assert stage.told(6.0) == "70 % of 1.0 kB (500 B there already) · 2 rows/s · 7 kept, 1 rejected · 6 s left"
    stage.add(100, "", 4, found=True, now=6.0)
    assert "3 rows/s" not in stage.told(6.0)
    assert stage.told(6.0).endswith("4 s left")


def test_a_sweep_that_does_not_count_is_no_measure_of_time_left() -> None:
    stage = Standing("verifying", 100.0, "rows", started=0.0)
    for second in (10.0, 20.0):
        stage.add(0, "taking texts", 0, found=True, now=second)
        assert stage.told(second) == f"{second} s so far · taking texts"
    stage.add(25, "comparing", 0, found=False, now=30.0)
    assert stage.told(30.0) == "25 % of 100 rows · 2 rows/s · comparing · 30 s left"


@pytest.mark.parametrize("columns", [100, 60, 30])
def test_a_bar_stays_on_one_line(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    console = Bars(Terminal())._console
    bars = _bars_on(console)
    for title in ("Reading", "Verifying the split independently"):
        standing = Standing(title, 1e6, "rows", started=time.monotonic() - 10)
        bars.add_task(title, total=1e6, standing=standing)
        standing.add(250_000, "漢字.jsonl " + 20 * "kept and rejected ", 0, found=False, now=time.monotonic())
    with console.capture() as shown:
        console.print(bars.make_tasks_table(bars.tasks))
    lines = Text.from_ansi(shown.get()).plain.splitlines()
    assert len(lines) == 2
    assert all(cell_len(line) <= columns for line in lines)
    if columns == 100:
        assert all("25 % of 1,000,000 rows" in line and " s left" in line for line in lines), "the note is what is cut"
        told = _fitting(standing, time.monotonic(), 80).plain
        assert cell_len(told) <= 80
        assert "漢字.jsonl kept and" in told


def test_a_stage_that_says_nothing_gives_a_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedbed.cli.progress.EVERY", 0.05)
    stream = io.StringIO()
    lines = Lines(stream)
    stage = lines.start("fitting", None, "")
    for _ in range(200):
        time.sleep(0.02)
        if "fitting: 0." in stream.getvalue() or "fitting: < 0.1" in stream.getvalue():
            break
    lines.finish(stage)
    assert " so far" in stream.getvalue()


@pytest.mark.parametrize(
    ("left", "words"), [(0.2, "1 s"), (89, "89 s"), (100, "2 min"), (5900, "98 min"), (7800, "2 h 10 min")]
)
def test_time_left_is_told_as_roughly_as_it_is_known(left: float, words: str) -> None:
    assert numbers.duration(left) == words


@pytest.mark.parametrize(
    ("number", "unit", "taken", "words"),
    [
        (500, "rows", 2.0, "250 rows/s"),
        (1, "rows", 1.0, "1 rows/s"),
        (2, "steps", 24.0, "12.0 s each"),
        (9, "", 10.0, "1.1 s each"),
        (1, "B", 10.0, "0 B/s"),
    ],
)
def test_what_is_slow_is_told_by_its_seconds(number: float, unit: str, taken: float, words: str) -> None:
    assert speed(number, unit, taken) == words
    stage = Standing("leaving out", 4.0, "steps", started=0.0)
    stage.add(1, "fix_text", 0, found=False, now=20.0)
    assert stage.told(20.0) == "25 % of 4 steps · 20.0 s each · fix_text · 60 s left"
    assert Standing("one", 1.0, "steps", 0.0, done=1.0).told(0.1) == "100 % of 1 step · 10 steps/s"


def test_lines_without_a_total_count() -> None:
    stream, now = io.StringIO(), [0.0]
    lines = Lines(stream, clock=lambda: now[0])
    stage = lines.start("pairing", None, "pairs")
    now[0] = 10.0
    stage.advance(5000)
    assert stream.getvalue().splitlines()[-1] == "pairing: 5,000 pairs · 500 pairs/s"


def test_a_stage_that_fails_is_over_too() -> None:
    stream = io.StringIO()
    with pytest.raises(ZeroDivisionError), Context(progress=Lines(stream)).stage("dividing"):
        _ = 1 / 0
    assert "dividing: done" in stream.getvalue()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bars_on_a_terminal_lines_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(shown_on(Terminal()), Bars)
    assert isinstance(shown_on(io.StringIO()), Lines)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(shown_on(Terminal()), Lines)


def test_bars_leave_a_line_per_stage_and_obey_no_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    context = Context(progress=Bars(terminal))
    with context.stage("out\x1b]0;er\x07", total=2, unit="rows") as outer:
        with context.stage("[red]inner", total=None) as inner:
            inner.advance(1, note="note\x1b[2J")
        outer.advance(2)
    context.progress.say("said")
    shown = terminal.getvalue()
    assert "\x1b]0;er" not in shown
    assert "[red]inner: done in" in shown
    assert "er�: done in" in shown
    assert shown.splitlines()[-1] == "said"


@pytest.mark.parametrize(
    ("number", "unit", "words"),
    [
        (0, "bytes", "0 B"),
        (999, "B", "999 B"),
        (1500, "bytes", "1.5 kB"),
        (2.5e15, "bytes", "2,500.0 TB"),
        (12345.6, "rows", "12,346 rows"),
        (3, "", "3"),
    ],
)
def test_amounts(number: float, unit: str, words: str) -> None:
    assert amount(number, unit) == words
