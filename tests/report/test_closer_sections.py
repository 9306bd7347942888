"""The report's sections of what `evaluate` asks for besides scores, and the lines of the same for a terminal."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sample

from seedbed.core.metric import Score
from seedbed.core.run import Run
from seedbed.core.scrutiny import (
    Conformal,
    Coverage,
    Decided,
    Deciding,
    Difference,
    Disturbed,
    ErrorCluster,
    ErrorClusters,
    Fairness,
    Gap,
    Group,
    GroupRate,
    Growth,
    People,
    PersonScore,
    Robustness,
    Scrutiny,
    Worth,
)
from seedbed.report.closer import closer_lines
from seedbed.report.page import render
from seedbed.report.told import verdict

EVIL = "<script>alert('x')</script>"
SCORE = Score(value=0.731, low=0.702, high=0.764, n=300)
APART = Difference(value=-0.052, low=-0.081, high=-0.021, p=0.001, p_holm=0.004)


def scrutiny(run: Run, name: str = "cats", numbers: bool = False) -> Scrutiny:
    best = run.best or ""
    kind: Any = "intervals" if numbers else "sets"
    fitted = Conformal(kind=kind, coverage=0.9, split="validation", rows=300, rank=271, at_least=0.2, reach=1.5)
    covered = Coverage(
        model=best,
        fitted=fitted,
        split="test",
        score=SCORE,
        p=0.4,
        kept=True,
        size=1.7,
        sizes={} if numbers else {"1": 200, "2": 100},
        by_label={} if numbers else {name: SCORE},
    )
    disturbed = [
        Disturbed(kind=kind, changed=0.9, score=SCORE, difference=APART, answers_changed=None, verdict=verdict_)
        for kind, verdict_ in (("typing errors", "worse"), ("capitals", "not distinguishable"))
    ]
    rate = GroupRate(
        measure="selection rate", label=None if numbers else name, score=SCORE, difference=APART, differs=True
    )
    gap = Gap(measure="demographic parity difference", label=None if numbers else name, value=0.3, low=0.2, high=0.4,
              by_chance=0.1, p=0.001, p_holm=0.002, differs=True)  # fmt: skip
    group = Group(value=name, rows=40, rates=(rate, rate.model_copy(update={"difference": None})), small=False)
    cluster = ErrorCluster(
        name=(name, "rain"), rows=50, mistakes=20, wrong=SCORE, difference=APART, more=True,
        labels={f"{name} → dog": 3}, examples=((name, name),),
    )  # fmt: skip
    person = PersonScore(
        who="annotator 1", rows=99, scores={"accuracy": SCORE}, model_scores={"accuracy": SCORE}, difference=APART,
        verdict="worse",
    )  # fmt: skip
    few = person.model_copy(update={"who": "annotator 2", "difference": None, "verdict": "too few rows"})
    label = Decided(label=name, at=0.31, chosen=True, support=40, f1=0.6, f1_before=None)
    worth = Worth(metric="macro_f1", score=SCORE, score_before=SCORE, difference=APART, verdict="worse")
    return Scrutiny(
        conformal=(covered,),
        thresholds=Deciding(
            model=best, aim="f1", chosen_on="validation", rows=9, labels=(label,), split="test", worth=(worth,)
        ),
        robustness=Robustness(
            model=best, metric="macro_f1", split="validation", rows=300, score=SCORE, kinds=tuple(disturbed)
        ),
        fairness=(
            Fairness(model=best, split="test", column=name, groups=(group,), gaps=(gap,), warnings=(f"few {name}",)),
        ),
        clusters=ErrorClusters(
            model=best, split="validation", rows=300, mistakes=60, wrong="another label than the right one",
            clusters=(cluster,),
        ),
        people=(
            People(
                model=best, split="test", metric="accuracy", rows=99, agreement=SCORE, people=(person, few),
                notes=("one answer is none",),
            ),
        ),
        notes=(f"people: {name}",),
    )  # fmt: skip


def looked_at(**more: Any) -> Run:
    run = sample.whole()
    growth = Growth(factor=2, rows=57_268, gain=0.0123, low=0.004, high=0.021, value=0.75, limit=0.8, exponent=0.4)
    assert run.learning_curve is not None
    curve = run.learning_curve.model_copy(update={"growth": growth})
    return run.model_copy(update={"scrutiny": scrutiny(run, **more), "learning_curve": curve})


ANCHORS = ("promises", "deciding", "robustness", "fairness", "clusters", "people")


def test_each_section_stands_there_with_its_numbers() -> None:
    page = render(looked_at())
    for anchor in ANCHORS:
        assert f'<section id="{anchor}">' in page
        assert f'href="#{anchor}"' in page
    for said in ("0.731", "0.702–0.764", "−0.052", "−0.081 to −0.021", "annotator 1", "Krippendorff", "one answer"):
        assert said in page or said.capitalize() in page
    assert "twice the training rows (57,268)" in page and "+0.012" in page
    assert "None" not in re.sub(r"<style>.*?</style>", "", page, flags=re.S)


def test_a_run_that_asked_for_nothing_has_none_of_them() -> None:
    page = render(sample.whole())
    assert not any(f'id="{anchor}"' in page for anchor in ANCHORS)
    assert closer_lines(sample.tweets()) == []


def test_what_data_says_is_escaped() -> None:
    page = render(looked_at(name=EVIL))
    assert EVIL not in page
    assert "&lt;script&gt;alert" in page


def test_numbers_have_no_labels() -> None:
    page = render(looked_at(numbers=True))
    promises = page[page.index('<section id="promises">') : page.index('<section id="deciding">')]
    assert "interval that holds the right one" in promises
    assert "label" not in re.sub("<[^>]+>", "", promises).lower()
    fairness = page[page.index('<section id="fairness">') : page.index('<section id="clusters">')]
    assert ">Label<" not in fairness


def test_more_rows_that_cannot_be_told_say_why() -> None:
    run = looked_at()
    assert run.learning_curve is not None
    refused = Growth(factor=2, rows=9, refused="it takes 4 points, and there are 3")
    run = run.model_copy(update={"learning_curve": run.learning_curve.model_copy(update={"growth": refused})})
    assert "cannot be told: it takes 4 points" in render(run)
    assert any("cannot be told: it takes 4 points" in line for line in closer_lines(run))


@pytest.mark.parametrize(
    "said",
    [
        "2 times the rows: macro-F1 +0.012 (+0.004 to +0.021)",
        "sets for 90.0 %: kept",
        "deciding at thresholds: macro-F1 worse",
        "disturbed texts: worse with typing errors",
        "groups of cats: demographic parity difference 0.300 (0.200 to 0.400)",
        "groups of cats: few cats",
        "mistakes: more than elsewhere about cats, rain (73.1 % wrong)",
        "is worse than annotator 1, too few rows (annotator 2)",
        "not told: people: cats",
    ],
)
def test_a_terminal_gets_a_line_each(said: str) -> None:
    assert any(said in line.replace("\u00a0", " ").replace("\u202f", " ") for line in verdict(looked_at())), verdict(
        looked_at()
    )
