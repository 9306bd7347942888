"""What each step is worth: the cheap learner with it and without it, on the same rows."""
