"""A model is fine-tuned at a service: upload, start, follow, fetch; nothing twice, nothing that would be refused."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openai import OpenAI
from publish_sample import ANSWERED, run_of, write_dataset

from seedbed.core.context import Context
from seedbed.core.errors import ModelError, RecipeError, Refused
from seedbed.core.task.chat import TURNS
from seedbed.publish import FineTuning
from serving.tuning import KEY, RESULTS, Tuning, tuning_service

MODEL = "gpt-4o-mini-2024-07-18"


class Said:
    """Progress that keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def start(self, title: str, total: float | None, unit: str) -> Said:
        return self

    def advance(self, amount: float = 1, note: str = "", *, rows: int = 0, found: bool = False) -> None: ...

    def finish(self, stage: Any) -> None: ...

    def say(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tuning]:
    monkeypatch.setenv("TUNING_KEY", KEY)
    with tuning_service() as found:
        yield found


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    return chat_run(tmp_path / "recipe" / "runs" / "chat" / "1")


def turn(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {
        "role": role,
        "content": content,
        "name": None,
        "tool_calls": None,
        "tool_call_id": None,
        "weight": None,
        **more,
    }


def frame(start: int, rows: int, **more: Any) -> pl.DataFrame:
    talks = [
        [turn("user", f"question {i}"), turn("assistant", f"answer {i}", **more)] for i in range(start, start + rows)
    ]
    ids = [f"0:chat.jsonl#{i}" for i in range(start, start + rows)]
    return pl.DataFrame({"row": ids, "messages": pl.Series(talks, dtype=TURNS)})


def chat_run(folder: Path, *, train: int = 12, **more: Any) -> Path:
    splits = {"train": frame(1, train, **more), "validation": frame(101, 3), "test": frame(201, 3)}
    task = {"kind": "chat", "messages": "messages"}
    whole = pl.concat(splits.values())
    run = run_of({name: rows.with_columns(sentiment=pl.lit("a")) for name, rows in splits.items()})
    run = run.model_copy(update={"task": task, "waivers": ()})
    assert whole.height == train + 6
    write_dataset(folder / "dataset", splits, run.model_copy(update={"models": ()}), ANSWERED)
    (folder / "run.json").write_text(run.model_dump_json())
    return folder


def tuned(service: Tuning, **options: Any) -> FineTuning:
    given = {
        "path": "out/tuned",
        "model": MODEL,
        "endpoint": service.url,
        "api_key": "${env:TUNING_KEY}",
        "every": 0.01,
    }
    return FineTuning(**{**given, **options})


def go(service: Tuning, run: Path, context: Context, **options: Any) -> list[str]:
    said = Said()
    tuned(service, **options).export(run, Context(base=context.base, store=context.store, progress=said))
    return said.lines


def state(context: Context) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((context.base / "out/tuned/job.json").read_text())
    return found


def only_job(context: Context) -> dict[str, Any]:
    [job] = state(context)["jobs"].values()
    found: dict[str, Any] = job
    return found


def test_from_rows_to_a_model(service: Tuning, chat: Path, context: Context) -> None:
    said = go(service, chat, context, epochs=2, suffix="ours", seed=7)
    folder = context.base / "out/tuned"
    assert sorted(one.name for one in folder.iterdir()) == [
        ".lock",
        "job.json",
        "result-file-result-ftjob-1.csv",
        "training.jsonl",
        "validation.jsonl",
    ]
    assert (folder / "result-file-result-ftjob-1.csv").read_bytes() == RESULTS
    assert service.contents["file-1"] == (folder / "training.jsonl").read_bytes()
    assert service.contents["file-2"] == (folder / "validation.jsonl").read_bytes()
    lines = [json.loads(line) for line in service.contents["file-1"].splitlines()]
    assert lines[0] == {
        "messages": [{"role": "user", "content": "question 1"}, {"role": "assistant", "content": "answer 1"}]
    }
    assert len(lines) == 12 and len(service.contents["file-2"].splitlines()) == 3
    assert not any(b"question 20" in raw for raw in service.contents.values()), "test rows are never sent"
    assert service.bodies == [
        {
            "model": MODEL,
            "training_file": "file-1",
            "validation_file": "file-2",
            "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
            "suffix": "ours",
            "seed": 7,
        }
    ]
    job = only_job(context)
    assert (job["status"], job["fine_tuned_model"]) == ("succeeded", f"ft:{MODEL}:us::1")
    assert [one["step_number"] for one in job["checkpoints"]] == [1, 2]
    assert KEY not in (folder / "job.json").read_text()
    assert any("2 epochs would cost about" in line and "USD" in line for line in said)
    assert [line for line in said if "stage" in line] == [f"ftjob-1: stage {name}" for name in service.stages], (
        "events are told once each, in order, and metrics are not"
    )


def test_nothing_is_done_twice(service: Tuning, chat: Path, context: Context) -> None:
    go(service, chat, context, follow=False)
    assert only_job(context)["id"] == "ftjob-1" and only_job(context)["status"] == "validating_files"
    go(service, chat, context)
    before = list(service.asked)
    assert "the model is ft:" in go(service, chat, context)[-1]
    assert service.asked == before, "what has ended is not asked for again"
    assert (len(service.files), len(service.jobs)) == (2, 1)
    go(service, chat, context, epochs=5)
    assert (len(service.files), len(service.jobs)) == (2, 2), "other options are another job, of the same files"


@pytest.mark.parametrize("call", ["POST /v1/files", "POST /v1/fine_tuning/jobs"])
def test_an_answer_that_is_lost_starts_nothing_twice(call: str, service: Tuning, chat: Path, context: Context) -> None:
    service.lost = [call]
    go(service, chat, context)
    assert (len(service.files), len(service.jobs)) == (2, 1)
    assert only_job(context)["status"] == "succeeded"


def test_a_call_that_was_killed_before_it_heard_the_answer(service: Tuning, chat: Path, context: Context) -> None:
    service.lost = ["POST /v1/fine_tuning/jobs"]
    with pytest.raises(ModelError, match="cannot be reached"):
        go(service, chat, context, retries=0)
    assert only_job(context)["id"] is None and len(service.jobs) == 1
    go(service, chat, context)
    assert len(service.jobs) == 1 and only_job(context)["id"] == "ftjob-1"


def test_a_busy_service_is_asked_again(service: Tuning, chat: Path, context: Context) -> None:
    service.trouble = {
        "POST /v1/files": [429, 503],
        "POST /v1/fine_tuning/jobs": [500],
        "GET /v1/fine_tuning/jobs/ftjob-1": [429, 429],
        "GET /v1/fine_tuning/jobs/ftjob-1/checkpoints": [404],
    }
    service.cut = ["GET /v1/files/file-result-ftjob-1/content", "GET /v1/fine_tuning/jobs/ftjob-1/events"]
    go(service, chat, context)
    assert (context.base / "out/tuned/result-file-result-ftjob-1.csv").read_bytes() == RESULTS
    assert (len(service.files), len(service.jobs)) == (2, 1)
    assert only_job(context)["checkpoints"] == [], "a service without checkpoints has none"


def test_two_at_once_start_one_job(service: Tuning, chat: Path, context: Context) -> None:
    """As two terminals do: the second waits for the first to have started it."""
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(go, service, chat, context, follow=False) for _ in range(2)]:
            done.result()
    assert (len(service.files), len(service.jobs)) == (2, 1)


