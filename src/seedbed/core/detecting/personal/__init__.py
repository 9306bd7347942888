"""Personal data in texts: where it stands and of which kind it is, validated, so that dates and order numbers stay.

What is found is told by kind and place (`Span`, offsets in characters), never by its value.
"""
