"""What MLflow knows of a run, read back through its own client: from a database, and from a server of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError
from seedbed.flow import Finished
from seedbed.serve.predictor import Predictor
from seedbed.track import Mlflow
from seedbed.track.telling.in_mlflow import quietly
from tracked_sample import Heard, ran, write_rows

pytest.importorskip("mlflow", reason="mlflow-skinny is not installed (pip install 'seedbed[track]')")
pytest.importorskip("sqlalchemy", reason="sqlalchemy is not installed (pip install 'seedbed[track]')")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run that no tracker was told about yet."""
    folder = tmp_path_factory.mktemp("tracked")
    write_rows(folder)
    return ran(folder)


def client_of(uri: str) -> Any:
    with quietly():
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=uri)


def told(client: Any, experiment: str = "reviews") -> tuple[Any, dict[str, Any]]:
    """The run, and those below it by name."""
    with quietly():
        number = client.get_experiment_by_name(experiment).experiment_id
        runs = client.search_runs([number])
    parents = [one for one in runs if "mlflow.parentRunId" not in one.data.tags]
    assert len(parents) == 1
    below = [one for one in runs if one.data.tags.get("mlflow.parentRunId") == parents[0].info.run_id]
    assert len(below) == len(runs) - 1
    return parents[0], {one.info.run_name: one for one in below}


@pytest.fixture(scope="module")
def database(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any]:
    """A database that knows the run."""
    beside = tmp_path_factory.mktemp("beside")
    tracker, example = Mlflow(use="mlflow"), Mlflow.examples[0]
    Mlflow(**example.options).track(finished.run, finished.folder, Context(store=beside / "other" / ".seedbed"))
    seen = tracker.track(finished.run, finished.folder, Context(store=beside / ".seedbed"))
    assert seen.startswith(f"{beside / 'mlflow.db'}, experiment reviews, run ")
    return f"sqlite:///{beside / 'mlflow.db'}", client_of(f"sqlite:///{beside / 'mlflow.db'}")


def test_the_example(finished: Finished, tmp_path: Path) -> None:
    example = Mlflow.examples[0]
    assert [model.name for model in finished.run.models] == example.before["models"]
    Mlflow(**example.options).track(finished.run, finished.folder, Context(store=tmp_path / ".seedbed"))
    client = client_of(f"sqlite:///{tmp_path / 'mlflow.db'}")
    _, models = told(client)
    assert sorted(one.name for one in client.search_experiments()) == example.after["experiments"]
    assert sorted(models) == example.after["runs below the run"]
    names = [name for name in models["naive_bayes"].data.metrics if name.startswith("test/macro_f1")]
    assert sorted(name for name in names if "minus" not in name) == example.after["metrics of a model"]


def test_every_score_has_its_interval_and_says_what_it_was_measured_on(
    finished: Finished, database: tuple[str, Any]
) -> None:
    _, client = database
    parent, models = told(client)
    run = finished.run
    for model in run.models:
        found = models[model.name].data.metrics
        for split in ("validation", "test"):
            for metric, score in model.scores[split].items():
                ends = (found[f"{split}/{metric}"], found[f"{split}/{metric}/low"], found[f"{split}/{metric}/high"])
                assert ends == (score.value, score.low, score.high)
        assert found["seconds"] == model.seconds
    comparison = next(one for one in run.comparisons if one.metric == "macro_f1" and one.split == "test")
    found = models["naive_bayes"].data.metrics
    assert found["test/macro_f1/minus/majority"] == comparison.difference
    assert found["test/macro_f1/minus/majority/p"] == comparison.p_holm
    best = run.best_model
    assert best is not None and parent.data.metrics["test/macro_f1"] == best.scores["test"]["macro_f1"].value
    logged = client.search_logged_models([parent.info.experiment_id])
    about = {(one.key, one.dataset_name, one.dataset_digest) for one in logged[0].metrics}
    assert ("test/macro_f1", "reviews-test", run.dataset.digest[:36]) in about