def test_a_waiver_of_the_recipe_counts(service: Tuning, tmp_path: Path, context: Context) -> None:
    few = chat_run(tmp_path / "few", train=9)
    record = json.loads((few / "run.json").read_text())
    record["waivers"] = [{"what": "check chat_rules", "reason": "five are enough there"}]
    (few / "run.json").write_text(json.dumps(record))
    go(service, few, context)
    assert only_job(context)["waived"] == "five are enough there"


def test_a_service_that_can_do_less(service: Tuning, chat: Path, context: Context) -> None:
    """It lists nothing, has no checkpoints, and its results are gone; what counts is the model."""
    service.trouble = {
        "POST /v1/files": [503],
        "GET /v1/files": [404] * 9,
        "GET /v1/fine_tuning/jobs/ftjob-1/events": [404] * 99,
        "GET /v1/fine_tuning/jobs/ftjob-1/checkpoints": [404],
        "GET /v1/files/file-result-ftjob-1/content": [404],
    }
    go(service, chat, context)
    job = only_job(context)
    assert job["fine_tuned_model"] == f"ft:{MODEL}:us::1" and job["results"] == job["checkpoints"] == []


def test_results_that_come_as_base64(service: Tuning, chat: Path, context: Context) -> None:
    service.results = base64.b64encode(RESULTS)
    go(service, chat, context)
    assert (context.base / "out/tuned/result-file-result-ftjob-1.csv").read_bytes() == RESULTS


@pytest.mark.parametrize(("ends", "said"), [("failed", "failed: example 3 is bad"), ("cancelled", "was cancelled")])
def test_jobs_that_do_not_end_well(ends: str, said: str, service: Tuning, chat: Path, context: Context) -> None:
    service.ends = ends
    for _ in range(2):  # the second time nothing is asked
        with pytest.raises(ModelError, match=said) as caught:
            go(service, chat, context)
        assert len(str(caught.value).splitlines()) <= 5 and "\x1b" not in str(caught.value)
        assert "ann@example.com" not in str(caught.value)
    assert len(service.jobs) == 1
    service.ends = "succeeded"
    go(service, chat, context, again=True)
    assert len(service.jobs) == 2 and only_job(context)["status"] == "succeeded"


