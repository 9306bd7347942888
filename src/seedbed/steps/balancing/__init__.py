"""What `class_weights`, `oversample` and `undersample` share."""
