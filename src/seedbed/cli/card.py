"""`seedbed card`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seedbed.core.errors import RecipeError, SeedbedError
from seedbed.core.numbers import things, typed, word

from .interrupting import ended_soon, let_ctrl_c_through
from .terminal import complain, say

if TYPE_CHECKING:
    from seedbed.flow.papers.answering import CardFile
    from seedbed.publish.papers.standing import CardState, Question, Share

_NAMES = {
    "card": "dataset card",
    "datasheet": "datasheet",
    "croissant": "Croissant",
    "data_statement": "data statement",
}
_HOW = (
    "Enter leaves a question open, :b goes back, :q ends; what was answered is kept. An empty line ends a long answer."
)


def fill_in(
    named: Path,
    *,
    card: Path | None,
    answers: Sequence[str],
    confirm: Sequence[str],
    render: Path | None,
    as_json: bool,
) -> None:
    """Ask what is open where somebody sits at a terminal; say how the card stands where nobody does."""
    from seedbed.flow.papers.answering import open_card

    opened = open_card(named, card)
    if answers:
        opened.answer_all(_given(answers))
    if confirm:
        opened.confirm(confirm)
    if render is not None:
        written = opened.render(render)
        if not as_json:
            say(f"wrote {', '.join(written)} to {render}")
    if as_json:
        say(json.dumps(opened.state().model_dump(mode="json"), indent=1, ensure_ascii=False))
    elif not answers and not confirm and render is None and sys.stdin.isatty() and sys.stdout.isatty():
        let_ctrl_c_through()
        with ended_soon():
            _Asking(opened).go()
    elif render is None:
        say("\n".join(told(opened.state())))


def _given(answers: Sequence[str]) -> dict[str, str]:
    """`KEY=ANSWER` texts; a key that is given again makes a list.

    Raises:
        RecipeError: One is not of that form.
    """
    found: dict[str, list[str]] = {}
    for text in answers:
        key, equals, answer = text.partition("=")
        if not equals:
            raise RecipeError("is not KEY=ANSWER", at=f"--set {text[:80]}", hint="for instance --set license=CC-BY-4.0")
        found.setdefault(key.strip(), []).append(answer)
    return {key: many[0] if len(many) == 1 else "\n".join(f"- {one}" for one in many) for key, many in found.items()}


def told(state: CardState) -> list[str]:
    """How a card stands, in lines."""
    lines = [f"{state.file}: {_of(state.required)} required, {_of(state.all)} in all"]
    lines.append(f"  {' · '.join(f'{_NAMES[paper]} {_of(share)}' for paper, share in state.papers.items())}")
    if not state.run:
        lines.append("  no run is known: facts stand beside the questions once there is one")
    for one in state.stale:
        lines += [f"stale: {one.key}", *(f"  {typed(change)}" for change in one.stale)]
    if state.stale:
        lines.append("  answer anew, or say that it still holds: seedbed card RUN --confirm KEY")
    needed = [one for one in state.open if one.required]
    for one in needed:
        lines += [f"open: {one.key}: {one.question}", *_measured(one)]
    others = [one.key for one in state.open if not one.required]
    if others:
        lines.append(f"open, for better papers: {', '.join(others)}")
    return lines


def _of(share: Share) -> str:
    return f"{share.answered} of {share.of}"


def _measured(one: Question) -> Iterator[str]:
    yield from (f"  measured, {fact.name}: {typed(fact.text)}" for fact in one.measured)


class _Asking:
    """The open and the stale questions, one after the other, at a terminal."""

    def __init__(self, opened: CardFile) -> None:
        self.opened = opened
        state = opened.state()
        self.keys = [one.key for one in state.questions if not one.answered or one.stale]
        self.at = 0

    def go(self) -> None:
        """Ask until all are answered or somebody ends it."""
        state = self.opened.state()
        say("\n".join(told(state)[:2]))
        if not self.keys:
            say("nothing is open")
            return
        say(f"{things(len(self.keys), 'question')} {word(len(self.keys), 'is', 'are')} open. {_HOW}")
        while 0 <= self.at < len(self.keys):
            one = next(one for one in self.opened.state().questions if one.key == self.keys[self.at])
            say("\n".join(_shown(one, self.at + 1, len(self.keys))))
            try:
                typed_in = _read(one)
            except EOFError:
                say("")
                break
            if typed_in == ":q":
                break
            self.at = max(self.at - 1, 0) if typed_in == ":b" else self._take(one, typed_in)
        say("\n".join(told(self.opened.state())[:2]))

    def _take(self, one: Question, typed_in: str) -> int:
        """Write an answer; where it is none, the question is asked again."""
        try:
            if typed_in == ":y" and one.stale:
                self.opened.confirm([one.key])
            elif typed_in:
                self.opened.answer(one.key, typed_in)
        except SeedbedError as error:
            complain(f"error: {error}")
            return self.at
        return self.at + 1


def _shown(one: Question, place: int, of: int) -> Iterator[str]:
    """A question with all that helps to answer it."""
    used = ", ".join(f"{_NAMES[paper]} ({where})" for paper, where in one.papers.items())
    yield ""
    yield f"{place} of {of}: {one.question}{'  [required]' if one.required else ''}"
    yield f"  {one.why}"
    yield f"  used in: {used}"
    yield f"  one of: {', '.join(one.choices)}" if one.choices else f"  such as: {one.such_as}"
    yield from _measured(one)
    if one.stale:
        yield f"  answered before: {one.answer}"
        yield from (f"  changed since: {typed(change)}" for change in one.stale)
        yield "  :y says that it still holds"


def _read(one: Question) -> str:
    """What somebody types: a line, or lines up to an empty one."""
    lines = [input("> ").strip()]
    if one.one_line or not lines[0] or lines[0] in (":q", ":b", ":y"):
        return lines[0]
    while line := input("  ").rstrip():
        if line == ":q":  # meant for the question, not for the answer
            break
        lines.append(line)
    return "\n".join(lines)