def test_ctrl_c_leaves_the_job_running(
    service: Tuning, chat: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = time.sleep

    def interrupt(seconds: float) -> None:
        if threading.current_thread() is threading.main_thread():  # as a signal does; progress goes on beside
            raise KeyboardInterrupt
        wait(seconds)

    said = Said()
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("seedbed.publish.tuning.following.time.sleep", interrupt)
        tuned(service).export(chat, Context(base=context.base, store=context.store, progress=said))
    assert "ftjob-1 goes on at the service" in said.lines[-1]
    assert only_job(context)["status"] == "queued" and not any("cancel" in one for one in service.asked)
    go(service, chat, context)
    assert only_job(context)["status"] == "succeeded" and len(service.jobs) == 1


def test_a_wrong_key_is_told_and_not_shown(
    service: Tuning, chat: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNING_KEY", "sk-wrong-and-secret")
    with pytest.raises(ModelError, match="401") as caught:
        go(service, chat, context)
    assert "sk-wrong" not in str(caught.value) and "TUNING_KEY" in str(caught.value)
    assert "sk-wrong" not in (context.base / "out/tuned/job.json").read_text()


def test_what_would_be_refused_is_not_sent(service: Tuning, tmp_path: Path, context: Context) -> None:
    few = chat_run(tmp_path / "few", train=9)
    with pytest.raises(Refused, match="9 examples, and at least 10") as caught:
        go(service, few, context)
    assert caught.value.exit_code == 1 and service.asked == [] and not (context.base / "out").exists()
    go(service, few, context, waive="the service takes 5")
    assert only_job(context)["waived"] == "the service takes 5" and len(service.jobs) == 1


def test_what_would_cost_too_much_is_not_started(service: Tuning, chat: Path, context: Context) -> None:
    with pytest.raises(Refused, match="would cost about"):
        go(service, chat, context, most_cost=0.000001)
    with pytest.raises(RecipeError, match="price of other is not known"):
        go(service, chat, context, most_cost=1.0, model="other")
    (context.base / "prices.yaml").write_text("models: {other: {price: 1}}\n")
    go(service, chat, context, most_cost=1.0, model="other", models="prices.yaml")
    assert len(service.jobs) == 1


def test_places_that_are_none(service: Tuning, chat: Path, context: Context) -> None:
    other = context.base / "out" / "tuned"
    other.mkdir(parents=True)
    (other / "notes.md").write_text("mine")
    with pytest.raises(RecipeError, match=r"holds no job.json"):
        go(service, chat, context)
    assert [one.name for one in other.iterdir()] == ["notes.md"]
    (other / "notes.md").unlink()
    go(service, chat, context, follow=False)
    with pytest.raises(RecipeError, match="follows jobs of"):
        go(service, chat, context, endpoint="http://127.0.0.1:1/v1")
    offline = Context(base=context.base, store=context.store, offline=True)
    with pytest.raises(RecipeError, match="offline"):
        tuned(service).export(chat, offline)


def test_the_stand_in_speaks_the_protocol_of_openai(service: Tuning, tmp_path: Path) -> None:
    """Every object it sends is one of the client's own types, fields and all."""
    client = OpenAI(base_url=service.url, api_key=KEY, max_retries=0, _strict_response_validation=True)
    path = tmp_path / "t.jsonl"
    path.write_text('{"messages": []}\n')
    file = client.files.create(file=path, purpose="fine-tune")
    assert client.files.content(file.id).read() == path.read_bytes()
    assert [one.id for one in client.files.list()] == [file.id]
    jobs = client.fine_tuning.jobs
    job = jobs.create(model=MODEL, training_file=file.id)
    assert jobs.retrieve(job.id).status == "queued"
    assert [one.id for one in jobs.list(limit=1)] == [job.id]
    assert len(list(jobs.list_events(job.id, limit=1))) == 3, "page by page"
    assert len(list(jobs.checkpoints.list(job.id))) == 2
    assert jobs.cancel(job.id).status == "cancelled"
    client.close()


def test_rows_of_another_task_become_turns(service: Tuning, run: Path, context: Context) -> None:
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record))
    options = {"prompt": "How does it sound? {{ text }}", "system": "One word.", "waive": "some texts are missing"}
    go(service, run, context, **options)
    first = json.loads(service.contents["file-1"].splitlines()[0])["messages"]
    assert [one["role"] for one in first] == ["system", "user", "assistant"]
    assert first[1]["content"].startswith("How does it sound? text 1")
