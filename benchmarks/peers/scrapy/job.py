"""Scrapy, as its tutorial begins, with trafilatura for the main text: follow links, write rows."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import scrapy
from jobs import Asked
from scrapy.crawler import CrawlerProcess
from trafilatura import bare_extraction

# As Seedbed asks for dates: what a page states, and no guess from its text.
_DATES = {"original_date": True, "extensive_search": False, "min_date": "1990-01-01", "max_date": "2100-12-31"}
ROWS: list[dict[str, object]] = []


class Pages(scrapy.Spider):
    """All pages of a site."""

    name = "pages"

    def parse(self, response):
        """A row of the page, and its links."""
        found = bare_extraction(
            response.text, url=response.url, with_metadata=True, include_comments=False, date_extraction_params=_DATES
        )
        if found and found.text:
            ROWS.append({"url": response.url, "title": found.title, "text": found.text, "date": found.date})
        yield from response.follow_all(css="a")


if __name__ == "__main__":
    asked = Asked.read()
    told = json.loads(asked.source.read_text())
    Pages.start_urls = [f"{told['url']}/"]
    process = CrawlerProcess(
        {
            "ROBOTSTXT_OBEY": True,
            "DOWNLOAD_DELAY": 0,
            "CONCURRENT_REQUESTS": 1,
            "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
            "AUTOTHROTTLE_ENABLED": False,
            "DEPTH_LIMIT": told["depth"],
            "LOG_LEVEL": "WARNING",
            "TELNETCONSOLE_ENABLED": False,
            "USER_AGENT": told["user_agent"],
        }
    )
    process.crawl(Pages)
    process.start()
    pq.write_table(pa.Table.from_pylist(ROWS), asked.out / "rows.parquet")
    asked.done([asked.out / "rows.parquet"], "all rows in memory, in one process; no page is kept")
