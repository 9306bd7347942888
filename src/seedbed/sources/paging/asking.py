"""From what is asked for to a request: addresses, parameters and bodies with their secrets, sent only where they go."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from seedbed.core.context import expand
from seedbed.core.errors import DataError
from seedbed.core.showing import clean
from seedbed.sources.fetching.http import Client, Response

from .kinds import Request

_NAME = re.compile(r"\$\{env:(\w+)\}")


@dataclass
class Asking:
    """Sends requests for pages.

    Attributes:
        client: Sends them.
        at: The source, for messages.
        url: Address of the first page; `${env:NAME}` as in params and body.
        params: Of the query, with all pages but those whose whole address the server gives.
        method: GET or POST.
        body: JSON, where it is a POST.
    """

    client: Client
    at: str
    url: str
    params: Mapping[str, str]
    method: str = "GET"
    body: Mapping[str, Any] | None = None
    _at_last: str = field(default="", repr=False)

    def __call__(self, asked: Request) -> Response:
        """Ask for a page.

        Raises:
            FetchError: There is no answer that can be used.
            DataError: The server names an address on another host as the next.
            RecipeError: An environment variable is not set.
        """
        content, headers = None, {}
        if self.method == "POST":
            body = json.loads(_NAME.sub(self._in_json, json.dumps(self.body or {})))
            for path, value in asked.body.items():
                _put(body, path.split("."), value)
            content, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
        base = expand(self.url, at=self.at)
        if asked.url:
            url, params = self._next(base, asked.url), dict[str, str]()
        else:
            url, params = base, {name: expand(value, at=self.at) for name, value in self.params.items()}
        answer = self.client.send(self.method, url, params={**params, **asked.params}, headers=headers, content=content)
        self._at_last = answer.url
        return answer

    def _next(self, base: str, told: str) -> str:
        """An address that the server gave, where it is on the host that was asked; https where that was."""
        sent = set(_NAME.findall(self.url + json.dumps(dict(self.params))))
        told = _NAME.sub(lambda found: quote(expand(found[0]), safe="") if found[1] in sent else found[0], told)
        try:
            here, there = urlsplit(base), urlsplit(urljoin(self._at_last or base, told))
        except ValueError:
            said = f"what should be the address of the next page is none: {clean(told)[:100]!r}"
            raise DataError(said, at=self.at, hint="name where it is, with `pagination`") from None
        if there.scheme == "http" and here.scheme == "https":
            there = there._replace(scheme="https")  # what stands behind a server that unpacks TLS does not know of it
        if (there.scheme, there.netloc) != (here.scheme, here.netloc):
            raise DataError(
                f"the next page is on another host ({there.scheme}://{there.netloc.rpartition('@')[2]}), which is not "
                "asked, since it would get what is meant for this one",
                at=self.at,
                hint="if that is right, make its address the `url`",
            )
        return urlunsplit(there)

    def _in_json(self, found: re.Match[str]) -> str:
        return json.dumps(expand(found[0], at=self.at))[1:-1]


def _put(body: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        inner = body.get(name)
        body[name] = inner if isinstance(inner, dict) else {}
        body = body[name]
    body[path[-1]] = value
