"""Croissant's responsible-AI properties (RAI 1.0): what people answered, and what a run measured.

Names are those of https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from typing import Any

from seedbed.core.numbers import things, typed
from seedbed.core.run import Run

from .answers import Answers
from .markdown import one_line
from .measured import Fact, Measured
from .questions import asked_of

#: How data was collected, in the specification's words, as far as the kind of source tells it.
_KINDS = {"web": "Web Scraping", "rest": "Web API", "hub": "Secondary Data analysis", "sql": "Secondary Data analysis"}


def responsible(answers: Answers, measured: Measured) -> dict[str, Any]:
    """The properties that are known; those that do not fit the task, such as labels of plain text, are left out."""
    run, asked = measured.run, asked_of(measured.task)
    kinds = dict.fromkeys(_KINDS[source.use] for source in run.sources if source.use in _KINDS)
    found: dict[str, Any] = {
        "rai:dataCollection": _text(answers.collected),
        "rai:dataCollectionType": list(kinds),
        "rai:dataCollectionMissingData": _fact(measured.missing()) if run.dataset.columns else "",
        "rai:dataCollectionRawData": _fact(measured.sources()),
        "rai:dataCollectionTimeframe": _timeframe(answers),
        "rai:dataImputationProtocol": "; ".join(_steps(run, ("fill_missing",))),
        "rai:dataManipulationProtocol": "; ".join(_steps(run)),
        "rai:dataPreprocessingProtocol": _steps(run),
        "rai:dataAnnotationProtocol": list(answers.annotation) if "annotation" in asked else [],
        "rai:dataAnnotationAnalysis": [_fact(fact) for fact in (measured.agreement(), measured.labels()) if fact],
        "rai:annotatorDemographics": list(answers.annotators) if "annotators" in asked else [],
        "rai:machineAnnotationTools": _models(run),
        "rai:dataBiases": list(answers.biases),
        "rai:dataUseCases": list(answers.intended_uses),
        "rai:dataLimitations": list(answers.out_of_scope_uses),
        "rai:dataSocialImpact": _text(answers.social_impact),
        "rai:personalSensitiveInformation": [
            *answers.sensitive,
            *(f"Measured: {_fact(fact)}" for fact in measured.about("sensitive")),
        ],
        "rai:dataReleaseMaintenancePlan": _text((*answers.maintenance, *answers.retention)),
    }
    return {key: value for key, value in found.items() if value}


def _text(texts: Iterable[str]) -> str:
    return " ".join(texts)


def _fact(fact: Fact | None) -> str:
    return one_line(typed(f"{fact.name}: {fact.text}")) if fact else ""


def _steps(run: Run, only: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{step.part}: {things(step.changed, 'row')} changed, {sum(step.rejected.values()):,} rejected"
        for step in run.steps
        if not only or step.use in only
    ]


def _models(run: Run) -> list[str]:
    """Sources whose rows a model wrote."""
    return [f"{source.name}: {source.path}" for source in run.sources if source.use == "generate"]


def _timeframe(answers: Answers) -> list[str]:
    """The first and the last day; of a year or a month its first or last."""
    days = answers.timeframe
    if not days:
        return []
    first, last = days[0], days[-1]
    year, month = (int(part) for part in (f"{last}-12" if len(last) == 4 else last).split("-")[:2])
    ends = last if len(last) == 10 else f"{year:04}-{month:02}-{calendar.monthrange(year, month)[1]:02}"
    return [(first + "-01-01")[:10] if len(first) == 4 else (first + "-01")[:10], ends]
