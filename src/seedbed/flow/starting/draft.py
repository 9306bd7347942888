"""A recipe and a card for a file, written so that a beginner can read and change every line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from seedbed.core import numbers
from seedbed.core.learner import who_learns
from seedbed.core.source import Source
from seedbed.profile import Profile
from seedbed.publish.papers.answers import QUESTIONS, REQUIRED

from . import proposals
from .commented import beside, comment, filled, listed, quoted, with_why
from .figures import rounded_down, rounded_share, rows_left

#: Labels beyond so many are not listed.
_MOST_LISTED = 60
#: Rows below which more of them are held out, so that scores say something.
_SMALL = 400
_MOST_NAMED = 8
#: Characters of a mapping that is offered as a comment.
_LONGEST = 80


@dataclass(frozen=True)
class Subject:
    """What a recipe is drafted for."""

    typed: str
    """The file as it was typed."""
    path: str
    """The file as the recipe names it."""
    name: str
    """Fit for a folder."""
    source: Source
    found: str
    """What was found out about the format."""
    profile: Profile
    rows: pl.DataFrame
    """The sample."""
    given: Mapping[str, Any]
    """Options of the source that a person has set."""
    learners: Mapping[str, str]
    """Learners that can be named, with what they are."""

    @property
    def text(self) -> str:
        """The text's column."""
        return str(self.profile.roles.text)

    @property
    def label(self) -> str:
        """The label's column."""
        return str(self.profile.roles.label)


def draft_recipe(subject: Subject) -> str:
    """The recipe, with comments."""
    sections = (
        head(subject),
        _task(subject),
        _sources(subject),
        _steps(subject),
        _checks(subject),
        _split(subject),
        _train(subject),
        _gates(subject),
    )
    return "\n".join("\n".join(lines) + "\n" for lines in sections)


def draft_card(subject: Subject) -> str:
    """The card: what only a person can say, with its questions."""
    lines = [
        "# yaml-language-server: $schema=card.schema.json",
        "# (`seedbed schema card > card.schema.json` makes that file; editors then explain each question.)",
        f"# What only a person can say about {quoted(subject.name)}. Seedbed measures the rest.",
        "# A plain run works with blanks; publishing stops until the first six are answered (`none` is an answer).",
        "# `seedbed card RUN` asks them one after the other, beside what a run measured.",
        "",
    ]
    for key, question in QUESTIONS.items():
        lines += comment(question)
        lines.append(f"{key}:" if key in REQUIRED else f"# {key}:")
        if key == REQUIRED[-1]:
            lines += ["", "# The others make a better card. Remove the `# ` before a key to answer it."]
    return "\n".join(lines) + "\n"


# -- the sections


def head(subject: Subject) -> list[str]:
    """What wrote it, and its first keys."""
    profile = subject.profile
    rows = numbers.count(profile.rows)
    seen = f"all {rows} rows" if profile.whole else f"{rows} of about {numbers.count(profile.records)} rows"
    return [
        *comment(f"Written by `seedbed init` after a look at {seen} of {quoted(subject.typed)}. Change what you like."),
        "# Run it:                `seedbed run recipe.yaml`",
        "# All parts, their page: `seedbed parts`, `seedbed parts steps near_duplicates`",
        "seedbed: 1                       # version of the recipe format",
        beside(f"name: {quoted(subject.name)}", "folders and reports carry this name"),
    ]


def _task(subject: Subject) -> list[str]:
    profile, roles = subject.profile, subject.profile.roles
    lines = [
        "# What the model is to do: read the text, answer with a label.",
        "task:",
        "  kind: text_classification",
        *with_why(f"  text: {quoted(subject.text)}", roles.why_text),
        *_others(roles.other_texts, "also text: `derive` in `steps` can join columns"),
        *with_why(f"  label: {quoted(subject.label)}", roles.why_label),
        *_others(roles.other_labels, "also fit for a label: `seedbed init FILE --label NAME`"),
    ]
    if not profile.label:
        return lines
    labels = list(profile.label.merged)
    if profile.whole and len(labels) <= _MOST_LISTED:
        lines += comment("The labels as they were found; rows with another one are set aside and counted.", "  ")
        lines += filled("  labels: [", [quoted(label) for label in _ordered(labels, profile)], "]")
    else:
        some = ", ".join(quoted(label[:40]) for label in labels[:_MOST_NAMED])
        why = f"{numbers.count(len(labels))} labels were found, such as {some}"
        lines += comment(f"{why}. All labels of the rows are used; to fix them: labels: [...]", "  ")
    return lines


