"""`rest` says who asks, renews what was refused, and keeps no secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from rest_reading import read, rest

from seedbed.core.errors import RecipeError
from seedbed.sources.fetching.http import FetchError
from serving.api import Api, Basic, Bearer, Header, OAuth, Query


@pytest.mark.parametrize("path", ["/next", "/link", "/plain"])
@pytest.mark.parametrize("kind", ["bearer", "basic", "header", "query"])
def test_everybody_else_is_refused(
    kind: str, path: str, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = 's3cr&t+/"x'
    monkeypatch.setenv("API_SECRET", value)
    held = "${env:API_SECRET}"
    api.wants, auth = {
        "bearer": (Bearer(value), {"kind": "bearer", "token": held}),
        "basic": (Basic("me", value), {"kind": "basic", "user": "me", "password": held}),
        "header": (Header("X-Own-Key", value), {"kind": "api_key", "key": held, "name": "X-Own-Key"}),
        "query": (Query("key", value), {"kind": "api_key", "key": held, "name": "key", "send": "query"}),
    }[kind]
    with pytest.raises(FetchError, match="401"):
        read(rest(api.url(path)), tmp_path)
    assert read(rest(api.url(path), auth=auth), tmp_path).table.height == 25
    kept = b"".join(file.read_bytes() for file in (tmp_path / "store").rglob("*") if file.is_file())
    assert value.encode() not in kept
    assert b"s3cr" not in kept
    monkeypatch.delenv("API_SECRET")
    assert read(rest(api.url(path), auth=auth), tmp_path, offline=True).table.height == 25
    with pytest.raises(RecipeError, match="the environment variable API_SECRET is not set"):
        read(rest(api.url(path), auth=auth), tmp_path, refresh=True)


@pytest.mark.parametrize("send", ["header", "body"])
def test_tokens_are_asked_for_and_renewed_and_not_kept(
    send: str, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_SECRET", "quite/secret")
    api.wants = OAuth("me", "quite/secret", uses=2)
    auth = {
        "kind": "oauth2_client_credentials",
        "token_url": api.url("/token"),
        "client_id": "me",
        "client_secret": "${env:API_SECRET}",
        "send": send,
        "scope": "read",
    }
    if send == "header":  # id and secret are quoted first, as RFC 6749 has it
        api.wants.token_secret = "quite%2Fsecret"
    found = read(rest(api.url("/next"), auth=auth), tmp_path)
    assert found.table.height == 25
    assert len(api.wants.issued) == 2
    kept = b"".join(file.read_bytes() for file in (tmp_path / "store").rglob("*") if file.is_file())
    assert not any(token.encode() in kept for token in ["quite/secret", *api.wants.issued])
    monkeypatch.setenv("API_SECRET", "wrong password")
    with pytest.raises(FetchError) as raised:
        read(rest(api.url("/next?a=1"), auth=auth), tmp_path)
    assert "401" in str(raised.value)
    assert api.url("/token") in str(raised.value)
    assert "wrong password" not in str(raised.value)


def test_a_refused_token_is_renewed_once(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_SECRET", "quite-secret")
    api.wants = OAuth("me", "quite-secret", uses=0)
    auth = {"kind": "oauth2_client_credentials", "token_url": api.url("/token"), "client_id": "me"}
    with pytest.raises(FetchError, match="401"):
        read(rest(api.url("/next"), auth={**auth, "client_secret": "${env:API_SECRET}"}), tmp_path)
    assert len(api.wants.issued) == 2
