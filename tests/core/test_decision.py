"""The file of decisions: whose word counts, several writers, and what a killed one leaves."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seedbed.core.decision import Action, Decision, Overlay, Standing, read_decisions, standing_of, text_hash
from seedbed.core.errors import DataError

WRITER = """
import sys
from pathlib import Path
from seedbed.core.decision import Decision, Overlay
overlay = Overlay(Path(sys.argv[1]))
print("ready", flush=True)
for n in range(int(sys.argv[3])):
    overlay.append([Decision(id=f"{sys.argv[2]}-{n}-{i}", row=f"r{n}", action="skip", who=sys.argv[2], when="now",
                             why="x" * 1500) for i in range(3)])
"""


def said(n: int, who: str, action: Action, label: str | None = None, row: str = "r", **more: str) -> Decision:
    return Decision(id=str(n), row=row, action=action, label=label, who=who, when="now", **more)


def test_of_a_person_the_last_word_counts_and_of_several_the_last_of_the_file() -> None:
    standing = standing_of(
        [
            said(1, "ana", "relabel", "x"),
            said(2, "ben", "reject"),
            said(3, "ana", "relabel", "y"),
            said(4, "ben", "skip"),
        ]
    )
    found = standing.on("r")
    assert found is not None and (found.who, found.label) == ("ana", "y")
    assert standing.torn("r")
    assert [one.id for one in standing.words_on("r")] == ["2", "3"]  # a skip is no word


def test_undo_takes_back_ones_own_and_nobody_elses() -> None:
    standing = standing_of([said(1, "ana", "relabel", "x"), said(2, "ana", "reject")])
    standing.take(said(3, "ben", "undo", undoes="2"))
    assert (found := standing.on("r")) and found.action == "reject"
    standing.take(said(4, "ana", "undo", undoes="2"))
    assert (found := standing.on("r")) and found.label == "x"
    standing.take(said(5, "ana", "undo", undoes="1"))
    assert standing.on("r") is None and not standing.torn("r")


def test_to_accept_a_label_is_to_give_it() -> None:
    agreed = standing_of([said(1, "ana", "accept", was="x"), said(2, "ben", "relabel", "x")])
    assert not agreed.torn("r")
    assert standing_of([said(1, "ana", "accept", was="x"), said(2, "ben", "relabel", "y")]).torn("r")


def test_a_torn_line_is_left_out_and_told_and_harms_no_later_line(tmp_path: Path) -> None:
    overlay = Overlay(tmp_path / "review.jsonl")
    overlay.append([said(1, "ana", "reject")])
    with overlay.path.open("ab") as file:
        file.write(said(2, "ana", "reject").model_dump_json().encode()[:25])
    assert [one.id for one in overlay.new()[0]] == ["1"]
    assert read_decisions(overlay.path)[1] == 1
    overlay.append([said(3, "ana", "reject")])
    found, damaged = read_decisions(overlay.path)
    assert ([one.id for one in found], damaged) == (["1", "3"], 1)
    assert [one.id for one in overlay.new()[0]] == ["3"] and overlay.damaged == 1


def test_a_last_line_without_an_end_counts_where_it_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "review.jsonl"
    path.write_text(said(1, "ana", "reject").model_dump_json(), "utf-8")
    assert Overlay(path).new()[0] == []  # somebody may just be writing it
    assert [one.id for one in read_decisions(path)[0]] == ["1"]


def test_another_file_at_its_place_is_read_anew(tmp_path: Path) -> None:
    overlay = Overlay(tmp_path / "review.jsonl")
    overlay.append([said(1, "ana", "reject"), said(2, "ana", "reject")])
    overlay.new()
    overlay.path.unlink()
    assert overlay.new() == ([], True)
    overlay.append([said(3, "ana", "reject")])
    assert [one.id for one in overlay.new()[0]] == ["3"]


def test_strange_lines_are_counted_and_not_fatal(tmp_path: Path) -> None:
    path = tmp_path / "review.jsonl"
    path.write_bytes(
        b'[]\nnull\n{"id": 1}\n\xff\xfe\n{"id": "1", "row": "r", "action": "explode", "who": "a", "when": ""}\n\n'
    )
    assert read_decisions(path) == ([], 5)
    newer = said(1, "ana", "reject").model_dump() | {"mood": "sunny"}
    path.write_text(json.dumps(newer) + "\n", "utf-8")
    assert len(read_decisions(path)[0]) == 1


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be written"):
        Overlay(tmp_path).append([said(1, "ana", "reject")])


def test_hashes_tell_texts_apart_that_look_alike() -> None:
    assert len({text_hash(None), text_hash(""), text_hash(" "), text_hash("\ud800")}) == 4


def test_several_processes_write_whole_lines_and_a_killed_one_leaves_no_half_line_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "review.jsonl"
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen([*command, who, "60"], stdout=subprocess.PIPE) for who in ("ana", "ben")]
    victim = subprocess.Popen([*command, "eve", "1000000"], stdout=subprocess.PIPE)
    assert victim.stdout is not None
    victim.stdout.readline()
    time.sleep(0.05)
    os.kill(victim.pid, signal.SIGKILL)
    for one in (*writers, victim):
        one.wait(60)
        assert one.stdout is not None
        one.stdout.close()
    Overlay(path).append([said(1, "zoe", "reject")])
    found, damaged = read_decisions(path)
    assert damaged <= 1  # the line that was being written
    by = [one.who for one in found]
    assert (by.count("ana"), by.count("ben"), by[-1]) == (180, 180, "zoe")
    standing = Standing()
    for one in found:
        standing.take(one)
    assert standing.on("r0") is not None


LONG = {"why": 2_001, "who": 101, "label": 1_001, "was": 1_001, "queue": 201, "run": 201, "row": 10_001, "id": 201}


@pytest.mark.parametrize(("name", "size"), LONG.items())
def test_a_line_that_somebody_made_too_long_is_an_error_that_names_it(tmp_path: Path, name: str, size: int) -> None:
    overlay = Overlay(tmp_path / "review.jsonl")
    overlay.append([said(1, "ana", "reject"), said(2, "ana", "relabel", "x")])
    assert len(overlay.new()[0]) == 2
    long = said(3, "ana", "reject").model_dump() | {name: "x" * size}
    with overlay.path.open("a", encoding="utf-8") as file:
        file.write("\n" + json.dumps(long) + "\n")
    for _ in range(2):  # until somebody mends it
        with pytest.raises(DataError, match=f"`{name}` has more than {size - 1:,} characters") as told:
            overlay.new()
        assert told.value.at == f"{overlay.path}, line 4" and "shorten it" in told.value.hint
    with pytest.raises(DataError, match="line 4"):
        read_decisions(overlay.path)
    mended = overlay.path.read_text("utf-8").replace("x" * size, "y")
    overlay.path.write_text(mended, "utf-8")
    found, anew = overlay.new()
    assert not anew and [getattr(one, name) for one in found] == ["y"] and overlay.damaged == 0


def test_another_file_with_a_line_that_is_too_long_is_still_another_one_when_it_is_mended(tmp_path: Path) -> None:
    overlay = Overlay(tmp_path / "review.jsonl")
    overlay.append([said(1, "ana", "reject")])
    overlay.new()
    longer = [said(2, "ana", "reject").model_dump() | {"why": "x" * 2_001}, said(3, "ana", "reject").model_dump()]
    (tmp_path / "new").write_text("".join(json.dumps(one) + "\n" for one in longer), "utf-8")
    (tmp_path / "new").rename(overlay.path)
    with pytest.raises(DataError, match="line 1"):
        overlay.new()
    longer[0]["why"] = ""
    overlay.path.write_text("".join(json.dumps(one) + "\n" for one in longer), "utf-8")
    found, anew = overlay.new()
    assert anew and [one.id for one in found] == ["2", "3"]


def test_what_was_read_is_known_by_its_digest(tmp_path: Path) -> None:
    overlay = Overlay(tmp_path / "review.jsonl")
    for n in range(3):
        overlay.append([said(n, "ana", "reject")])
        overlay.new()
        content = overlay.path.read_bytes()
        assert (overlay.size, overlay.sha256) == (len(content), hashlib.sha256(content).hexdigest())
