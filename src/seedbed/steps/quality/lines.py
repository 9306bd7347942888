"""Measures on lines and paragraphs, and C4's choice of lines."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from .pieces import beside, pieces

#: What ends a sentence or a quotation, in the scripts that are read most.
_END = r"[.!?\"'”’»…。．！？؟۔।॥።]\s*$"
_C4_END = r"[.!?\"'”’]$"
_ELLIPSIS = r"(?:\.\.\.|…)\s*$"
_CITATION = r"\[\d*\]|\[edit\]|\[citation needed\]"
_POLICY = r"(?i)terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies"
_SENTENCE = r"(?m)[.!?…。！？؟।]+[\"'”’)\]]*(?:\s|$)|[^\s.!?…。！？؟।\"'”’)\]][\"'”’)\]]*[^\S\n]*$"
_SHORT = 30


def line_measures(texts: pl.Series) -> pl.DataFrame:
    """Shares of lines of each text, blank ones left out; null where there is none. Columns as `rules` names them."""
    lines = _pieces(texts, r"\n")
    end, line = lines["line"].str.contains(_END), lines["line"]
    told = lines.with_columns(
        punctuated_lines=end,
        short_lines=line.str.len_chars() <= _SHORT,
        bullet_lines=line.str.contains(r"^\s*[•-]"),
        ellipsis_lines=line.str.contains(_ELLIPSIS),
        duplicate_lines=_again(lines),
        chars=line.str.len_chars(),
    ).with_columns(copied=pl.col("chars") * pl.col("duplicate_lines"))
    shares = ("punctuated_lines", "short_lines", "bullet_lines", "ellipsis_lines", "duplicate_lines")
    by_text = told.group_by("text").agg(
        *(pl.col(name).mean() for name in shares),
        repeated_line_characters=pl.col("copied").sum() / pl.col("chars").sum(),
        copied=pl.col("copied").sum(),
    )
    return beside(texts, by_text).with_columns(
        duplicate_line_characters=pl.col("copied") / texts.str.len_chars().replace(0, None)
    )


def paragraph_measures(texts: pl.Series) -> pl.DataFrame:
    """Shares of paragraphs (parted by blank lines) that were there before, and of their characters."""
    found = _pieces(texts, r"\n\s*\n")
    told = found.with_columns(again=_again(found), chars=pl.col("line").str.len_chars())
    by_text = told.group_by("text").agg(
        duplicate_paragraphs=pl.col("again").mean(), copied=(pl.col("chars") * pl.col("again")).sum()
    )
    return beside(texts, by_text).with_columns(
        duplicate_paragraph_characters=pl.col("copied") / texts.str.len_chars().replace(0, None)
    )


def sentences(texts: pl.Series) -> pl.Series:
    """How many sentences a text has, by the signs that end them; the end of a line ends one, too."""
    return texts.str.count_matches(_SENTENCE)


def left_of(texts: pl.Series, limits: Mapping[str, float]) -> pl.DataFrame:
    """Texts without the lines that C4's rules leave out (`text`), and how many these were (`dropped`).

    Args:
        texts: Any.
        limits: By names of `LINE_RULES`; those that are not named are not applied.
    """
    every = _pieces(texts, r"\n", blank=True)
    bare = every["line"].str.strip_chars()
    line = bare.str.replace_all(_CITATION, "")
    stays = pl.Series([True]).new_from_index(0, every.height)
    for name, limit in limits.items():
        stays &= _kept(name, bare, line, limit)
    told = every.select("text", line=line, keep=stays)
    by_text = told.group_by("text", maintain_order=True).agg(
        left=pl.col("line").filter(pl.col("keep")).str.join("\n"),
        dropped=(~pl.col("keep") & (pl.col("line") != "")).sum(),
    )
    return beside(texts, by_text).select(text=pl.col("left").str.strip_chars(), dropped=pl.col("dropped"))


def _kept(rule: str, bare: pl.Series, line: pl.Series, limit: float) -> pl.Series:
    """Which lines a rule keeps. `line` is without the marks of citations, which `bare` has."""
    match rule:
        case "line_end":
            return line.str.contains(_C4_END) & ~line.str.contains(_ELLIPSIS)
        case "line_words":
            return bare.str.count_matches(r"\S+") >= limit
        case "line_word_length":
            long = (bare.str.len_chars() > limit).arg_true()
            longest = bare.gather(long).str.extract_all(r"\S+").list.eval(pl.element().str.len_chars()).list.max()
            return pl.Series([True]).new_from_index(0, bare.len()).scatter(long, longest.fill_null(0) <= limit)
        case "line_javascript":
            return ~line.str.to_lowercase().str.contains("javascript", literal=True)
    return ~line.str.contains(_POLICY)


def _pieces(texts: pl.Series, between: str, *, blank: bool = False) -> pl.DataFrame:
    """`text` (its number) and `line` of each piece, in order."""
    parts = texts.str.split("\n") if between == r"\n" else texts.str.replace_all(between, "\x00").str.split("\x00")
    table = pieces(parts, "line")
    return table if blank else table.filter(pl.col("line").str.contains(r"\S"))


def _again(found: pl.DataFrame) -> pl.Series:
    """Whether a piece was in its text before."""
    return ~found.select(pl.struct("text", "line").is_first_distinct()).to_series()
