"""The nouns: parts, rows, ledgers, tasks, runs. Imports nothing of ours."""
