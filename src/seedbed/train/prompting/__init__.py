"""prompted, fine_tuned_remote: models that are asked for each row's answer; what they share."""
