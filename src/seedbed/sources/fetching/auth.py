"""How a source says who is asking: options, and what they send."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from urllib.parse import quote_plus, urlencode

from pydantic import Field

from seedbed.core.context import expand

from .choices import Choice, Secret
from .failing import failed
from .http import Auth, Client, Response
from .secrets import Secrets

#: Seconds before its end at which a token is asked for anew.
_EARLY = 30.0


class ApiKey(Choice):
    """A key in a header or in the query."""

    kind: Literal["api_key"] = Field("api_key", description="A key in a header, or in the query.")
    key: Secret = Field(description="The key, as `${env:NAME}`.")
    name: str = Field("X-API-Key", min_length=1, description="Name of the header, or of the query's parameter.")
    send: Literal["header", "query"] = Field("header", description="Where it is sent.")


class BearerToken(Choice):
    """A token in the header Authorization (RFC 6750)."""

    kind: Literal["bearer"] = Field("bearer", description="A token in the header Authorization.")
    token: Secret = Field(description="The token, as `${env:NAME}`.")


class BasicPassword(Choice):
    """A user's name and password in the header Authorization (RFC 7617)."""

    kind: Literal["basic"] = Field("basic", description="A name and a password in the header Authorization.")
    user: str = Field(description="The user's name.")
    password: Secret = Field(description="The password, as `${env:NAME}`.")


class ClientCredentials(Choice):
    """A token that a program gets for its own id and secret (RFC 6749, section 4.4)."""

    kind: Literal["oauth2_client_credentials"] = Field(
        "oauth2_client_credentials",
        description="A token that is asked for with the program's own id and secret (OAuth 2.0).",
    )
    token_url: str = Field(description="Where tokens are given.")
    client_id: str = Field(description="The program's id.")
    client_secret: Secret = Field(description="The program's secret, as `${env:NAME}`.")
    scope: str | None = Field(None, description="What the token shall be good for, in the server's words.")
    send: Literal["header", "body"] = Field(
        "header", description="Whether id and secret are sent in the header Authorization, or in the body."
    )
    more: dict[str, str] = Field(
        default_factory=dict, description="Further parameters that the token's server wants, such as `audience`."
    )


Authorization = Annotated[ApiKey | BearerToken | BasicPassword | ClientCredentials, Field(discriminator="kind")]


def secret_of(auth: Authorization | None) -> str:
    """The options of it that hold secrets, as text with placeholders."""
    kept = {"kind", "name", "send", "user", "token_url", "client_id", "scope"}
    return json.dumps(auth.model_dump(mode="json", exclude=kept)) if auth else ""


def signing(auth: Authorization | None, secrets: Secrets, client: Any, at: str) -> Auth | None:
    """What a client sends of it.

    Args:
        auth: The options.
        secrets: Learn what may not be shown.
        client: Opens a client for a server that gives tokens: called with nothing, for `with`.
        at: The source, for messages.

    Raises:
        RecipeError: An environment variable is not set.
    """
    match auth:
        case ApiKey(name=name, send="query"):
            return _Fixed({}, {name: expand(auth.key, at=at)})
        case ApiKey(name=name):
            return _Fixed({name: expand(auth.key, at=at)})
        case BearerToken():
            return _Fixed({"Authorization": f"Bearer {expand(auth.token, at=at)}"})
        case BasicPassword():
            told = _basic(expand(auth.user, at=at), expand(auth.password, at=at), secrets)
            return _Fixed({"Authorization": told})
        case ClientCredentials():
            return _Tokens(auth, secrets, client, at)
    return None


def _basic(user: str, password: str, secrets: Secrets) -> str:
    packed = base64.b64encode(f"{user}:{password}".encode()).decode()
    secrets.add(packed, "(name and password)")
    return f"Basic {packed}"


@dataclass(frozen=True)
class _Fixed:
    """The same with every request."""

    _headers: Mapping[str, str] = field(default_factory=dict)
    _params: Mapping[str, str] = field(default_factory=dict)

    def headers(self) -> Mapping[str, str]:
        return self._headers

    def params(self) -> Mapping[str, str]:
        return self._params

    def renewed(self) -> bool:
        return False


class _Tokens:
    """Asks for a token where there is none, or where the last one is over. Tokens stay in memory."""

    def __init__(self, options: ClientCredentials, secrets: Secrets, client: Any, at: str) -> None:
        self._options, self._secrets, self._client, self._at = options, secrets, client, at
        self._token, self._until = "", 0.0

    def headers(self) -> Mapping[str, str]:
        if not self._token or time.monotonic() >= self._until:
            self._ask()
        return {"Authorization": f"Bearer {self._token}"}

    def params(self) -> Mapping[str, str]:
        return {}

    def renewed(self) -> bool:
        """The server may have forgotten a token before its time: another is asked for once for each refusal."""
        self._token = ""
        return True

    def _ask(self) -> None:
        options = self._options
        name, secret = expand(options.client_id, at=self._at), expand(options.client_secret, at=self._at)
        form = {"grant_type": "client_credentials", **{key: expand(value) for key, value in options.more.items()}}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if options.scope:
            form["scope"] = options.scope
        if options.send == "body":
            form |= {"client_id": name, "client_secret": secret}
        else:  # both are quoted first: RFC 6749, section 2.3.1
            headers["Authorization"] = _basic(quote_plus(name), quote_plus(secret), self._secrets)
        with self._client() as client:
            opened: Client = client
            url = expand(options.token_url, at=self._at)
            answer = opened.send("POST", url, headers=headers, content=urlencode(form).encode())
        self._take(answer)

    def _take(self, answer: Response) -> None:
        try:
            told = json.loads(answer.body)
            token, lasts = str(told["access_token"]), float(told.get("expires_in") or 300)
        except (ValueError, KeyError, TypeError, AttributeError):
            hint = "is token_url the address where tokens are given?"
            raise failed("body", "the server of tokens gave an answer without access_token", hint=hint) from None
        self._secrets.add(token, "(token)")
        self._token, self._until = token, time.monotonic() + max(lasts - _EARLY, lasts / 2)
