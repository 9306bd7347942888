"""What learners that are made of other learners share."""