def _sources(subject: Subject) -> list[str]:
    source, profile = subject.source, subject.profile
    lines = [
        "# Where the rows come from. Several sources may stand here; paths start from this file's folder.",
        "sources:",
        beside(f"  - use: {source.use}", f"found: {subject.found}" if subject.found else ""),
        f"    path: {quoted(subject.path)}",
        beside(f"    name: {quoted(subject.name)}", "row ids begin with it"),
        *given_lines(subject),
    ]
    if getattr(source, "header", True) is False and "header" not in subject.given:
        lines.append(beside("    header: false", "the first line is a row; columns are column_1, column_2, …"))
    if "license" not in subject.given:
        lines.append(beside("    # license: CC-BY-4.0", "the licence of the data, if you know it"))
    if len(profile.columns) > 2 and "columns" not in subject.given:
        text, label = quoted(subject.text), quoted(subject.label)
        columns = f"{{{text}: {text}, {label}: {label}}}"
        if len(columns) < _LONGEST:
            lines.append(beside(f"    # columns: {columns}", f"only some of the {len(profile.columns)}, as NEW: OLD"))
    return lines


def given_lines(subject: Subject) -> list[str]:
    """What a person has said of the source."""
    told = {name: value for name, value in subject.given.items() if name not in ("use", "path", "name")}
    return [
        f"    {name}: {quoted(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in told.items()
    ]


def _steps(subject: Subject) -> list[str]:
    """What was found decides; what was not is offered as a comment."""
    profile, text = subject.profile, quoted(subject.text)
    found, label = profile.text, profile.label
    lines = [
        "# What is done to the rows, in order, before the split. Each rejected row is in the ledger with its reason.",
        "steps:",
        *_joining(subject),
    ]

    def step(body: str, why: str, wanted: bool = True) -> None:
        lines.extend(with_why(f"  {'' if wanted else '# '}- {{{body}}}", why))

    for one in (*proposals.on_texts(profile, subject.text), *proposals.on_columns(profile, subject.rows)):
        step(one.part, one.why, one.wanted)
    if found:
        broken = {"decoded wrongly": found.mangled, "with HTML entities": found.entities}
        why = ", ".join(f"{_texts(n)} {how}" for how, n in broken.items() if n) or "broken encodings: none found"
        step(f"use: fix_text, column: {text}", why, any(broken.values()))
        why = f"HTML tags: {_texts(found.tags)}" if found.tags else "HTML tags: none found"
        step(f"use: strip_html, column: {text}", why, found.tags > 0)
        why = (
            f"line breaks, runs of spaces: {_texts(found.spaces)}" if found.spaces else "one form of Unicode and spaces"
        )
        step(f"use: normalize, column: {text}", why, found.spaces > 0)
    missing = (profile.column(subject.text).missing, profile.column(subject.label).missing)
    step(
        f"use: drop_missing, columns: {listed([subject.text, subject.label])}",
        f"no text: {numbers.things(missing[0], 'row')}, no label: {numbers.count(missing[1])}",
    )
    if missing[1]:
        lines += comment(
            "Rows without a label are left out. Those from which a model would learn most can be labelled: "
            "`seedbed review RUN --queue unlabelled`, once it ran.",
            "  ",
        )
    if label:
        lines += _labels(subject)
    if found:
        why = f"texts that stand with two labels: {numbers.count(found.conflicts)}"
        step(f"use: conflicting_labels, column: {text}, label: {quoted(subject.label)}", why)
        step(
            f"use: exact_duplicates, column: {text}, normalise: true",
            f"copies of a row before: {numbers.count(found.exact_copies)}",
        )
        step(
            f"use: near_duplicates, column: {text}, at_least: 0.8", f"nearly copies: {_of(found.near_copies, subject)}"
        )
        step(f"use: text_length, column: {text}, at_least: 3", f"texts under 3 characters: {found.short}", wanted=False)
    return lines


