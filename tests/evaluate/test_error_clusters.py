from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import fisher_exact

from seedbed.core.scrutiny import ErrorClusters
from seedbed.evaluate.error_clusters import Answered, error_clusters

TOPICS = {
    "music": ["guitar", "melody", "concert", "singer", "album", "drums", "chorus", "piano"],
    "garden": ["tulip", "compost", "shovel", "hedge", "seedling", "lawn", "orchard", "rose"],
    "travel": ["airport", "luggage", "hotel", "passport", "ferry", "border", "ticket", "harbour"],
    "money": ["mortgage", "invoice", "salary", "pension", "tax", "budget", "loan", "interest"],
}
COMMON = ["the", "of", "was", "a", "very", "with", "and", "then", "today", "quite"]


def rows(count: int, seed: int, wrong_in: dict[str, float], usual: float = 0.1) -> tuple[Answered, np.ndarray]:
    """Texts of four topics, and a model that is wrong more often in some of them."""
    random = np.random.default_rng(seed)
    topics = random.choice(list(TOPICS), count)
    texts = [" ".join([*random.choice(TOPICS[topic], 6), *random.choice(COMMON, 6)]) for topic in topics]
    wrong = random.random(count) < np.array([wrong_in.get(topic, usual) for topic in topics])
    said = [("good", "bad") if one else ("good", "good") for one in wrong]
    ids = pl.Series([f"s:f#{place}" for place in range(count)])
    return Answered(ids, pl.Series(texts), wrong, said), topics


def told(of: Answered, seed: int = 13) -> ErrorClusters:
    found = error_clusters(of, model="m", split="validation", what="another label", seed=seed)
    assert found is not None
    return found


def test_a_topic_that_the_model_gets_wrong_is_found_and_named() -> None:
    of, topics = rows(600, 1, {"garden": 0.6})
    found = told(of)
    worst = found.clusters[0]
    assert worst.more
    assert set(worst.name) <= {*TOPICS["garden"], *(f"{a} {b}" for a in TOPICS["garden"] for b in TOPICS["garden"])}
    assert worst.wrong.value == worst.mistakes / worst.rows > 0.4
    assert worst.difference.low > 0
    assert worst.labels == {"good → bad": worst.mistakes}
    garden = {f"s:f#{place}" for place in np.flatnonzero((topics == "garden") & of.wrong).tolist()}
    assert {row for row, _ in worst.examples} <= garden
    named = {word for one in found.clusters if one.more for word in one.name}
    assert not named & {*TOPICS["music"], *TOPICS["travel"], *TOPICS["money"]}
    assert (found.rows, found.mistakes) == (600, int(of.wrong.sum()))


def test_mistakes_that_fall_by_chance_make_no_finding() -> None:
    found = [told(rows(400, seed, {}, usual=0.2)[0], seed) for seed in range(40)]
    assert sum(any(one.more for one in each.clusters) for each in found) <= 5  # 40 trials at 5 % or below


def test_shares_are_compared_by_fishers_test_and_corrected() -> None:
    found = told(rows(400, 2, {"money": 0.5})[0])
    one = found.clusters[0]
    there = (found.mistakes - one.mistakes, found.rows - one.rows)
    table = [[one.mistakes, one.rows - one.mistakes], [there[0], there[1] - there[0]]]
    assert one.difference.p == pytest.approx(fisher_exact(table).pvalue)
    assert one.difference.p_holm >= one.difference.p
    assert one.difference.value == pytest.approx(one.mistakes / one.rows - there[0] / there[1])


def test_the_same_rows_make_the_same_clusters() -> None:
    of, _ = rows(300, 3, {"music": 0.5})
    assert told(of) == told(of)


def test_few_rows_few_mistakes_and_no_words_in_common_have_no_clusters() -> None:
    def none(of: Answered) -> bool:
        return error_clusters(of, model="m", split="validation", what="w") is None

    assert none(rows(50, 4, {"music": 0.9})[0])
    assert none(rows(300, 4, {}, usual=0.01)[0])
    of, _ = rows(200, 4, {"music": 0.9})
    assert none(Answered(of.rows, pl.Series([f"{place}" for place in range(200)]), of.wrong, of.said))
    assert none(Answered(of.rows, pl.Series([None] * 200, dtype=pl.String), of.wrong, of.said))


def test_excerpts_are_masked_and_names_hold_no_numbers() -> None:
    of, _ = rows(200, 5, {"music": 0.9})
    texts = pl.Series([f"{text} call 5551234567 or ann@example.org" for text in of.texts])
    found = told(Answered(of.rows, texts, of.wrong, of.said))
    shown = " ".join(text for one in found.clusters for _, text in one.examples)
    assert shown and "5551234567" not in shown and "ann@example.org" not in shown
    assert not any(letter.isdigit() for one in found.clusters for name in one.name for letter in name)


def test_texts_without_blanks_have_clusters_of_their_characters() -> None:
    random = np.random.default_rng(6)
    hard = random.random(300) < 0.3
    texts = ["".join(random.choice(list("雨雪風雲" if one else "魚肉米茶"), 30)) for one in hard]
    wrong = random.random(300) < np.where(hard, 0.7, 0.05)
    of = Answered(pl.Series([str(i) for i in range(300)]), pl.Series(texts), wrong, [("", "")] * 300)
    worst = told(of).clusters[0]
    assert worst.more
    assert set("".join(worst.name)) <= set("雨雪風雲 ")
    assert worst.labels == {}
