"""Programs that stand beside exported graphs: copied as they are, they import nothing of Seedbed."""
