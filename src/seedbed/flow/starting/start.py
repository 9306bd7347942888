"""From a file to a recipe for it: look, decide, draft, and write both files or none."""

from __future__ import annotations

import glob
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import polars as pl

from seedbed.core import numbers
from seedbed.core.context import Context, Progress
from seedbed.core.documents import read_document
from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.core.learner import Learner
from seedbed.flow.recognising import Recognised, recognise
from seedbed.profile import Profile, could_be_label, profile_of
from seedbed.profile.roles import MOST_LABELS
from seedbed.recipe import parse
from seedbed.store.store import write_whole

from .commented import quoted
from .draft import Subject, draft_card, draft_recipe, rows_left

RECIPE, CARD = "recipe.yaml", "card.yaml"
#: Fewer rows than this cannot be split, learned from and judged.
_FEWEST_ROWS = 10
#: A label with fewer rows than this can hardly be judged.
_FEW = 10
_SO_FAR = "Seedbed trains text classifiers so far: it needs a column of texts and a column with their labels"


@dataclass(frozen=True)
class Start:
    """What was found in a file, and the recipe and card for it."""

    profile: Profile
    path: str
    """The file as the recipe names it."""
    use: str
    """The source that reads it."""
    found: dict[str, str]
    """Its format: encoding, delimiter, …"""
    notes: tuple[str, ...]
    """What a person should know, in sentences."""
    recipe: str
    card: str


def start(path: str, *, text: str | None, label: str | None, folder: Path, progress: Progress | None = None) -> Start:
    """Look at a file, and draft a recipe and a card; writes nothing.

    Args:
        path: File, folder, glob or URL, relative to the current folder.
        text: Column with the text; found when left out.
        label: Column with the label; found when left out.
        folder: Where the recipe is to stand; its path to the file starts there.
        progress: Where progress is shown.

    Raises:
        DataError: The file cannot be read, or is not fit for anything that Seedbed does so far.
        RecipeError: There is no such column.
    """
    known = recognise(path, Context(base=Path.cwd(), progress=progress or Context().progress))
    _refuse_unknown(known, text, label)
    profile = profile_of(known.sample, text, label)
    _refuse_unfit(profile, path, known)
    named = path_from(path, folder)
    found = {**known.scan.found, **_packed(known)}
    subject = Subject(
        typed=path,
        path=named,
        name=name_of(path),
        source=known.source,
        found=", ".join(f"{what} {spelt(value)}" for what, value in found.items() if what != "quote"),
        profile=profile,
        learners=_learners(),
    )
    recipe = draft_recipe(subject)
    parse(read_document(recipe, at=RECIPE).data, folder)  # what is written must be a recipe
    notes = (*known.notes, *known.scan.notes, *_notes(profile))
    return Start(profile, named, known.source.use, found, notes, recipe, draft_card(subject))


def refuse_replacing(folder: Path) -> None:
    """Refuse to write where a recipe or a card stands.

    Raises:
        RecipeError: One does.
    """
    there = [name for name in (RECIPE, CARD) if os.path.lexists(folder / name)]
    if there:
        raise RecipeError(
            f"there is a {' and a '.join(there)} already",
            at=str(folder),
            hint="--out FOLDER writes elsewhere; --force replaces them",
        )


def write(start: Start, folder: Path) -> tuple[Path, Path]:
    """Write the recipe and the card into a folder, which is made if need be; both, or none.

    Raises:
        RecipeError: The folder cannot be written to.
    """
    recipe, card = folder / RECIPE, folder / CARD
    had_card = os.path.lexists(card)
    try:
        write_whole(card, start.card.encode())
        try:
            write_whole(recipe, start.recipe.encode())
        except OSError:
            if not had_card:
                card.unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise RecipeError(f"cannot be written to: {reason}", at=str(folder), hint="name a folder with --out") from None
    return recipe, card


def path_from(path: str, folder: Path) -> str:
    """A path that is typed here, as a recipe in `folder` has to write it."""
    if "://" in path or path.startswith("~") or os.path.isabs(path):
        return path
    before = _before_magic(path)
    parent, last = os.path.split(before.rstrip("/"))  # a link that is named itself keeps its name
    absolute = os.path.join(os.path.realpath(parent or "."), last, path[len(before) :].lstrip("/"))
    try:
        return PurePosixPath(Path(os.path.relpath(absolute, os.path.realpath(folder)))).as_posix()
    except ValueError:  # another drive
        return absolute


