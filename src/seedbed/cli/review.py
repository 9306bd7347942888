"""`seedbed review`."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from seedbed.core.errors import RecipeError
from seedbed.core.numbers import things

from .interrupting import let_ctrl_c_through
from .progress import shown_on
from .terminal import complain, say, warn

if TYPE_CHECKING:
    from seedbed.review.card import Card
    from seedbed.review.desk import Desk


def review_run(  # noqa: PLR0913 (each option is an argument)
    run: Path | None,
    *,
    compare: tuple[Path, Path] | None,
    queues: Sequence[str],
    people: Sequence[str],
    decisions: Path | None,
    feedback: Path | None,
    export: Path | None,
    take: Path | None,
    summary: bool,
    host: str,
    port: int,
    as_json: bool,
) -> None:
    """Serve the queues until Ctrl-C, or bring them out, or take answers in."""
    if (run is None) == (compare is None):
        raise RecipeError("name a run, or two files to compare", at="seedbed review", hint="seedbed review --help")
    let_ctrl_c_through()
    names = [name for one in people for name in one.split(",")] or [_me()]
    of_run = _desk_of_run(run or Path(), queues, decisions, feedback)
    opened = _desk_of_pairs(*compare, decisions) if compare else of_run
    with opened as desk:
        if take is not None:
            _take_in(desk, take, names[0], as_json)
        elif export is not None:
            _bring_out(desk, export, names[0], as_json, _back(desk, compare))
        elif summary:
            _sum_up(desk, as_json, run)
        else:
            _serve(desk, names, host, port, _card_of(run))


def _card_of(run: Path | None) -> Card | None:
    from seedbed.flow.papers.answering import open_card

    return open_card(run) if run else None


def _me() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "me"


@contextmanager
def _desk_of_run(run: Path, queues: Sequence[str], decisions: Path | None, feedback: Path | None) -> Iterator[Desk]:
    from seedbed.flow.finished import open_run
    from seedbed.flow.reviewing.queues import build_queues, decisions_of, notes_on
    from seedbed.flow.reviewing.rows import RunRows
    from seedbed.review.desk import Desk, overlay_at

    rows = RunRows(open_run(run), shown_on())
    overlay = overlay_at(decisions_of(rows, decisions))
    with TemporaryDirectory(prefix="seedbed-review-") as folder:
        built = build_queues(rows, Path(folder), queues, feedback)
        notes = (*notes_on(rows, queues), *built.notes)
        record = rows.finished.run
        title = f"{record.name} {record.id}"
        yield Desk(built.queues, overlay, rows.labels, title, record.id, notes, rows.answers)


@contextmanager
def _desk_of_pairs(a: Path, b: Path, decisions: Path | None) -> Iterator[Desk]:
    from seedbed.flow.reviewing.comparing import NAME, build_pairs
    from seedbed.review.desk import Desk, overlay_at

    with TemporaryDirectory(prefix="seedbed-review-") as folder:
        queue, notes = build_pairs(a, b, Path(folder), seed=13)
        overlay = overlay_at(decisions or Path("preferences.jsonl"))
        yield Desk({NAME: queue}, overlay, (), f"{a.name} and {b.name}", "", tuple(notes))


def _serve(desk: Desk, names: Sequence[str], host: str, port: int, card: Card | None) -> None:
    from seedbed.core.serving import listen
    from seedbed.review.api import check_needs
    from seedbed.review.people import People
    from seedbed.review.server import links, serve

    check_needs()
    people = People.named(names)
    with listen(host, port) as listening:
        for name, link in links(listening, people).items():
            say(f"{name} reviews at {link}")
        waiting = ", ".join(f"{one.height:,} {one.title.lower()}" for one in desk.queues.values())
        say(f"  {waiting or 'nothing waits'}; decisions go to {desk.overlay.path} (Ctrl-C ends it)")
        warn(desk.notes)
        try:
            serve(desk, people, listening, host=host, card=card, complain=complain)
        except KeyboardInterrupt:
            say("stopped; what was decided is kept")


def _back(desk: Desk, compare: tuple[Path, Path] | None) -> str:
    """What is filled in, and the command that takes it back."""
    pairs = any(one.asks == "pairs" for one in desk.queues.values())
    what = "`new_label` with left, right, tie or both_bad" if pairs else "`action` or a label"
    run = f"--compare {compare[0]} {compare[1]}" if compare else f"RUN{' --queue pairs' if pairs else ''}"
    return f"fill in {what}, then seedbed review {run} --import FILE"


def _bring_out(desk: Desk, path: Path, who: str, as_json: bool, back: str) -> None:
    from dataclasses import asdict

    from seedbed.review.exchange.files import write_queues
    from seedbed.review.exchange.personal import personal_in

    n = write_queues(desk, path, who)
    personal = personal_in(desk)
    warn([*([personal.told] if personal.told else []), *desk.notes])
    if as_json:
        say(json.dumps({"file": str(path), "rows": n, "personal_data": asdict(personal)}))
    else:
        say(f"{things(n, 'row is', 'rows are')} in {path}: {back}")


def _take_in(desk: Desk, path: Path, who: str, as_json: bool) -> None:
    from dataclasses import asdict

    from seedbed.review.exchange.answers import take_in
    from seedbed.review.exchange.files import read_answers

    taken = take_in(desk, read_answers(path), who)
    if as_json:
        say(json.dumps(asdict(taken), ensure_ascii=False))
        return
    say(
        f"{things(taken.written, 'decision')} written to {desk.overlay.path}; {taken.known:,} known, "
        f"{taken.blank:,} left blank"
    )
    warn(f"{n:,} not taken: {why}" for why, n in taken.refused.items())
    if taken.first:
        warn([f"the first of them is {taken.first}"])


def _sum_up(desk: Desk, as_json: bool, run: Path | None) -> None:
    from seedbed.core.decision import read_decisions, standing_of
    from seedbed.flow.reviewing.comparing import NAME, count_preferences

    if NAME in desk.queues and run is not None:
        _sum_up_choices(desk, run, as_json)
        return
    if NAME in desk.queues:
        found, _ = read_decisions(desk.overlay.path)
        told = count_preferences(desk.queues[NAME], standing_of(found))
        if as_json:
            facts: dict[str, Any] = {
                **vars(told),
                "rate": told.rate and told.rate.model_dump(),
                "verdict": told.verdict,
            }
            say(json.dumps(facts))
            return
        ties = f"ties {told.ties:,}{f', both bad {told.both_bad:,}' if told.both_bad else ''}"
        say(f"{told.verdict}: A {told.a:,}, B {told.b:,}, {ties}, undecided {told.left:,}")
        if told.rate is not None and told.p is not None:
            value, low, high = (f"{100 * share:.1f}" for share in (told.rate.value, told.rate.low, told.rate.high))
            share = f"B in {value} % of {told.rate.n:,} that are no ties (95 % interval {low} to {high} %)"
            say(f"  {share}, p {told.p:.3g}")
        return
    progress = desk.progress()
    if as_json:
        say(json.dumps({name: {"rows": one.height, "decided": progress[name]} for name, one in desk.queues.items()}))
        return
    for name, one in desk.queues.items():
        say(f"{one.title}: {progress[name]:,} of {one.height:,} decided")
    warn(desk.notes)


def _sum_up_choices(desk: Desk, run: Path, as_json: bool) -> None:
    from seedbed.core.decision import read_decisions, standing_of
    from seedbed.core.numbers import typed
    from seedbed.flow.finished import open_run
    from seedbed.flow.reviewing.pairs import PairsOfRun
    from seedbed.flow.reviewing.rows import RunRows
    from seedbed.report.closer import chosen_lines

    found, _ = read_decisions(desk.overlay.path)
    told = PairsOfRun(RunRows(open_run(run))).count(standing_of(found))
    if as_json:
        say(told.model_dump_json())
        return
    for line in chosen_lines(told) or ["nobody has chosen yet"]:
        say(typed(line))
    warn(desk.notes)
