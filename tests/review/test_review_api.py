"""The API of the review page, on a real server: who may ask, what people decide, and what they see of each other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_sample import HOSTILE, LABELS, Reviewed, desk_of, lines, reviewing

from seedbed.core.errors import RecipeError
from seedbed.core.serving import may_be_called
from seedbed.review.desk import Desk
from seedbed.review.people import People

TEXTS = [f"the {word} film about people who sing in town at night and more" for word in ("good", "bad", "odd")] * 20


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_of(tmp_path, [*TEXTS, *HOSTILE])


@pytest.fixture
def server(desk: Desk) -> Iterator[Reviewed]:
    with reviewing(desk) as found:
        yield found


def decided(row: int, action: str = "reject", **more: object) -> dict[str, object]:
    return {"queue": "suspects", "row": f"mine:rows.csv#{row}", "action": action, **more}


def test_without_a_token_nobody_sees_a_row(server: Reviewed, desk: Desk) -> None:
    for path in ("/api/about", "/api/view?queue=suspects", "/api/item?queue=suspects&row=mine:rows.csv%231", "/api/x"):
        assert server.ask("", path)[0] == 401
        assert server.ask("", path, Authorization="Bearer wrong")[0] == 401
        assert server.ask("", path, Authorization="Basic abc")[0] == 401
    assert server.ask("", "/api/decide", decided(1))[0] == 401
    assert lines(desk) == []
    assert server.ask("ana", "/api/about")[1]["who"] == "ana"
    assert server.ask("ben", "/api/about")[1]["who"] == "ben"


def test_another_site_is_refused_even_with_a_token(server: Reviewed, desk: Desk) -> None:
    assert server.ask("ana", "/api/about", Host="evil.example")[0] == 403
    assert server.ask("ana", "/", Host="evil.example:80")[0] == 403
    assert server.ask("ana", "/api/decide", decided(1), Origin="https://evil.example")[0] == 403
    assert server.ask("ana", "/api/decide", decided(1), Origin="null")[0] == 403
    assert lines(desk) == []
    own = server.links["ana"].partition("/#")[0]
    assert server.ask("ana", "/api/decide", decided(1), Origin=own)[0] == 200


@pytest.mark.parametrize(
    ("asked", "fine"),
    [
        ("127.0.0.1:8010", True), ("localhost:8010", True), ("[::1]:8010", True), ("review.lan", True), ("", False),
        ("evil.example", False), ("127.0.0.1.evil.example:8010", False), ("localhost.evil.example", False),
    ],
)  # fmt: skip
def test_by_which_names_it_may_be_called(asked: str, fine: bool) -> None:
    assert may_be_called(asked, "review.lan") == fine


def test_nothing_from_elsewhere_may_run_on_the_page(server: Reviewed) -> None:
    policy = server.headers("/")["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert server.headers("/page.js")["x-content-type-options"] == "nosniff"


def test_a_decision_is_a_line_with_who_when_why_and_what_the_row_was(server: Reviewed, desk: Desk) -> None:
    status, told = server.ask("ana", "/api/decide", decided(2, "relabel", label="positive", why="it is irony"))
    assert status == 200 and told["rows"]["mine:rows.csv#2"]["label"] == "positive"
    (line,) = lines(desk)
    assert (line["who"], line["action"], line["label"], line["was"], line["why"]) == (
        "ana", "relabel", "positive", "neutral", "it is irony",
    )  # fmt: skip
    assert (
        line["split"] == "train"
        and line["run"] == "run-1"
        and line["read"] == line["seen"]
        and line["when"].endswith("Z")
    )


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (decided(1, "relabel"), "which label?"),
        (decided(1, "relabel", label="sad"), "is no label"),
        (decided(1, "rescue"), "takes no 'rescue'"),
        (decided(99999), "no such row"),
        (decided(1, queue="nowhere"), "no such queue"),
        (decided(1, "explode"), "Input should be"),
        (decided(1, why="x" * 2001), "at most 2000"),
        (decided(1, also=["mine:rows.csv#99999"]), "no such row"),
        (decided(1, also=[f"r{n}" for n in range(600)]), "at most 500"),
        (decided(1, more="x"), "Extra inputs"),
        ([], "valid dictionary"),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_is_told_and_not_written(
    server: Reviewed, desk: Desk, body: object, problem: str
) -> None:
    status, told = server.ask("ana", "/api/decide", body)
    assert status == 422 and problem in told["error"]["problem"], told
    assert lines(desk) == []


def test_a_body_that_is_too_long_is_refused(server: Reviewed) -> None:
    assert server.ask("ana", "/api/decide", decided(1, why="x" * 2_000_000))[0] == 413


def test_windows_filters_and_states(server: Reviewed) -> None:
    n = len(TEXTS) + len(HOSTILE)
    view = server.ask("ana", "/api/view?queue=suspects")[1]
    assert view["total"] == n and view["first"] == 0
    found = server.ask("ana", f"/api/window?view={view['view']}&at=50&n=500")[1]
    assert [one["row"] for one in found][:2] == ["mine:rows.csv#51", "mine:rows.csv#52"]
    assert max(len(one["text"]) for one in found) <= 240  # a text of a million characters is not sent with a list
    assert server.ask("ana", "/api/view?queue=suspects&text=THE%20BAD")[1]["total"] == 20
    assert server.ask("ana", "/api/view?queue=suspects&label=positive&kind=wrong")[1]["total"] == n // 6
    assert server.ask("ana", "/api/view?queue=suspects&text=nowhere")[1]["total"] == 0
    server.ask("ana", "/api/decide", decided(1))
    server.ask("ana", "/api/decide", decided(2, "skip"))
    assert server.ask("ana", "/api/view?queue=suspects&state=decided")[1]["total"] == 1
    assert server.ask("ana", "/api/view?queue=suspects&state=open")[1]["total"] == n - 1
    assert server.ask("ana", "/api/view?queue=suspects")[1]["first"] == 1
    assert server.ask("ana", "/api/view?queue=suspects&state=odd")[0] == 422
    assert server.ask("ana", "/api/window?view=999")[0] == 410
    assert server.ask("ana", f"/api/window?view={view['view']}&at=x")[0] == 422


def test_a_view_keeps_its_order_while_people_decide(server: Reviewed) -> None:
    view = server.ask("ana", "/api/view?queue=suspects&state=open")[1]["view"]
    before = [one["row"] for one in server.ask("ana", f"/api/window?view={view}")[1]]
    server.ask("ben", "/api/decide", decided(1))
    after = server.ask("ana", f"/api/window?view={view}")[1]
    assert [one["row"] for one in after] == before
    assert after[0]["state"]["who"] == "ben"


def test_a_million_characters_are_cut_and_that_is_said(server: Reviewed) -> None:
    place = len(TEXTS) + 6
    item = server.ask("ana", f"/api/item?queue=suspects&row=mine:rows.csv%23{place}")[1]
    assert len(item["text"]) == 200_000 and item["cut"] == {"text": 800_000}


def test_similar_rows_are_shown_and_then_decided_together(server: Reviewed, desk: Desk) -> None:
    near = server.ask("ana", "/api/similar?queue=suspects&row=mine:rows.csv%231")[1]
    equal = [one["row"] for one in near if one["similarity"] == 1]
    assert len(equal) == 19 and "mine:rows.csv#1" not in equal
    told = server.ask("ana", "/api/decide", decided(1, "reject", also=equal))[1]
    assert len(told["rows"]) == 20 and len(lines(desk)) == 20
    assert server.ask("ana", "/api/undo", {})[0] == 200  # all of it
    assert desk.progress() == {"suspects": 0}
    assert len(lines(desk)) == 40  # nothing is taken out of the file
    assert server.ask("ana", "/api/undo", {})[0] == 422


def test_two_people_see_each_other_and_where_they_disagree(server: Reviewed) -> None:
    since = server.ask("ben", "/api/about")[1]["version"]
    server.ask("ana", "/api/decide", decided(4, "reject", why="spam"))
    news = server.ask("ben", f"/api/news?since={since}")[1]
    state = news["rows"]["mine:rows.csv#4"]
    assert (state["who"], state["action"], state["torn"], state["mine"]) == ("ana", "reject", False, None)
    assert news["progress"] == {"suspects": 1}
    server.ask("ben", "/api/decide", decided(4, "accept"))
    state = server.ask("ana", f"/api/news?since={news['version']}")[1]["rows"]["mine:rows.csv#4"]
    assert state["torn"] and [one["who"] for one in state["words"]] == ["ana", "ben"] and state["mine"] == "reject"
    assert server.ask("ana", "/api/view?queue=suspects&state=torn")[1]["total"] == 1
    server.ask("ana", "/api/undo", {})  # one's own, not the last of all
    state = server.ask("ana", "/api/item?queue=suspects&row=mine:rows.csv%234")[1]["state"]
    assert (state["who"], state["torn"]) == ("ben", False)


def test_many_decisions_at_once_are_all_written(server: Reviewed, desk: Desk) -> None:
    def work(who: str) -> None:
        for row in range(1, 41):
            assert server.ask(who, "/api/decide", decided(row, "relabel", label=LABELS[row % 3]))[0] == 200

    people = [threading.Thread(target=work, args=(who,)) for who in ("ana", "ben")]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert len(lines(desk)) == 80
    assert desk.progress() == {"suspects": 40}


def test_what_another_process_writes_is_seen(server: Reviewed, desk: Desk, tmp_path: Path) -> None:
    other = desk_of(tmp_path, [*TEXTS, *HOSTILE])
    from seedbed.review.desk import Asked

    other.decide(Asked("suspects", "mine:rows.csv#7", "reject"), "zoe")
    assert server.ask("ana", "/api/news?since=0")[1]["rows"]["mine:rows.csv#7"]["who"] == "zoe"


def test_names_that_cannot_be_told_apart_or_shown_are_refused() -> None:
    for names in (["ana", "ana"], [""], ["a\nb"], ["<b>"], ["x" * 41], [f"p{n}" for n in range(51)]):
        with pytest.raises(RecipeError):
            People.named(names)
    people = People.named(["ana", "Zoë B."])
    assert sorted(people.tokens.values()) == ["Zoë B.", "ana"] and people.who("") is None
