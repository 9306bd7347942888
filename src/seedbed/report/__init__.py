"""The page that people read, made from run.json and nothing else."""
