"""Reading files: which a path means, their bytes and encoding, and blocks that end where a record ends."""
