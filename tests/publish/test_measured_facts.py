"""What a run knows about the card's questions, and when that counts as moved."""

from __future__ import annotations

import pytest
from publish_sample import ANSWERED, run_of, source, splits_of

from seedbed.core.check import Finding
from seedbed.core.run import FetchedRecord
from seedbed.publish.papers.filling import as_answer, as_typed
from seedbed.publish.papers.keeping import Lock, kept, stale
from seedbed.publish.papers.measured import Fact, Measured, changes
from seedbed.publish.papers.questions import QUESTIONS, Answers, asked_of, papers_of, such_as, why_of


def count(n: float) -> Fact:
    return Fact(name="rows", text=f"{n} rows", by="count", counted=n)


def shares(**of: float) -> Fact:
    return Fact(name="languages", text=str(of), by="shares", shares=of)


def names(*of: str) -> Fact:
    return Fact(name="steps", text=" ".join(of), by="names", names=of)


@pytest.mark.parametrize(
    ("before", "now", "moved"),
    [
        (count(100), count(110), False),
        (count(100), count(111), True),
        (count(100), count(89), True),
        (count(0), count(0), False),
        (count(0), count(1), True),
        (shares(en=0.98, de=0.02), shares(en=0.965, de=0.035), False),
        (shares(en=0.98, de=0.02), shares(en=0.95, de=0.05), True),
        (shares(en=1.0), shares(en=0.985, xx=0.015), False),
        (shares(en=1.0), shares(en=0.97, xx=0.03), True),
        (names("a", "b"), names("b", "a"), False),
        (names("a"), names("b"), True),
        (Fact(name="s", text="a", by="text"), Fact(name="s", text="b", by="text"), True),
        (Fact(name="s", text="a"), Fact(name="s", text="b"), False),
    ],
)  # fmt: skip
def test_what_counts_as_moved(before: Fact, now: Fact, moved: bool) -> None:
    found = changes((before,), (now,))
    assert bool(found) == moved
    if moved:
        assert found == (f"{before.name}: {before.text} when it was answered, now {now.text}",)
    assert changes((), (now,)) == () == changes((before,), ()), "what one run could not measure says nothing"


def test_an_answer_is_stale_only_where_its_own_facts_moved() -> None:
    run = run_of(splits_of(["a", "b"]))
    lock = kept(Lock(), ANSWERED, Measured(run), "then")
    assert set(lock.answers) == {"license", "languages", "collected", "intended_uses", "sensitive", "contact"}
    assert stale(lock, ANSWERED, Measured(run)) == {}
    other = run.model_copy(update={"sources": (source("MIT"), source("MIT", "second"))})
    found = stale(lock, ANSWERED, Measured(other))
    assert set(found) == {"license", "collected"}
    assert "now 0: 60 records" in found["collected"][0] and "second: 60 records" in found["collected"][0]
    anew = ANSWERED.model_copy(update={"collected": ("Otherwise.",)})
    assert set(stale(lock, anew, Measured(other))) == {"license"}, "a new answer is about the new data"
    later = kept(lock, anew, Measured(other), "now", anew=("license",))
    assert stale(later, anew, Measured(other)) == {}
    assert (later.answers["contact"].when, later.answers["license"].when) == ("then", "now")
    assert "contact" not in kept(later, Answers(), Measured(other), "now").answers


def test_facts_tell_what_the_run_knows() -> None:
    fetched = FetchedRecord(
        began="2026-01-02T00:00:00Z", ended="2026-01-03T00:00:00Z", responses=3, bytes=9, hosts={"x.org": 3}
    )
    far = source("MIT", "far").model_copy(update={"fetched": fetched, "collected_by": "a lab", "terms": "see x.org"})
    agreement = Finding(check="annotator_agreement", passed=True, value=0.61, message="alpha 0.61")
    measured = Measured(run_of(splits_of(["a", "b"]), sources=(far,), findings=(agreement,)))
    told = {key: {fact.name: fact.text for fact in measured.about(key)} for key in QUESTIONS}
    assert told["collected"]["fetched"] == "far from 2026-01-02 to 2026-01-03 (x.org)"
    assert told["collected"]["collected by"] == "far: a lab"
    assert told["restrictions"]["terms"] == "far: see x.org"
    assert told["annotation"]["agreement"] == "alpha 0.61"
    assert told["annotation"]["labels"].startswith("2 labels: ")
    assert told["summary"]["rows"] == "53 rows (40 train, 6 validation, 7 test)"
    assert told["curation"]["steps"].startswith("drop_missing rejected 7 and changed 0")
    assert told["used_for"]["best model"] == "tfidf_logistic: macro_f1 0.740 (0.700 to 0.780) on test"
    assert told["contact"] == {}


def test_every_question_says_why_and_where_it_goes_and_gives_an_example() -> None:
    for key in QUESTIONS:
        assert why_of(key).endswith(".") and papers_of(key), key
        answer = as_answer(key, such_as(key))
        assert as_typed(Answers.model_validate({key: answer}), key) == such_as(key), "the example is an answer"
    assert asked_of(None) == QUESTIONS