def name_of(path: str) -> str:
    """A name for a dataset from where it comes from, fit for a folder."""
    last = PurePosixPath(Path(_before_magic(path.partition("?")[0] if "://" in path else path)).as_posix())
    stem = last.name or Path.cwd().name
    if glob.has_magic(path) and not last.name:
        stem = Path.cwd().name
    stem = re.sub(r"(?i)(\.(csv|tsv|txt|tab|jsonl|ndjson|json|parquet|pq|gz|bz2|xz|zst|zip|dat))+$", "", stem)
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:60].rstrip("-._")
    return slug if len(slug) > 1 else "my-dataset"


def _before_magic(path: str) -> str:
    """The path without the part that holds `*`, `?` or `[`, unless a file is called so."""
    if not glob.has_magic(path) or os.path.lexists(path):
        return path
    parts = path.split("/")
    first = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    return "/".join(parts[:first])


def spelt(value: str) -> str:
    """A delimiter's name; whatever is none, as it is."""
    return {",": "comma", ";": "semicolon", "\\t": "tab", "\t": "tab", "|": "bar", " ": "space"}.get(value, value)


def _packed(known: Recognised) -> dict[str, str]:
    files = known.scan.files
    return {"files": f"{len(files):,}"} if len(files) > 1 else {}


def _learners() -> dict[str, str]:
    """Learners that a recipe can name without options, what each is, and what it takes."""
    return {
        name: numbers.short(part.summary().rstrip("."), 80)
        + (f" (pip install 'seedbed[{part.extra}]')" if part.extra else "")
        for name, part in sorted(Learner.catalogue.items())
        if not any(field.is_required() for field in part.model_fields.values())
    }


# -- what cannot be done


def _refuse_unknown(known: Recognised, text: str | None, label: str | None) -> None:
    columns = known.sample.rows.columns
    for option, name in (("--text", text), ("--label", label)):
        if name is not None and name not in columns:
            hint = did_you_mean(name, columns).replace("known:", "the columns are")
            raise RecipeError(f"there is no column {name!r}", at=option, hint=hint)
    if text is not None and text == label:
        raise RecipeError("text and label are the same column", at=f"--label {label}", hint="name two columns")


def _refuse_unfit(profile: Profile, path: str, known: Recognised) -> None:
    """Say what a file seems to be fit for, where that is nothing that can be done yet.

    Raises:
        DataError: It is.
    """
    if profile.rows < _FEWEST_ROWS:
        bad = sum(profile.malformed.values())
        raise DataError(
            f"has {profile.rows} usable row{'' if profile.rows == 1 else 's'}"
            + (f" and {bad:,} malformed ones" if bad else "")
            + f"; at least {_FEWEST_ROWS} are needed to learn from some and judge by others",
            at=path,
            hint="look at the first lines of the file" if bad else "give more rows",
        )  # fmt: skip
    if profile.roles.kind != "text_classification":
        problem, hint = _ragged(profile, known) or _other_kind(profile, known)
        single = [quoted(column.name) for column in profile.columns if column.looks == "constant"]
        if single and not profile.roles.label:
            hint = f"{hint} ({', '.join(single[:4])}: one value only)"
        raise DataError(problem, at=path, hint=hint)
    _refuse_label(profile, path)


def _other_kind(profile: Profile, known: Recognised) -> tuple[str, str]:
    """What a table without a text or a label seems to be, and the way out."""
    roles = profile.roles
    columns = ", ".join(quoted(column.name) for column in profile.columns[:12])
    choice = f"the columns are {columns}; choose with --text and --label"
    quantities = ", ".join(quoted(name) for name in roles.quantities[:4])
    match roles.kind:
        case "regression":
            return (
                f"holds texts ({quoted(str(roles.text))}) and numbers ({quantities}), but no column with few labels: "
                f"that is regression, which cannot be trained yet. {_SO_FAR}",
                "add a column with names for ranges of the number (low, high), or name one with --label",
            )
        case "chat" | "question_answering" | "text_to_text":
            what = {"chat": "conversations", "question_answering": "questions and answers"}.get(
                roles.kind, "texts in pairs"
            )
            return f"holds {what}, and no column with few labels. {_SO_FAR}", choice
        case "causal_lm":
            return (
                f"holds texts ({quoted(str(roles.text))[:60]}), but no column with few labels. {_SO_FAR}",
                _first_words(profile, known)
                or ("add a column with a label for each row" if len(profile.columns) == 1 else choice),
            )
        case _:
            what = "numbers and categories" if roles.kind == "tabular_classification" else "numbers"
            return f"holds {what}, and no column of texts. {_SO_FAR}", choice


