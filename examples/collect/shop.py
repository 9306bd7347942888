"""A made-up shop, on this machine only: a web site, an API and a database. No data of anybody's.

Usage: python examples/collect/shop.py [--site 8731] [--api 8732] [--rows 1200]

Writes `shop.sqlite` beside itself and serves until Ctrl-C on 127.0.0.1:

* the site: a page for each product, a sitemap, and a robots.txt that forbids /private/;
* the API: products, 25 a page, next page by a link; it wants the key of `SHOP_KEY` and is at times too busy (429);
* the database: reviews, which name a product by its number.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import threading
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

KEY = os.environ.get("SHOP_KEY", "open-sesame")
PAGE = 25
WORDS = {
    kind: words.split()
    for kind, words in (
        ("books", "chapter plot author page cover ending story novel paper print character language"),
        ("garden", "soil seeds leaves roots watering pot spade bloom hose pruning compost hedge"),
        ("kitchen", "pan knife oven handle lid non-stick boil recipe steel blade dough whisk"),
        ("music", "strings tone amplifier melody bass tuning keys chord volume pedal rhythm case"),
    )
}
GOOD = ("lovely", "reliable", "excellent", "charming", "sturdy", "brilliant")
BAD = ("flimsy", "awful", "disappointing", "broken", "useless", "dull")


class Shop:
    """Products and reviews, the same for the same seed."""

    def __init__(self, rows: int, seed: int = 13) -> None:
        self.chance = random.Random(seed)
        kinds = list(WORDS)
        self.products = [
            {
                "id": number,
                "title": f"{self.chance.choice(GOOD).title()} {self.chance.choice(WORDS[kinds[number % 4]])} {number}",
                "category": kinds[number % 4],
                "price": {"amount": self.chance.randint(300, 9900) / 100, "currency": "EUR"},
            }
            for number in range(1, 121)
        ]
        self.reviews = [self._review(number) for number in range(1, rows + 1)]

    def _review(self, number: int) -> tuple[int, int, str, int]:
        product = self.chance.choice(self.products)
        stars = self.chance.randint(1, 5)
        feeling = self.chance.choice(GOOD if stars > 3 else BAD)
        about = self.chance.sample(WORDS[str(product["category"])], 3)
        others = self.chance.choice(["It came on time.", "My sister has one, too.", "I'd say so twice.", "Well…"])
        text = f"A {feeling} thing: the {about[0]} and the {about[1]}, not to speak of the {about[2]}. {others}"
        return number, int(str(product["id"])), f"{text} ({number})", stars

    def write(self, place: Path) -> None:
        """Write the database, anew."""
        place.unlink(missing_ok=True)
        with sqlite3.connect(place) as database:
            database.execute("create table reviews (id integer primary key, product integer, text text, stars integer)")
            database.executemany("insert into reviews values (?, ?, ?, ?)", self.reviews)
        database.close()


class Handler(BaseHTTPRequestHandler):
    """What site and API have in common."""

    protocol_version = "HTTP/1.1"

    def __init__(self, shop: Shop, *args: object) -> None:
        self.shop = shop
        super().__init__(*args)

    def answer(self, body: str, kind: str, status: HTTPStatus = HTTPStatus.OK, **headers: str) -> None:
        """Send a whole answer."""
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Site(Handler):
    """The web site."""

    def do_GET(self) -> None:
        """A page, robots.txt or the sitemap."""
        path = urlsplit(self.path).path
        number = path.removeprefix("/products/").removesuffix(".html")
        if path == "/robots.txt":
            self.answer(f"User-agent: *\nDisallow: /private/\nSitemap: {self._here}/sitemap.xml\n", "text/plain")
        elif path == "/sitemap.xml":
            pages = "".join(
                f"<url><loc>{self._here}/products/{one['id']}.html</loc></url>" for one in self.shop.products
            )
            space = "http://www.sitemaps.org/schemas/sitemap/0.9"
            self.answer(f'<?xml version="1.0"?><urlset xmlns="{space}">{pages}</urlset>', "application/xml")
        elif path.startswith("/products/") and number.isdecimal() and 0 < int(number) <= len(self.shop.products):
            self.answer(self._page(int(number)), "text/html; charset=utf-8")
        else:
            self.answer("<p>There is no such page.</p>", "text/html", HTTPStatus.NOT_FOUND)

    @property
    def _here(self) -> str:
        return f"http://{self.headers['Host']}"

    def _page(self, number: int) -> str:
        product = self.shop.products[number - 1]
        about = " ".join(f"It has a {word}." for word in WORDS[str(product["category"])])
        return (
            f'<!doctype html><html lang="en"><title>{product["title"]}</title>'
            f'<nav><a href="/private/stock">Stock</a></nav>'
            f"<main><article><h1>{product['title']}</h1><p>This is number {number} of our {product['category']} "
            f"department, made by hand in a small workshop and looked at twice before it leaves.</p><p>{about}</p>"
            f'<p>All texts of this shop are in the <a rel="license" '
            f'href="https://creativecommons.org/publicdomain/zero/1.0/">public domain</a>.</p></article></main></html>'
        )


class Api(Handler):
    """The API."""

    asked = 0

    def do_GET(self) -> None:
        """A page of products."""
        Api.asked += 1
        asked = urlsplit(self.path)
        if asked.path != "/products":
            self.answer('{"error": "no such thing"}', "application/json", HTTPStatus.NOT_FOUND)
        elif self.headers.get("Authorization") != f"Bearer {KEY}":
            self.answer('{"error": "who are you?"}', "application/json", HTTPStatus.UNAUTHORIZED)
        elif Api.asked % 4 == 0:
            busy = {"Retry_After": "0"}
            self.answer('{"error": "busy"}', "application/json", HTTPStatus.TOO_MANY_REQUESTS, **busy)
        else:
            start = int(parse_qs(asked.query).get("start", ["0"])[0])
            items = self.shop.products[start : start + PAGE]
            more = start + PAGE < len(self.shop.products)
            follows = f"http://{self.headers['Host']}/products?start={start + PAGE}" if more else None
            self.answer(json.dumps({"items": items, "next": follows}), "application/json")


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=int, default=8731)
    parser.add_argument("--api", type=int, default=8732)
    parser.add_argument("--rows", type=int, default=1200)
    options = parser.parse_args()
    shop = Shop(options.rows)
    place = Path(__file__).with_name("shop.sqlite")
    shop.write(place)
    ways = ((Site, options.site), (Api, options.api))
    servers = [ThreadingHTTPServer(("127.0.0.1", port), partial(kind, shop)) for kind, port in ways]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    where = [f"http://127.0.0.1:{server.server_port}" for server in servers]
    print(f"site {where[0]}, API {where[1]} (SHOP_KEY={KEY}), database {place.name}; Ctrl-C ends it", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        for server in servers:
            server.shutdown()


if __name__ == "__main__":
    main()
