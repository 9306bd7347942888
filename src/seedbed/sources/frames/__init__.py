"""Tables that are there at once: what Python holds, and what a pickle holds, as rows and as blocks."""
