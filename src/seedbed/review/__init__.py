"""People's decisions on rows: queues, a page to walk them by keyboard, and files for who works without it."""
