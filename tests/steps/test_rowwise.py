"""The row-wise steps against what they promise beyond their examples."""

from __future__ import annotations

import html
import subprocess
import sys
from typing import Any

import ftfy
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from seedbed.core.step import Filter, Map
from seedbed.steps import DropMissing, FixText, KeepValues, MapValues, Normalize, StripHtml, TextLength

ANY = st.characters(exclude_categories=["Cs"])
#: Characters that make mojibake, entities, tags and blanks likely.
BUSY = st.sampled_from(
    [*"Ãâ€œ™&;#<>/'\" \n\r\t\x00\x1b\x85[mbp3xaé@.:!-", "amp", "http://", "script", "\u0301", "\u200b"]
)
TEXTS = st.lists(BUSY | ANY, max_size=25).map("".join)


def mapped(step: Map, *texts: str | None) -> list[Any]:
    return pl.DataFrame({"t": texts}, schema={"t": pl.String}).select(step.columns())["t"].to_list()


def kept(step: Filter, table: pl.DataFrame) -> tuple[list[Any], list[Any]]:
    """What `keep` says, and `reason` with evidence for each row that was not kept."""
    keep = table.select(step.keep().alias("keep"))["keep"]
    told = table.filter(keep.eq_missing(False)).select(step.reason().alias("reason"), **step.evidence())
    return keep.to_list(), told.rows()


# fix_text


@given(st.lists(TEXTS | st.none(), max_size=6), st.sampled_from(["auto", True, False]), st.booleans())
@settings(max_examples=300, deadline=None)
@example(["&amp; <b>", "<b>\n&amp;", "plain", None, "\x1b[36mblue", "a\r\nb", "\x7f"], "auto", False)
@example(["AT&T &lt;", "&#xD800;", "\u0000"], True, True)
def test_fix_text_is_ftfy_on_every_row(texts: list[str | None], unescape: Any, uncurl: bool) -> None:
    step = FixText(column="t", unescape_html=unescape, uncurl_quotes=uncurl)
    wanted = [
        None if text is None else ftfy.fix_text(text, unescape_html=unescape, uncurl_quotes=uncurl) for text in texts
    ]
    assert mapped(step, *texts) == wanted


