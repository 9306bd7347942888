"""From one page of an answer to the next, and the records on them."""
