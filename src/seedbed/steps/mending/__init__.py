"""Mending texts: which rows a costly change can concern, and what is wrong with them."""
