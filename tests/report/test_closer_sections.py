"""The report's sections of what `evaluate` asks for besides scores, and the lines of the same for a terminal."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sample

from seedbed.core.metric import Score
from seedbed.core.preference import Chosen, ChosenByPeople, Judged, Preferred
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
from seedbed.core.side_by_side import SampledAnswer, SampledRow, SideBySide
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
    answer = SampledAnswer(model=best, text=name, score=None if numbers else 0.5)
    beside = SideBySide(
        split="validation", of=300, seed=1, metric=None if numbers else "chrf", continued=numbers, silent=(name,),
        rows=tuple(SampledRow(row=f"r#{place}", text=name, truth=name, answers=(answer,)) for place in range(6)),
    )  # fmt: skip
    pair = Preferred(
        a=name, b=best, rows=80, wins=40, losses=20, ties=20, same=5, unread=3, win_rate=SCORE, p=0.01, p_holm=0.02,
        verdict="better", changed=SCORE, first=9, second=1, agrees=SCORE,
    )  # fmt: skip
    odd = pair.model_copy(
        update={"verdict": "too few rows", "agrees": None, "changed": SCORE.model_copy(update={"n": 0})}
    )
    judged = Judged(
        judge=name, endpoint="http://127.0.0.1:1/v1", split="test", of=300, metric="chrf", shown_truth=numbers,
        pairs=(pair, odd), place_p=0.02, goes_by_place=True, requests=160,
    )  # fmt: skip
    chosen = Chosen(
        a=name, b=best, rows=43, wins=30, losses=6, ties=7, both_bad=4, same=2, win_rate=SCORE, p=0.01, p_holm=0.02,
        verdict="better", agrees=None if numbers else SCORE, judge_agrees=SCORE,
    )  # fmt: skip
    people = ChosenByPeople(
        split="test", of=300, metric=None if numbers else "chrf", people=2, decisions=71, pairs=(chosen,), left=SCORE,
        left_p=0.02, goes_by_place=True, agreement=SCORE, file=f"{name}.jsonl", notes=("2 decisions are about others",),
    )  # fmt: skip
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
        side_by_side=beside,
        judged_by=judged,
        preferences=people,
        notes=(f"people: {name}",),
    )  # fmt: skip


def looked_at(**more: Any) -> Run:
    run = sample.whole()
    growth = Growth(factor=2, rows=57_268, gain=0.0123, low=0.004, high=0.021, value=0.75, limit=0.8, exponent=0.4)
    assert run.learning_curve is not None
    curve = run.learning_curve.model_copy(update={"growth": growth})
    return run.model_copy(update={"scrutiny": scrutiny(run, **more), "learning_curve": curve})


ANCHORS = (
    "side_by_side", "promises", "deciding", "robustness", "fairness", "clusters", "people", "judged_by", "preferences",
)  # fmt: skip


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
    assert (
        ">Label<" not in fairness and "Demographic parity: who" not in fairness and "how far off they are" in fairness
    )


def test_people_together_are_not_taken_for_a_learner() -> None:
    run = looked_at()
    assert run.scrutiny is not None
    of = run.scrutiny.people[0]
    names = [*(f"annotator {place}" for place in range(1, 6)), "majority"]
    more = of.model_copy(update={"people": tuple(of.people[0].model_copy(update={"who": who}) for who in names)})
    run = run.model_copy(update={"scrutiny": run.scrutiny.model_copy(update={"people": (more,)})})
    line = next(line for line in closer_lines(run) if line.startswith("people on"))
    assert "worse than annotator 1, annotator 2, annotator 3, 2 more, all of them together" in line
    assert "one answer is none" in line and "majority" not in line
    assert "all together" in section(render(run), "people")
    assert any("demographic parity difference of cats 0.300" in line for line in closer_lines(run))


def test_a_group_with_fewer_mistakes_is_told_so() -> None:
    run = looked_at()
    assert run.scrutiny is not None and run.scrutiny.clusters is not None
    of = run.scrutiny.clusters
    less = of.model_copy(update={"clusters": (of.clusters[0].model_copy(update={"more": False}),)})
    found = run.model_copy(update={"scrutiny": run.scrutiny.model_copy(update={"clusters": less})})
    told = section(render(found), "clusters")
    assert "fewer mistakes" in told and "not distinguishable" not in told


def section(page: str, anchor: str) -> str:
    return page[page.index(f'<section id="{anchor}">') :].partition("</section>")[0]


def test_models_stand_side_by_side() -> None:
    told = section(render(looked_at()), "side_by_side")
    assert told.count('class="mistake"') == 6 and "2 more" in told
    assert "Right" in told and "chrF 0.500" in told
    continued = section(render(looked_at(numbers=True)), "side_by_side")
    assert "It goes on" in continued and "chrF" not in continued
    assert "says only how likely a text is: <bdi>cats</bdi>" in continued


def test_a_judge_is_told_with_its_faults() -> None:
    told = section(render(looked_at()), "judged_by")
    assert "goes by the place" in told and "first place 9, second 1" in told
    assert "40, 20, 20" in told and "3 more not told" in told and "5 with the same answer" in told
    assert "too few rows" in told and "what is right" not in told
    assert "and what is right" in section(render(looked_at(numbers=True)), "judged_by")


def test_people_who_choose_are_told_with_their_faults() -> None:
    told = section(render(looked_at()), "preferences")
    assert "2 people chose" in told and "71 decisions in all" in told and "2 decisions are about others." in told
    assert "go by the place" in told and "30, 7, 6" in told and "4 both bad" in told
    assert "Agree with the judge" in told and "Agree with chrF" in told and "2 the same" in told
    assert "Agree with chrF" not in section(render(looked_at(numbers=True)), "preferences")
    run = looked_at()
    assert run.scrutiny is not None
    alone = run.model_copy(update={"scrutiny": run.scrutiny.model_copy(update={"judged_by": None})})
    assert "Agree with the judge" not in section(render(alone), "preferences")


def test_the_promises_of_several_models_are_asked_about_together() -> None:
    run = looked_at()
    assert run.scrutiny is not None
    told = run.scrutiny.conformal[0].model_copy(update={"p": 0.03, "p_holm": 0.09})
    both = run.model_copy(update={"scrutiny": run.scrutiny.model_copy(update={"conformal": (told, told)})})
    promises = section(render(both), "promises")
    assert "p, Holm" in promises and "0.090" in promises and "0.030" not in promises
    assert "p, Holm" not in section(render(run), "promises"), "a record of an older version has none"


def test_the_table_of_people_has_room_for_the_verdict() -> None:
    run = looked_at()
    assert run.scrutiny is not None
    of = run.scrutiny.people[0]
    scores = {name: SCORE for name in ("accuracy", "macro_f1", "matthews")}
    many = of.model_copy(update={"people": tuple(one.model_copy(update={"scores": scores}) for one in of.people)})
    run = run.model_copy(update={"scrutiny": run.scrutiny.model_copy(update={"people": (many,)})})
    first, rest = section(render(run), "people").split("By the other metrics")
    assert "accuracy" in first and "macro-F1" not in first and "macro-F1" in rest and "matthews" in rest


def test_sets_of_several_labels_say_what_they_hold() -> None:
    run = looked_at()
    assert run.scrutiny is not None
    one = run.scrutiny.conformal[0]
    several = one.model_copy(update={"fitted": one.fitted.model_copy(update={"kind": "label_sets"})})
    run = run.model_copy(update={"scrutiny": run.scrutiny.model_copy(update={"conformal": (several,)})})
    told = section(render(run), "promises")
    assert "holds all right labels of a row" in told and "Labels in a set" in told
    assert any("they held all that is right for" in line for line in closer_lines(run))


def test_slices_of_language_models_are_told_by_token_and_word() -> None:
    run = sample.whole()
    best = run.best_model
    assert best is not None and best.slices["test"]
    slices = tuple(one.model_copy(update={"also": {"perplexity": SCORE}}) for one in best.slices["test"])
    models = tuple(
        one.model_copy(update={"slices": {"test": slices}}) if one.name == run.best else one for one in run.models
    )
    assert "Perplexity is per token" not in section(render(run), "slices")
    told = section(render(run.model_copy(update={"models": models})), "slices")
    assert "Perplexity is per token" in told and told.count("0.702–0.764") >= len(slices)


def test_what_more_rows_would_be_worth_is_told_with_its_interval_and_model() -> None:
    run = looked_at()
    curve = run.learning_curve
    assert curve is not None and curve.growth is not None
    told = " ".join(re.sub("<[^>]+>", "", section(render(run), "paid")).split())
    assert "The extrapolated value of more data" in told and f"of {curve.model} would change by about" in told
    assert "+0.012 (95 % interval +0.004 to +0.021), to 0.750." in told.replace("\u00a0", " ").replace("\u202f", " ")
    assert "may be nothing" not in told and "lower is better" not in told
    unsure = curve.growth.model_copy(update={"low": -0.01})
    worse = curve.model_copy(update={"growth": unsure, "metric": "log_loss"})
    told = section(render(run.model_copy(update={"learning_curve": worse})), "paid")
    assert "may be nothing: the interval holds 0" in told and "lower is better" in told


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
        "groups of cats: demographic parity difference of cats 0.300 (0.200 to 0.400)",
        "groups of cats: few cats",
        "mistakes: more than elsewhere about cats, rain (73.1 % wrong)",
        "is worse than annotator 1, not compared (too few rows) with annotator 2; one answer is none",
        "is better than cats (win rate 0.731, 0.702 to 0.764); 73.1 % changed",
        "judged by cats: it goes by the place",
        "is better than cats (win rate 0.731, 0.702 to 0.764; of 43 rows 30 better, 6 worse, 7 neither (4 both bad))",
        "people: they go by the place, the first one in 73.1 %",
        "people agree beyond chance by 0.731",
        "not told: people: cats",
    ],
)
def test_a_terminal_gets_a_line_each(said: str) -> None:
    assert any(said in line.replace("\u00a0", " ").replace("\u202f", " ") for line in verdict(looked_at())), verdict(
        looked_at()
    )
