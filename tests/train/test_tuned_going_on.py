"""`tuned` goes on where it was killed, and workers change nothing."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tuning_offsets import fit, numbers, offset, texts

from seedbed.train import NaiveBayes, Tuned
from seedbed.train.composing.any_learner import code_here


class TestGoingOn:
    def test_same_seed_same_trials_and_another_is_another(self, tmp_path: Path) -> None:
        one, other = (fit(offset(trials=16), tmp_path / name, seed=5) for name in "ab")
        assert [trial.options for trial in one.trials] == [trial.options for trial in other.trials]
        assert one.chosen.options == other.chosen.options
        assert fit(offset(trials=16), tmp_path / "c", seed=6).trials[1].options != one.trials[1].options

    @pytest.mark.slow
    def test_workers_change_nothing(self, tmp_path: Path) -> None:
        tuned = Tuned(learner=NaiveBayes(), trials=8)
        alone, together = (fit(tuned, tmp_path / str(n), texts(60), workers=n) for n in (1, 2))
        assert [(one.options, one.scores) for one in alone.trials] == [(t.options, t.scores) for t in together.trials]

    @pytest.mark.slow
    def test_a_process_that_dies_is_a_failed_trial(self, tmp_path: Path) -> None:
        over = {"offset": [0.0, 3.5, 9.0, 4.0]}
        model = fit(offset(learner={"dies_above": 5}, over=over), tmp_path, workers=2)
        assert [one.state for one in model.trials] == ["complete", "complete", "failed", "complete"]
        assert "died" in model.trials[2].error
        assert model.chosen.options == {"offset": 3.5}

    def test_more_trials_go_on_from_fewer(self, tmp_path: Path) -> None:
        few = fit(offset(learner={"seconds": 0.01}, trials=8), tmp_path)
        more = fit(offset(learner={"seconds": 0.01}, trials=12), tmp_path)
        assert more.trials[:8] == few.trials, "the same, and the seconds are those of the first time"

    def test_other_rows_are_another_search(self, tmp_path: Path) -> None:
        one = fit(offset(trials=4), tmp_path)
        other = fit(offset(trials=4), tmp_path, numbers(seed=2))
        assert one.trials[0].scores != other.trials[0].scores

    def test_what_failed_is_tried_again(self, tmp_path: Path) -> None:
        fit(offset(learner={"fails_above": 5}, over={"offset": [1, 9]}), tmp_path)
        (place,) = tmp_path.glob("searches/*/tried.sqlite")
        with closing(sqlite3.connect(place)) as database:
            assert database.execute("select distinct options from tried").fetchall() == [('{"offset":1}',)]

    @pytest.mark.parametrize("content", [b"junk", b"SQLite format 3\0" + b"\xff" * 4080], ids=["junk", "header"])
    def test_what_was_found_and_is_damaged_is_found_again(self, tmp_path: Path, content: bytes) -> None:
        before = fit(offset(trials=4), tmp_path)
        (place,) = tmp_path.glob("searches/*/tried.sqlite")
        place.write_bytes(content)
        after = fit(offset(trials=4), tmp_path)
        assert [(one.options, one.scores) for one in after.trials] == [(t.options, t.scores) for t in before.trials]
        assert _tried(place) == sum(len(one.scores) for one in after.trials), "and kept again"

    @pytest.mark.slow
    def test_killed_in_the_middle_it_finds_the_same(self, tmp_path: Path) -> None:
        learner = {"seconds": 0.15}
        program = f"""
        import sys
        sys.path[:0] = [{str(Path(__file__).parent)!r}]
        from pathlib import Path
        from tuning_offsets import fit, offset
        if __name__ == "__main__":
            fit(offset(learner={learner!r}, trials=12), Path({str(tmp_path / "killed")!r}))
        """
        script = tmp_path / "search.py"
        script.write_text(textwrap.dedent(program))
        running = subprocess.Popen([sys.executable, str(script)], env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        before = 0
        deadline = time.monotonic() + 120
        while before < 10 and time.monotonic() < deadline:
            assert running.poll() is None, "it ended before it was killed"
            before = sum(map(_tried, (tmp_path / "killed").glob("searches/*/tried.sqlite")))
            time.sleep(0.05)
        running.send_signal(signal.SIGKILL)
        running.wait()
        (place,) = (tmp_path / "killed").glob("searches/*/tried.sqlite")
        before = _tried(place)
        known = _outcomes(place)
        code_here.cache_clear()  # somebody may have edited the code since this process looked at it
        whole = fit(offset(learner=learner, trials=12), tmp_path / "whole")
        fits = sum(len(one.scores) for one in whole.trials)
        assert 10 <= before < fits
        gone_on = fit(offset(learner=learner, trials=12), tmp_path / "killed")
        assert [(one.options, one.scores) for one in gone_on.trials] == [(t.options, t.scores) for t in whole.trials]
        assert gone_on.chosen.options == whole.chosen.options
        assert _tried(place) == fits
        assert known < _outcomes(place), "what was known was not computed again: the seconds would be others"


def _outcomes(place: Path) -> set[tuple[Any, ...]]:
    with closing(sqlite3.connect(place)) as database:
        return set(database.execute("select options, fold, score, seconds from tried").fetchall())


def _tried(place: Path) -> int:
    with closing(sqlite3.connect(place, timeout=10)) as database:
        try:
            return int(database.execute("select count(*) from tried").fetchone()[0])
        except sqlite3.OperationalError:  # just made
            return 0
