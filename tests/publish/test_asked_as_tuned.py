"""What `fine_tuning` sends and what `fine_tuned_remote` asks are the same words; and what comes back is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from publish_sample import ANSWERED, run_of, write_dataset

from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.part import BASE
from seedbed.core.task import MultiLabelClassification, Regression, TabularRegression, Task, TextClassification
from seedbed.publish import FineTuning
from seedbed.train.fine_tuned_remote import FineTunedRemote
from seedbed.train.prompting.model import PromptedModel
from serving.model import ModelServer, model_server
from serving.tuning import KEY, Tuning, tuning_service

LABEL = TextClassification(text="body", label="answer_")
SETS = MultiLabelClassification(text="body", label="answer_", labels=("a", "b", "c"))
NUMBER = Regression(text="body", target="answer_")
TABLE = TabularRegression(target="answer_", features=["width", "colour"])


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tuning]:
    monkeypatch.setenv("TUNING_KEY", KEY)
    with tuning_service() as found:
        yield found


def splits_of(task: Task) -> dict[str, pl.DataFrame]:
    answers: dict[str, Any] = {
        "label": lambda n: "abc"[n % 3],
        "labels": lambda n: [name for bit, name in enumerate("abc") if n >> bit & 1],
        "number": lambda n: n / 2,
    }
    found = {}
    for at, (split, many) in enumerate({"train": 12, "validation": 4, "test": 4}.items()):
        places = range(100 * at + 1, 100 * at + 1 + many)
        found[split] = pl.DataFrame(
            {
                "row": [f"s:f#{n}" for n in places],
                "body": [f"text {n}" for n in places],
                "width": [n / 4 for n in places],
                "colour": [None if n % 5 == 0 else "red" for n in places],
                "answer_": [answers[task.says](n) for n in places],
            }
        )
    return found


def tuned(service: Tuning, task: Task, context: Context, **options: Any) -> Path:
    """A model that was fine-tuned on a run's rows; the folder of its job."""
    folder, splits = context.base / "run", splits_of(task)
    plain = {name: rows.with_columns(sentiment=pl.lit("a")) for name, rows in splits.items()}
    run = run_of(plain).model_copy(update={"task": task.model_dump(mode="json"), "waivers": ()})
    write_dataset(folder / "dataset", splits, run.model_copy(update={"models": ()}), ANSWERED)
    (folder / "run.json").write_text(run.model_dump_json())
    given = {
        "path": "tuned",
        "model": "gpt-4o-mini-2024-07-18",
        "endpoint": service.url,
        "api_key": "${env:TUNING_KEY}",
        "every": 0.01,
    }
    FineTuning(**{**given, **options}).export(folder, context)
    return context.base / "tuned"


def learner(server: ModelServer, context: Context, **options: Any) -> FineTunedRemote:
    told = {"use": "fine_tuned_remote", "job": "tuned", "endpoint": server.url, "retries": 1, "smoothing": 0.3}
    return FineTunedRemote.model_validate({**told, **options}, context={BASE: context.base})


def fitted(
    part: FineTunedRemote, task: Task, context: Context, rows: dict[str, pl.DataFrame] | None = None
) -> PromptedModel:
    seen = {name: one.select(task.seen(one.columns)) for name, one in (rows or splits_of(task)).items()}
    return part.fit(seen["train"], seen["validation"], task, context)


WAYS = [
    (LABEL, {}),
    (LABEL, {"prompt": "Which? {{ body }}", "system": "One letter.", "completion": "It is {{ answer }}."}),
    (SETS, {"prompt": "Which ones? {{ body }}"}),
    (NUMBER, {"completion": "{{ answer }} points"}),
    (TABLE, {"prompt": "{{ width }} {{ colour }}"}),
]


