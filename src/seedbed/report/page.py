"""The report's page: templates filled from a run, with every text escaped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup, escape

from seedbed.core import numbers
from seedbed.core.run import Run

from . import facts, far_off, styles
from .figure import showable
from .figures import confusion_of, draw
from .outcome import outcome
from .outline import sections

LONGEST = 400
"""Characters that are shown of a text from a record; `run.json` has the whole."""
_SHARES = (0.05, 0.1, 0.2, 0.5, 0.8)
_FILTERS = (
    "amount", "count", "percent", "score", "signed", "signed_ends", "interval", "chance", "probability", "seconds",
    "size", "span", "fact", "verbatim", "metric", "short", "things", "word", "article",
)  # fmt: skip


def render(run: Run) -> str:
    """The report of a run: one HTML page that loads nothing and runs nothing.

    Every number on it stands in the run's record or is a share, sum or difference of numbers shown. Texts from the
    data, the recipe and parts are escaped, and cut where they are very long; characters that no page can show are
    replaced by U+FFFD. What is drawn and listed is bounded, so that the page stays small; it says what it leaves out.

    Returns:
        The page; it encodes as UTF-8.
    """
    figures = draw(run)
    shown = sections(run, figures)
    keys = {key for key, _ in shown}
    filled = filled_in("page.html", run, title=run.name, what="report", figures=figures, sections=shown, keys=keys)
    return showable(filled)


def filled_in(template: str, run: Run, **more: Any) -> str:
    """A template filled from a run."""
    return (
        templates()
        .get_template(template)
        .render(
            run=run,
            of=facts.judged(run),
            facts=facts,
            far_off=far_off,
            outcome=outcome(run),
            confusion_of=confusion_of,
            most=facts.MOST,
            shares=_SHARES,
            level=numbers.level(run.intervals.get("level")),
            **more,
        )
    )


def page_of(template: str, told: Sequence[tuple[str, str, object]], *, title: str, what: str, **more: Any) -> str:
    """A page of something that is no run, from its template.

    Args:
        template: Its name.
        told: The sections that there may be: anchor, title, and whether there is something to say.
        title: Of the page.
        what: What is shown, in a word.
        more: What the template shows.
    """
    shown = [(key, name) for key, name, present in told if present]
    keys = {key for key, _ in shown}
    page = templates().get_template(template)
    return showable(page.render(sections=shown, keys=keys, title=title, what=what, most=facts.MOST, **more))


@cache
def templates() -> jinja2.Environment:
    """The templates, with every text escaped and cut, and the filters that write numbers."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(styles.source),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_cut,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {name: getattr(numbers, name) for name in _FILTERS}
    environment.filters["whole"] = lambda text: Markup(escape(text))
    environment.globals |= {"style": styles.page(), "sum_of": sum}
    return environment


def _cut(shown: Any) -> Any:
    """Every text that a template shows passes here; those made by templates are Markup and stay whole."""
    return numbers.short(shown, LONGEST) if isinstance(shown, str) and not isinstance(shown, Markup) else shown
