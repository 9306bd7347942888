"""Which pages are copies of others, by what they say themselves."""

from __future__ import annotations

from collections.abc import Mapping


def copies(said: Mapping[str, str]) -> dict[str, str]:
    """Pages that are copies, with the page of which they are.

    A page that names another page as its own address (rel=canonical) is a copy of it if that one came; if that one
    names a third, of that. Where they name each other in a circle, the one that was found first stays.

    Args:
        said: The address that each page gives as its own, by address, in the order in which they were found; empty
            where it gives none.
    """
    order = {url: place for place, url in enumerate(said)}
    found = {}
    for url in said:
        path = [url]
        while (to := said[path[-1]]) in said and to not in path:
            path.append(to)
        circle = path[path.index(to) :] if to in path else path[-1:]
        original = min(circle, key=lambda one: order[one])
        if original != url:
            found[url] = original
    return found