@pytest.mark.parametrize(("task", "options"), WAYS, ids=lambda value: getattr(value, "kind", None))
def test_rows_are_asked_as_they_were_tuned(
    task: Task, options: dict[str, Any], service: Tuning, context: Context
) -> None:
    context.base.mkdir(parents=True)
    folder = tuned(service, task, context, **options)
    sent = [json.loads(line)["messages"] for line in (folder / "training.jsonl").read_bytes().splitlines()]
    right = {json.dumps(one[:-1]): one[-1]["content"] for one in sent}
    assert len(right) == 12
    with model_server(lambda asked, tries: right[json.dumps(asked["messages"])]) as server:
        model = fitted(learner(server, context, **options), task, context)
        rows = splits_of(task)["train"]
        asked = rows.select(task.reads(rows.columns))
        found = model.predict(asked)
        name = json.loads((folder / "job.json").read_text())["jobs"].popitem()[1]["fine_tuned_model"]
        assert {one["model"] for one in server.requests} == {name}
        assert {one["form"] for one in server.requests} == {None}
        (context.base / "saved").mkdir()
        model.save(context.base / "saved")
        again = PromptedModel.load(context.base / "saved")
        again.use_store(context.store)
        assert (again.predict(asked) == found).all()
        assert len(server.requests) == 12
    assert model.told == ()
    answers = rows["answer_"].to_list()
    match task.says:
        case "label":
            assert [model.labels[place] for place in found.argmax(axis=1)] == answers
        case "labels":
            assert [[x for x, p in zip(model.labels, one, strict=True) if p >= 0.5] for one in found] == answers
        case _:
            assert found[:, 0].tolist() == answers
    assert "TUNING" not in "".join(file.read_text() for file in (context.base / "saved").iterdir())


def test_other_words_and_rows_that_judge_are_refused(service: Tuning, context: Context) -> None:
    context.base.mkdir(parents=True)
    tuned(service, LABEL, context, prompt="Which? {{ body }}")
    with model_server() as server:
        with pytest.raises(DataError, match="none of 12 training rows is among the examples"):
            fitted(learner(server, context, prompt="Which ? {{ body }}"), LABEL, context)
        rows = splits_of(LABEL)
        moved = {"train": rows["train"][2:], "validation": pl.concat([rows["validation"], rows["train"][:2]])}
        with pytest.raises(DataError, match="was tuned on 2 of 6 validation rows"):
            fitted(learner(server, context, prompt="Which? {{ body }}"), LABEL, context, moved)
        with pytest.raises(RecipeError, match="names 'width', which text_classification does not read"):
            fitted(learner(server, context, prompt="{{ width }}"), LABEL, context)
        for wrong in ("{{ answer }} {{ answer }}", "{{ answer | upper }}", "yes", "{{ body }} {{ answer }}"):
            with pytest.raises(RecipeError, match="so that answers cannot be read"):
                fitted(learner(server, context, completion=wrong), LABEL, context)
        with pytest.raises(RecipeError, match="need the `prompt`"):
            fitted(learner(server, context), TABLE, context)
        assert server.requests == []


def test_jobs_that_have_no_model(context: Context) -> None:
    place = context.base / "tuned"
    place.mkdir(parents=True)
    part = FineTunedRemote.model_validate({"use": "fine_tuned_remote", "job": "tuned"}, context={BASE: context.base})
    with pytest.raises(DataError, match=r"job\.json: cannot be read: No such file"):
        part.made_from()
    (place / "job.json").write_text('{"endpoint": "http://x/v1"}')
    with pytest.raises(DataError, match="is not what was asked of a service"):
        part.made_from()
    jobs = {"1": {"status": "running", "fine_tuned_model": None}}
    (place / "job.json").write_text(json.dumps({"endpoint": "http://x/v1", "jobs": jobs}))
    with pytest.raises(DataError, match="no model was fine-tuned yet"):
        part.made_from()
    for name in "23":
        jobs[name] = {"status": "succeeded", "fine_tuned_model": f"ft:{name}"}
    (place / "job.json").write_text(json.dumps({"endpoint": "http://x/v1", "jobs": jobs}))
    assert part.made_from() == {"endpoint": "http://x/v1", "model": "ft:3"}
