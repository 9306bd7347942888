"""`export`: a run, or any file that a source reads, in another format."""
