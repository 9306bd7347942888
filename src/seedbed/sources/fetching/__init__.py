"""How sources that are no files get what they read: politely, once, and kept as it came."""
