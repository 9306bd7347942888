"""Queues as files and back: exactly the same rows, no formulas, and nothing taken that was about another text."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import polars as pl
import pytest
from desk_sample import HOSTILE, LABELS, desk_of, items, lines
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.errors import DataError, RecipeError
from seedbed.review.desk import Desk, overlay_at
from seedbed.review.exchange.answers import Taken, take_in
from seedbed.review.exchange.csv_table import guarded, unguarded
from seedbed.review.exchange.files import read_answers, write_queues
from seedbed.review.exchange.label_studio import REJECT
from seedbed.review.exchange.personal import personal_in
from seedbed.review.queue import OTHER, Queue, write_queue

ODD = [
    "=1+1",
    "+49 30 1234",
    "-5 stars",
    "@you",
    "'tis",
    "'=quoted",
    "\tx",
    'a;b,c\n"d"\r\ne',
    " =sum",
    "\uff1dx",
    "plain",
]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_of(tmp_path, [*ODD, *HOSTILE])


def fill(path: Path, **given: dict[str, str]) -> None:
    """Fill cells of rows in, by number of the row."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        csv.field_size_limit(1 << 30)
        found = list(csv.DictReader(file))
    for number, cells in given.items():
        found[int(number[1:]) - 1].update(cells)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, found[0].keys())
        writer.writeheader()
        writer.writerows(found)


def taken(desk: Desk, path: Path) -> Taken:
    return take_in(desk, read_answers(path), "ana")


