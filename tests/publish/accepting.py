"""Programs that we did not write, each of which is given what an exporter wrote of a task, and has to take it.

`CASES` is the table of the documentation: `docs/accepted.py` runs it and writes the page, `test_accepted.py` runs it
and holds the page against it. What an exporter has no words for stands in it, too: it has to be refused.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from programs import (
    duckdb_database,
    duckdb_parquet,
    frictionless,
    hub_card,
    keras_fit,
    litgpt,
    load_dataset,
    mlcroissant,
    numpy_load,
    openai_types,
    pandas_csv,
    pandas_parquet,
    polars_arrow,
    python_csv,
    python_pickle,
    squad_evaluator,
    tf_load,
    tf_records,
    token_rows,
    torch_loader,
    trl,
    webdataset,
)
from tasks_of_all_kinds import TASKS, finished_task

from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.exporter import Exporter


@dataclass(frozen=True)
class Case:
    """One cell of the table."""

    task: str
    exporter: str
    validator: str
    accepts: Callable[[Path, Case], None]
    """Fails where the other program does not take what is in a folder, or takes it for something else."""
    options: dict[str, Any] = field(default_factory=dict)
    heavy: bool = True
    """Whether the other program takes seconds to import."""

    def __str__(self) -> str:
        return f"{self.task}-{self.exporter}-{self.validator}".replace(" ", "_")

    @property
    def refused(self) -> bool:
        """Whether it has to be refused."""
        return self.accepts is refused

    def run(self, folder: Path) -> None:
        """Export and have it looked at. Fails where it is not taken."""
        run = folder / "runs" / self.task
        if not run.exists():
            finished_task(run, self.task)
        part = Exporter.catalogue[self.exporter].model_validate({"use": self.exporter, "path": "out", **self.options})
        context = Context(base=folder, store=folder / ".seedbed")
        if self.refused:
            _refused(lambda: next(iter(part.faults(TASKS[self.task])), None) or part.export(run, context))
            return
        part.export(run, context)
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")  # of others
            self.accepts(folder / "out", self)


def refused(out: Path, case: Case) -> None:
    """What an exporter cannot say."""


def _refused(export: Callable[[], Any]) -> None:
    try:
        fault = export()
    except (RecipeError, DataError):
        return
    assert fault is not None, "nothing was refused"


# The table

_LISTS = ("multi_label_classification", "question_answering", "chat")
#: What a table's rows are asked for with.
_ASKED = {"prompt": "width {{ width }}, {{ topic }}"}
_TEXTS = tuple(kind for kind in TASKS if kind not in ("causal_lm",))


def _options(kind: str) -> dict[str, Any]:
    return _ASKED if kind.startswith("tabular") else {}


def _every(exporter: str, validator: str, accepts: Callable[[Path, Case], None], **more: Any) -> Iterator[Case]:
    for kind in TASKS:
        yield Case(kind, exporter, validator, accepts, **more)


def _shaped(exporter: str, validator: str, accepts: Callable[[Path, Case], None], **more: Any) -> Iterator[Case]:
    """Tasks that a format says; the others have to be refused."""
    part: Any = Exporter.catalogue[exporter]
    for kind in TASKS:
        if kind in part.says:
            yield Case(kind, exporter, validator, accepts, _options(kind), **more)


def _cases() -> Iterator[Case]:
    yield from _every("hub", "datasets.load_dataset", load_dataset(""))
    yield from _every("hub", "the Hub's card parser", hub_card)
    yield from _every("croissant", "mlcroissant", mlcroissant)
    yield from _every("jsonl", "datasets.load_dataset", load_dataset("json", "{}.jsonl"))
    yield Case("causal_lm", "jsonl", "TRL", trl)
    yield from _every("csv", "Frictionless", frictionless)
    yield from _every("csv", "pandas", pandas_csv)
    yield from _every("csv", "Python's csv", python_csv, heavy=False)
    yield from _every("parquet", "datasets.load_dataset", load_dataset("parquet", "{}.parquet"))
    yield from _every("parquet", "DuckDB", duckdb_parquet, heavy=False)
    yield from _every("parquet", "pandas", pandas_parquet)
    yield from _every("arrow", "Polars", polars_arrow, heavy=False)
    yield from _every("pickle", "Python's pickle", python_pickle, heavy=False)
    yield from _every("numpy", "numpy.load", numpy_load, heavy=False)
    yield from _every("duckdb", "DuckDB", duckdb_database, heavy=False)
    yield from _every("webdataset", "webdataset", webdataset)
    yield from _every("torch", "DataLoader, 4 workers", torch_loader)
    yield from _every("tfrecord", "tf.io", tf_records)
    for kind in TASKS:
        plain = kind not in (*_LISTS, "tabular_classification")
        yield Case(kind, "tf_data", "tf.data" if plain else "", tf_load if plain else refused)
    yield Case("text_classification", "tf_data", "Keras", keras_fit, {"pairs": True})
    for kind in TASKS:
        said = refused if kind.startswith("tabular") else token_rows
        template = {"template": "chatml"} if kind == "chat" else {}
        options = {"tokenizer": {"use": "bytes"}, **template}
        yield Case(kind, "tokens", "" if said is refused else "datasets and torch", said, options)
    yield from _shaped("openai_chat", "TRL", trl)
    yield from _shaped("openai_chat", "the openai client's types", openai_types)
    yield from _shaped("sharegpt", "TRL", trl)
    yield from _shaped("alpaca", "LitGPT", litgpt)
    yield from _shaped("prompt_completion", "TRL", trl)
    yield Case("question_answering", "squad", "SQuAD's evaluator, 2.0", squad_evaluator)
    yield Case("question_answering", "squad", "SQuAD's evaluator, 1.1", squad_evaluator, {"version": "1.1"})
    for exporter in ("openai_chat", "sharegpt", "alpaca", "prompt_completion", "squad"):
        part: Any = Exporter.catalogue[exporter]
        yield from (Case(kind, exporter, "", refused, heavy=False) for kind in TASKS if kind not in part.says)


CASES = tuple(_cases())


def page(passed: list[Case]) -> str:
    """The table of what passed, in Markdown."""
    exporters = list(dict.fromkeys(case.exporter for case in CASES))
    lines = [
        "# What other programs accepted",
        "",
        "A row of this table is an exporter, a column a task. A cell names the programs that were given what the "
        "exporter wrote of a small dataset of that task, and took it: they read every row, and in it what was said. "
        "Where it says *refused*, the exporter has no words for the task (`tf_data`: for lists and missing values, so "
        "that columns must be chosen), and says so when the recipe is read or before it writes anything.",
        "",
        "The table is printed by the tests: `python docs/accepted.py` runs all of them and writes it.",
        "",
        f"| | {' | '.join(f'`{kind}`' for kind in TASKS)} |",
        f"|---|{'---|' * len(TASKS)}",
    ]
    for exporter in exporters:
        cells = []
        for kind in TASKS:
            here = [case for case in passed if (case.exporter, case.task) == (exporter, kind)]
            cells.append(", ".join("*refused*" if case.refused else case.validator for case in here) or "–")
        lines.append(f"| [`{exporter}`](reference/exporters/{exporter}.md) | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *_legend()]) + "\n"


def _legend() -> Iterator[str]:
    """What each program did."""
    yield "What they did:"
    yield ""
    about = {case.validator: (case.accepts.__doc__ or "").strip() for case in CASES if not case.refused}
    about["DuckDB"] = "DuckDB reads the files, and opens the database, nested columns and all."
    about["pandas"] = "pandas reads the files."
    about["TRL"] = "TRL's `SFTTrainer` prepares the rows, reads in them what was said, and takes a step of training."
    about["datasets.load_dataset"] = "`datasets` loads the splits; of Parquet and of the Hub's folder, to the value."
    for validator, told in sorted(about.items(), key=lambda pair: pair[0].casefold()):
        yield f"- {validator}: {told}"
