"""What a person should know of a file before a model learns from it, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from seedbed.core.numbers import things, word
from seedbed.profile import Profile

from .commented import quoted
from .figures import rows_left
from .shapes import also_fit

#: What columns look like that a label can be told from, and so many of them are worth a word.
_TELLING, _SEVERAL = ("number", "amount", "category", "boolean"), 2
#: A label with fewer rows than this can hardly be judged.
_FEW = 10


def notes_of(profile: Profile) -> list[str]:
    """What stands out, in sentences."""
    label, text, notes = profile.label, profile.text, []
    if not profile.whole:
        notes.append(
            f"only {things(profile.rows, 'row')}, from all over the file, "
            f"{word(profile.rows, 'was', 'were')} looked at; figures are of those"
        )
    if profile.repeated_headers:
        notes.append(
            f"the header stands {things(profile.repeated_headers, 'time')} among the rows; what stands "
            "there is set aside"
        )
    if label:
        notes += _label_notes(profile)
    known = (profile.roles.text, profile.roles.label)
    beside = [one.name for one in profile.columns if one.looks in _TELLING and one.name not in known]
    if len(beside) >= _SEVERAL:
        names = ", ".join(map(quoted, beside[:4])) + (", …" if len(beside) > 4 else "")
        notes.append(f"{names} are not read: to learn from columns, not from texts, say --task tabular_classification")
    if text and text.lost:
        notes.append(
            f"characters are lost (\N{REPLACEMENT CHARACTER}) in {things(text.lost, 'text')}: the "
            "file was saved wrongly once"
        )
    if text and text.personal:
        found = ", ".join(f"{kind} in {n:,}" for kind, n in text.personal.items())
        notes.append(f"personal data: {found} texts; see `redact_pii` in `steps`, and answer `sensitive` in card.yaml")
    if text and text.conflicts > text.rows / 10:
        notes.append(
            f"{text.conflicts:,} of {things(text.rows, 'text')} "
            f"{word(text.conflicts, 'stands', 'stand')} with two labels or "
            f"more, and {word(text.conflicts, 'is', 'are')} set aside"
        )
    if rows_left(profile) < 100:
        notes.append("few rows: scores will say little, read their intervals")
    return notes


def other_tasks(rows: pl.DataFrame, profile: Profile) -> Iterator[str]:
    """What else than telling a label the rows would do for."""
    other = also_fit(rows, profile)
    if other:
        columns = " and ".join(other.task.roles.values())
        yield f"{columns} would do for {other.task.kind}, too: --task {other.task.kind}"


def _label_notes(profile: Profile) -> list[str]:
    label = profile.label
    assert label is not None
    notes, merged = [], label.merged
    if label.missing:
        notes.append(f"{things(label.missing, 'row has no label and is', 'rows have no label and are')} set aside")
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
        notes.append(
            f"{things(len(rare), 'label')} with fewer than {_FEW} rows can hardly be learned or judged: {shown}"
        )
    if len(merged) > 50:
        notes.append(f"{len(merged):,} labels are many; scores of single ones will be rough")
    return notes
