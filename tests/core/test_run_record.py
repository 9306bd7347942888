"""Which model, split and metric decide is said once, by the record of a run; as are books that balance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core import numbers
from seedbed.core.errors import BooksError
from seedbed.core.ledger import Books
from seedbed.core.metric import Score
from seedbed.core.run import DatasetRecord, ModelRecord, Run, Waived


def model(name: str, *splits: str) -> ModelRecord:
    score = Score(value=0.5, low=0.4, high=0.6, n=9)
    scores = {split: {"accuracy": score} for split in splits}
    return ModelRecord(
        name=name, use=name, options={}, scores=scores, classes={}, confusion={}, mistakes=(), seconds=1, bytes=1
    )


def run(**fields: object) -> Run:
    record = Run(
        seedbed="0", name="x", id="x", state="passed", started="2026-01-01T00:00:00Z", seconds=1, task={}, seed=1,
        sources=(), rows=Books(), steps=(), certificate=None, findings=(), models=(), comparisons=(), leakage=None,
        dataset=DatasetRecord(digest="", splits={}, columns=(), labels={}, labels_before={}, lengths=None),
        gates=(), metric="accuracy",
    )  # fmt: skip
    return record.model_copy(update=fields)


def test_the_best_model_is_the_one_that_the_record_names() -> None:
    models = (model("a", "test"), model("b", "test"))
    assert run(models=models, best="b").best_model == models[1]
    assert run(models=models).best_model is None
    assert run().best_model is None


@pytest.mark.parametrize(
    ("splits", "judging"),
    [(("validation", "test"), "test"), (("test", "validation"), "test"), (("validation",), "validation"), ((), "test")],
)
def test_test_rows_judge_where_there_are_any(splits: tuple[str, ...], judging: str) -> None:
    assert run(models=(model("a", *splits),)).judging_split == judging


def test_a_reason_is_found_by_what_was_waived() -> None:
    waived = run(waivers=(Waived(what="check a", reason="why"),))
    assert (waived.reason_to_waive("check a"), waived.reason_to_waive("gate a")) == ("why", None)


@given(*[st.integers(0, 5)] * 4)
def test_books_that_do_not_balance_are_refused(read: int, made: int, kept: int, lost: int) -> None:
    books = Books(read=read, made=made, kept=kept, rejected={"x": {"y": lost}})
    assert books.balanced == (read + made == kept + lost)
    if books.balanced:
        assert books.check(at="x") is books
    else:
        with pytest.raises(BooksError):
            books.check(at="x")


def test_numbers_are_written_one_way() -> None:
    score = Score(value=-0.5, low=-0.6, high=0.4, n=3)
    assert numbers.scored(score) == "−0.500 (−0.600 to 0.400)"
    assert numbers.scored(None) == "not measured"
    assert numbers.level(0.95) == "95\u00a0% interval" and numbers.level(None) == "interval"
    assert numbers.probability(0.0001) == "p\u00a0<\u00a00.001" and numbers.probability(0.25) == "p\u00a0=\u00a00.250"
    assert numbers.typed(f"{numbers.percent(1, 3)} {numbers.signed(-1)}") == "33.3 % -1.000"
