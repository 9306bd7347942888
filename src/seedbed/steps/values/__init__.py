"""Values of a row: the types that a recipe can name, expressions over columns, and what own functions return."""
