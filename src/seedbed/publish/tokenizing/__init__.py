"""What the exporter `tokens` is made of: windows, rows of tokens, one form for each kind of task, what is lost."""
