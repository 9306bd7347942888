"""Other names for values: which ones mean the same, and lists of them that a person has looked through."""
