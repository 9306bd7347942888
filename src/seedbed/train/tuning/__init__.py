"""The search for a learner's best options: where, who tries them, what was found before."""
