"""What trackers share: a run's options, numbers and training curves as flat names and values."""
