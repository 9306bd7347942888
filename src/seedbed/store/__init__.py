"""Content-addressed artefacts: passes that are done are not done again."""