def _joining(subject: Subject) -> list[str]:
    others = subject.profile.roles.other_texts
    if not others:
        return []
    columns = [name for name in (others[0], subject.text) if not set(name) & set("{}")]
    template = " ".join(f"{{{name}}}" for name in columns)
    return [
        *comment("To read several columns as one text (it takes the place of the one column):", "  "),
        f"  # - {{use: derive, column: {quoted(subject.text)}, template: {quoted(template)}}}",
    ]


def _labels(subject: Subject) -> list[str]:
    """Labels that are spelt in several ways are made one; what is less sure is a comment."""
    label = subject.profile.label
    assert label is not None
    column, lines = quoted(subject.label), []

    def rename(values: Mapping[str, str | None], mark: str = "") -> None:
        lines.append(f"  {mark}- use: map_values")
        lines.append(f"  {mark}  column: {column}")
        lines.append(f"  {mark}  values:")
        lines.extend(
            f"  {mark}    {quoted(old)}: {'null' if new is None else quoted(new)}" for old, new in values.items()
        )

    if label.respelt:
        lines += comment("Labels that differ only in case, spaces or hyphens are one label:", "  ")
        rename(label.respelt)
    if label.slips:
        lines += comment("Rare labels that are nearly another one. If they are slips, remove the `# `:", "  ")
        rename(dict(list(label.slips.items())[:_MOST_NAMED]), "# ")
    if label.nothings:
        lines += comment("If these stand for no label, their rows can be left out:", "  ")
        rename(dict.fromkeys(label.nothings), "# ")
    if label.synonyms:
        lines += comment("Equal texts carry both of these, so they are one label:", "  ")
        rename(label.synonyms)
    elif label.mixed:
        lines += comment("Some labels are numbers and others words. If some mean the same, say so here:", "  ")
        rename({one: "the same label" for one in _ordered(list(label.counts), subject.profile)}, "# ")
    if label.several:
        lines += comment(
            f"Labels seem to hold several, parted by {quoted(label.several)}. Each combination counts as a label of "
            "its own; to take them apart: `seedbed init FILE --label NAME` (kind: multi_label_classification).",
            "  ",
        )
    if not lines and len(label.counts) <= 10 and all(re.fullmatch(r"-?\d+(\.0)?", one) for one in label.counts):
        ordered = " Numbers are learned as names: that 4 is more than 3 is not known." if len(label.counts) > 2 else ""
        lines += comment(f"Numbers can be given names (then write those into `labels` above):{ordered}", "  ")
        rename({one: f"name for {one}" for one in sorted(label.counts)}, "# ")
    return lines


def _checks(subject: Subject) -> list[str]:
    profile = subject.profile
    left = rows_left(profile)
    least = rounded_down(left * (0.8 if profile.whole else 0.5))
    lines = [
        "# What must hold. `stop` fails the run (exit code 1), `warn` only says so; without `on_fail` it is `warn`.",
        "checks:",
        *with_why(f"  - {{use: row_count, at_least: {least}}}", f"about {numbers.things(left, 'row')} should be left"),
        f"  - {{use: no_missing, columns: {listed([subject.text, subject.label])}, on_fail: stop}}",
    ]
    counts = profile.label.merged if profile.label else {}
    if counts and len(counts) <= _MOST_LISTED:
        smallest, rows = min(counts.items(), key=lambda item: item[1])
        share = rows / sum(counts.values())
        why = f"the smallest, {quoted(smallest[:40])}, has {numbers.typed(numbers.percent(share))} now"
        lines += with_why(
            f"  - {{use: class_share, column: {quoted(subject.label)}, at_least: {rounded_share(share / 2)}}}", why
        )
    lines.append(beside("  - {use: no_leakage, on_fail: stop}", "no copy of a test row was trained on"))
    columns = proposals.columns_now(profile, subject.rows)
    lines += comment("The columns, with their types, as they are now:", "  ")
    lines += filled("  - {use: schema, columns: {", [f"{quoted(name)}: {kind}" for name, kind in columns.items()], "}}")
    for one in proposals.checks(profile, left):
        lines += with_why(f"  {'' if one.wanted else '# '}- {{{one.part}}}", one.why)
    return lines


