"""What `augment` does to a text: edits of words and letters, synonyms, translations there and back."""
