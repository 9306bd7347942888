"""Runs to show, and what reads the pages that are made of them."""

from __future__ import annotations

from html.parser import HTMLParser

import sample
import sample_answers
import sample_hostile

RUNS = {
    "tweets": sample.tweets,
    "whole": sample.whole,
    "indistinct": sample.indistinct,
    "failed": sample.failed,
    "many_labels": sample.many_labels,
    "hostile": sample_hostile.hostile,
    "numbers": sample_answers.numbers,
    "few_numbers": sample_answers.few_numbers,
    "places": sample_answers.places,
}
VOID = {"meta", "link", "br", "hr", "img", "input", "col", "base", "wbr", "area", "embed", "source", "track"}


class Page(HTMLParser):
    """Reads a page; fails where tags are not balanced."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.drawn: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, attrs)
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert "svg" in self.open, tag
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, (tag, self.getpos())
        if tag not in ("b", "bdi", "span", "code", "a"):
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            (self.drawn if "svg" in self.open else self.words).append(data)

    @property
    def text(self) -> str:
        """What the page says outside its figures, with plain single spaces."""
        return " ".join("".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]
