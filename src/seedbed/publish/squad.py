"""Questions and answers as SQuAD has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar, Literal

import orjson
import polars as pl
from pydantic import Field

from seedbed.core.errors import DataError
from seedbed.core.exporter import BATCH, Rows
from seedbed.core.part import Column, Example
from seedbed.core.rows import ROW
from seedbed.core.task import QuestionAnswering, Task
from seedbed.core.task.question_answering import ANSWERS
from seedbed.core.values import text_of

from .files.described import description_of
from .shaping.reading import damaged, frame
from .shaping.shaped import Saying, Shaped, Unsayable

_TITLE = "title"


class Squad(Shaped):
    """Write each split as a JSON file of SQuAD, version 2.0 or 1.1: articles, paragraphs, questions, answers.

    Rows that follow one another with the same title and context are one paragraph, an article by itself; each stands
    in a line of the file, which is written without holding more than a batch of rows. `answer_start` counts
    characters. Version 2.0 says of each question whether it `is_impossible`. Reading gives back questions, contexts
    and answers, with their ids and titles.

    ## Why
    It is what the official evaluators and the scripts for question answering read.

    ## Limits
    Version 1.1 has no words for a text that does not answer (`unanswerable`). An article has one paragraph, also where
    rows of one text lie apart: evaluators go through all. A file that another program wrote is read as a whole, into
    memory.
    """

    says: ClassVar[tuple[str, ...]] = ("question_answering",)
    ending: ClassVar[str] = ".json"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A question that the text answers, and one that it does not",
            options={"path": "out/squad"},
            before={
                "row": ["qa:q.csv#1", "qa:q.csv#2"],
                "question": ["Where?", "When?"],
                "context": ["In Rome.", "In Rome."],
                "answers": [[{"text": "Rome", "start": 3}], []],
            },
            after={
                "train.json": [
                    '{"version":"v2.0","data":[',
                    '{"title":"","paragraphs":[{"context":"In Rome.","qas":['
                    '{"id":"qa:q.csv#1","question":"Where?","answers":[{"text":"Rome","answer_start":3}],'
                    '"is_impossible":false},'
                    '{"id":"qa:q.csv#2","question":"When?","answers":[],"is_impossible":true}]}]}',
                    "]}",
                ],
            },
        ),
    )

    use: Literal["squad"] = "squad"
    version: Literal["2.0", "1.1"] = Field("2.0", description="Of the format; 1.1 knows no unanswerable question.")
    title: Column | None = Field(
        None, description="Column of the article's title; `title` when left out, or none where that is not there."
    )
    id: Column | None = Field(
        None,
        description="Column of the question's id; `id` when left out, or the row's where that is not there or empty.",
    )

    def say(self, task: Task, schema: pl.Schema) -> Saying:
        """A question with its context."""
        assert isinstance(task, QuestionAnswering)
        question, context, answers = task.question, task.context, task.answers
        named = {name for name, kind in schema.items() if kind == pl.String} - {question, context, answers}
        title, own = (
            given or (name if name in named else None) for given, name in ((self.title, "title"), (self.id, "id"))
        )
        texts = [question, context, *(name for name in (title, own) if name)]

        def record(row: dict[str, Any]) -> dict[str, Any]:
            given = [{"text": one["text"], "answer_start": one["start"]} for one in row[answers]]
            if not given and self.version == "1.1":
                raise Unsayable("unanswerable", 'version: "2.0" says that there is no answer')
            impossible = {"is_impossible": not given} if self.version == "2.0" else {}
            asked = {"id": (own and row[own]) or row[ROW], "question": row[question], "answers": given, **impossible}
            return {"title": (row[title] or "") if title else "", "context": row[context], "qa": asked}

        # In the order of what is found in a file: `read` takes names from their places.
        kinds = {own or ROW: pl.String(), question: pl.String(), context: pl.String(), answers: ANSWERS}
        read_as = pl.Schema({**kinds, **({title: pl.String()} if title else {})})
        columns = tuple(dict.fromkeys([ROW, *texts, answers]))

        def as_texts(rows: pl.DataFrame) -> pl.DataFrame:
            return rows.with_columns(text_of(name).alias(name) for name in texts)

        return Saying(columns, record, read_as, as_texts)

    def write_records(self, found: Iterable[dict[str, Any]], target: Path) -> None:
        """Write an article a line, question by question."""
        with target.open("wb") as file:
            file.write(b'{"version":"%s","data":[' % (b"v2.0" if self.version == "2.0" else b"1.1"))
            for place, ((title, context), asked) in enumerate(groupby(found, _paragraph)):
                head = b"%s\n" % (b"," if place else b"")
                said = (orjson.dumps(title), orjson.dumps(context))
                file.write(head + b'{"title":%s,"paragraphs":[{"context":%s,"qas":[' % said)
                for number, one in enumerate(asked):
                    file.write((b"," if number else b"") + orjson.dumps(one["qa"]))
                file.write(b"]}]}")
            file.write(b"\n]}\n")

    @classmethod
    def knows(cls, path: Path) -> bool:
        """Whether a file begins as SQuAD's do, or its schema stands beside it."""
        if super().knows(path):
            return True
        try:
            with path.open("rb") as file:
                head = file.read(4096)
        except OSError:
            return False
        return head.lstrip().startswith(b"{") and all(word in head for word in (b'"data"', b'"paragraphs"', b'"qas"'))

    @classmethod
    def read(cls, path: Path) -> Rows:
        """Questions, contexts and answers, of any file in the format.

        Raises:
            DataError: The schema or the file is damaged.
        """
        ours = description_of(path, "squad")
        own = {ROW: pl.String(), "question": pl.String(), "context": pl.String(), "answers": ANSWERS}
        schema = ours.schema if ours else pl.Schema({"id": own.pop(ROW), **own, _TITLE: pl.String()})

        def batches() -> Iterator[pl.DataFrame]:
            some: list[dict[str, Any]] = []
            for article in _lines(path) if ours else _articles(path):
                with damaged(path, f"article {str(article)[:40]!r}"):
                    some += [dict(zip(schema, row, strict=False)) for row in _rows(article)]
                if len(some) >= BATCH:
                    yield frame(some, schema)
                    some = []
            yield frame(some, schema)

        return Rows(schema, batches)


def _paragraph(record: dict[str, Any]) -> tuple[str, str]:
    return record["title"], record["context"]


def _lines(path: Path) -> Iterator[Any]:
    """Articles of a file that this format wrote, one at a time."""
    with path.open("rb") as file:
        ended = False
        for number, line in enumerate(file, 1):
            ended = line.startswith(b"]}")
            if number > 1 and not ended:
                with damaged(path, f"line {number:,}"):
                    yield orjson.loads(line.rstrip(b",\n"))
    if not ended:
        raise DataError("is not what it was written as: it is cut off", at=str(path), hint="write it anew")


def _articles(path: Path) -> Iterator[Any]:
    with damaged(path, "the whole"):
        yield from orjson.loads(path.read_bytes())["data"]


def _rows(article: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    for paragraph in article["paragraphs"]:
        for one in paragraph["qas"]:
            # Version 2.0 of others lists what might have been answers under another key.
            given = [] if one.get("is_impossible") else one["answers"]
            answers = [{"text": answer["text"], "start": answer["answer_start"]} for answer in given]
            yield one["id"], one["question"], paragraph["context"], answers, article.get("title", "")