def test_options_tags_and_states(finished: Finished, database: tuple[str, Any]) -> None:
    parent, models = told(database[1])
    run = finished.run
    assert parent.info.run_name == run.id and parent.info.status == "FINISHED"
    assert parent.info.end_time - parent.info.start_time == int(run.seconds * 1000)
    tags = parent.data.tags
    assert tags["seedbed.dataset"] == run.dataset.digest and tags["seedbed.version"] == run.seedbed
    assert tags["seedbed.state"] == "passed" and tags["seedbed.best"] == run.best
    assert not [name for name in tags if "git" in name.lower()]
    assert models["naive_bayes"].data.tags["seedbed.best"] == str(run.best == "naive_bayes").lower()
    options = next(one for one in run.models if one.name == "naive_bayes").options
    assert models["naive_bayes"].data.params["use"] == "naive_bayes"
    for name, value in options.items():
        if value is not None and not isinstance(value, dict):
            shown = value if isinstance(value, str) else json.dumps(value)
            assert models["naive_bayes"].data.params[name] == shown


def test_datasets_are_inputs_with_source_and_schema(finished: Finished, database: tuple[str, Any]) -> None:
    parent, _ = told(database[1])
    run = finished.run
    inputs = {one.tags[0].value: one.dataset for one in database[1].get_run(parent.info.run_id).inputs.dataset_inputs}
    assert set(inputs) == {"training", "validation", "test"}
    for context, dataset in inputs.items():
        split = {"training": "train"}.get(context, context)
        assert dataset.name == f"reviews-{split}" and dataset.digest == run.dataset.digest[:36]
        assert json.loads(dataset.profile)["num_rows"] == run.dataset.splits[split]
        columns = {one["name"]: one["type"] for one in json.loads(dataset.schema)["mlflow_colspec"]}
        assert columns == {"row": "string", "text": "string", "label": "string", "stars": "double"}
    with quietly():
        import mlflow.data

        source = mlflow.data.get_source(inputs["test"])
        assert Path(source.load()).resolve() == (finished.folder / "dataset").resolve()


def test_a_logged_model_answers_raw_rows_as_the_bundle_does(finished: Finished, database: tuple[str, Any]) -> None:
    import pandas as pd

    uri, client = database
    with quietly():
        import mlflow

        number = told(client)[0].info.experiment_id
        logged = {one.name: one for one in client.search_logged_models([number])}
        assert {one.status for one in logged.values()} == {"READY"} and set(logged) == {"majority", "naive_bayes"}
        was = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(uri)
        try:
            model = mlflow.pyfunc.load_model(f"models:/{logged['naive_bayes'].model_id}")
        finally:
            mlflow.set_tracking_uri(was)
        texts = ["a lovely day", "cold soup and rude staff"]
        answered = model.predict(pd.DataFrame({"text": texts}))
    own = Predictor.open(finished.folder / "models" / "naive_bayes").predict(texts)
    assert answered["predicted"].tolist() == own["predicted"].to_list() == ["good", "bad"]
    assert answered["confidence"].tolist() == pytest.approx(own["confidence"].to_list(), abs=1e-12)
    shares = own["probabilities"].struct.field("bad").to_list()
    assert answered["probability of bad"].tolist() == pytest.approx(shares, abs=1e-12)


def test_nothing_of_a_model_is_pickled(database: tuple[str, Any], tmp_path: Path) -> None:
    _, client = database
    with quietly():
        logged = client.search_logged_models([told(client)[0].info.experiment_id])[0]
        files = [file for file in Path(logged.artifact_location.removeprefix("file://")).rglob("*") if file.is_file()]
    assert {"MLmodel", "bundle.json", "preprocess.json"} <= {file.name for file in files}
    assert not [
        file for file in files if file.suffix in (".pkl", ".pickle", ".joblib") or file.read_bytes()[:1] == b"\x80"
    ]


def test_the_report_is_kept_with_the_run(finished: Finished, database: tuple[str, Any], tmp_path: Path) -> None:
    _, client = database
    parent, _ = told(client)
    with quietly():
        got = client.download_artifacts(parent.info.run_id, "report.html", str(tmp_path))
    assert Path(got).read_bytes() == (finished.folder / "report.html").read_bytes()
    assert {one.path for one in client.list_artifacts(parent.info.run_id)} >= {"report.html", "run.json", "recipe.yaml"}


