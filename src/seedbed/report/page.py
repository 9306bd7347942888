"""The report's page: templates filled from a run, with every text escaped."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath

import jinja2
from markupsafe import Markup

from seedbed.core import numbers
from seedbed.core.run import Run

from . import facts, figures

# Not allowed in HTML, or (the bidirectional marks) able to disorder what stands around them.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def render(run: Run) -> str:
    """The report of a run: one HTML page that loads nothing and runs nothing.

    Every number on it stands in the run's record or is a share, sum or difference of numbers shown. Texts from the
    data, the recipe and parts are escaped; characters that no page can show are replaced by U+FFFD.

    Returns:
        The page; it encodes as UTF-8.
    """
    of = facts.judged(run)
    shown = facts.sections(run)
    page = (
        _templates()
        .get_template("page.html")
        .render(
            run=run,
            of=of,
            facts=facts,
            figures=figures,
            most=facts.MOST,
            sections=shown,
            keys={key for key, _ in shown},
            level=numbers.level(run.intervals.get("level")),
        )
    )
    return _UNSHOWABLE.sub("\ufffd", page)


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in (
        "count",
        "percent",
        "score",
        "signed",
        "interval",
        "chance",
        "probability",
        "seconds",
        "size",
        "span",
        "fact",
        "verbatim",
        "metric",
        "short",
    ):
        environment.filters[name] = getattr(numbers, name)
    environment.globals["style"] = Markup(_source("style.css"))
    environment.globals["sum_of"] = sum
    return environment


def _source(name: str) -> str:
    return files("seedbed.report").joinpath("templates", PurePosixPath(name).name).read_text(encoding="utf-8")