def _split(subject: Subject) -> list[str]:
    profile = subject.profile
    left = rows_left(profile)
    small = left < _SMALL
    train, held = (0.6, 0.2) if small else (0.8, 0.1)
    lines = ["# Which rows train, which choose between models and which judge. Near copies always stay together."]
    if small:
        lines += comment(
            f"With about {numbers.things(left, 'row')} more than the usual tenth is held out; scores will be rough."
        )
    lines += [f"split: {{use: stratified, train: {train}, validation: {held}, test: {held}, seed: 13}}"]
    lines += comment("For data that grows take `hashed` instead: rows that are added later never move old ones.")
    for group in profile.roles.groups[:1]:
        lines += comment(f"If rows of one {quoted(group)} must stay together, add to it: group: {quoted(group)}")
    for column in profile.roles.splits[:1]:
        lines += comment(f"{quoted(column)} seems to say train or test; it is not used: the split above is made anew.")
    return lines


def _train(subject: Subject) -> list[str]:
    ladder = [name for name in ("majority", "naive_bayes", "tfidf_logistic") if name in subject.learners]
    able = who_learns("text_classification")
    others = {name: what for name, what in subject.learners.items() if name in able and name not in ladder}
    lines = ["# Models, from the simplest; each is compared with the one before, on the same rows.", "train:"]
    lines += [beside(f"  - {{use: {name}}}", subject.learners[name]) for name in ladder]
    lines += [beside(f"  # - {{use: {name}}}", what) for name, what in others.items()]
    left = rows_left(subject.profile)
    folds = beside("  # folds: 5", "cross-validate, too: steadier figures") if left < 10 * _SMALL else ""
    return [
        *lines,
        "",
        "# How they are judged. The first metric decides which model is best on validation rows.",
        "evaluate:",
        "  metrics: [macro_f1, accuracy, balanced_accuracy]",
        "  intervals: {level: 0.95, resamples: 10000}",
        *([folds] if folds else []),
    ]


def _gates(subject: Subject) -> list[str]:
    return [
        "# Next: what a model must reach, and where the dataset goes then. Publishing waits for answers in card.yaml.",
        "# gates:",
        "#   - {metric: macro_f1, split: test, at_least: 0.70}",
        "# publish:",
        f"#   - {{use: folder, path: out/{subject.name}}}",
    ]


def _ordered(labels: Sequence[str], profile: Profile) -> list[str]:
    """Labels in the order in which people read them; without the header, where it stands among the rows."""
    known = profile.label.counts if profile.label else {}
    again, name = profile.repeated_headers, profile.roles.label
    kept = [label for label in labels if not again or label != name or known.get(label, 0) > again]

    def natural(label: str) -> tuple[int, float, str]:
        return (0, float(label), label) if re.fullmatch(r"-?\d{1,15}(\.\d+)?", label) else (1, 0.0, label)

    return sorted(kept, key=natural)


def _texts(count: int) -> str:
    return f"{numbers.count(count)} {'text' if count == 1 else 'texts'}"


def _of(count: int, subject: Subject) -> str:
    found = subject.profile.text
    compared = found.compared if found else 0
    of = "" if not found or compared >= found.rows else f" of the first {numbers.count(compared)}"
    return f"{numbers.count(count)}{of}"


def _others(names: Sequence[str], why: str) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return comment(f"{', '.join(map(quoted, names[:_MOST_NAMED]))}{more}: {why}", "  ")