def test_without_artefacts_only_numbers_options_and_names_go_there(finished: Finished, tmp_path: Path) -> None:
    Mlflow(artefacts=False).track(finished.run, finished.folder, Context(store=tmp_path / ".seedbed"))
    client = client_of(f"sqlite:///{tmp_path / 'mlflow.db'}")
    parent, models = told(client)
    assert models["majority"].data.metrics["test/macro_f1"] > 0
    assert not client.search_logged_models([parent.info.experiment_id])
    assert not list((tmp_path / "mlartifacts").rglob("*"))


def test_training_curves_are_metrics_by_step(finished: Finished, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "run"
    shutil.copytree(finished.folder, folder)
    points = [[step, 1 / step] for step in range(1, 1501)]
    training = {
        "loss": points,
        "rate": [[1, 0.1], [2, float("nan")]],
        "validation": [[700, 0.5]],
        "measure": "macro F1",
    }
    (folder / "models" / "naive_bayes" / "training.json").write_text(json.dumps(training))
    Mlflow(artefacts=False).track(finished.run, folder, Context(store=tmp_path / ".seedbed"))
    client = client_of(f"sqlite:///{tmp_path / 'mlflow.db'}")
    number = told(client)[1]["naive_bayes"].info.run_id
    loss = client.get_metric_history(number, "train/loss")
    assert [(one.step, one.value) for one in loss] == [(step, value) for step, value in points]
    assert [one.step for one in client.get_metric_history(number, "train/learning_rate")] == [1]
    assert [one.value for one in client.get_metric_history(number, "validation/macro_F1")] == [0.5]


def test_a_run_that_was_stopped_is_a_failed_run(finished: Finished, tmp_path: Path) -> None:
    stopped = finished.run.model_copy(update={"state": "failed", "stopped_by": ("macro_f1 gate",)})
    Mlflow(artefacts=False).track(stopped, finished.folder, Context(store=tmp_path / ".seedbed"))
    parent, _ = told(client_of(f"sqlite:///{tmp_path / 'mlflow.db'}"))
    assert parent.info.status == "FAILED" and parent.data.tags["seedbed.stopped_by"] == "macro_f1 gate"


def test_a_run_that_could_not_be_entered_whole_is_killed_there(finished: Finished, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "run"
    shutil.copytree(finished.folder, folder)
    (folder / "models" / "naive_bayes" / "preprocess.json").write_text("{")
    with pytest.raises(DataError, match="the bundle of this model cannot be read"):
        Mlflow().track(finished.run, folder, Context(store=tmp_path / ".seedbed"))
    parent, models = told(client_of(f"sqlite:///{tmp_path / 'mlflow.db'}"))
    assert (parent.info.status, models["naive_bayes"].info.status) == ("KILLED", "KILLED")
    assert models["majority"].info.status == "FINISHED"


def test_an_experiment_that_was_deleted_is_told(finished: Finished, tmp_path: Path) -> None:
    context = Context(store=tmp_path / ".seedbed")
    Mlflow(artefacts=False).track(finished.run, finished.folder, context)
    client = client_of(f"sqlite:///{tmp_path / 'mlflow.db'}")
    client.delete_experiment(client.get_experiment_by_name("reviews").experiment_id)
    with pytest.raises(DataError, match=r"(?s)'reviews' was deleted there.*mlflow experiments restore"):
        Mlflow(artefacts=False).track(finished.run, finished.folder, context)


def test_an_address_with_a_variable_that_is_not_set(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_URI", raising=False)
    with pytest.raises(RecipeError, match="NO_SUCH_URI is not set"):
        Mlflow(uri="${env:NO_SUCH_URI}").track(finished.run, finished.folder, Context())


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


SERVER = """
import sys
from werkzeug.serving import run_simple
from mlflow.server import app
run_simple("127.0.0.1", int(sys.argv[1]), app, threaded=True)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """MLflow's own server, as its package holds it, with its own database and store of files."""
    for needed in ("flask", "flask_cors"):
        pytest.importorskip(needed, reason=f"{needed} is not installed, which MLflow's server needs")
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    database = f"sqlite:///{folder / 'server.db'}"
    settings = {
        "_MLFLOW_SERVER_FILE_STORE": database,
        "_MLFLOW_SERVER_REGISTRY_STORE": database,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(folder / "files"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(port)],
        cwd=folder,
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            with suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=2) as answer:
                if answer.read() == b"OK":
                    break
            assert process.poll() is None, "the server ended"
            time.sleep(0.5)
        yield address
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_a_server_has_all_of_it_too(finished: Finished, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import pandas as pd

    monkeypatch.setenv("TRACKING_SERVER", server)
    heard = Heard()
    again = ran(finished.folder.parents[2], heard, track={"use": "mlflow", "uri": "${env:TRACKING_SERVER}"})
    client = client_of(server)
    parent, models = told(client)
    assert heard.said[-1] == f"tracked: ${{env:TRACKING_SERVER}}, experiment reviews, run {parent.info.run_id}"
    assert parent.info.run_name == again.run.id
    assert models["majority"].data.metrics["test/macro_f1/low"] == again.run.models[0].scores["test"]["macro_f1"].low
    assert "report.html" in {one.path for one in client.list_artifacts(parent.info.run_id)}
    with quietly():
        import mlflow

        logged = {one.name: one for one in client.search_logged_models([parent.info.experiment_id])}
        was = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(server)
        try:
            model = mlflow.pyfunc.load_model(f"models:/{logged['naive_bayes'].model_id}")
        finally:
            mlflow.set_tracking_uri(was)
        assert model.predict(pd.DataFrame({"text": ["lovely"]}))["predicted"].tolist() == ["good"]
    assert not (finished.folder.parents[2] / "mlflow.db").exists()


def test_a_server_that_is_not_there_harms_nothing(tmp_path: Path) -> None:
    write_rows(tmp_path, 120)
    heard, began = Heard(), time.monotonic()
    track = [{"use": "mlflow", "uri": f"http://127.0.0.1:{free_port()}"}, {"use": "mlflow", "artefacts": False}]
    finished = ran(tmp_path, heard, track=track, train=[{"use": "majority"}])
    assert finished.run.state == "passed" and (finished.folder / "report.html").exists()
    told_of = [line for line in heard.said if "track" in line]
    assert "but was not tracked: " in told_of[0] and "is the server running" in told_of[0]
    assert told_of[1].startswith("tracked: "), "the next tracker goes on"
    assert time.monotonic() - began < 120, "MLflow's own patience is four minutes"


def test_quick_looks_are_not_tracked(tmp_path: Path) -> None:
    write_rows(tmp_path, 200)
    heard = Heard()
    ran(tmp_path, heard, limit=120, track={"use": "mlflow"}, train=[{"use": "majority"}])
    assert not (tmp_path / "mlflow.db").exists() and not [line for line in heard.said if "track" in line]


def test_types_of_columns() -> None:
    from seedbed.track.telling.in_mlflow import _schema

    turn = pl.Struct({"role": pl.String, "content": pl.String})
    kinds = {
        "id": pl.Int64(), "year": pl.Int16(), "price": pl.Float64(), "there": pl.Boolean(), "day": pl.Date(),
        "labels": pl.List(pl.String), "turns": pl.List(turn), "kind": pl.Categorical(),
    }  # fmt: skip
    found = {one["name"]: one for one in _schema(kinds)["mlflow_colspec"]}
    simple = {name: one["type"] for name, one in found.items()}
    assert simple == {
        "id": "long", "year": "integer", "price": "double", "there": "boolean", "day": "datetime", "labels": "array",
        "turns": "array", "kind": "string",
    }  # fmt: skip
    assert found["labels"]["items"]["type"] == "string"
    assert found["turns"]["items"]["properties"].keys() == {"role", "content"}
