"""A run's models on their way out: opened, with rows to hold what becomes of them against."""