def _ragged(profile: Profile, known: Recognised) -> tuple[str, str] | None:
    """What is wrong with a file whose header names columns that its rows do not have, and the way out; else none."""
    name = profile.columns[0].name
    delimiter = max(",;\t|", key=name.count)
    if len(profile.columns) != 1 or known.source.use != "csv" or delimiter not in name:
        return None
    word, named = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}[delimiter], name.count(delimiter)
    bare = known.sample.rows.to_series().cast(pl.String).fill_null("").str.replace_all(r'"[^"]*"', "")
    others = int((bare.str.count_matches(delimiter, literal=True) != named).sum())
    return (
        f"its header names {named + 1} columns, parted by {word}, but {others:,} of the {bare.len():,} rows looked at "
        f"have more or fewer fields, so that it was read as one column ({quoted(name)[:60]})",
        f"give each row as many fields as the header, and put quotes around texts that hold {word}",
    )


def _first_words(profile: Profile, known: Recognised) -> str:
    """The way out where each line begins with a label."""
    if len(profile.columns) != 1:
        return ""
    first = known.sample.rows.to_series().str.extract(r"^(\S+)\s", 1).drop_nulls()
    if first.len() < 0.9 * profile.rows or first.n_unique() > first.len() / 10:
        return ""
    return "if the first word of each line is its label: sed 's/ /\\t/' FILE > new.tsv, then seedbed init new.tsv"


def _refuse_label(profile: Profile, path: str) -> None:
    column = profile.column(str(profile.roles.label))
    label = quoted(column.name)
    if column.looks == "nested":
        problem = f"the column {label} holds lists or objects, not one label a row"
    elif column.unique < 2:
        problem = f"the column {label} holds {'no value' if not column.unique else 'one value only'}"
    elif column.unique > MOST_LABELS or (column.unique > column.filled / 2 and not could_be_label(column)):
        kind = "numbers: regression cannot be trained yet" if column.looks == "number" else "values: an id, or a text?"
        problem = f"the column {label} holds {column.unique:,} different {kind}"
    elif column.looks == "number" and not column.whole and column.unique > 20:
        problem = f"the column {label} holds {column.unique:,} different numbers: regression cannot be trained yet"
    else:
        return
    others = ", ".join(quoted(name) for name in profile.roles.other_labels[:8])
    raise DataError(
        problem, at=path, hint=f"--label takes a column with few values that repeat{': ' + others if others else ''}"
    )


# -- what a person should know


def _notes(profile: Profile) -> list[str]:
    """What stands out, in sentences."""
    label, text, notes = profile.label, profile.text, []
    if not profile.whole:
        notes.append(f"only {profile.rows:,} rows, from all over the file, were looked at; figures are of those")
    if profile.repeated_headers:
        notes.append(f"the header stands {profile.repeated_headers:,} times among the rows; those rows are set aside")
    if label:
        notes += _label_notes(profile)
    if text and text.lost:
        notes.append(
            f"characters are lost (\N{REPLACEMENT CHARACTER}) in {text.lost:,} texts: the file was saved wrongly once"
        )
    if text and text.personal:
        found = ", ".join(f"{kind} in {n:,}" for kind, n in text.personal.items())
        notes.append(f"personal data, perhaps: {found} texts; say in card.yaml what was done about it (`sensitive`)")
    if text and text.conflicts > text.rows / 10:
        notes.append(f"{text.conflicts:,} of {text.rows:,} texts stand with two labels or more, and are set aside")
    if rows_left(profile) < 100:
        notes.append("few rows: scores will say little, read their intervals")
    return notes


def _label_notes(profile: Profile) -> list[str]:
    label = profile.label
    assert label is not None
    notes, merged = [], label.merged
    if label.missing:
        notes.append(f"{label.missing:,} rows have no label and are set aside")
    if label.respelt:
        many = len(label.respelt)
        several = f"{many:,} labels are other spellings" if many > 1 else "one label is another spelling"
        notes.append(f"{several} of one; `map_values` in `steps` makes them one")
    if label.slips:
        slip, meant = next(iter(label.slips.items()))
        notes.append(
            f"labels that may be slips, such as {quoted(slip[:40])} for {quoted(meant[:40])}: see `map_values`"
        )
    if label.synonyms:
        told = ", ".join(f"{quoted(old)} for {quoted(new)}" for old, new in list(label.synonyms.items())[:4])
        notes.append(f"one label is written in two ways, as equal texts show ({told}); `map_values` makes it one")
    elif label.mixed:
        notes.append("some labels are numbers and others words: do some mean the same? See `map_values` in `steps`")
    if label.several:
        notes.append(f"labels seem to hold several, parted by {label.several!r}; each combination counts as one label")
    rare = [name for name, rows in merged.items() if rows < _FEW]
    if rare:
        shown = ", ".join(quoted(name[:40]) for name in rare[:4]) + (", …" if len(rare) > 4 else "")
        notes.append(f"{len(rare):,} labels with fewer than {_FEW} rows can hardly be learned or judged: {shown}")
    if len(merged) > 50:
        notes.append(f"{len(merged):,} labels are many; scores of single ones will be rough")
    return notes
