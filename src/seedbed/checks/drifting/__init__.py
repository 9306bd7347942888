"""What `drift` compares: samples, kinds of columns, words."""
