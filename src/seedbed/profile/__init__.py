"""What a table looks like, in numbers and guesses."""
