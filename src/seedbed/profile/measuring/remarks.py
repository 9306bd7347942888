"""What a person should know of a table, in sentences: what may be wrong first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from seedbed.core.numbers import amount, count, percent, things, word
from seedbed.core.profile import AmountFacts, ColumnFacts, Estimate, NumberFacts, Remark, TableProfile, TextFacts
from seedbed.profile.spellings import nothings, respelt, slips

from .associations import strength

_FEW_ROWS = 20
#: From which share, or ratio, on something is said.
_MISSING, _RARE_LABEL, _RATIO, _ALIKE, _TELLING, _FOREIGN = 0.05, 0.05, 10.0, 0.95, 0.9, 0.01
#: Share that is most of them: where less is in a language that can be told, texts are names, codes and the like.
_MOSTLY = 0.5
_NAMED = 4
_SPELT = 500
_PERSONAL = {
    "email": "e-mail addresses",
    "phone": "telephone numbers",
    "card": "card numbers",
    "iban": "account numbers (IBAN)",
    "ip": "IP addresses",
    "url_credentials": "passwords in addresses",
}
_WRONG_IN_TEXTS = ("lost characters (U+FFFD)", "HTML tags", "HTML entities", "control characters")


def remarks(profile: TableProfile) -> Iterator[Remark]:
    """Sentences, what may be wrong first."""
    if not profile.rows:
        yield Remark(kind="empty", severity="look", text="There are no rows.")
        return
    found = [*_table(profile), *_label(profile), *_columns(profile), *_together(profile)]
    yield from sorted(found, key=lambda one: one.severity != "look")


def _look(kind: str, text: str, *columns: str | None, rows: float | None = None) -> Remark:
    named = tuple(column for column in columns if column)
    return Remark(kind=kind, severity="look", columns=named, rows=None if rows is None else round(rows), text=text)


def _note(kind: str, text: str, *columns: str | None, rows: float | None = None) -> Remark:
    return _look(kind, text, *columns, rows=rows).model_copy(update={"severity": "note"})


def _table(profile: TableProfile) -> Iterator[Remark]:
    bad = sum(profile.malformed.values())
    if bad:
        why = ", ".join(f"{reason} {count(n)}" for reason, n in profile.malformed.items())
        yield _look("malformed", f"{things(bad, 'row')} could not be read ({why}).", rows=bad)
    copies = profile.copies
    if copies is None:
        return
    if copies.rows.value:
        told = f"{_part(copies.rows, profile.rows)} are equal in all columns to a row before."
        yield _look("copies", told, rows=copies.rows.value)
    if copies.texts and copies.texts.value:
        told = f"{_part(copies.texts, profile.rows)} have a text that, but for case and white space, stood before."
        yield _look("text_copies", told, profile.text, rows=copies.texts.value)
    if copies.near:
        more = "" if copies.near_whole else "; among all rows there are more"
        told = (
            f"{count(copies.near)} of {count(copies.near_of)} different texts that were compared "
            f"{word(copies.near, 'is a near copy', 'are near copies')}{more}."
        )
        yield _look("near_copies", told, profile.text, rows=copies.near)
    if copies.conflicts and copies.conflicts.value:
        told = f"{_about(copies.conflicts)} rows have a text that also stands with another label."
        yield _look("conflicts", told, profile.text, rows=copies.conflicts.value)


def _label(profile: TableProfile) -> Iterator[Remark]:
    label = profile.label
    if label is None or not label.counts:
        return
    name, filled = label.column, sum(one.rows for one in label.counts) + label.other
    if label.missing:
        share = percent(label.missing, label.missing + filled)
        told = (
            f"{things(label.missing, 'row')} {word(label.missing, 'is', 'are')} without a label ({share}): leave them "
            "out (`drop_missing`), or label those from which a model would learn most (`seedbed review` of a run)."
        )
        yield _look("unlabelled", told, name, rows=label.missing)
    most, least = label.counts[0], label.counts[-1]
    if label.labels == 1:
        yield _look("one_label", f"All labels are {_q(most.value)}: there is nothing to learn.", name)
        return
    rare = least.rows < _RARE_LABEL * filled / max(1, label.labels / 2)
    if label.ratio >= _RATIO or rare:
        shares = f"{_q(most.value)} has {percent(most.rows, filled)} of the rows, {_q(least.value)} "
        told = f"The labels are not balanced: {shares}{percent(least.rows, filled)}."
        yield (_look if rare else _note)("imbalance", told, name, rows=least.rows)
    yield from _spelt(name, {one.value: one.rows for one in label.counts})


def _columns(profile: TableProfile) -> Iterator[Remark]:
    columns, label = profile.columns, profile.label.column if profile.label else None
    yield from _group("empty", (one for one in columns if not one.filled), "without any value")
    constant = (one for one in columns if one.constant and one.rows > 1 and one.name != label)
    yield from _group("constant", constant, "with the same value in every row that has one")
    holes = [one for one in columns if one.filled and one.missing >= _MISSING * one.rows and one.name != label]
    for one in sorted(holes, key=lambda one: -one.missing):
        told = f"{_q(one.name)} is missing in {things(one.missing, 'row')} ({percent(one.missing, one.rows)})."
        yield _look("missing", told, one.name, rows=one.missing)
    for remark in _group("unique", filter(_names_rows, columns), "with another value in every row (an id?)"):
        yield remark.model_copy(update={"severity": "note"})
    for column in columns:
        if column.numbers:
            yield from _numbers(column.name, column.numbers)
        if column.text:
            yield from _texts(column, column.text)
        yield from _dates(column)
        if column.amounts:
            yield from _amounts(column.name, column.amounts)
        if column.kind == "category" and column.name != label:
            yield from _spelt(column.name, {value.value: value.rows for value in column.values.top})


def _names_rows(one: ColumnFacts) -> bool:
    measured = one.numbers is not None and not one.numbers.whole
    return one.unique and one.filled >= _FEW_ROWS and one.kind not in ("text", "nested", "amount") and not measured


def _numbers(name: str, found: NumberFacts) -> Iterator[Remark]:
    if found.unparsed:
        yield _look("not_numbers", f"{_q(name)} holds numbers, but {_none(found.unparsed)}.", name, rows=found.unparsed)
    if found.not_finite:
        told = f"{_q(name)} is NaN or infinite in {things(found.not_finite, 'row')}."
        yield _look("not_finite", told, name, rows=found.not_finite)
    if found.outliers and found.outliers.value and found.fences:
        low, high = (amount(end) for end in found.fences)
        ends = [*found.lowest[:1], *found.highest[:1]]
        such = f", such as {_exactly(max(ends, key=lambda end: abs(end.value)).value)}" if ends else ""
        values = "value" if found.outliers.value == 1 else "values"
        told = f"{_q(name)} has {_about(found.outliers)} {values} far out, below {low} or above {high}{such}."
        yield _look("outliers", told, name, rows=found.outliers.value)
    if found.spread and found.spread.n / 2 <= found.zeros < found.spread.n:
        told = f"{_q(name)} is 0 in {percent(found.zeros, found.spread.n)} of the rows."
        yield _note("zeros", told, name, rows=found.zeros)


def _dates(one: ColumnFacts) -> Iterator[Remark]:
    if one.dates and one.dates.unparsed:
        told = f"{_q(one.name)} holds dates, but {_none(one.dates.unparsed)}."
        yield _look("not_dates", told, one.name, rows=one.dates.unparsed)
    if one.dates and one.dates.future:
        told = f"{_q(one.name)} lies in the future in {things(one.dates.future, 'row')}."
        yield _look("future", told, one.name, rows=one.dates.future)


def _amounts(name: str, found: AmountFacts) -> Iterator[Remark]:
    units = [f"{unit} in {things(rows, 'row')}" for unit, rows in found.units.items()]
    units += [f"none in {things(found.bare, 'row')}"] if found.bare else []
    if len(units) > 1:
        shown = ", ".join(units[:_NAMED]) + (f" and {count(len(units) - _NAMED)} more" if len(units) > _NAMED else "")
        told = f"{_q(name)} holds amounts in several units ({shown}): `convert_units` makes them one."
        yield _look("units", told, name, rows=found.bare + sum(found.units.values()))
    if found.unparsed:
        told = f"{_q(name)} holds amounts, but {_none(found.unparsed, 'no number with a known unit')}."
        yield _look("not_amounts", told, name, rows=found.unparsed)


def _exactly(value: float) -> str:
    return count(value) if float(value).is_integer() else f"{value:,.6g}"


def _texts(one: ColumnFacts, text: TextFacts) -> Iterator[Remark]:
    for what in _WRONG_IN_TEXTS:
        if rows := text.rows.get(what):
            told = f"{_q(one.name)} holds {what} in {things(rows, 'row')} ({percent(rows, one.filled)})."
            yield _look("markup" if what.startswith("HTML") else "damaged", told, one.name, rows=rows)
    if text.personal:
        yield _personal(one, text.personal)
    known = [language for language in text.languages if language.language != "unknown"]
    foreign = sum(language.share.value for language in known[1:])
    if foreign < _FOREIGN or known[0].share.value + foreign < _MOSTLY:  # names and codes are in no language
        return
    shown = ", ".join(f"{other.language} {percent(other.share.value)}" for other in known[1 : 1 + _NAMED])
    often = "mostly" if known[0].share.value >= _MOSTLY else "most often"
    first = f"{_q(one.name)} is {often} {known[0].language} ({percent(known[0].share.value)})"
    yield _look(
        "languages", f"{first}; about {percent(foreign)} seems to be in other languages ({shown}).", one.name,
        rows=foreign * one.filled,
    )  # fmt: skip


def _personal(one: ColumnFacts, shares: dict[str, Estimate]) -> Remark:
    """The kinds that come most, and how many more there are; rows of the first."""
    kinds = [
        f"{_PERSONAL.get(kind, f'national ids ({kind})')} in {'' if share.exact else 'about '}{percent(share.value)}"
        for kind, share in sorted(shares.items(), key=lambda one: -one[1].value)
    ]
    more = f" and {things(len(kinds) - _NAMED, 'more kind')}" if len(kinds) > _NAMED else ""
    told = f"{_q(one.name)} seems to hold {', '.join(kinds[:_NAMED])} of the texts{more}."
    return _look("personal", told, one.name, rows=max(share.value for share in shares.values()) * one.filled)


def _spelt(name: str, values: dict[str, int]) -> Iterator[Remark]:
    few = dict(list(values.items())[:_SPELT])
    for kind, found, (singular, plural) in (
        ("respelt", respelt(few), ("differs from another", "differ from others")),
        ("slips", slips(few), ("is nearly another, and rare", "are nearly others, and rare")),
    ):
        if not found:
            continue
        shown = ", ".join(f"{_q(old)} ({_q(new)})" for old, new in list(found.items())[:_NAMED])
        how = " only in case, spaces or hyphens" if kind == "respelt" else ""
        many = f"1 value of {_q(name)} {singular}" if len(found) == 1 else f"{len(found)} values of {_q(name)} {plural}"
        yield _look(kind, f"{many}{how}: {shown}.", name, rows=sum(few.get(old, 0) for old in found))
    if none := nothings(few):
        told = f"{_q(name)} has values that may stand for none: {', '.join(map(_q, none[:_NAMED]))}."
        yield _look("nothings", told, name, rows=sum(few[one] for one in none))


def _together(profile: TableProfile) -> Iterator[Remark]:
    for one in [one for one in profile.associations if strength(one) >= _ALIKE][:_NAMED]:
        how = f"r = {one.value:.3f}" if one.measure == "pearson" else f"Cramér’s V = {one.value:.3f}"
        if abs(one.value) < _ALIKE and one.spearman is not None:
            how = f"the correlation of their ranks is {one.spearman:.3f}"
        yield _note("alike", f"{_q(one.a)} and {_q(one.b)} say nearly the same ({how}).", one.a, one.b)
    for toward in profile.toward_label:
        if toward.share >= _TELLING and profile.label:
            share = f"{percent(toward.share)} of its entropy"
            told = f"{_q(toward.column)} alone nearly gives the label away ({share}): is it known before the label is?"
            yield _look("tells_label", told, toward.column, profile.label.column)


def _group(kind: str, found: Iterable[ColumnFacts], words: str) -> Iterator[Remark]:
    names = tuple(one.name for one in found)
    if not names:
        return
    more = f" and {count(len(names) - _NAMED)} more" if len(names) > _NAMED else ""
    many = "1 column" if len(names) == 1 else f"{count(len(names))} columns"
    yield _look(kind, f"{many} {words}: {', '.join(map(_q, names[:_NAMED]))}{more}.", *names)


def _none(n: int, what: str = "none") -> str:
    return f"{things(n, 'value')} {word(n, 'is', 'are')} {what}"


def _part(found: Estimate, of: int) -> str:
    return f"{_about(found)} of {things(of, 'row')} ({percent(found.value, of)})"


def _about(found: Estimate) -> str:
    if found.exact:
        return count(found.value)
    return f"about {count(found.value)} ({count(found.low)} to {count(found.high)})"


def _q(name: str, most: int = 60) -> str:
    shown = name if len(name) <= most else name[: most - 1] + "…"
    return f"“{shown}”"
