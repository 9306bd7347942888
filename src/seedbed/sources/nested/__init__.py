"""Records whose fields hold fields: where they begin and end, and how they become columns."""
