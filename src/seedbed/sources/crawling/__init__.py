"""What the source `web` is made of: addresses, robots.txt, sitemaps, and the crawl, level by level."""
