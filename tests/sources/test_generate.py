"""Rows written by a model: what is asked, what is taken, what is refused, and what is kept of it."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError
from source_reading import Read, read

from seedbed.core.context import Context
from seedbed.core.errors import Damaged, DataError, ModelError, RecipeError
from seedbed.core.source import Scan
from seedbed.recipe.loading import load
from seedbed.sources.generate import Generate
from serving.model import ModelServer, Reply, capricious, drawn, grammar, model_server, sentence

PROMPT = "Write a message that is {{ label }}, unlike these:\n{% for one in examples %}\n- {{ one.text }}\n{% endfor %}"


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as found:
        yield found


def part(server: ModelServer, **options: Any) -> Generate:
    told = {"classes": {"spam": 5, "ham": 3}, "prompt": PROMPT, "model": "m", "retries": 1, **options}
    return Generate.model_validate({"use": "generate", "endpoint": server.url, **told})


def rows(found: Read) -> list[tuple[Any, ...]]:
    return found.table.rows()


def reasons(found: Read) -> Counter[str]:
    return Counter(bad["reason"] for bad in found.malformed)


def ids(scan: Scan) -> list[str]:
    return [file.name for file in scan.files]


def test_classes_get_their_rows_and_every_row_its_answer(server: ModelServer, tmp_path: Path) -> None:
    found = read(part(server), tmp_path)
    assert Counter(found.table["label"]) == {"spam": 5, "ham": 3}
    assert found.table.columns == ["text", "label"]
    assert found.table["text"].n_unique() == 8
    assert {name.partition("/")[0] for name in ids(found.scan)} == {"spam", "ham"}
    assert len(server.requests) == len(found.scan.files) == found.table.height + len(found.malformed)
    assert all(one["form"] == "json_schema" and one["max_tokens"] == 512 for one in server.requests)
    assert len({one["seed"] for one in server.requests}) == len(server.requests)
    [origin] = {file.origin.facts["model"] for file in found.scan.files if file.origin}
    assert origin == "m"
    assert found.scan.fetching["rows"] == {"spam": 5, "ham": 3}


def test_a_second_run_asks_nothing_and_needs_no_server(tmp_path: Path) -> None:
    with model_server(capricious) as server:
        source = part(server, classes={"spam": 30, "ham": 20})
        first = read(source, tmp_path)
        asked = len(server.requests)
        again = read(source, tmp_path)
        assert len(server.requests) == asked
    assert rows(first) == rows(again)
    assert first.malformed == again.malformed
    assert [file.sha256 for file in first.scan.files] == [file.sha256 for file in again.scan.files]
    offline = Context(base=tmp_path, store=Path(".seedbed"), offline=True)
    assert source.scan(offline).settings == first.scan.settings


def test_only_an_answer_that_is_damaged_is_asked_for_again(server: ModelServer, tmp_path: Path) -> None:
    first = read(part(server), tmp_path)
    Path(first.scan.files[3].url).write_bytes(b"damaged")
    offline = Context(base=tmp_path, store=Path(".seedbed"), offline=True)
    with pytest.raises(Damaged, match=f"what was kept of {first.scan.files[3].name} is damaged"):
        part(server).scan(offline)
    server.requests.clear()
    again = read(part(server), tmp_path)
    assert len(server.requests) == 1
    assert rows(again) == rows(first)
    Path(again.scan.files[3].url).write_bytes(b"damaged")
    read(
        part(server, classes={"spam": 5, "ham": 4}), tmp_path
    )  # finds the same answers, but for that one, and one more
    assert len(server.requests) == 3


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the store is `.seedbed` of the working folder


def test_how_many_are_asked_at_a_time_changes_nothing(tmp_path: Path) -> None:
    found = []
    for parallel in (1, 7):
        with model_server(capricious) as server:
            source = part(server, classes={"spam": 20, "ham": 6}, parallel=parallel)
            context = Context(base=tmp_path, store=tmp_path / f"store-{parallel}")
            scan = source.scan(context)
            bodies = [(file.name, file.sha256) for file in scan.files]
            found.append((bodies, scan.settings))
            assert server.most_at_once <= parallel
    assert found[0] == found[1]


def test_what_is_no_row_stands_in_the_ledger_with_the_answer(tmp_path: Path) -> None:
    with model_server(capricious) as server:
        found = read(part(server, classes={"spam": 60}), tmp_path)
    assert found.table.height == 60
    why = reasons(found)
    assert {"not_json", "refused", "cut_short", "not_by_schema", "too_similar"} <= set(why)
    by_reason = {bad["reason"]: bad for bad in found.malformed}
    assert by_reason["not_json"]["raw"]
    assert json.loads(by_reason["refused"]["evidence"]) == {"said": "I cannot help with that."}
    assert json.loads(by_reason["not_by_schema"]["evidence"])["rule"] == "required"
    copies = [json.loads(bad["evidence"]) for bad in found.malformed if bad["reason"] == "too_similar"]
    accepted = {f"generated:{file.name}#1" for file in found.scan.files}
    assert all(one["of"] in accepted and one["similarity"] >= 0.7 for one in copies)
    assert found.table["text"].str.contains("Sure!").sum() == 0


def test_examples_are_shown_by_class_and_are_parents_and_not_repeated(server: ModelServer, tmp_path: Path) -> None:
    lines = [{"text": f"{sentence(drawn({'messages': i}))} {i}", "label": ["spam", "ham"][i % 2]} for i in range(40)]
    (tmp_path / "like.jsonl").write_text("\n".join(map(json.dumps, lines)))
    server.answer = lambda asked, tries: json.dumps(
        {"text": asked["messages"][0]["content"].split("\n- ")[1].split("\n")[0]}
    )
    copying = part(server, like={"use": "jsonl", "path": "like.jsonl"}, classes={"spam": 2}, pool=4, show=2)
    found = read(copying, tmp_path)
    assert found.table.height == 0
    assert set(reasons(found)) == {"too_similar"}
    of = {json.loads(bad["evidence"])["of"] for bad in found.malformed}
    assert of <= {f"like:like.jsonl#{i + 1}" for i in range(40)}
    assert len(of) <= 4
    assert "its last 32 answers gave no row" in found.scan.notes[1]
    server.answer = grammar
    found = read(part(server, like={"use": "jsonl", "path": "like.jsonl"}, pool=4, show=2), tmp_path)
    parents = list(part(server, like={"use": "jsonl", "path": "like.jsonl"}, pool=4, show=2).parents(found.scan))
    assert len({record for _, _, record in parents}) <= 8
    for place, file in enumerate(found.scan.files):
        mine = [record for at, _, record in parents if at == place]
        assert len(mine) == 2
        assert {lines[record - 1]["label"] for record in mine} == {file.name.partition("/")[0]}
        assert file.origin
        assert file.origin.facts["shown"] == [f"like:like.jsonl#{record}" for record in mine]


def test_rows_of_the_recipe_may_be_shown(server: ModelServer, tmp_path: Path) -> None:
    found = read(part(server, like=[{"text": "Call now!"}], rows=2, classes=None), tmp_path)
    assert found.table.columns == ["text"]
    assert all("- Call now!" in one["messages"][0]["content"] for one in server.requests)


def test_several_rows_an_answer(server: ModelServer, tmp_path: Path) -> None:
    def many(asked: dict[str, Any], tries: int) -> str:
        chance = drawn(asked)
        return json.dumps({"rows": [{"text": sentence(chance), "stars": chance.randint(1, 9)} for _ in range(5)]})

    server.answer = many
    output = {"text": "string", "stars": {"type": "integer", "maximum": 8}}
    found = read(part(server, per_request=4, output=output, classes={"spam": 10}), tmp_path)
    assert found.table.height == 10
    assert found.table.schema == {"text": pl.String, "stars": pl.Int64, "label": pl.String}
    assert found.table["stars"].max() <= 8  # type: ignore[operator]
    why = reasons(found)
    assert why["more_than_asked"] == len(found.scan.files)
    assert why["surplus"] + why["not_by_schema"] + why["too_similar"] + 10 == 4 * len(found.scan.files)


def test_a_server_that_knows_no_schema_is_asked_without(server: ModelServer, tmp_path: Path) -> None:
    server.forms = False
    assert read(part(server, parallel=1), tmp_path).table.height == 8
    assert server.requests[0]["form"] == "json_schema"
    assert {one["form"] for one in server.requests[1:]} == {None}


def test_a_whole_answer_as_text(server: ModelServer, tmp_path: Path) -> None:
    server.answer = lambda asked, tries: f"  {sentence(drawn(asked))}\n"
    found = read(part(server, answer="text", classes={"spam": 3}), tmp_path)
    assert found.table["text"].str.strip_chars().to_list() == found.table["text"].to_list()
    assert "JSON" not in server.requests[0]["messages"][0]["content"]


# What it may cost


def test_a_cap_is_never_passed_and_what_came_is_kept(server: ModelServer, tmp_path: Path) -> None:
    source = part(server, classes={"spam": 500}, most_tokens=4_000, answer_tokens=50)
    found = read(source, tmp_path)
    spent = found.scan.fetching["prompt_tokens"] + found.scan.fetching["answer_tokens"]
    assert 3_000 < spent <= 4_000
    assert 0 < found.table.height < 500
    assert found.scan.fetching["stopped"].startswith("stopped at most_tokens: 4,000")
    assert "stopped at most_tokens" in found.scan.notes[1]
    before = len(server.requests)
    more = read(part(server, classes={"spam": 500}, most_tokens=8_000, answer_tokens=50), tmp_path)
    assert more.table["text"][: found.table.height].equals(found.table["text"])
    assert len(server.requests) == more.scan.fetching["requests"]  # what the first recipe paid for came from the store
    assert more.scan.fetching["found"] == before


def test_the_cap_of_cost_and_of_requests(server: ModelServer, tmp_path: Path) -> None:
    price = {"prompt": 1.0, "answer": 10.0}
    source = part(server, classes={"spam": 500}, most_cost=0.01, price=price, answer_tokens=100)
    found = read(source, tmp_path)
    assert 0.005 < found.scan.fetching["cost"] <= 0.01
    assert "at a cost of" in found.scan.notes[0]
    found = read(part(server, classes={"spam": 500}, most_requests=7), tmp_path)
    assert found.scan.fetching["requests"] == 7
    assert found.scan.notes[1].startswith(f"{found.table.height} of 500 rows of spam: stopped at most_requests: 7")


def test_an_answer_that_does_not_say_its_tokens_counts_with_the_most_it_can_be(tmp_path: Path) -> None:
    with model_server(lambda asked, tries: Reply(json.dumps({"text": sentence(drawn(asked))}), usage=False)) as server:
        found = read(part(server, classes={"spam": 500}, most_tokens=20_000), tmp_path)
    assert found.scan.fetching["prompt_tokens"] + found.scan.fetching["answer_tokens"] <= 20_000
    assert found.table.height < 40
    assert any("do not say how many tokens" in note for note in found.scan.notes)


# What goes wrong


@pytest.mark.parametrize(
    ("reply", "problem", "hint"),
    [
        (Reply(status=401, body=b'{"error": {"message": "bad key sk-secret-1"}}'), "HTTP status 401", "SECRET_KEY"),
        (Reply(status=404, body=b"nothing here"), "HTTP status 404", "`endpoint`"),
        (Reply(status=500, body=b"boom"), "HTTP status 500", "kept"),
        (Reply(body=b"<html>Log in</html>"), "no chat completion", "base address"),
        (Reply(status=302, headers={"Location": "http://127.0.0.1:1/"}, body=b""), "HTTP status 302", "kept"),
        (Reply(body=b'{"choices": []}'), "no chat completion", "base address"),
        (Reply("{}", cut=20), "connection broke", "kept"),
        (Reply(body=b" " * (5 << 20)), "longer than 4 MiB", "kept"),
    ],
)
def test_a_service_that_fails(
    reply: Reply, problem: str, hint: str, server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "sk-secret-1")
    server.answer = lambda asked, tries: reply
    with pytest.raises(ModelError) as error:
        read(part(server, api_key="${env:SECRET_KEY}", retries=0), tmp_path)
    told = str(error.value)
    assert problem in told
    assert hint in told
    assert "sk-secret-1" not in told
    assert len(told.splitlines()) <= 5
    assert set(server.keys) == {"Bearer sk-secret-1"}
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and b"sk-secret-1" in file.read_bytes()]


def test_a_server_that_is_not_there_and_one_that_is_slow(server: ModelServer, tmp_path: Path) -> None:
    nowhere = part(server, retries=0).model_copy(update={"endpoint": "http://127.0.0.1:9/v1"})
    with pytest.raises(ModelError, match="cannot be reached"):
        read(nowhere, tmp_path)
    server.answer = lambda asked, tries: Reply("{}", wait=1)
    with pytest.raises(ModelError, match=r"no answer within 0\.2 seconds"):
        read(part(server, retries=0, timeout=0.2, parallel=1), tmp_path)


def test_a_run_that_was_cut_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    with model_server(capricious) as server:
        whole = part(server, classes={"spam": 40}).scan(Context(base=tmp_path, store=tmp_path / "whole"))
    with model_server(capricious) as server:
        source, answered = part(server, classes={"spam": 40}, retries=1), []
        for fail_at in (3, 17, 31, 10_000):
            server.answer = lambda asked, tries, limit=fail_at: (
                Reply(status=500, body=b"down") if len(server.requests) > limit else capricious(asked, tries)
            )
            try:
                scan = source.scan(Context(base=tmp_path, store=tmp_path / "cut"))
            except ModelError:
                answered.append(len(list((tmp_path / "cut/snapshots").rglob("bodies/*/*"))))
    assert answered == sorted(answered)
    assert 0 < answered[0] < answered[-1]
    assert scan.settings == whole.settings
    assert [(file.name, file.sha256) for file in scan.files] == [(file.name, file.sha256) for file in whole.files]


def test_offline_without_anything(server: ModelServer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing was kept"):
        part(server).scan(Context(base=tmp_path, store=tmp_path / "store", offline=True))
    assert not server.requests


def test_no_key_of_the_environment_is_sent(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-somebody")
    read(part(server, classes={"spam": 1}), tmp_path)
    assert server.keys == ["Bearer none"]


def test_refresh_asks_again(server: ModelServer, tmp_path: Path) -> None:
    source = part(server, classes={"spam": 3})
    context = Context(base=tmp_path, store=tmp_path / "store")
    first = source.scan(context)
    asked = len(server.requests)
    again = source.scan(Context(base=tmp_path, store=tmp_path / "store", refresh=True))
    assert len(server.requests) == 2 * asked
    assert again.settings == first.settings


# What a recipe may say


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"classes": None}, "say either"),
        ({"rows": 3}, "say either"),
        ({"api_key": "sk-1234"}, "api_key"),
        ({"output": {"text": "string", "label": "string"}}, "leave it out"),
        ({"most_cost": 1}, "needs the `price`"),
        ({"train_only": False}, "needs a `reason`"),
        ({"compare": "body"}, "no column of `output`"),
        ({"answer": "text", "per_request": 2}, "one column of one row"),
        ({"prompt": "{% for %}"}, "no template"),
        ({"output": {"text": {"$ref": "http://x/y"}}}, "write it out"),
        ({"like": {"use": "csb", "path": "x"}}, "no source 'csb': did you mean 'csv'"),
        (
            {"prompt": "{{ lable }}"},
            "names 'lable', which is not known: did you mean 'label'.; known are label, number",
        ),
    ],
)
def test_options_that_do_not_go_together(options: dict[str, Any], problem: str, server: ModelServer) -> None:
    with pytest.raises((ValidationError, RecipeError), match=problem):
        part(server, **options)


def test_a_wrong_prompt_is_told_with_its_line(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "seedbed: 1\nname: x\ntask: {kind: text_classification, text: text, label: label}\nsources:\n"
        "  - use: generate\n    endpoint: http://127.0.0.1:1/v1\n    model: m\n    classes: {a: 1}\nPROMPT"
        "    like: {use: csv, path: like.csv, delimitr: ';'}\n"
    )
    text = recipe.read_text()
    for prompt, said in (
        ("{{ lable }}", ["recipe.yaml:9: sources.0.prompt: names 'lable'", "recipe.yaml:10: sources.0.like.delimitr"]),
        ("{{ label }}", ["recipe.yaml:10: sources.0.like.delimitr: there is no such option of csv"]),
    ):
        recipe.write_text(text.replace("PROMPT", f"    prompt: '{prompt}'\n"))
        with pytest.raises(RecipeError) as error:
            load(recipe)
        assert all(words in str(error.value) for words in said), str(error.value)


@pytest.mark.parametrize(
    ("prompt", "problem"),
    [
        ("{{ examples.first }}", "has no attribute 'first'"),
        ("{{ label.__class__.__mro__ }}", "unsafe"),
        ("{{ 'x' * 300000 }}", "may have 200,000"),
        ("{{ range(10 ** 9) | list }}", "Range too big"),
        ("{{ 1 / 0 }}", "division"),
    ],
)
def test_templates_reach_nothing(prompt: str, problem: str, server: ModelServer, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=problem):
        read(part(server, prompt=prompt), tmp_path)
    assert not server.requests


def test_a_schema_that_is_none(server: ModelServer, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="is no JSON Schema"):
        read(part(server, output={"text": {"type": "sting"}}), tmp_path)


def test_a_quick_look_pays_for_no_more_than_it_shows(server: ModelServer, tmp_path: Path) -> None:
    few = read(part(server, limit=2), tmp_path)
    assert few.table.height + len(few.malformed) == 2 == len(server.requests)
    whole = read(part(server), tmp_path)
    assert whole.table.height == 8
    assert whole.scan.fetching["found"] == 2


@pytest.mark.slow
def test_cut_at_fifty_places_it_ends_as_if_nothing_had_been(tmp_path: Path) -> None:
    with model_server() as server:
        whole = part(server, classes={"spam": 60}).scan(Context(base=tmp_path, store=tmp_path / "whole"))
        cuts, chance = 0, random.Random(5)

        def cutting(asked: dict[str, Any], tries: int) -> Reply | str:
            text = str(grammar(asked, tries))
            return Reply(text, cut=chance.randrange(300)) if cuts < 50 and chance.random() < 0.7 else text

        server.answer = cutting
        source = part(server, classes={"spam": 60}, retries=0, parallel=1)
        for _ in range(200):
            try:
                scan = source.scan(Context(base=tmp_path, store=tmp_path / "cut"))
                break
            except ModelError:
                cuts += 1
    assert cuts == 50
    assert scan.settings == whole.settings
    assert [(file.name, file.sha256) for file in scan.files] == [(file.name, file.sha256) for file in whole.files]


def test_the_time_that_a_body_may_take_is_bounded(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seedbed.core.asking.calling._GRACE", 0.0)
    server.answer = lambda asked, tries: Reply("x" * 1000, drip=0.05)
    began = time.monotonic()
    with pytest.raises(ModelError, match=r"does not end within 0\.5 seconds"):
        read(part(server, retries=0, timeout=0.5, parallel=1), tmp_path)
    assert time.monotonic() - began < 20
