"""A page that answers texts in the browser: its files are copied as they are."""
