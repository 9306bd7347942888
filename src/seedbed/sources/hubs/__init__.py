"""What `hub` is made of: where datasets lie, which of their files are meant, and how those come here."""
