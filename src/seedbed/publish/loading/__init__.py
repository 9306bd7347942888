"""What reads exported files in somebody's training: needs the library that it is for, and nothing of a run."""
