"""What a page asks besides answers, over HTTP: why, training rows that are alike, and that an answer is wrong."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from listening import Site, listening

from learned_sample import learned
from predicting_sample import small_run
from seedbed.core.errors import RecipeError
from seedbed.core.reported import FACTS, Reports
from seedbed.flow.offering import near_of, reports_of
from seedbed.flow.predicting.opening import open_model
from seedbed.serve import near as near_rows
from seedbed.serve.api import make_app
from seedbed.serve.keys import Keys, new_key
from seedbed.serve.lane import FullError
from seedbed.serve.limits import Limits
from seedbed.serve.near import Near
from seedbed.serve.pacing import Few
from seedbed.serve.server import WithheldError
from seedbed.serve.service import Service, Version

TEXT = {"text": "what a great film it was, awful people"}
HOSTILE = "<script>window.hacked = 1</script> =cmd|' /C calc'!A0 \u202e \"quoted\",\nline \u0000 great"


@pytest.fixture(scope="module")
def version(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Version:
    predictor = open_model(folder)
    place = tmp_path_factory.mktemp("besides")
    near = near_of(predictor, "auto", "127.0.0.1", place / "store")
    return Version(predictor, near=near, reports=reports_of(predictor, place / "feedback"))


@pytest.fixture(scope="module")
def site(version: Version) -> Iterator[Site]:
    with listening(make_app(Service(version, Limits(), lambda _: None))) as found:
        yield found


def test_why(site: Site) -> None:
    status, told, _ = site.ask("/explain", TEXT)
    assert status == 200 and told["method"] == "exact" and told["label"] in ("good", "bad")
    weights = {told["text"][one["start"] : one["end"]]: one["weight"] for one in told["words"]}
    assert weights["great"] * weights["awful"] < 0
    turned = site.ask("/explain", {"row": {"said": TEXT["text"]}, "label": "bad"})[1]
    assert turned["label"] == "bad"
    [predicted] = site.ask("/predict", TEXT)[1]["predictions"]
    assert predicted["predicted"] == told["label"]
    assert site.counted("seedbed_rows_total") == 1, "to explain is not to answer once more"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/explain", {}, 422),
        ("/explain", {"text": "x", "row": {"said": "x"}}, 422),
        ("/explain", {"row": {"other": "x"}}, 422),
        ("/explain", {"text": "x", "label": "god"}, 422),
        ("/explain", {"text": "x" * 20_001}, 422),
        ("/explain", {"text": "x" * 100_001}, 413),
        ("/explain", b"{", 422),
        ("/explain", b'{"text": "\\ud800"}', 422),
        ("/similar", {"text": "x", "most": 0}, 422),
        ("/similar", {"text": "x", "most": 1e9}, 422),
        ("/feedback", {"text": "x"}, 422),
        ("/feedback", {"text": "x", "label": "god"}, 422),
        ("/feedback", {"text": "x", "label": ["good"]}, 422),
        ("/feedback", {"text": "x", "label": 1}, 422),
        ("/feedback", {"text": "x", "label": "good", "why": "x" * 2_001}, 422),
        ("/feedback", {"text": "x", "label": "good", "who": "somebody else"}, 422),
    ],
)
def test_what_is_wrong_is_told(site: Site, path: str, body: object, status: int) -> None:
    code, told, _ = site.ask(path, body)
    assert code == status, told
    assert set(told["error"]) == {"problem", "at", "hint"} and "x" * 100 not in json.dumps(told)
    assert site.ask(path, b"text=x", **{"Content-Type": "text/plain"})[0] == 415


def test_training_rows_that_are_alike(site: Site, folder: Path) -> None:
    rows = pl.concat(pl.read_parquet(one) for one in (folder / "dataset" / "data").glob("train-*.parquet"))
    one = rows.row(7, named=True)
    status, told, _ = site.ask("/similar", {"text": one["said"], "most": 3})
    assert status == 200 and told["searched"] == rows.height and len(told["rows"]) == 3
    first = told["rows"][0]
    assert (first["row"], first["label"], first["text"]) == (one["row"], one["mood"], one["said"])
    assert first["similarity"] == pytest.approx(1.0, abs=1e-4)
    assert [row["similarity"] for row in told["rows"]] == sorted(
        (row["similarity"] for row in told["rows"]), reverse=True
    )
    assert site.ask("/similar", {"text": "\u6620\u753b"})[1]["rows"] == []


@pytest.mark.parametrize(
    "header",
    [{"Host": "models.example.org"}, {"X-Forwarded-For": "203.0.113.7"}, {"Forwarded": "for=x"}, {"Via": "1.1 x"}],
)
def test_nobody_elsewhere_sees_training_rows_unless_it_was_said(site: Site, header: dict[str, str]) -> None:
    status, told, _ = site.ask("/similar", TEXT, **header)
    assert status == 403 and "own machine only" in told["error"]["problem"]


def test_who_may_look_up_training_rows(folder: Path, version: Version, tmp_path: Path) -> None:
    predictor = version.predictor
    assert near_of(predictor, "off", "127.0.0.1", tmp_path) is None
    assert near_of(predictor, "auto", "0.0.0.0", tmp_path) is None
    names = near_of(predictor, "names", "0.0.0.0", tmp_path)
    assert names is not None and not names.here and not names.texts
    found, _ = names.to("a great film", 2)
    assert len(found) == 2 and {one.text for one in found} == {None}
    with pytest.raises(WithheldError, match="nobody said under which licence 'mine' is"):
        near_of(predictor, "texts", "0.0.0.0", tmp_path)
    alone = replace(predictor, run=None)
    assert near_of(alone, "auto", "127.0.0.1", tmp_path) is None
    with pytest.raises(RecipeError, match="no training rows to look up"):
        near_of(alone, "names", "127.0.0.1", tmp_path)
    with pytest.raises(RecipeError, match="no run stands around this model"):
        reports_of(alone, Path("auto"))


def test_personal_data_of_training_rows_is_masked_and_long_ones_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near_rows, "MOST_ROWS", 40)
    monkeypatch.setattr(near_rows, "_TOGETHER", 7)
    texts = [f"row{n} ask ana{n}@example.org or 0171 234567{n}" for n in range(99)] + ["long " * 5_000]
    table = pl.DataFrame({"row": [f"mine:rows.jsonl#{n}" for n in range(100)], "said": texts, "mood": ["good"] * 100})
    for part in (0, 1):
        table.slice(part * 50, 50).write_parquet(tmp_path / f"train-0000{part}-of-00002.parquet")
    task = open_model(small_run_of(tmp_path)).bundle.task
    rows = Near(sorted(tmp_path.glob("train-*.parquet")), task, tmp_path / "store")
    found, searched = rows.to("row9 ask", 20)
    assert searched == 34 and len(found) == 20
    for one in found:
        assert one.text is not None and "@" not in one.text and "234567" not in one.text and len(one.text) <= 300
    again, _ = Near(rows.files, task, rows.store).to("row9 ask", 20)
    assert again == found and len(list((tmp_path / "store" / "near").iterdir())) == 1


def small_run_of(base: Path) -> Path:
    (base / "run").mkdir()
    return small_run(base / "run", train=[{"use": "majority"}]).folder


def test_what_is_said_wrong_is_kept(site: Site, version: Version) -> None:
    reports = version.reports
    assert reports is not None
    status, told, _ = site.ask("/feedback", {"text": HOSTILE, "label": "bad", "why": HOSTILE})
    assert (status, told["kept"]) == (200, "feedback:moods.jsonl#1")
    assert site.ask("/feedback", {"row": {"said": "x", "title": 3}, "label": "good"})[1]["kept"].endswith("#2")
    first, second = reports.read()
    assert first.row == {"said": HOSTILE} and first.said.label == "bad" and first.said.why == HOSTILE
    assert first.said.predicted in ("good", "bad") and first.said.model == version.predictor.digest
    assert second.row == {"said": "x"}, "only what the model reads"
    assert stat.S_IMODE(reports.path.stat().st_mode) == 0o600
    assert len(reports.path.read_bytes().splitlines()) == 2
    told = [site.ask("/feedback", {"text": "x", "label": "good"}) for _ in range(30)]
    refused = [headers for code, _, headers in told if code == 429]
    assert next(body for code, body, _ in told if code == 429)["error"]["problem"] == "you said much in a short time"
    assert {code for code, _, _ in told} == {200, 429} and told[0][0] == 200, "ten at once, then one every 6 s"
    assert all(1 <= int(headers["retry-after"]) <= 6 for headers in refused)


def test_reports_are_bounded_and_a_torn_line_harms_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reports = Reports(tmp_path / "deep" / "moods.jsonl")
    assert reports.read() == []
    said = {"id": "1", "when": "now", "who": "page", "model": "0", "predicted": "good", "label": "bad"}
    from seedbed.core.reported import FullError as NoRoomError
    from seedbed.core.reported import Said

    assert reports.add({"said": "one"}, Said(**said)) == "feedback:moods.jsonl#1"
    with reports.path.open("ab") as file:
        file.write(b'{"said": "torn')
    assert reports.add({"said": "two"}, Said(**said)) == "feedback:moods.jsonl#3"
    assert [(one.number, one.row["said"]) for one in reports.read()] == [(1, "one"), (3, "two")]
    monkeypatch.setattr("seedbed.core.reported.MOST_BYTES", reports.path.stat().st_size + 10)
    with pytest.raises(NoRoomError, match="as many reports as may be kept"):
        reports.add({"said": "three"}, Said(**said))
    with pytest.raises(NoRoomError, match="too long"):
        reports.add({"said": "x" * (1 << 20)}, Said(**said))


def test_a_report_that_cannot_be_written_is_no_fault_of_who_sent_it(version: Version, tmp_path: Path) -> None:
    (tmp_path / "moods.jsonl").mkdir()
    complaints: list[str] = []
    mine = Version(version.predictor, reports=Reports.of(tmp_path, "moods"))
    with listening(make_app(Service(mine, Limits(), complaints.append))) as site:
        status, told, _ = site.ask("/feedback", {**TEXT, "label": "good"})
    assert status == 507 and "cannot be kept" in told["error"]["problem"]
    assert len(complaints) == 1 and "was not kept" in complaints[0] and TEXT["text"] not in complaints[0]


def test_keys_open_these_too_and_name_who_said_it(version: Version, tmp_path: Path) -> None:
    key = new_key(tmp_path / "keys.txt", "ana")
    keys = Keys.read(tmp_path / "keys.txt")
    mine = Version(version.predictor, near=version.near, reports=Reports.of(tmp_path, "moods"))
    with listening(make_app(Service(mine, Limits(), lambda _: None), keys=lambda: keys)) as site:
        for path in ("/explain", "/similar", "/feedback"):
            assert site.ask(path, {**TEXT, "label": "good"})[0] == 401
        for name in ("/card.js", "/file.js"):
            assert site.ask(name)[0] == 200
        whole = site.ask("/openapi.json", Authorization=f"Bearer {key}")[1]
        assert all(whole["paths"][path]["post"]["security"] for path in ("/explain", "/similar", "/feedback"))
        assert site.ask("/feedback", {**TEXT, "label": "good"}, Authorization=f"Bearer {key}")[0] == 200
    [one] = Reports.of(tmp_path, "moods").read()
    assert one.said.who == "ana"


def test_without_being_asked_for_nothing_is_kept(folder: Path) -> None:
    with listening(make_app(open_model(folder))) as site:
        assert site.ask("/model")[1]["offers"] == {"explain": True, "similar": None, "feedback": False, "log": None}
        assert site.ask("/feedback", {**TEXT, "label": "good"})[0] == 404
        assert site.ask("/similar", TEXT)[0] == 404


@pytest.mark.parametrize("kind", ["tabular_regression", "multi_label_classification", "question_answering"])
def test_every_kind_of_answer(kind: str, tmp_path: Path) -> None:
    predictor = open_model(learned(kind, tmp_path).folder)
    says, row = predictor.bundle.task.says, predictor.bundle.preprocess.golden[0].input
    reports = Reports.of(tmp_path, "all")
    right: dict[str, Any] = {"number": 12, "labels": list(predictor.labels[:2])[::-1]}
    with listening(make_app(Service(Version(predictor, reports=reports), Limits(), lambda _: None))) as site:
        status, told, _ = site.ask("/explain", {"row": row})
        if says == "spans":
            assert status == 404
            return
        assert status == 200 and bool(told["words"]) == (predictor.bundle.task.shown is not None)
        status, told, _ = site.ask("/feedback", {"row": row, "label": right[says]})
        assert status == 200, told
        [one] = reports.read()
        assert one.said.label == (
            "12.0" if says == "number" else json.dumps(list(predictor.labels[:2]), separators=(",", ":"))
        )
        assert dict(one.row) == {name: row.get(name) for name in predictor.inputs} and FACTS not in one.row
        assert site.ask("/feedback", {"row": row, "label": "nonsense"})[0] == 422


def test_a_few_at_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    few = Few(2)
    first, _ = few.enter(), few.enter()
    with pytest.raises(FullError):
        few.enter()
    first()
    first()  # as often as one likes
    few.enter()
    with pytest.raises(FullError):
        few.enter()

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("of the model")

    monkeypatch.setattr("seedbed.serve.explaining.Explainer.explain", fails)
    assert {site.ask("/explain", TEXT)[0] for _ in range(10)} == {500}
    monkeypatch.undo()
    assert site.ask("/explain", TEXT)[0] == 200, "whoever failed has left"
