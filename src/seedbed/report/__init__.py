"""One self-contained HTML page that tells a run, made from its `Run` record and nothing else: `page.render`."""
