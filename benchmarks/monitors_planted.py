"""Drift that `monitors.py` plants: what is done to the rows of a window before the model answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, distribution

import numpy as np
import polars as pl
import yaml

from seedbed.steps.augmenting.synonyms import USUAL, wordnet

#: The rows of a window, more rows that nobody uses, and chance: to the rows of the window.
Plant = Callable[[pl.DataFrame, pl.DataFrame, np.random.Generator], pl.DataFrame]


def labels(share: float) -> Plant:
    """Another share of negative rows."""

    def plant(rows: pl.DataFrame, more: pl.DataFrame, _: np.random.Generator) -> pl.DataFrame:
        both, many = pl.concat([rows, more]), round(share * rows.height)
        negative = pl.col("sentiment") == "negative"
        return pl.concat([both.filter(negative).head(many), both.filter(~negative).head(rows.height - many)])

    return plant


def others(texts: pl.DataFrame, share: float) -> Plant:
    """Texts from elsewhere. Nobody said what they feel like: they bear the labels of rows that they stand for."""

    def plant(rows: pl.DataFrame, _: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
        many = round(share * rows.height)
        drawn = texts[random.permutation(texts.height)[:many]]["text"]
        return pl.concat([rows.head(many).with_columns(drawn), rows.slice(many)])

    return plant


def topic(word: str, share: float) -> Plant:
    """More rows with a word."""

    def plant(rows: pl.DataFrame, more: pl.DataFrame, _: np.random.Generator) -> pl.DataFrame:
        about = pl.col("text").str.to_lowercase().str.contains(word)
        many = round(share * rows.height)
        return pl.concat([more.filter(about).head(many), rows.head(rows.height - many)])

    return plant


def each(change: Callable[[str, np.random.Generator], str | None]) -> Plant:
    """Something is done to each text: the same whenever it comes, so that it is embedded once."""
    known: dict[str, str | None] = {}

    def plant(rows: pl.DataFrame, _: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
        for one in rows["text"]:
            if one not in known:
                known[one] = change(one, random)
        return rows.with_columns(pl.Series("text", [known[one] for one in rows["text"]], dtype=pl.String))

    return plant


def typos(rate: float) -> Plant:
    """A share of the letters is another one."""
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))

    def change(text: str, random: np.random.Generator) -> str:
        hit = random.random(len(text)) < rate
        new = random.choice(letters, len(text))
        return "".join(n if h and c.isalpha() else c for c, h, n in zip(text, hit, new, strict=True))

    return each(change)


def longer(share: float) -> Plant:
    """A share of the rows goes on with another text of the same label."""

    def plant(rows: pl.DataFrame, more: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
        pools = {label: more.filter(pl.col("sentiment") == label)["text"] for label in more["sentiment"].unique()}
        said = [
            f"{text} {pools[label][int(random.integers(len(pools[label])))]}" if random.random() < share else text
            for text, label in rows.select("text", "sentiment").iter_rows()
        ]
        return rows.with_columns(pl.Series("text", said))

    return plant


def synonyms(share: float) -> Plant:
    """A share of the words that have one becomes a synonym: the same, said in other words."""
    known = wordnet(USUAL)

    def change(text: str, random: np.random.Generator) -> str:
        words = text.split(" ")
        for place, word in enumerate(words):
            found = known(word.lower()) if word.isalpha() else ()
            if found and random.random() < share:
                words[place] = found[int(random.integers(len(found)))]
        return " ".join(words)

    return each(change)


def wrong(share: float) -> Plant:
    """Labels that mean something else."""

    def plant(rows: pl.DataFrame, _: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
        other = {"negative": "neutral", "neutral": "positive", "positive": "negative"}
        hit = pl.Series(random.random(rows.height) < share)
        return rows.with_columns(pl.when(hit).then(pl.col("sentiment").replace(other)).otherwise("sentiment"))

    return plant


def planted(sms: pl.DataFrame, window: int) -> dict[str, Plant]:
    """What is done to a window, by what it is called.

    Args:
        sms: Messages of another kind.
        window: Rows of a window.
    """
    found = {
        "label shift: negative 43 to 50 %": labels(0.50),
        "label shift: negative 43 to 60 %": labels(0.60),
        "other domain: 5 % SMS": others(sms, 0.05),
        "other domain: 20 % SMS": others(sms, 0.20),
        "topic: 5 % more about #coachella": topic("coachella", 0.05),
        "topic: 15 % more about #coachella": topic("coachella", 0.15),
        "lengths: cut after 80 characters": each(lambda text, _: text[:80]),
        "lengths: cut after 110 characters": each(lambda text, _: text[:110]),
        "lengths: 5 % twice as long": longer(0.05),
        "lengths: 20 % twice as long": longer(0.20),
        "missing: 2 % of texts empty": each(lambda text, random: None if random.random() < 0.02 else text),
        "missing: 5 % of texts empty": each(lambda text, random: None if random.random() < 0.05 else text),
        "typos: 1 % of letters": typos(0.01),
        "typos: 5 % of letters": typos(0.05),
        "paraphrase: 10 % of words a synonym": synonyms(0.10),
        "paraphrase: 50 % of words a synonym": synonyms(0.50),
        "capitals throughout": each(lambda text, _: text.upper()),
        "labels mean something else: 10 %": wrong(0.10),
        "labels mean something else: 20 %": wrong(0.20),
    }
    for language in ("german", "spanish"):
        texts = pl.DataFrame({"text": list(dict.fromkeys(_dialogue(language)))}, schema={"text": pl.String})
        if texts.height >= window // 5:
            found |= {f"other language: {n} % {language.title()}": others(texts, n / 100) for n in (5, 20)}
    return found


def _dialogue(language: str) -> Iterator[str]:
    """What is said in the dialogues of `chatterbot-corpus`; nothing where it is not installed."""
    try:
        files = distribution("chatterbot-corpus").files or ()
    except PackageNotFoundError:
        return
    for file in sorted(files):
        if f"/{language}/" in str(file) and file.suffix == ".yml":
            told = yaml.safe_load(file.locate().read_text("utf-8"))
            for turn in (turn for talk in told.get("conversations") or () for turn in talk):
                if 10 <= len(str(turn)) <= 200:
                    yield str(turn)