@given(st.text() | st.sampled_from(ODD))
def test_a_guarded_cell_comes_back_as_it_was_and_runs_nothing(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell
    runs = guarded(cell).lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    assert not runs or re.fullmatch(r"[-+][0-9.eE+-]+", cell)


def test_a_number_stays_one() -> None:
    cells = ["-3.579078715", "+1e-9", "-3+4", "-", "-1\n"]
    assert [guarded(cell) for cell in cells] == ["-3.579078715", "+1e-9", "'-3+4", "'-", "'-1\n"]


def test_a_table_holds_every_text_exactly_and_no_formula(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "human_input.csv"
    assert write_queues(desk, path, "ana") == len(ODD) + len(HOSTILE)
    csv.field_size_limit(1 << 30)
    with path.open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.DictReader(file))
    assert [unguarded(one["text"]) for one in found] == [*ODD, *HOSTILE]
    assert all(not cell.startswith(("=", "+", "-", "@", "\t")) for one in found for cell in one.values())


def test_what_is_filled_in_is_taken_once(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "human_output.csv"
    write_queues(desk, path, "ana")
    fill(
        path,
        r1={"new_label": "positive"},
        r2={"action": "Reject", "why": "=2+2", "who": "ben"},
        r3={"action": "accept"},
    )
    first = taken(desk, path)
    assert (first.written, first.blank, first.refused) == (3, len(ODD) + len(HOSTILE) - 3, {})
    found = [(one["who"], one["action"], one.get("label"), one["why"]) for one in lines(desk)]
    assert found == [("ana", "relabel", "positive", ""), ("ben", "reject", None, "=2+2"), ("ana", "accept", None, "")]
    again = taken(desk, path)
    assert (again.written, again.known) == (0, 3)
    write_queues(desk, path, "ben")  # what was decided goes out, too, and what a person wrote is no formula
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert next(one for one in csv.DictReader(file) if one["action"] == "reject")["why"] == "'=2+2"
    assert taken(desk, path).written == 0


def test_what_does_not_fit_is_told_and_left_out(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "human_output.csv"
    write_queues(desk, path, "ana")
    fill(
        path,
        r1={"action": "reject", "row": "mine:rows.csv#999", "queue": "x"},
        r2={"action": "reject", "key": "0123456789abcdef"},
        r3={"new_label": "sad"},
        r5={"action": "relabel"},
    )
    found = taken(desk, path)
    assert found.written == 0 and len(found.refused) == 4 and "line 2" in found.first
    assert any("not the one that was sent" in why for why in found.refused)
    assert lines(desk) == []


def test_a_word_that_is_no_decision_stops_before_anything_is_written(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "human_input.csv"
    write_queues(desk, path, "ana")
    fill(path, r1={"action": "accept"}, r2={"action": "rejcet"})
    with pytest.raises(RecipeError, match=r"human_input.csv, line \d+: 'rejcet' is no decision\n.*mean 'reject'"):
        taken(desk, path)
    assert not desk.overlay.path.exists()


def test_tables_of_other_places_are_read(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("row;action;new_label\nmine:rows.csv#1;;positive\n", "utf-8")
    assert taken(desk, path).written == 1
    path.write_text("who,action\nana,reject\n", "utf-8")
    with pytest.raises(DataError, match="has no column 'row'"):
        taken(desk, path)
    path.write_bytes(b"row,action\n\xff\xfe,x\n")
    with pytest.raises(DataError, match="no CSV in UTF-8"):
        taken(desk, path)
    with pytest.raises(DataError, match="cannot be read"):
        taken(desk, tmp_path / "none.csv")


def test_label_studio_and_back(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "label_studio.json"
    write_queues(desk, path, "ana")
    tasks = json.loads(path.read_text("utf-8"))
    assert [one["data"]["text"] for one in tasks] == [*ODD, *HOSTILE]
    prediction = tasks[0]["predictions"][0]["result"][0]
    assert prediction["type"] == "choices" and prediction["value"] == {"choices": ["neutral"]}
    interface = (tmp_path / "label_studio.interface.xml").read_text("utf-8")
    assert all(f'<Choice value="{label}"/>' in interface for label in (*LABELS, REJECT))

    def annotated(choice: str, **more: object) -> list[dict[str, object]]:
        result = [{**prediction, "value": {"choices": [choice]}}]
        why = {"from_name": "why", "to_name": "text", "type": "textarea", "value": {"text": ["because"]}}
        return [{"result": [*result, why], "was_cancelled": False, "completed_by": 7, **more}]

    tasks[0]["annotations"] = annotated("positive")
    tasks[1]["annotations"] = annotated(REJECT, completed_by={"id": 8, "email": "ben@x.org"})
    tasks[2]["annotations"] = annotated("positive", was_cancelled=True)
    tasks[3]["annotations"] = [{"result": [], "was_cancelled": False, "completed_by": 7}]
    path.write_text(json.dumps(tasks), "utf-8")
    found = taken(desk, path)
    assert (found.written, found.blank, found.refused) == (3, len(ODD) + len(HOSTILE) - 3, {})
    told = [(one["who"], one["action"], one.get("label"), one["why"]) for one in lines(desk)]
    assert told == [
        ("label_studio 7", "relabel", "positive", "because"),
        ("label_studio ben@x.org", "reject", None, "because"),
        ("label_studio 7", "skip", None, "because"),
    ]


ODD_ANNOTATIONS: list[object] = [
    5, ["x"], [{"result": 7}], [{"result": ["a"]}], [{"result": [{"value": ["positive"]}]}],
    [{"result": [{"value": {"choices": {"a": 1}}}]}], [{"result": [{"value": {"choices": 3}}]}],
    [{"result": [{"from_name": "label", "value": {"choices": ["positive"]}}], "completed_by": "\ud800"}],
    [{"result": [{"from_name": "label", "value": {"choices": ["positive"]}}], "completed_by": "x" * 500}],
]  # fmt: skip
ODD_RECORDS: list[dict[str, object]] = [
    {"responses": {"label": 4}}, {"responses": {"label": ["x"]}}, {"metadata": [1]},
    {"responses": {"label": [{"value": "positive", "user_id": "<b>\n"}]}},
    {"responses": {"label": [{"value": "positive", "user_id": {"a": 1}}]}},
    {"responses": {"label": [{"value": "positive"}], "why": [{"user_id": [1]}]}},
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD_ANNOTATIONS, ids=range(len(ODD_ANNOTATIONS)))
def test_tasks_of_odd_shapes_are_refused_and_the_others_taken(desk: Desk, tmp_path: Path, odd: object) -> None:
    path = tmp_path / "label_studio.json"
    write_queues(desk, path, "ana")
    tasks = json.loads(path.read_text("utf-8"))
    good = [{"result": [{"from_name": "label", "value": {"choices": ["positive"]}}], "completed_by": 7}]
    tasks[0]["annotations"], tasks[1]["annotations"] = good, odd
    path.write_text(json.dumps(tasks), "utf-8")
    found = taken(desk, path)
    assert (found.written, sum(found.refused.values())) == (1, 1)


@pytest.mark.parametrize("odd", ODD_RECORDS, ids=range(len(ODD_RECORDS)))
def test_records_of_odd_shapes_are_refused(desk: Desk, tmp_path: Path, odd: dict[str, object]) -> None:
    path = tmp_path / "argilla.json"
    write_queues(desk, path, "ana")
    records = json.loads(path.read_text("utf-8"))
    said = {"responses": {"label": [{"value": "positive", "user_id": "u"}]}}
    path.write_text(json.dumps([records[0] | said, records[1] | said | odd]), "utf-8")
    found = taken(desk, path)
    assert (found.written, sum(found.refused.values())) == (1, 1)


@pytest.mark.parametrize("name", ["argilla.json", "argilla.jsonl"])
def test_argilla_and_back(desk: Desk, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_queues(desk, path, "ana")
    text = path.read_text("utf-8")
    records = [json.loads(line) for line in text.splitlines()] if name.endswith("l") else json.loads(text)
    assert [one["fields"]["text"] for one in records] == [*ODD, *HOSTILE]
    assert records[0]["suggestions"]["label"] == {"value": "neutral", "score": 0.9, "agent": "seedbed"}
    records[0]["responses"] = {"label": [{"value": "positive", "user_id": "u1"}, {"value": REJECT, "user_id": "u2"}]}
    path.write_text("\n".join(map(json.dumps, records)) if name.endswith("l") else json.dumps(records), "utf-8")
    assert taken(desk, path).written == 2
    assert [(one["who"], one["action"]) for one in lines(desk)] == [("argilla u1", "relabel"), ("argilla u2", "reject")]


TASK = '{"data": {"row": "mine:rows.csv#1"}, "annotations": []}'


@pytest.mark.parametrize(
    ("held", "problem", "at", "way_out"),
    [
        (b"[1]", "neither tasks", "", "as JSON|JSON from"),
        (b"{}", "holds no list", "", "JSON from"),
        (b"", "is empty", "", "once more"),
        (b"\xef\xbb\xbf \n", "is empty", "", "once more"),
        (f"[{TASK},\n{TASK[:20]}".encode(), "ends in the middle|not JSON", "line 2", "once more"),
        (f"[{TASK}\n {TASK}]".encode(), "not JSON", "line 2, column 2", "once more"),
        (b"[" * 100_000, "not JSON", "", "once more"),
        ('["\xe4"]'.encode("latin-1"), "not UTF-8", "", "once more"),
        (b"PK\x03\x04\x14\x00", "is a workbook", "", "CSV UTF-8"),
        (b'[{"id": 1, "annotation_id": 2, "label": "x"}]', "JSON-MIN", "", "as JSON"),
        (b"annotation_id,label\n1,x\n", "no column 'row'", "", "from there as JSON"),
        (b'[{"data": {"text": "of another project"}, "annotations": []}]', "says which row", "", "seedbed review"),
        (b'[{"id": "5f", "fields": {"text": "x"}, "responses": {}}]', "says which row", "", "seedbed review"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["human_output.csv", "x.json"])
def test_what_no_tool_wrote_is_told_with_a_way_out(
    tmp_path: Path, name: str, held: bytes, problem: str, at: str, way_out: str
) -> None:
    path = tmp_path / name
    path.write_bytes(held)
    with pytest.raises(DataError, match=problem) as told:
        list(read_answers(path))
    assert at in told.value.at and re.search(way_out, told.value.hint), told.value


def test_a_damaged_line_of_many_is_named(tmp_path: Path) -> None:
    path = tmp_path / "argilla.jsonl"
    path.write_text('{"id": "suspects/a#1", "fields": {}}\n\n{"id": "suspects/a#2", "fields": {},\n', "utf-8")
    with pytest.raises(DataError, match="ends in the middle") as told:
        list(read_answers(path))
    assert told.value.at.endswith("argilla.jsonl, line 3, column 37")


def test_a_name_that_says_no_format_is_refused(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="says no format"):
        write_queues(desk, tmp_path / "out.xlsx", "ana")


def test_a_file_is_known_by_what_it_holds(desk: Desk, tmp_path: Path) -> None:
    write_queues(desk, tmp_path / "label_studio.json", "ana")
    tasks = json.loads((tmp_path / "label_studio.json").read_text("utf-8"))
    tasks[0]["annotations"] = [{"result": [{"from_name": "label", "value": {"choices": ["positive"]}}]}]
    (tmp_path / "out.csv").write_text(json.dumps(tasks), "utf-8")
    assert taken(desk, tmp_path / "out.csv").written == 1
    write_queues(desk, tmp_path / "human_input.csv", "ana")
    (tmp_path / "human_input.csv").rename(tmp_path / "out.json")
    assert taken(desk, tmp_path / "out.json").known == 1


def test_answers_under_other_names_are_refused_and_not_taken_for_blanks(desk: Desk, tmp_path: Path) -> None:
    write_queues(desk, tmp_path / "label_studio.json", "ana")
    tasks = json.loads((tmp_path / "label_studio.json").read_text("utf-8"))
    tasks[0]["annotations"] = [{"result": [{"from_name": "sentiment", "value": {"choices": ["positive"]}}]}]
    tasks[1]["annotations"] = [{"result": [{"from_name": "why", "value": {"text": ["hm"]}}]}]  # no decision
    (tmp_path / "label_studio.json").write_text(json.dumps(tasks), "utf-8")
    found = taken(desk, tmp_path / "label_studio.json")
    assert found.refused == {"its annotation is of another interface: nothing in it has the name 'label'": 1}
    assert (found.written, found.blank) == (0, len(tasks) - 1)
    write_queues(desk, tmp_path / "argilla.json", "ana")
    records = json.loads((tmp_path / "argilla.json").read_text("utf-8"))
    records[0]["responses"] = {"mood": [{"value": "positive", "user_id": "u"}]}
    (tmp_path / "argilla.json").write_text(json.dumps(records), "utf-8")
    found = taken(desk, tmp_path / "argilla.json")
    assert found.refused == {"its responses answer no question called 'label'": 1}
    assert (found.written, found.blank) == (0, len(records) - 1)


def contradicting(tmp_path: Path) -> Desk:
    """Two rejected rows, one with the row that it contradicts; and a row that nobody can bring back."""
    told = {"row": "mine:rows.csv#9", "split": "train", "label": "positive", "text": "so good, mail me: a@example.org"}
    table = items(["so good", "quite alone, 415-555-0123 or a@example.com"]).with_columns(
        other=pl.Series([told, None], dtype=OTHER)
    )
    path = write_queue(table, tmp_path / "conflicts.arrow")
    lost = write_queue(items(["lost"]).with_columns(row=pl.lit("mine:rows.csv#77")), tmp_path / "stuck.arrow")
    queues = {
        "conflicts": Queue("conflicts", "c", "c", path, ("rescue", "relabel", "reject", "skip")),
        "stuck": Queue("stuck", "s", "s", lost, ("skip",)),
    }
    return Desk(queues, overlay_at(tmp_path / "review.jsonl"), LABELS, "a run", "run-1")


def test_the_row_that_stayed_goes_out_beside_the_row_that_went(tmp_path: Path) -> None:
    desk = contradicting(tmp_path)
    assert write_queues(desk, tmp_path / "human_input.csv", "ana") == 2  # what nobody can bring back is nobody's work
    with (tmp_path / "human_input.csv").open(encoding="utf-8-sig", newline="") as file:
        first, second = csv.DictReader(file)
    beside = ("other_label", "other_text", "other_row", "other_kept")
    assert [first[name] for name in beside] == [
        "positive", "so good, mail me: a@example.org", "mine:rows.csv#9", "yes",
    ]  # fmt: skip
    assert [second[name] for name in beside] == ["", "", "", ""]
    write_queues(desk, tmp_path / "label_studio.json", "ana")
    first, second = (one["data"] for one in json.loads((tmp_path / "label_studio.json").read_text("utf-8")))
    assert first["other_told"] == "the row that stayed: label positive" and first["other_text"].startswith("so good")
    assert second["other_told"] == second["other_text"] == ""  # Label Studio complains of a name that is not there
    assert 'value="$other_text"' in (tmp_path / "label_studio.interface.xml").read_text("utf-8")
    write_queues(desk, tmp_path / "argilla.json", "ana")
    first, second = (one["fields"] for one in json.loads((tmp_path / "argilla.json").read_text("utf-8")))
    assert (first["other_label"], first["other_text"][:7]) == ("positive", "so good") and second.keys() == {"text"}


def test_personal_data_of_an_export_is_counted_by_kind_and_never_shown(tmp_path: Path) -> None:
    found = personal_in(contradicting(tmp_path))
    assert (found.rows, found.of, found.kinds) == (2, 2, {"email": 2, "phone": 1})  # also of the row beside
    assert "2 of 2 rows" in found.told and "email in 2, phone in 1" in found.told and "@" not in found.told
    (tmp_path / "clean").mkdir()
    assert personal_in(desk_of(tmp_path / "clean", ["nothing here", "nor here"])).told == ""
