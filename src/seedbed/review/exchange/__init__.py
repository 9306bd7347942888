"""Queues as files for people who work without the page, and what comes back."""
