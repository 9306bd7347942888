"""What a source sends to prove who it is stands nowhere but in the environment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from rest_reading import QUICK, read, rest

from seedbed.cli import main
from seedbed.sources.fetching.secrets import Secrets
from serving.api import Answer, Api, Asked, Basic, Bearer, OAuth, as_json

SECRET = 'pä$$ w/ö+&=?"<%'
FORMS = [SECRET.encode(), b"p%C3%A4%24%24", b"p\\u00e4$$ w", b"cMOkJCQg", "pä$$ w".encode()]
ITEMS = [
    {"id": number, "text": f"text number {number} of {number * 7}", "label": "ab"[number % 2]} for number in range(90)
]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setenv("API_SECRET", SECRET)
    with Api([dict(item) for item in ITEMS]) as server:
        yield server


def echo(api: Api) -> None:
    """A server that says again all that it was told, in answers, headers and addresses."""

    def answer(asked: Asked) -> Answer:
        inner = api.routes["/next"](asked)
        told = json.loads(inner.body) | {"you": {"query": asked.query, "headers": asked.headers}}
        told["data"]["items"] = [{**item, "seen": asked.query.get("key", "")} for item in told["data"]["items"]]
        return as_json(told, ETag='"x"', Link=f'<{api.url("/me")}?{asked.query}>; rel="self"')

    api.routes["/echo"] = answer


def held(folder: Path) -> bytes:
    return b"\n".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def refuse_secrets(data: bytes) -> None:
    assert [form for form in FORMS if form in data] == []


def exit_code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def recipe(folder: Path, **source: Any) -> Path:
    held = {
        "seedbed": 1,
        "name": "api",
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [{"use": "rest", "name": "api", **QUICK, **source}],
        "train": [{"use": "majority"}],
        "evaluate": {"intervals": {"resamples": 200}},
    }
    folder.mkdir(exist_ok=True)
    (folder / "recipe.yaml").write_text(yaml.safe_dump(held))
    return folder / "recipe.yaml"


def test_a_server_that_repeats_what_it_was_told(api: Api, tmp_path: Path) -> None:
    echo(api)
    secret = "${env:API_SECRET}"
    sources = [
        rest(api.url("/echo"), auth={"kind": "api_key", "send": "query", "name": "key", "key": secret}),
        rest(api.url("/echo"), params={"key": secret, "a": "b"}),
        rest(api.url("/echo"), auth={"kind": "basic", "user": "me", "password": secret}),
    ]
    for place, source in enumerate(sources):
        found = read(source, tmp_path / str(place))
        assert found.table.height == 90
        if place < 2:
            assert [asked.query["key"] for asked in api.asked[-9:]] == [SECRET] * 9
            assert set(found.table["seen"]) == {secret}
        assert any("9 pages repeated a secret that was sent" in note for note in found.scan.notes)
        refuse_secrets(held(tmp_path / str(place)))


def test_a_server_that_repeats_a_token(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    echo(api)
    monkeypatch.setenv("API_SECRET", "plain-secret")
    api.wants = OAuth("me", "plain-secret")
    auth = {"kind": "oauth2_client_credentials", "token_url": api.url("/token"), "client_id": "me", "send": "body"}
    read(rest(api.url("/echo"), auth={**auth, "client_secret": "${env:API_SECRET}"}), tmp_path)
    assert b"(token)" in held(tmp_path)
    assert api.wants.issued[0].encode() not in held(tmp_path)
    assert b"token-1-" not in held(tmp_path)


def test_a_placeholder_in_an_answer_is_not_filled_in(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANOTHER", "other secret")
    monkeypatch.setenv("API_SECRET", "plain-secret")
    stolen = "/steal?a=${env:ANOTHER}&b=${env:API_SECRET}"
    api.routes["/first"] = lambda _: as_json({"items": [{"id": 1}], "next": stolen})
    api.routes["/steal"] = lambda asked: as_json({"items": [{"id": 2}]})
    found = read(rest(api.url("/first"), auth={"kind": "bearer", "token": "${env:API_SECRET}"}), tmp_path)
    assert found.table["id"].to_list() == [1, 2]
    assert dict(api.asked[-1].query) == {"a": "${env:ANOTHER}", "b": "${env:API_SECRET}"}


@pytest.mark.parametrize("kind", ["basic", "query", "oauth2"])
def test_a_wrong_password_is_shown_nowhere(
    kind: str, api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    echo(api)
    secret = "${env:API_SECRET}"
    api.wants, auth = {
        "basic": (Basic("me", "right"), {"kind": "basic", "user": "me", "password": secret}),
        "query": (Bearer("right"), {"kind": "api_key", "key": secret, "send": "query", "name": "key"}),
        "oauth2": (
            OAuth("me", "right"),
            {
                "kind": "oauth2_client_credentials",
                "token_url": api.url("/token"),
                "client_id": "me",
                "client_secret": secret,
            },
        ),
    }[kind]
    path = recipe(tmp_path / "run", url=api.url("/echo"), params={"again": secret}, auth=auth)
    assert exit_code("run", str(path)) == 3
    said = capsys.readouterr()
    assert "answers 401 Unauthorized" in said.out + said.err
    assert "Traceback" not in said.out + said.err
    refuse_secrets((said.out + said.err).encode() + held(tmp_path / "run"))


def test_a_secret_in_the_recipe_is_refused_and_not_repeated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    auth = {"kind": "basic", "user": "me", "password": "hunter2-hunter2"}
    path = recipe(tmp_path / "run", url="https://example.org/", auth=auth)
    assert exit_code("run", str(path)) == 2
    said = capsys.readouterr()
    assert "sources.0.auth.password: a secret has no place in a recipe" in said.err
    assert "hunter2" not in said.out + said.err


def test_a_whole_run_with_a_secret(api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    echo(api)
    secret = "${env:API_SECRET}"
    path = recipe(
        tmp_path / "run", url=api.url("/echo"), params={"key": secret}, columns={"text": "text", "label": "label"}
    )
    assert exit_code("run", str(path)) == 0
    first = json.loads((tmp_path / "run" / "runs" / "api" / "latest" / "run.json").read_text())
    assert first["rows"]["read"] == 90
    asked = len(api.asked)
    assert exit_code("run", str(path), "--offline") == 0
    assert len(api.asked) == asked
    again = json.loads((tmp_path / "run" / "runs" / "api" / "latest" / "run.json").read_text())
    assert again["dataset"]["digest"] == first["dataset"]["digest"]
    said = capsys.readouterr()
    refuse_secrets((said.out + said.err).encode() + held(tmp_path / "run"))


def test_forms_of_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", SECRET)
    monkeypatch.setenv("SHORT", "abc")
    monkeypatch.setenv("PROJECT", "project")
    known = Secrets('{"k": "${env:KEY} ${env:SHORT} ${env:UNSET}"}', "https://x/${env:PROJECT}")
    assert known.conceal(f"abc {SECRET} project") == "abc ${env:KEY} ${env:PROJECT}"
    body = json.dumps({"a": SECRET, "b": "project"}).encode()
    assert json.loads(known.conceal_sent(body)) == {"a": "${env:KEY}", "b": "project"}
    plain = b"\xff\xfe project"
    assert known.conceal_sent(plain) is plain