def test_fix_text_gives_plain_rows_to_nobody() -> None:
    script = """if True:
        import sys
        import polars as pl
        from seedbed.steps import FixText
        for text in ("plain ~ text!\\n\\t", None, "caf\u00c3\u00a9"):
            table = pl.DataFrame({"t": [text, None]}).select(FixText(column="t").columns())
            print(table.item(0, 0), "ftfy" in sys.modules)
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "plain ~ text!\n\t False\nNone False\ncafé True\n"


def test_fix_text_normal_forms() -> None:
    assert mapped(FixText(column="t", normalization="NFKC"), "10³") == ["103"]
    assert mapped(FixText(column="t", normalization="none"), "e\u0301") == ["e\u0301"]


# strip_html


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<b>x</b> &amp; y", "x & y"),
        ("I <3 you, a < b > c, x<y, 1<2>0, <<>>, <-", "I <3 you, a < b > c, x<y, 1<2>0, <<>>, <-"),
        ("<user> wrote to <ann@site.org> at <http://b.c>", "<user> wrote to <ann@site.org> at <http://b.c>"),
        ("one<br>two<br/>three<BR />four", "one\ntwo\nthree\nfour"),
        ("<ul><li>one</li>\n <li>two</li></ul>", "one\ntwo"),
        ("<tr><td>1</td><td>2</td></tr>", "1 2"),
        ("un<b>believ</b>able", "unbelievable"),
        ("<a title=\"1 > 0\" href='x>y'>link</a>", "link"),
        ('<a title="never closed>link</a>', "link"),
        ("<p class=x\n id=y>over\nlines</p>", "over\nlines"),
        ("a<script type='x'>if (a < b) { '<p>' }</script>b<style>p > a {}</style>c", "a b c"),
        ("<SCRIPT>x</ScRiPt >y", "y"),
        ("a<!-- <b>not</b>\n seen -->b", "ab"),
        ("<!DOCTYPE html><html><head><title>T</title></head><body>B</body></html>", "T\nB"),
        ("&lt;b&gt; &eacute; &#233; &#xE9; &notanentity; ?a=1&copy=2", "<b> é é é &notanentity; ?a=1&copy=2"),
        ("cut <a href='x", "cut <a href='x"),
        ("<article><aside>x</aside></article> <abbr>y</abbr>", "x\ny"),
        ("<h1>Head</h1>Text<hr>", "Head\nText"),
        ("  untouched \n text  ", "  untouched \n text  "),
        (" no tag: a < b &amp; c\n", " no tag: a < b & c\n"),
        (" <i>a</i> ", "a"),
        ("", ""),
        (None, None),
    ],
)
def test_strip_html(before: str | None, after: str | None) -> None:
    assert mapped(StripHtml(column="t"), before) == [after]


def test_strip_html_any_tag() -> None:
    texts = mapped(StripHtml(column="t", tags="any"), "<x:y a='>'>in</x:y>", "<my-own>in</my-own>", "a < b > c", "<3>")
    assert texts == ["in", "in", "a < b > c", "<3>"]


@given(st.lists(st.text(ANY, max_size=12).filter(lambda t: "<" not in t), min_size=1, max_size=5), st.data())
@settings(max_examples=200, deadline=None)
def test_strip_html_gives_back_text_that_was_escaped_and_wrapped(pieces: list[str], data: st.DataObject) -> None:
    inline = st.sampled_from(["b", "i", "em", "span class='a>b'", 'a href="x"'])
    wrapped = ""
    for piece in pieces:
        tag = data.draw(inline)
        wrapped += f"<{tag}>{html.escape(piece)}</{tag.split()[0]}><!-- - -->"
    # Both ends are stripped of Unicode whitespace; what stands between is as it was.
    (found,) = mapped(StripHtml(column="t"), f"<b>.</b>{wrapped}<b>.</b>")
    assert found == "." + "".join(pieces) + "."


@given(TEXTS.filter(lambda t: "<" not in t and "&" not in t))
@settings(deadline=None)
def test_strip_html_leaves_text_without_markup(text: str) -> None:
    assert mapped(StripHtml(column="t"), text, "<b>") == [text, ""]


# normalize


@pytest.mark.parametrize(
    ("options", "before", "after"),
    [
        ({}, " a \t\r\n b\u00a0\u2003c ", "a b c"),
        ({"whitespace": False}, " a \n b ", " a \n b "),
        ({}, "zero\u200bwidth\ufeff \x07bell\x7f\x9f", "zerowidth bell"),
        ({"control": False, "whitespace": False}, "\x07", "\x07"),
        ({}, "👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ({}, "a\x0bb\x0cc\x85d", "a b c d"),
        ({"unicode": "NFKC"}, "ﬁ 10³ Ａ", "fi 103 A"),
        ({"unicode": "none"}, "e\u0301", "e\u0301"),
        ({"lowercase": True}, "ÀÉ İ", "àé i̇"),
        ({"urls": "token"}, "see https://a.b/c?d=1&e=2), www.x.y. HTTP://Z!", "see [url]), [url]. [url]!"),
        ({"urls": "remove"}, "a http://b.c d", "a d"),
        ({"urls": "token"}, "awww.no http:// www.", "awww.no http:// www."),
        ({"mentions": "token"}, "@a @b_1, x@y.z (@c) @", "[user] [user], x@y.z ([user]) @"),
        ({"mentions": "remove", "urls": "remove"}, "@a http://b.c/@d", ""),
        ({"mentions": "keep", "urls": "keep"}, "@a http://b.c", "@a http://b.c"),
    ],
)
def test_normalize(options: dict[str, Any], before: str, after: str) -> None:
    assert mapped(Normalize(column="t", **options), before) == [after]


@given(TEXTS)
@settings(max_examples=300, deadline=None)
@example("a\u0302\x00\u0301")
def test_normalize_twice_is_once(text: str) -> None:
    step = Normalize(column="t")
    once = mapped(step, text)
    assert mapped(step, *once) == once


# drop_missing


def test_drop_missing_looks_at_every_type() -> None:
    table = pl.DataFrame(
        {
            "text": ["a", " ", "c", "d", None],
            "score": [1.0, 2.0, float("nan"), 4.0, None],
            "list": [[1], [], [3], None, None],
            "nothing": [None] * 5,
        }
    )
    keep, told = kept(DropMissing(columns=["text", "score", "list"]), table)
    assert keep == [True, False, False, False, False]
    assert told == [("missing", "text"), ("missing", "score"), ("missing", "list"), ("missing", "text, score, list")]
    assert kept(DropMissing(columns=["nothing"]), table)[0] == [False] * 5
    assert kept(DropMissing(columns=["text"], blank=False), table)[0] == [True, True, True, True, False]


def test_the_word_nan_is_a_text() -> None:
    assert kept(DropMissing(columns=["t"]), pl.DataFrame({"t": ["NaN", "null", "\u2003"]}))[0] == [True, True, False]


# map_values and keep_values


def test_map_values_does_not_chain() -> None:
    swap = MapValues(column="t", values={"a": "b", "b": "a"})
    assert mapped(swap, "a", "b", "c", None) == ["b", "a", "c", None]


def test_map_values_otherwise_null_as_yaml_reads_it() -> None:
    step = MapValues.model_validate({"use": "map_values", "column": "t", "values": {"a": "b"}, "otherwise": None})
    assert step.otherwise == "null"
    assert mapped(step, "a", "c") == ["b", None]


def test_map_values_reads_numbers_and_truth_as_text() -> None:
    numbers = MapValues(column="t", values={1: "one", 0.5: "half"}, otherwise="null")  # type: ignore[dict-item]
    assert numbers.values == {"1": "one", "0.5": "half"}
    assert pl.DataFrame({"t": [0.5, 2.0]}).select(numbers.columns())["t"].to_list() == ["half", None]
    assert pl.DataFrame({"t": [1, 2]}).select(numbers.columns())["t"].to_list() == ["one", None]
    truth = MapValues(column="t", values={True: "yes", False: "no"})  # type: ignore[dict-item]
    assert pl.DataFrame({"t": [True, False, None]}).select(truth.columns())["t"].to_list() == ["yes", "no", None]
    long = KeepValues(column="t", values=[10**400])  # type: ignore[list-item]
    assert long.values == [str(10**400)]


def test_keep_values_cannot_tell_about_nothing() -> None:
    keep, told = kept(KeepValues(column="t", values=["a"]), pl.DataFrame({"t": ["a", "A", None]}))
    assert keep == [True, False, None]
    assert told == [("value_not_kept", "A")]


# text_length


def test_text_length_counts_characters_not_bytes() -> None:
    table = pl.DataFrame({"t": ["ééé", "é", "éééé éé", None]})
    keep, told = kept(TextLength(column="t", at_least=2, at_most=4), table)
    assert keep == [True, False, False, None]
    assert told == [("too_short", 1), ("too_long", 7)]
    keep, told = kept(TextLength(column="t", at_most=1, unit="words"), table)
    assert keep == [True, True, False, None]
    assert told == [("too_long", 2)]


# Options that make no sense


@pytest.mark.parametrize(
    ("step", "options", "words"),
    [
        (TextLength, {}, "needs at_least, at_most or both"),
        (TextLength, {"at_least": 5, "at_most": 4}, "at least 5 and at most 4"),
        (TextLength, {"at_least": -1}, "greater than or equal to 0"),
        (DropMissing, {}, "columns"),
        (DropMissing, {"columns": []}, "at least 1 item"),
        (DropMissing, {"columns": [""]}, "at least 1 character"),
        (KeepValues, {"column": "t", "values": []}, "at least 1 item"),
        (KeepValues, {"column": "t", "values": "good"}, "valid list"),
        (MapValues, {"column": "t", "values": {}}, "nothing to do"),
        (FixText, {"unescape_html": "sometimes"}, "auto"),
        (Normalize, {"unicode": "NFX"}, "NFC"),
        (StripHtml, {"tags": "none"}, "html"),
    ],
)
def test_refused(step: type[Map | Filter], options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        step.model_validate({"use": step.model_fields["use"].default, **options})


def test_mangled_signs_are_put_back_and_nothing_else_is_touched() -> None:
    """Mangle signs with Python's own codecs, as a spreadsheet does, and get them back."""
    for sign in "’‘“–—•€™✨":
        once = sign.encode().decode("cp1252")
        twice = once.encode("mac_roman").decode("cp1252")
        thrice = twice.encode("mac_roman").decode("cp1252")
        table = pl.DataFrame({"text": [f"a{once}b", f"a{twice}b", f"a{thrice}b", f"a{sign}b"]})
        assert table.select(FixText(column="text").columns())["text"].to_list() == [f"a{sign}b"] * 4
    plain = ["Größe über alles", "naïve café", "10 ‰ of it", "Ångström ä ó »", "Ù÷ stays"]
    table = pl.DataFrame({"text": plain})
    assert table.select(FixText(column="text").columns())["text"].to_list() == plain
